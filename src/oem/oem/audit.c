/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/audit.h"

#include "campaign/reference-bundle.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "oem/audit-log.h"
#include "oem/open-vehicles.h"
#include "record/chain.h"
#include "record/creation.h"
#include "record/statement.h"
#include "record/verify.h"
#include "record/visited.h"

#include <string.h>

#define CONFIG_MAX (4 * 1024 * 1024)

/* One audit: its reference values and its findings. */
typedef struct {
  RbCli *cli;
  char *trust, *service_root, *config; /* config: of the intake, not of options */
  char *database, *receipts, *checkpoint, *log_key;
  GStrv bundle_paths;
  GPtrArray *anchors; /* of RbCertificate; NULL: none */
  GPtrArray *testimonies; /* of RbReferenceBundle */
  GPtrArray *bundles; /* of RbReferenceValues, borrowed from the testimonies; NULL: none given */
  GPtrArray *names; /* file names, as outcomes */
  GPtrArray *outcomes; /* of RbVerifyOutcome */
  GHashTable *envelopes; /* digest → SHA-256 of the envelope */
  RbAuditLog log;
  json_t *refused; /* digests of records whose logged verdict refuses them */
  guint without_verdict;
} Audit;

static void
clear_audit (Audit *self)
{
  g_free (self->trust);
  g_free (self->service_root);
  g_free (self->config);
  g_free (self->database);
  g_free (self->receipts);
  g_free (self->checkpoint);
  g_free (self->log_key);
  g_clear_pointer (&self->envelopes, g_hash_table_unref);
  rb_audit_log_clear (&self->log);
  json_decref (self->refused);
  g_strfreev (self->bundle_paths);
  g_clear_pointer (&self->anchors, g_ptr_array_unref);
  g_clear_pointer (&self->bundles, g_ptr_array_unref);
  g_clear_pointer (&self->testimonies, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_clear_pointer (&self->outcomes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Audit, clear_audit)

static gboolean
add_anchors (Audit *self, const char *pem, const char *where, GError **error)
{
  self->anchors = rb_certificate_list_from_pem (pem, error);
  if (self->anchors == NULL)
    g_prefix_error (error, "%s: ", where);
  return self->anchors != NULL;
}

static gboolean
load_trust (Audit *self, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (self->trust, CONFIG_MAX, error);
  if (bytes == NULL)
    return FALSE;
  g_autofree char *pem = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return add_anchors (self, pem, self->trust, error);
}

static gboolean
open_bundle (Audit *self, const char *path, const char *service_root, GError **error)
{
  RbReferenceBundle *testimony = rb_reference_bundle_open (path, service_root, error);
  if (testimony == NULL)
    return FALSE;
  if (self->bundles == NULL)
    self->bundles = g_ptr_array_new ();
  g_ptr_array_add (self->testimonies, testimony);
  g_ptr_array_add (self->bundles, (gpointer) rb_reference_bundle_values (testimony));
  return TRUE;
}

static char *
beside (const char *config, const char *name)
{
  g_autofree char *folder = g_path_get_dirname (config);
  return g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);
}

/* intake.json: dealer_ca is PEM; bundle and service_root are files beside it. Options of the command line win over it.
 */
static gboolean
load_config (Audit *self, GError **error)
{
  const char *path = self->config;
  g_autoptr (json_t) config = rb_json_load (path, CONFIG_MAX, error);
  const char *dealer_ca = config == NULL ? NULL : rb_json_string (config, "dealer_ca", path, error);
  if (dealer_ca == NULL || (self->anchors == NULL && !add_anchors (self, dealer_ca, path, error)))
    return FALSE;
  if (self->log_key == NULL)
    self->log_key = g_strdup (rb_json_string_or (json_object_get (config, "log"), "vkey", NULL));
  const char *bundle = rb_json_string_or (config, "bundle", NULL),
             *root = rb_json_string_or (config, "service_root", NULL);
  if (bundle == NULL || root == NULL || self->bundle_paths != NULL)
    return TRUE;
  g_autofree char *bundle_path = beside (path, bundle);
  g_autofree char *root_path = beside (path, root);
  return open_bundle (self, bundle_path, root_path, error);
}

static gboolean
load_measures (Audit *self, GError **error)
{
  self->testimonies = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_reference_bundle_free);
  if (self->trust != NULL && !load_trust (self, error))
    return FALSE;
  if (self->config != NULL && !load_config (self, error))
    return FALSE;
  for (guint i = 0; self->bundle_paths != NULL && self->bundle_paths[i] != NULL; i++)
    if (!open_bundle (self, self->bundle_paths[i], self->service_root, error))
      return FALSE;
  return rb_audit_log_load (&self->log, self->log_key, self->receipts, self->checkpoint, error);
}

static void
read_record (Audit *self, const char *folder, const char *name)
{
  const RbVerifyRequest request = { .anchors = self->anchors, .bundles = self->bundles, .other_campaigns = TRUE };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) envelope = rb_files_read (path, RB_STATEMENT_MAX_BYTES, &error);
  RbVerifyOutcome *outcome = envelope == NULL ? g_new0 (RbVerifyOutcome, 1) : rb_verify_record (envelope, &request);
  if (envelope == NULL)
    rb_outcome_deny (outcome, rb_reason_of (error), error->message);
  if (envelope != NULL && outcome->digest != NULL)
    g_hash_table_insert (self->envelopes, g_strdup (outcome->digest), rb_digest_sha256_hex_of (envelope));
  g_ptr_array_add (self->names, g_strdup (name));
  g_ptr_array_add (self->outcomes, outcome);
}

/* Receipts that lie beside the records, where the log's key is known. */
static gboolean
check_receipts (Audit *self, const char *folder, GError **error)
{
  if (self->log.key == NULL)
    return TRUE;
  if (self->receipts == NULL && !rb_audit_log_load_receipts (&self->log, folder, error))
    return FALSE;
  rb_audit_log_check_receipts (&self->log, self->envelopes);
  return TRUE;
}

static gboolean
read_folder (Audit *self, const char *folder, GError **error)
{
  g_auto (GStrv) names = rb_files_list (folder, error);
  if (names == NULL)
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_has_suffix (names[i], ".json"))
      read_record (self, folder, names[i]);
  if (self->outcomes->len > 0)
    return check_receipts (self, folder, error);
  g_set_error (error, RB_RECORD_ERROR, RB_REASON_NOT_FOUND, "%s holds no records", folder);
  return FALSE;
}

/* database */

static void
on_fault (const char *row, RbReason reason, const char *message, gpointer data)
{
  rb_audit_log_fault (&((Audit *) data)->log, row, reason, message);
}

/* The verdict that was logged, against the one of today. A refusal that is logged is no fault. */
static gboolean
is_refused (Audit *self, const RbEntry *entry, const RbVerifyOutcome *outcome, const char *verdict)
{
  const char *own = rb_reason_word (outcome->reason);
  g_autofree char *row = g_strdup_printf ("record %.16s", entry->record);
  gboolean refused = verdict != NULL && strcmp (verdict, "ok") != 0;
  gboolean measured = self->anchors != NULL && self->bundles != NULL;
  self->without_verdict += verdict == NULL;
  if (verdict != NULL && measured && strcmp (verdict, own) != 0) {
    g_autofree char *text = g_strdup_printf ("its logged verdict is “%s”, and the record is “%s”", verdict, own);
    rb_audit_log_fault (&self->log, row, RB_REASON_LOG_PROOF, text);
  }
  if (refused)
    json_array_append_new (self->refused, json_string (entry->record));
  return refused;
}

static void
on_record (const RbEntry *entry, guint64 index, GBytes *envelope, const char *verdict, gpointer data)
{
  Audit *self = data;
  const RbVerifyRequest request
    = { .anchors = self->anchors, .bundles = self->bundles, .received = entry->at, .other_campaigns = TRUE };
  RbVerifyOutcome *outcome = rb_verify_record (envelope, &request);
  if (is_refused (self, entry, outcome, verdict)) {
    rb_outcome_free (outcome);
    return;
  }
  g_ptr_array_add (self->names, g_strdup_printf ("entry %" G_GUINT64_FORMAT " %.16s", index, entry->record));
  g_ptr_array_add (self->outcomes, outcome);
}

static gboolean
read_database (Audit *self, GError **error)
{
  const RbLogAuditRequest request = { .uri = self->database,
                                      .key = self->log.key,
                                      .receipts = self->log.receipts,
                                      .checkpoint = self->log.checkpoint,
                                      .fault = on_fault,
                                      .record = on_record,
                                      .data = self };
  self->log.result = rb_log_audit_run (&request, error);
  return self->log.result != NULL;
}

static gboolean
has_receipt (const char *folder, const char *name)
{
  if (folder == NULL) /* a database, where a missing one is a fault */
    return TRUE;
  g_autofree char *base = g_strndup (name, strlen (name) - strlen (".json"));
  g_autofree char *receipt = g_strconcat (base, ".tlog-proof", NULL);
  g_autofree char *path = g_build_filename (folder, receipt, NULL);
  return rb_files_exists (path);
}

static void
tell_outcome (Audit *self, const char *name, const RbVerifyOutcome *outcome)
{
  json_t *event = rb_outcome_to_json (outcome);
  rb_json_set_string (event, "file", name);
  rb_json_set_string (event, "event", "record");
  rb_json_set_boolean (event, "ok", outcome->reason == RB_REASON_NONE);
  rb_json_set_string (event, "reason", rb_reason_word (outcome->reason));
  rb_json_set_string (event, "message", outcome->message == NULL ? "" : outcome->message);
  rb_cli_event (self->cli, event);
  g_autofree char *line
    = g_strdelimit (g_utf8_make_valid (name, -1), "\n", '?'); /* one line a record, whatever its file is called */
  if (outcome->reason != RB_REASON_NONE)
    rb_cli_say (self->cli, "%s: %s [%s]", line, outcome->message, rb_reason_word (outcome->reason));
  else
    rb_cli_say (self->cli, "%s: vehicle %s, %s, %s%s", line, outcome->vin, outcome->type, outcome->result,
                self->bundles != NULL && !outcome->campaign_checked ? " (of another campaign than the bundles given)"
                                                                    : "");
}

/* File names may be any bytes; a list names files also when these are not UTF-8. */
static void
add_name (json_t *list, const char *name)
{
  g_autofree char *valid = g_utf8_make_valid (name, -1);
  json_array_append_new (list, json_string (valid));
}

/* Lists of an audit beside its verdict: names of files. */
typedef struct {
  json_t *without_receipt, *campaign_unchecked, *creation_unchecked, *revoked_later;
} Lists;

static const RbVerifyOutcome *
report_records (Audit *self, const char *folder, const Lists *lists)
{
  const RbVerifyOutcome *first = NULL;
  for (guint i = 0; i < self->outcomes->len; i++) {
    const RbVerifyOutcome *outcome = self->outcomes->pdata[i];
    const char *name = self->names->pdata[i];
    tell_outcome (self, name, outcome);
    if (first == NULL && outcome->reason != RB_REASON_NONE)
      first = outcome;
    if (!outcome->campaign_checked)
      add_name (lists->campaign_unchecked, name);
    if (!outcome->creation_checked)
      add_name (lists->creation_unchecked, name);
    if (outcome->revoked_since != 0)
      add_name (lists->revoked_later, name);
    if (!has_receipt (folder, name))
      add_name (lists->without_receipt, name);
  }
  return first;
}

/* A gap inside a chain is a record that was removed; a chain that begins late is only reported. */
static const RbChainGap *
report_gaps (Audit *self, GPtrArray *gaps, json_t *told)
{
  const RbChainGap *hole = NULL;
  for (guint i = 0; i < gaps->len; i++) {
    const RbChainGap *gap = gaps->pdata[i];
    g_autofree char *text = rb_chain_gap_text (gap);
    json_array_append_new (told, json_string (text));
    rb_cli_say (self->cli, "%s", text);
    if (hole == NULL && gap->after > 0)
      hole = gap;
  }
  return hole;
}

static const char *
bundle_anchor (Audit *self)
{
  for (guint i = 0; i < self->testimonies->len; i++)
    if (strcmp (rb_reference_bundle_anchor (self->testimonies->pdata[i]), "none") == 0)
      return "none";
  return "service-root";
}

/* A record given twice is one record. */
static guint
count_records (Audit *self)
{
  guint count = 0;
  for (guint i = 0; i < self->outcomes->len; i++)
    count += ((const RbVerifyOutcome *) self->outcomes->pdata[i])->reason != RB_REASON_RECORD_DUPLICATE;
  return count;
}

static json_t *
vehicle_json (const RbOpenVehicle *vehicle)
{
  return json_pack ("{s:s,s:s,s:s}", "vin", vehicle->vin, "campaign", vehicle->campaign, "result", vehicle->result);
}

/* Vehicles that no record completes. A hazardous one must not be driven. */
static void
report_open (Audit *self, json_t *extra)
{
  g_autoptr (GPtrArray) vehicles = rb_open_vehicles_list (self->outcomes);
  json_t *open = json_array (), *hazardous = json_array ();
  for (guint i = 0; i < vehicles->len; i++) {
    const RbOpenVehicle *vehicle = vehicles->pdata[i];
    if (!vehicle->open)
      continue;
    json_array_append_new (open, vehicle_json (vehicle));
    if (vehicle->hazardous)
      json_array_append_new (hazardous, vehicle_json (vehicle));
    rb_cli_say (self->cli, "vehicle %s, campaign %s: open%s, %s", vehicle->vin, vehicle->campaign,
                vehicle->hazardous ? " and hazardous" : "", vehicle->result);
  }
  rb_json_set (extra, "open", open);
  rb_json_set (extra, "hazardous", hazardous);
}

static int
finish (Audit *self, const char *folder)
{
  g_autoptr (GPtrArray) gaps = rb_chain_check (self->outcomes);
  rb_creation_check (self->outcomes);
  rb_visited_check_records (self->outcomes);
  json_t *extra = json_object (), *told = json_array ();
  const Lists lists = { json_array (), json_array (), json_array (), json_array () };
  const RbVerifyOutcome *wrong = report_records (self, folder, &lists);
  const RbChainGap *hole = report_gaps (self, gaps, told);
  rb_json_set_integer (extra, "records", count_records (self));
  rb_json_set_string (extra, "anchors", self->anchors == NULL ? "none" : self->trust != NULL ? "trust" : "config");
  if (self->bundles != NULL)
    rb_json_set_string (extra, "bundle_anchor", bundle_anchor (self));
  rb_json_set (extra, "without_receipt", lists.without_receipt);
  rb_json_set (extra, "campaign_unchecked", lists.campaign_unchecked);
  rb_json_set (extra, "key_creation_unchecked", lists.creation_unchecked);
  rb_json_set (extra, "signer_revoked_later", lists.revoked_later);
  rb_json_set (extra, "gaps", told);
  rb_json_set (extra, "refused", json_incref (self->refused));
  rb_json_set_integer (extra, "without_verdict", self->without_verdict);
  rb_audit_log_describe (&self->log, extra);
  report_open (self, extra);
  if (self->log.faults > 0)
    return rb_cli_end (self->cli, RB_CLI_FAILED, rb_reason_word (self->log.reason), self->log.message, extra);
  if (wrong != NULL)
    return rb_cli_end (self->cli, RB_CLI_FAILED, rb_reason_word (wrong->reason), wrong->message, extra);
  g_autofree char *hole_text = hole == NULL ? NULL : rb_chain_gap_text (hole);
  if (hole != NULL)
    return rb_cli_end (self->cli, RB_CLI_FAILED, rb_reason_word (RB_REASON_RECORD_SEQUENCE), hole_text, extra);
  gboolean alone = self->database != NULL && self->receipts == NULL && self->checkpoint == NULL;
  g_autofree char *message = g_strdup_printf (
    "%u %s genuine and consistent%s%s", self->outcomes->len, self->outcomes->len == 1 ? "record is" : "records are",
    self->anchors == NULL ? ", but no trust anchors were given" : "",
    alone ? ". That the database was rewritten cannot be excluded without receipts or a checkpoint" : "");
  return rb_cli_end (self->cli, RB_CLI_OK, "ok", message, extra);
}

static int
verb_verify (RbCli *cli, int argc, char **argv)
{
  g_auto (Audit) self = { .cli = cli };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &self, &argc, &argv, &code))
    return code;
  if ((argc == 2) == (self.database != NULL))
    return rb_cli_usage (cli, "either a folder or --database");
  self.log.cli = cli;
  self.refused = json_array ();
  self.names = g_ptr_array_new_with_free_func (g_free);
  self.outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
  self.envelopes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!load_measures (&self, &error)
      || !(self.database != NULL ? read_database (&self, &error) : read_folder (&self, argv[1], &error)))
    return rb_cli_fail (cli, error, NULL);
  return finish (&self, argc == 2 ? argv[1] : NULL);
}

static const RbOption verify_options[] = {
  { "config", "FILE", "the intake's configuration, for its anchors", RB_OPTION_FILE (Audit, config) },
  { "database", "URI", "the intake's database, instead of a folder", RB_OPTION_TEXT (Audit, database) },
  { "receipts", "DIR", "receipts from outside: each is in the log", RB_OPTION_FOLDER (Audit, receipts) },
  { "checkpoint", "FILE", "a checkpoint from outside: the log continues it", RB_OPTION_FILE (Audit, checkpoint) },
  { "log-key", "VKEY", "verifier key of the log", RB_OPTION_TEXT (Audit, log_key) },
  { "trust", "CA.pem", "the dealer CA", RB_OPTION_FILE (Audit, trust) },
  { "bundle", "FILE", "check records against its campaign; may be repeated", RB_OPTION_FILES (Audit, bundle_paths) },
  { "service-root", "FILE", "verify bundles down from it", RB_OPTION_FILE (Audit, service_root) },
  { NULL },
};

const RbCliVerb rb_audit_verbs[] = {
  { "audit verify", "[DIR]", "verify records, their chains and their log, in a folder or a database", verb_verify,
    verify_options, 0, 1, .own_config = TRUE },
  { NULL },
};
