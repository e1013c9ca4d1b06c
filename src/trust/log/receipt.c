/* SPDX-License-Identifier: Apache-2.0 */
#include "log/receipt.h"

#include "core/bytes.h"

#include <string.h>

#define HEAD "c2sp.org/tlog-proof@v1"
#define EXTRA "extra "
#define MAX_RECEIPT (64 * 1024)
#define MAX_PATH 63

static gpointer
receipt_error (GError **error, RbReason reason, const char *text)
{
  g_set_error (error, RB_LOG_ERROR, (int) reason, "Receipt: %s", text);
  return NULL;
}

static gboolean
read_index (const char *line, guint64 *index)
{
  const char *text = line == NULL || !g_str_has_prefix (line, "index ") ? "" : &line[strlen ("index ")];
  if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0') || strspn (text, "0123456789") != strlen (text))
    return FALSE;
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, index, NULL);
}

static gboolean
read_path (char **lines, GArray *proof)
{
  for (guint i = 0; lines[i] != NULL; i++) {
    RbMerkleHash hash;
    g_autoptr (GBytes) bytes = rb_bytes_from_base64 (lines[i]);
    if (i >= MAX_PATH || bytes == NULL || g_bytes_get_size (bytes) != sizeof hash.bytes)
      return FALSE;
    memcpy (hash.bytes, g_bytes_get_data (bytes, NULL), sizeof hash.bytes);
    g_array_append_val (proof, hash);
  }
  return TRUE;
}

/* head: the lines before the first empty one. What “extra” holds is the entry, which the proof then commits to. */
static gboolean
read_head (const char *head, GBytes **extra, guint64 *index, GArray *proof)
{
  g_auto (GStrv) lines = g_strsplit (head, "\n", -1);
  guint at = 1;
  if (lines[0] == NULL || strcmp (lines[0], HEAD) != 0)
    return FALSE;
  if (lines[at] != NULL && g_str_has_prefix (lines[at], EXTRA)) {
    *extra = rb_bytes_from_base64 (&lines[at++][strlen (EXTRA)]);
    if (*extra == NULL)
      return FALSE;
  }
  return read_index (lines[at], index) && read_path (&lines[at + 1], proof);
}

static RbReceipt *
read_text (const char *text, GArray *proof, GError **error)
{
  g_autoptr (RbReceipt) self = g_new0 (RbReceipt, 1);
  const char *gap = strstr (text, "\n\n");
  g_autofree char *head = gap == NULL ? NULL : g_strndup (text, (gsize) (gap - text));
  if (head == NULL || !read_head (head, &self->entry, &self->index, proof))
    return receipt_error (error, RB_REASON_MALFORMED, "it is not a proof with a checkpoint below");
  self->checkpoint = g_strdup (&gap[2]);
  return g_steal_pointer (&self);
}

static gboolean
check_proof (RbReceipt *self, GArray *proof, const RbNoteKey *key, GError **error)
{
  g_autoptr (RbCheckpoint) checkpoint = rb_checkpoint_open (self->checkpoint, key, error);
  if (checkpoint == NULL)
    return FALSE;
  gsize length = 0;
  gconstpointer entry = g_bytes_get_data (self->entry, &length);
  RbMerkleHash leaf = rb_merkle_leaf (entry, length);
  self->size = checkpoint->size;
  self->root = checkpoint->root;
  self->origin = g_strdup (checkpoint->origin);
  return rb_merkle_is_included (&leaf, self->index, checkpoint->size, proof, &checkpoint->root)
         || receipt_error (error, RB_REASON_LOG_PROOF, "it does not show this entry to be in the log") != NULL;
}

/* entry NULL: the one in the receipt */
static RbReceipt *
open_receipt (GBytes *receipt, GBytes *entry, const RbNoteKey *key, GError **error)
{
  g_autoptr (GArray) proof = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  gsize size = g_bytes_get_size (receipt);
  if (size > MAX_RECEIPT)
    return receipt_error (error, RB_REASON_TOO_LARGE, "larger than any receipt");
  g_autofree char *text = g_strndup (g_bytes_get_data (receipt, NULL), size);
  g_autoptr (RbReceipt) self
    = strlen (text) == size ? read_text (text, proof, error)
                            : receipt_error (error, RB_REASON_MALFORMED, "it is not a proof with a checkpoint below");
  if (self == NULL)
    return NULL;
  if (entry != NULL) {
    g_clear_pointer (&self->entry, g_bytes_unref);
    self->entry = g_bytes_ref (entry);
  }
  if (self->entry == NULL)
    return receipt_error (error, RB_REASON_MALFORMED, "it does not hold its entry");
  return check_proof (self, proof, key, error) ? g_steal_pointer (&self) : NULL;
}

RbReceipt *
rb_receipt_open (GBytes *receipt, const RbNoteKey *key, GError **error)
{
  return open_receipt (receipt, NULL, key, error);
}

RbReceipt *
rb_receipt_check (GBytes *receipt, gconstpointer entry, gsize length, const RbNoteKey *key, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (entry, length);
  return open_receipt (receipt, bytes, key, error);
}

void
rb_receipt_free (RbReceipt *self)
{
  g_free (self->origin);
  g_free (self->checkpoint);
  g_clear_pointer (&self->entry, g_bytes_unref);
  g_free (self);
}

GBytes *
rb_receipt_write (GBytes *entry, guint64 index, GArray *proof, const char *checkpoint)
{
  g_autoptr (GString) text = g_string_new (HEAD "\n");
  g_autofree char *extra = entry == NULL ? NULL : rb_bytes_to_base64 (entry);
  if (extra != NULL)
    g_string_append_printf (text, EXTRA "%s\n", extra);
  g_string_append_printf (text, "index %" G_GUINT64_FORMAT "\n", index);
  for (guint i = 0; i < proof->len; i++) {
    const RbMerkleHash *hash = &g_array_index (proof, RbMerkleHash, i);
    g_autofree char *line = g_base64_encode (hash->bytes, sizeof hash->bytes);
    g_string_append_printf (text, "%s\n", line);
  }
  g_string_append_printf (text, "\n%s", checkpoint);
  return g_string_free_to_bytes (g_steal_pointer (&text));
}
