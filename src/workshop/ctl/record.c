/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/record.h"

#include "campaign/reference-bundle.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/certificate.h"
#include "ctl/owner.h"
#include "outbox/receipt-store.h"
#include "record/chain.h"
#include "record/creation.h"
#include "record/sheet.h"
#include "record/statement.h"
#include "record/verify.h"
#include "record/visited.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>

/* Values of the verbs' options. */
typedef struct {
  char *vin, *campaign, *output, *trust, *bundle, *service_root, *require, *oem;
} Options;

static void
clear_options (Options *self)
{
  char *const texts[] = { self->vin,    self->campaign,     self->output,  self->trust,
                          self->bundle, self->service_root, self->require, self->oem };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

/* Nothing of it but the signed contents; of a record that cannot be read, its name in the database and why. */
static json_t *
row_of (const RbStored *record)
{
  const RbVerifyOutcome *outcome = record->outcome;
  json_t *row = json_object ();
  if (outcome->reason != RB_REASON_NONE)
    rb_json_set_string (row, "fault", rb_reason_word (outcome->reason));
  if (outcome->predicate == NULL) {
    rb_json_set_string (row, "stored_as", record->stored_as);
    return row;
  }
  rb_json_set_string (row, "digest", outcome->digest);
  rb_json_set_string (row, "stream", outcome->stream);
  rb_json_set_integer (row, "sequence", outcome->sequence);
  rb_json_set_string (row, "type", outcome->type);
  rb_json_set_string (row, "result", outcome->result);
  rb_json_set_string (row, "vin", outcome->vin);
  rb_json_set_string (row, "campaign", outcome->campaign);
  rb_json_set_moment (row, "finished", record->finished);
  rb_json_set_boolean (row, "acknowledged", record->acknowledged);
  return row;
}

static void
say_row (RbCli *cli, const RbStored *record)
{
  const RbVerifyOutcome *outcome = record->outcome;
  g_autofree char *finished = rb_moment_to_text (record->finished);
  if (outcome->reason != RB_REASON_NONE)
    rb_cli_say (cli, _ ("   –  %.16s  damaged: %s [%s]"),
                outcome->predicate == NULL ? record->stored_as : outcome->digest, outcome->message,
                rb_reason_word (outcome->reason));
  else
    rb_cli_say (cli, "%4" G_GINT64_FORMAT "  %.16s  %s  %-17s  %-12s  %-10s  %s%s", outcome->sequence, outcome->digest,
                finished, outcome->vin, outcome->campaign, outcome->type, outcome->result,
                record->acknowledged ? _ ("  acknowledged") : "");
}

json_t *
rb_record_rows (RbCli *cli, GPtrArray *records)
{
  json_t *rows = json_array ();
  for (guint i = 0; i < records->len; i++) {
    json_array_append_new (rows, row_of (records->pdata[i]));
    say_row (cli, records->pdata[i]);
  }
  return rows;
}

int
rb_record_end (RbCli *cli, GPtrArray *records, const char *message, json_t *extra)
{
  for (guint i = 0; i < records->len; i++) {
    const RbStored *record = records->pdata[i];
    const RbVerifyOutcome *outcome = record->outcome;
    if (outcome->reason == RB_REASON_NONE)
      continue;
    g_autofree char *text = g_strdup_printf ("Record stored as %.16s: %s", record->stored_as, outcome->message);
    return rb_cli_end (cli, RB_CLI_FAILED, rb_reason_word (outcome->reason), text, extra);
  }
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static void
add_gaps (RbCli *cli, json_t *extra, GStrv gaps)
{
  json_t *list = json_array ();
  for (guint i = 0; gaps != NULL && gaps[i] != NULL; i++) {
    json_array_append_new (list, json_string (gaps[i]));
    rb_cli_say (cli, "%s", gaps[i]);
  }
  rb_json_set (extra, "gaps", list);
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { 0 };
  g_auto (GStrv) gaps = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, &error);
  g_autoptr (GPtrArray) records
    = outbox == NULL ? NULL : rb_stored_list (outbox, options.vin, options.campaign, &gaps, &error);
  if (records == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object ();
  rb_json_set (extra, "records", rb_record_rows (cli, records));
  add_gaps (cli, extra, gaps);
  return rb_record_end (cli, records, records->len == 0 ? "No records" : "", extra);
}

static void
say_ecus (RbCli *cli, const json_t *ecus)
{
  size_t i;
  json_t *ecu;
  json_array_foreach ((json_t *) ecus, i, ecu)
    rb_cli_say (cli, "  %-20s %-20s %s%s%s%s%s", rb_json_string_or (ecu, "ecuSerial", ""),
                rb_json_string_or (ecu, "hardwareId", ""), rb_json_string_or (ecu, "outcome", ""),
                json_object_get (ecu, "reason") == NULL ? "" : ": ", rb_json_string_or (ecu, "reason", ""),
                json_object_get (ecu, "failure") == NULL ? "" : ": ",
                rb_json_string_or (json_object_get (ecu, "failure"), "text", ""));
}

static void
say_record (RbCli *cli, const RbStored *record)
{
  const RbVerifyOutcome *outcome = record->outcome;
  g_autofree char *finished = rb_moment_to_text (record->finished);
  rb_cli_say (cli, _ ("Record     %s"), outcome->digest);
  rb_cli_say (cli, _ ("Number     %" PRId64 " of stream %s"), outcome->sequence, outcome->stream);
  rb_cli_say (cli, _ ("Vehicle    %s"), outcome->vin);
  rb_cli_say (cli, _ ("Campaign   %s"), outcome->campaign);
  rb_cli_say (cli, _ ("Finished   %s"), finished);
  rb_cli_say (cli, _ ("Technician %s"),
              rb_json_string_or (json_object_get (outcome->predicate, "technician"), "name", ""));
  rb_cli_say (cli, _ ("Result     %s (%s)"), outcome->result, outcome->type);
  say_ecus (cli, json_object_get (outcome->predicate, "ecus"));
}

/* The record with that digest; NULL with error where there is none or something is wrong with it. */
static RbStored *
find_record (RbCli *cli, const char *digest, GError **error)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, error);
  g_autoptr (RbStored) record = outbox == NULL ? NULL : rb_stored_find (outbox, digest, error);
  if (record == NULL || record->outcome->reason == RB_REASON_NONE)
    return g_steal_pointer (&record);
  rb_reason_deny (error, RB_RECORD_ERROR, record->outcome->reason, "Record %.16s: %s", record->outcome->digest,
                  record->outcome->message);
  return NULL;
}

static int
verb_show (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbStored) record = find_record (cli, argv[1], &error);
  if (record == NULL)
    return rb_cli_fail (cli, error, NULL);
  say_record (cli, record);
  json_t *extra = row_of (record);
  rb_json_set (extra, "predicate", json_incref (record->outcome->predicate));
  return rb_cli_end (cli, RB_CLI_OK, "ok", "", extra);
}

static char *
file_name (const RbStored *record)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT "-%s.json", record->outcome->sequence, record->outcome->digest);
}

static gboolean
is_sound (const RbStored *record)
{
  return record->outcome->reason == RB_REASON_NONE;
}

/* The folder holds what is written to it and no other .json: a reader of the folder takes each for a record. */
static gboolean
folder_is_ours (const char *folder, GPtrArray *records, GError **error)
{
  g_autoptr (GHashTable) ours = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!rb_files_make_folder (folder, error))
    return FALSE;
  g_auto (GStrv) names = rb_files_list (folder, error);
  for (guint i = 0; i < records->len; i++)
    if (is_sound (records->pdata[i]))
      g_hash_table_add (ours, file_name (records->pdata[i]));
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (g_str_has_suffix (names[i], ".json") && !g_hash_table_contains (ours, names[i])) {
      g_set_error (error, RB_RECORD_ERROR, RB_REASON_EXISTS,
                   "%s holds another file already: %s. Export to a new folder", folder, names[i]);
      return FALSE;
    }
  return names != NULL;
}

/* SEQ-DIGEST.tlog-proof beside a record that the OEM has acknowledged. */
static gboolean
write_receipt (const char *data_dir, const RbStored *record, const char *folder, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (!record->acknowledged)
    return TRUE;
  g_autoptr (GBytes) receipt = rb_receipt_store_read (data_dir, record->outcome->digest, &problem);
  g_autofree char *name
    = g_strdup_printf ("%" G_GINT64_FORMAT "-%s.tlog-proof", record->outcome->sequence, record->outcome->digest);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  return receipt == NULL || rb_files_write_output (path, receipt, 0644, error);
}

static gboolean
write_files (const char *data_dir, GPtrArray *records, const char *folder, guint *written, GError **error)
{
  if (!folder_is_ours (folder, records, error))
    return FALSE;
  for (guint i = 0; i < records->len; i++) {
    const RbStored *record = records->pdata[i];
    g_autofree char *name = is_sound (record) ? file_name (record) : NULL;
    g_autofree char *path = name == NULL ? NULL : g_build_filename (folder, name, NULL);
    if (path != NULL
        && (!rb_files_write_output (path, record->envelope, 0644, error)
            || !write_receipt (data_dir, record, folder, error)))
      return FALSE;
    *written += path != NULL;
  }
  return TRUE;
}

int
rb_record_export (RbCli *cli, GPtrArray *records, const char *oem, const char *what, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbOwners) owners = rb_owner_load (cli->data_dir, &error);
  guint written = 0;
  if (owners == NULL || !rb_owner_select (owners, records, oem, &error)
      || !write_files (cli->data_dir, records, folder, &written, &error))
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object ();
  rb_json_set_integer (extra, "exported", written);
  g_autofree char *message
    = g_strdup_printf ("%u %s%s in %s", written, what, written == 1 ? "record" : "records", folder);
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
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, &error);
  g_autoptr (GPtrArray) records = outbox == NULL ? NULL : rb_stored_list (outbox, NULL, NULL, NULL, &error);
  return records == NULL ? rb_cli_fail (cli, error, NULL) : rb_record_export (cli, records, options.oem, "", argv[1]);
}

static int
verb_print (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { 0 };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbStored) record = find_record (cli, argv[1], &error);
  g_autoptr (GBytes) page = record == NULL ? NULL : rb_sheet_draw (record->envelope, &error);
  if (page == NULL || !rb_files_write_output (options.output, page, 0644, &error))
    return rb_cli_fail (cli, error, NULL);
  return rb_cli_end (cli, RB_CLI_OK, "ok", options.output, row_of (record));
}

/* verify */

static RbVerifyOutcome *
verify_file (const char *path, const RbVerifyRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) envelope = rb_files_read (path, RB_STATEMENT_MAX_BYTES, &error);
  if (envelope != NULL)
    return rb_verify_record (envelope, request);
  RbVerifyOutcome *outcome = g_new0 (RbVerifyOutcome, 1);
  rb_outcome_deny (outcome, rb_reason_of (error), error->message);
  return outcome;
}

static void
require_completed (GPtrArray *outcomes)
{
  for (guint i = 0; i < outcomes->len; i++) {
    RbVerifyOutcome *outcome = outcomes->pdata[i];
    if (g_strcmp0 (outcome->result, "completed") == 0)
      continue;
    g_autofree char *text = g_strdup_printf ("The record is genuine; it says %s, not completed", outcome->result);
    rb_outcome_deny (outcome, RB_REASON_NOT_COMPLETED, text);
  }
}

static int
print_outcome (RbCli *cli, const char *path, const RbVerifyOutcome *outcome, const RbReferenceBundle *testimony)
{
  json_t *extra = rb_outcome_to_json (outcome);
  gboolean ok = outcome->reason == RB_REASON_NONE;
  g_autofree char *good
    = ok ? g_strdup_printf ("%s: vehicle %s, %s, %s", path, outcome->vin, outcome->type, outcome->result) : NULL;
  g_autofree char *bad = ok ? NULL : g_strdup_printf ("%s: %s", path, outcome->message);
  rb_json_set_string (extra, "file", path);
  if (testimony != NULL)
    rb_json_set_string (extra, "bundle_anchor", rb_reference_bundle_anchor (testimony));
  return rb_cli_end (cli, ok ? RB_CLI_OK : RB_CLI_FAILED, rb_reason_word (outcome->reason), ok ? good : bad, extra);
}

static int
verify_files (RbCli *cli, char **paths, const Options *options, GPtrArray *anchors, const RbReferenceBundle *testimony)
{
  g_autoptr (GPtrArray) outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
  g_autoptr (GPtrArray) bundles = testimony == NULL ? NULL : g_ptr_array_new ();
  const RbVerifyRequest request = { .anchors = anchors, .bundles = bundles };
  if (testimony != NULL)
    g_ptr_array_add (bundles, (gpointer) rb_reference_bundle_values (testimony));
  int code = RB_CLI_OK;
  for (guint i = 0; paths[i] != NULL; i++)
    g_ptr_array_add (outcomes, verify_file (paths[i], &request));
  /* a record that is not given is no error here: only an audit knows which had to be there */
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  rb_creation_check (outcomes);
  rb_visited_check_records (outcomes);
  if (options->require != NULL)
    require_completed (outcomes);
  for (guint i = 0; i < outcomes->len; i++)
    if (print_outcome (cli, paths[i], outcomes->pdata[i], testimony) != RB_CLI_OK)
      code = RB_CLI_FAILED;
  return code;
}

static GPtrArray *
load_anchors (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (path, 1024 * 1024, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *pem = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  GPtrArray *anchors = rb_certificate_list_from_pem (pem, error);
  if (anchors == NULL)
    g_prefix_error (error, "%s: ", path);
  return anchors;
}

static int
verb_verify (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (options.service_root != NULL && options.bundle == NULL)
    return rb_cli_end (cli, RB_CLI_USAGE, "usage", "--service-root goes with --bundle", NULL);
  if (options.trust == NULL)
    return rb_cli_end (cli, RB_CLI_FAILED, rb_reason_word (RB_REASON_NO_TRUST_ANCHOR),
                       "Without --trust the signers are not known", NULL);
  g_autoptr (GPtrArray) anchors = load_anchors (options.trust, &error);
  if (anchors == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autoptr (RbReferenceBundle) testimony = NULL;
  if (options.bundle != NULL) {
    testimony = rb_reference_bundle_open (options.bundle, options.service_root, &error);
    if (testimony == NULL)
      return rb_cli_fail (cli, error, NULL);
  }
  return verify_files (cli, &argv[1], &options, anchors, testimony);
}

static const RbOption list_options[] = {
  { "vin", "VIN", "only this vehicle", RB_OPTION_TEXT (Options, vin) },
  { "campaign", "ID", "only this campaign", RB_OPTION_TEXT (Options, campaign) },
  { NULL },
};

static const RbOption export_options[] = {
  { "oem", "NAME", "the records of this OEM; needed where there are several", RB_OPTION_TEXT (Options, oem) },
  { NULL },
};

static const RbOption print_options[] = {
  { "output", "FILE.pdf", "the PDF to write", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' },
  { NULL },
};

static const RbOption verify_options[] = {
  { "trust", "CA.pem", "the OEM's dealer CA", RB_OPTION_FILE (Options, trust) },
  { "bundle", "FILE", "check images, roots, scope and nonces against it", RB_OPTION_FILE (Options, bundle) },
  { "service-root", "FILE", "verify the bundle down from it", RB_OPTION_FILE (Options, service_root) },
  { "require", "completed", "any other result fails", RB_OPTION_WORD (Options, require) },
  { NULL },
};

const RbCliVerb rb_record_verbs[] = {
  { "record list", "", "the records of this workstation", verb_list, list_options },
  { "record show", "DIGEST", "one record", verb_show, NULL, 1, 1 },
  { "record export", "DIR [--oem NAME]", "every record of an OEM as a file", verb_export, export_options, 1, 1 },
  { "record print", "DIGEST -o FILE.pdf", "the certificate of one record, on one page", verb_print, print_options, 1,
    1 },
  { "record verify", "FILE…", "verify records; needs no data dir", verb_verify, verify_options, 1, -1 },
  { NULL },
};
