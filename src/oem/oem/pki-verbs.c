/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/pki-verbs.h"

#include "authority/oem-folder.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/secret.h"
#include "oem/secret-option.h"
#include "oem/trust-target.h"
#include "pki/people.h"

#include <string.h>

#define MAX_REQUEST (1024 * 1024)
#define DEFAULT_DAYS RB_TRUST_TARGET_DAYS

typedef struct {
  char *name, *certificate, *key, *passphrase_file, *kind, *dealer, *dealer_code, *country, *output, *since, *reason,
    *expires, *min_version;
} Options;

static void
options_clear (Options *self)
{
  char *texts[] = { self->name,   self->certificate, self->key,         self->passphrase_file, self->kind,
                    self->dealer, self->country,     self->dealer_code, self->output,          self->since,
                    self->reason, self->expires,     self->min_version };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* The passphrase of a CA's key. Wipe it. */
static char *
ask (RbCli *cli, const Options *options, GError **error)
{
  char *secret = rb_secret_option_ask (cli, options->passphrase_file, "", error);
  if (secret == NULL || secret[0] != '\0')
    return secret;
  rb_reason_deny (error, RB_PKI_ERROR, RB_REASON_PASSPHRASE, "passphrase of the CA's key: none was given");
  rb_secret_free (secret);
  return NULL;
}

static const char *
ca_of (const Options *options)
{
  return options->name == NULL ? "dealer" : options->name;
}

static gboolean
make_ca (const Options *options, const char *act, const RbOemFolder *folder, const char *secret, GError **error)
{
  if (strcmp (act, "new") == 0)
    return rb_people_new_ca (folder->path, ca_of (options), rb_json_string_or (folder->config, "name", ""), secret,
                             rb_moment_now (), error);
  if (options->certificate != NULL && options->key != NULL)
    return rb_people_import_ca (folder->path, ca_of (options), options->certificate, options->key, secret, error);
  return rb_reason_deny (error, RB_PKI_ERROR, RB_REASON_USAGE, "--certificate FILE and --key FILE are expected");
}

static int
verb_ca (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (strcmp (argv[1], "new") != 0 && strcmp (argv[1], "import") != 0)
    return rb_cli_usage (cli, "pki ca: new or import is expected");
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  char *secret = folder == NULL ? NULL : ask (cli, &options, &error);
  gboolean made = secret != NULL && make_ca (&options, argv[1], folder, secret, &error);
  rb_secret_free (secret);
  if (!made)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *path = g_strdup_printf ("%s/pki/%s.pem", folder->path, ca_of (&options));
  return rb_cli_end (cli, RB_CLI_OK, "ok", path, json_pack ("{s:s}", "certificate", path));
}

static char *
read_requests (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_REQUEST, error);
  return bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static gboolean
issue (RbCli *cli, const Options *options, const char *csr, json_t **issued, GError **error)
{
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, error);
  g_autofree char *requests = folder == NULL ? NULL : read_requests (csr, error);
  char *secret = requests == NULL ? NULL : ask (cli, options, error);
  const RbPeopleIssue wanted = { .ca = ca_of (options),
                                 .kind = options->kind,
                                 .organisation = options->dealer,
                                 .unit = options->dealer_code,
                                 .country = options->country,
                                 .passphrase = secret,
                                 .now = rb_moment_now () };
  g_autofree char *pem = secret == NULL ? NULL : rb_people_issue (folder->path, &wanted, requests, issued, error);
  rb_secret_free (secret);
  g_autoptr (GBytes) bytes = pem == NULL ? NULL : g_bytes_new (pem, strlen (pem));
  return bytes != NULL && rb_files_write_output (options->output, bytes, 0644, error);
}

static int
verb_issue (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  json_t *issued = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (!issue (cli, &options, argv[1], &issued, &error)) {
    json_decref (issued);
    return rb_cli_fail (cli, error, NULL);
  }
  g_autofree char *message = g_strdup_printf ("%zu certificates: %s", json_array_size (issued), options.output);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:o}", "issued", issued));
}

static int
verb_revoke (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  gint64 since = 0;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (!rb_moment_from_text (options.since, &since) || since > rb_moment_now ())
    return rb_cli_usage (cli, "--since %s: not a time in the past", options.since);
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  if (folder == NULL || !rb_people_revoke (folder->path, argv[1], since, options.reason, &error))
    return rb_cli_fail (cli, error, NULL);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "revoked; see pki trust-list", NULL);
}

static gboolean
read_days (const char *expires, gint64 now, gint64 *days, GError **error)
{
  gint64 moment = 0;
  *days = DEFAULT_DAYS;
  if (expires == NULL)
    return TRUE;
  if (rb_moment_from_text (expires, &moment))
    *days = (moment - now) / RB_MOMENT_DAY;
  return (moment > now && *days >= 1 && *days <= DEFAULT_DAYS)
         || rb_reason_deny (error, RB_PKI_ERROR, RB_REASON_USAGE, "--expires %s: 1 to %d days from now are expected",
                            expires, DEFAULT_DAYS);
}

static gboolean
make_trust_list (const RbOemFolder *folder, const Options *options, json_t **value, GError **error)
{
  gint64 now = rb_moment_now (), days = 0;
  if (!read_days (options->expires, now, &days, error))
    return FALSE;
  *value = rb_trust_target_make (folder, days, options->min_version, now, error);
  return *value != NULL;
}

static int
verb_trust_list (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  json_t *value = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  if (folder == NULL || !make_trust_list (folder, &options, &value, &error)) {
    json_decref (value);
    return rb_cli_fail (cli, error, NULL);
  }
  return rb_cli_end (cli, RB_CLI_OK, "ok", "trust list; see repo publish service",
                     json_pack ("{s:o}", "trust_list", value));
}

static const RbOption ca_options[] = {
  { "name", "NAME", "name of the CA; default dealer, and vehicle is that of vehicles", RB_OPTION_TEXT (Options, name) },
  { "certificate", "FILE", "import: its certificate", RB_OPTION_FILE (Options, certificate) },
  { "key", "FILE", "import: its private key", RB_OPTION_FILE (Options, key) },
  { "passphrase-file", "FILE", "passphrase of its key", RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

static const RbOption issue_options[] = {
  { "kind", "technician|workstation|vehicle", "for whom", RB_OPTION_WORD (Options, kind), .needed = TRUE },
  { "ca", "NAME", "the CA that issues; default dealer", RB_OPTION_TEXT (Options, name) },
  { "dealer", "NAME", "the dealership", RB_OPTION_TEXT (Options, dealer) },
  { "dealer-code", "CODE", "its code", RB_OPTION_TEXT (Options, dealer_code) },
  { "country", "CC", "its country", RB_OPTION_TEXT (Options, country) },
  { "passphrase-file", "FILE", "passphrase of the CA's key", RB_OPTION_FILE (Options, passphrase_file) },
  { "output", "CERT", "the certificates in PEM", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' },
  { NULL },
};

static const RbOption revoke_options[] = {
  { "since", "TIME", "signatures since then are rejected", RB_OPTION_TEXT (Options, since), .needed = TRUE },
  { "reason", "WORD", "word of RFC 5280: key-compromise, superseded, …", RB_OPTION_TEXT (Options, reason),
    .needed = TRUE },
  { NULL },
};

static const RbOption trust_list_options[] = {
  { "expires", "TIME", "until when work may start by it; at most, and by default, 30 days",
    RB_OPTION_TEXT (Options, expires) },
  { "min-version", "V", "least version of the workstation software", RB_OPTION_TEXT (Options, min_version) },
  { NULL },
};

const RbCliVerb rb_pki_verbs[] = {
  { "pki ca", "new|import", "a CA for dealerships or vehicles", verb_ca, ca_options, 1, 1 },
  { "pki issue", "CSR", "certificates for requests", verb_issue, issue_options, 1, 1 },
  { "pki revoke", "SERIAL", "revoke a certificate; takes effect with the next trust list", verb_revoke, revoke_options,
    1, 1 },
  { "pki trust-list", "", "the next trust list, for the Service repository", verb_trust_list, trust_list_options, 0,
    0 },
  { NULL },
};
