/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outbox.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/secret.h"
#include "ctl/identities.h"
#include "ctl/owner.h"
#include "ctl/record.h"
#include "library/authority.h"
#include "library/trust.h"
#include "outbox/push.h"

#include <glib/gi18n-lib.h>

#define RETRY_SECONDS 20
#define MAX_RETRY_SECONDS (24 * 60 * 60)
#define MAX_RECEIPT (64 * 1024)
#define RECEIPT_SUFFIX ".tlog-proof"

typedef struct {
  char *oem, *to, *server_ca, *workstation, *passphrase_file;
  gint64 retry_for, seed;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->oem);
  g_free (self->to);
  g_free (self->server_ca);
  g_free (self->workstation);
  g_free (self->passphrase_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

/* Records that the OEM has not acknowledged, in the order in which they are sent. */
static GPtrArray *
list_pending (RbCli *cli, GError **error)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, error);
  return outbox == NULL ? NULL : rb_stored_pending (outbox, error);
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  if (records == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object ();
  rb_json_set (extra, "pending", rb_record_rows (cli, records));
  g_autofree char *message = g_strdup_printf ("%u pending", records->len);
  return rb_record_end (cli, records, message, extra);
}

static int
verb_export (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { 0 };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  return records == NULL ? rb_cli_fail (cli, error, NULL)
                         : rb_record_export (cli, records, options.oem, "pending ", argv[1]);
}

/* receipts */

static const char *
only_anchor (GPtrArray *anchors, GError **error)
{
  if (anchors->len == 1)
    return ((const RbAnchor *) anchors->pdata[0])->name;
  rb_reason_deny (error, RB_RECORD_ERROR, anchors->len == 0 ? RB_REASON_NO_TRUST_ANCHOR : RB_REASON_USAGE,
                  "%u trust anchors are installed; select one with --oem", anchors->len);
  return NULL;
}

/* The log key comes from the trust list of the OEM, a target of its Service repository. */
static RbReceiptStore *
open_receipts (RbCli *cli, const char *oem, GError **error)
{
  g_autoptr (GPtrArray) anchors = rb_trust_list (cli->data_dir, error);
  const char *name = anchors == NULL ? NULL : oem != NULL ? oem : only_anchor (anchors, error);
  g_autoptr (RbAuthority) authority = name == NULL ? NULL : rb_authority_load (cli->data_dir, name, error);
  if (authority == NULL || !rb_authority_has_list (authority, error))
    return NULL;
  return rb_receipt_store_open (cli->data_dir, authority->list->log_key, error);
}

/* push */

static GTlsCertificate *
load_client (RbCli *cli, const Options *options, GError **error)
{
  g_autoptr (RbIdentitySet) set = rb_identities_load (cli, options->workstation, options->passphrase_file, error);
  char *pem = set == NULL ? NULL : rb_identity_set_upload_pem (set, error);
  if (pem == NULL)
    return NULL;
  GTlsCertificate *certificate = g_tls_certificate_new_from_pem (pem, -1, error);
  rb_secret_free (pem);
  return certificate;
}

static void
tell_record (RbCli *cli, const RbStored *record, const GError *problem)
{
  json_t *event = json_object ();
  rb_json_set_string (event, "event", "record");
  rb_json_set_string (event, "digest", record->outcome->digest);
  rb_json_set_boolean (event, "ok", problem == NULL);
  rb_json_set_string (event, "reason", problem == NULL ? "ok" : rb_reason_word (rb_reason_of (problem)));
  rb_json_set_string (event, "message", problem == NULL ? "" : problem->message);
  rb_cli_event (cli, event);
  rb_cli_say (cli, "%.16s  %s", record->outcome->digest, problem == NULL ? _ ("acknowledged") : problem->message);
}

/* Every record that can be read, until the intake cannot be reached. first: what failed first. */
static guint
push_records (RbCli *cli, RbPush *push, GPtrArray *records, GError **first)
{
  guint pushed = 0;
  for (guint i = 0; i < records->len; i++) {
    const RbStored *record = records->pdata[i];
    g_autoptr (GError) problem = NULL;
    if (record->outcome->reason != RB_REASON_NONE)
      continue;
    gboolean done = rb_push_record (push, record, &problem);
    tell_record (cli, record, problem);
    pushed += done ? 1 : 0;
    gboolean stop = !done && rb_push_is_over (problem);
    if (!done && *first == NULL)
      *first = g_steal_pointer (&problem);
    if (stop)
      break;
  }
  return pushed;
}

static int
push_all (RbCli *cli, const Options *options, GPtrArray *records, RbHttp *http, RbReceiptStore *receipts)
{
  g_autoptr (GError) first = NULL;
  const RbPushOptions how = { .url = options->to,
                              .http = http,
                              .receipts = receipts,
                              .patience_ms = options->retry_for * 1000,
                              .seed = (guint32) options->seed };
  g_autoptr (RbPush) push = rb_push_new (&how);
  guint pushed = push_records (cli, push, records, &first);
  json_t *extra = json_object ();
  rb_json_set_integer (extra, "pushed", pushed);
  rb_json_set_integer (extra, "pending", records->len - pushed);
  if (first != NULL)
    return rb_cli_fail (cli, first, extra);
  g_autofree char *message = g_strdup_printf ("%u %s acknowledged", pushed, pushed == 1 ? "record" : "records");
  return rb_record_end (cli, records, message, extra);
}

static int
verb_push (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { .retry_for = RETRY_SECONDS };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  g_autoptr (RbOwners) owners = records == NULL ? NULL : rb_owner_load (cli->data_dir, &error);
  if (owners == NULL || !rb_owner_select (owners, records, options.oem, &error))
    return rb_cli_fail (cli, error, NULL);
  if (records->len == 0)
    return rb_cli_end (cli, RB_CLI_OK, "ok", "nothing is pending", json_pack ("{s:i,s:i}", "pushed", 0, "pending", 0));
  g_autoptr (GTlsCertificate) client = load_client (cli, &options, &error);
  const RbHttpOptions net = { .ca_file = options.server_ca, .identity = client };
  g_autoptr (RbHttp) http = client == NULL ? NULL : rb_http_new (&net, &error);
  g_autoptr (RbReceiptStore) receipts = http == NULL ? NULL : open_receipts (cli, options.oem, &error);
  return receipts == NULL ? rb_cli_fail (cli, error, NULL) : push_all (cli, &options, records, http, receipts);
}

/* import */

static gboolean
accept_file (RbReceiptStore *receipts, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_RECEIPT, error);
  g_autofree char *digest = bytes == NULL ? NULL : rb_receipt_store_accept (receipts, bytes, NULL, error);
  if (digest == NULL)
    g_prefix_error (error, "%s: ", path);
  return digest != NULL;
}

/* A file, or a folder's receipts. */
static gboolean
accept_path (RbReceiptStore *receipts, const char *path, guint *accepted, GError **error)
{
  g_auto (GStrv) names = rb_files_is_folder (path) ? rb_files_list (path, error) : NULL;
  if (!rb_files_is_folder (path)) {
    (*accepted)++;
    return accept_file (receipts, path, error);
  }
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *file = g_build_filename (path, names[i], NULL);
    if (!g_str_has_suffix (names[i], RECEIPT_SUFFIX))
      continue;
    if (!accept_file (receipts, file, error))
      return FALSE;
    (*accepted)++;
  }
  return names != NULL;
}

static int
verb_import_receipts (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { 0 };
  guint accepted = 0;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, &error);
  g_autoptr (RbReceiptStore) receipts = outbox == NULL ? NULL : open_receipts (cli, options.oem, &error);
  if (receipts == NULL)
    return rb_cli_fail (cli, error, NULL);
  for (int i = 1; i < argc; i++)
    if (!accept_path (receipts, argv[i], &accepted, &error))
      return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("%u %s", accepted, accepted == 1 ? "receipt" : "receipts");
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:I}", "receipts", (json_int_t) accepted));
}

#define OEM_OPTION \
  { \
    "oem", "NAME", "the records of this OEM; needed where there are several", RB_OPTION_TEXT (Options, oem) \
  }

static const RbOption export_options[] = { OEM_OPTION, { NULL } };

static const RbOption push_options[] = {
  { "to", "URL", "the OEM's intake: https://HOST:PORT", RB_OPTION_TEXT (Options, to), .needed = TRUE },
  { "server-ca", "FILE", "the authority of the intake's certificate", RB_OPTION_FILE (Options, server_ca),
    .needed = TRUE },
  { "workstation", "ID", "the workstation's keys, for its TLS client certificate",
    RB_OPTION_FILE (Options, workstation), .needed = TRUE },
  { "passphrase-file", "FILE", "passphrase of the workstation's keys", RB_OPTION_FILE (Options, passphrase_file) },
  OEM_OPTION,
  { "retry-for", "S", "seconds for which a record is tried again (20)",
    RB_OPTION_NUMBER (Options, retry_for, 0, MAX_RETRY_SECONDS) },
  { "seed", "N", "seed of the random delays, for tests", RB_OPTION_NUMBER (Options, seed, 0, G_MAXUINT32) },
  { NULL },
};

const RbCliVerb rb_outbox_verbs[] = {
  { "outbox", "", "records that the OEM has not acknowledged", verb_list },
  { "outbox push", "", "upload them to the OEM's intake and keep the receipts", verb_push, push_options },
  { "outbox export", "DIR [--oem NAME]", "those of an OEM as files", verb_export, export_options, 1, 1 },
  { "outbox import-receipts", "FILE… [--oem NAME]", "keep the OEM's receipts of exported records", verb_import_receipts,
    export_options, 1, -1 },
  { NULL },
};
