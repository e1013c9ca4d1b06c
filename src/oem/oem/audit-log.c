/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/audit-log.h"

#include "core/files.h"
#include "core/json.h"
#include "log/receipt.h"
#include "oem/error.h"

#include <string.h>

#define SUFFIX ".tlog-proof"
#define MAX_RECEIPT (64 * 1024)
#define MAX_CHECKPOINT (1024 * 1024)

void
rb_audit_log_clear (RbAuditLog *self)
{
  g_clear_pointer (&self->key, rb_note_key_free);
  g_clear_pointer (&self->receipts, g_ptr_array_unref);
  g_clear_pointer (&self->checkpoint, g_free);
  g_clear_pointer (&self->result, rb_log_audit_result_free);
  g_clear_pointer (&self->message, g_free);
}

gboolean
rb_audit_log_load_receipts (RbAuditLog *self, const char *folder, GError **error)
{
  g_auto (GStrv) names = rb_files_list (folder, error);
  self->receipts = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_log_audit_file_free);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    GBytes *bytes = g_str_has_suffix (names[i], SUFFIX) ? rb_files_read (path, MAX_RECEIPT, error) : NULL;
    if (bytes == NULL && g_str_has_suffix (names[i], SUFFIX))
      return FALSE;
    if (bytes == NULL)
      continue;
    RbLogAuditFile *file = g_new0 (RbLogAuditFile, 1);
    file->name = g_utf8_make_valid (names[i], -1);
    file->bytes = bytes;
    g_ptr_array_add (self->receipts, file);
  }
  return names != NULL;
}

gboolean
rb_audit_log_load (RbAuditLog *self, const char *vkey, const char *receipts, const char *checkpoint, GError **error)
{
  self->key = vkey == NULL ? NULL : rb_note_key_parse (vkey, error);
  if (vkey != NULL && self->key == NULL)
    return FALSE;
  if (vkey == NULL && (receipts != NULL || checkpoint != NULL))
    return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_NO_TRUST_ANCHOR,
                           "receipts and checkpoint: they cannot be verified without the key of the log");
  if (receipts != NULL && !rb_audit_log_load_receipts (self, receipts, error))
    return FALSE;
  g_autoptr (GBytes) note = checkpoint == NULL ? NULL : rb_files_read (checkpoint, MAX_CHECKPOINT, error);
  self->checkpoint = note == NULL ? NULL : g_strndup (g_bytes_get_data (note, NULL), g_bytes_get_size (note));
  return checkpoint == NULL || note != NULL;
}

void
rb_audit_log_fault (RbAuditLog *self, const char *row, RbReason reason, const char *message)
{
  json_t *event = json_object ();
  rb_json_set_string (event, "event", "fault");
  rb_json_set_string (event, "row", row);
  rb_json_set_string (event, "reason", rb_reason_word (reason));
  rb_json_set_string (event, "message", message);
  rb_cli_event (self->cli, event);
  rb_cli_say (self->cli, "%s: %s [%s]", row, message, rb_reason_word (reason));
  if (self->faults++ > 0)
    return;
  self->reason = reason;
  self->message = g_strdup_printf ("%s: %s", row, message);
}

static void
check_receipt (RbAuditLog *self, const RbLogAuditFile *file, GHashTable *records)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbReceipt) receipt = rb_receipt_open (file->bytes, self->key, &error);
  g_autoptr (RbEntry) entry = receipt == NULL ? NULL : rb_entry_parse (receipt->entry, &error);
  const char *envelope = entry == NULL ? NULL : g_hash_table_lookup (records, entry->record);
  if (entry == NULL)
    rb_audit_log_fault (self, file->name, rb_reason_of (error), error->message);
  else if (envelope == NULL)
    rb_audit_log_fault (self, file->name, RB_REASON_MISSING, "its record is gone");
  else if (strcmp (envelope, entry->envelope) != 0)
    rb_audit_log_fault (self, file->name, RB_REASON_LOG_PROOF, "it commits to other bytes than its record has");
}

void
rb_audit_log_check_receipts (RbAuditLog *self, GHashTable *records)
{
  for (guint i = 0; self->receipts != NULL && i < self->receipts->len; i++)
    check_receipt (self, self->receipts->pdata[i], records);
}

void
rb_audit_log_describe (const RbAuditLog *self, json_t *extra)
{
  json_t *log = json_object (), *after = json_array ();
  gboolean outside = self->receipts != NULL || self->checkpoint != NULL;
  rb_json_set_string (log, "anchor", self->key == NULL ? "none" : rb_note_key_name (self->key));
  rb_json_set_integer (log, "faults", self->faults);
  if (self->result != NULL) {
    rb_json_set_integer (log, "size", (gint64) self->result->size);
    rb_json_set_boolean (log, "rewrite_excluded", outside && self->faults == 0);
    for (guint i = 0; i < self->result->after_checkpoint->len; i++)
      json_array_append_new (after, json_string (self->result->after_checkpoint->pdata[i]));
  }
  rb_json_set (log, "receipts_after_checkpoint", after);
  rb_json_set (extra, "log", log);
}
