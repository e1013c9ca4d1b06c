/* SPDX-License-Identifier: Apache-2.0 */
#include "log/receipt.h"

#include "core/bytes.h"

#include <string.h>

#define HEAD "c2sp.org/tlog-proof@v1"
#define MAX_RECEIPT (64 * 1024)
#define MAX_PATH 63

static gpointer
fail (GError **error, RbReason reason, const char *text)
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

/* head: the lines before the first empty one. Extra data is not signed and is not read. */
static gboolean
read_head (const char *head, guint64 *index, GArray *proof)
{
  g_auto (GStrv) lines = g_strsplit (head, "\n", -1);
  guint at = 1;
  if (lines[0] == NULL || strcmp (lines[0], HEAD) != 0)
    return FALSE;
  if (lines[at] != NULL && g_str_has_prefix (lines[at], "extra "))
    at++;
  return read_index (lines[at], index) && read_path (&lines[at + 1], proof);
}

RbReceipt *
rb_receipt_check (GBytes *receipt, gconstpointer entry, gsize length, const RbNoteKey *key, GError **error)
{
  g_autoptr (GArray) proof = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  guint64 index = 0;
  gsize size = g_bytes_get_size (receipt);
  if (size > MAX_RECEIPT)
    return fail (error, RB_REASON_TOO_LARGE, "larger than any receipt");
  g_autofree char *text = g_strndup (g_bytes_get_data (receipt, NULL), size);
  const char *gap = strstr (text, "\n\n");
  if (strlen (text) != size || gap == NULL)
    return fail (error, RB_REASON_MALFORMED, "it is not a proof with a checkpoint below");
  gsize head_length = (gsize) (gap - text);
  g_autofree char *head = g_strndup (text, head_length);
  if (!read_head (head, &index, proof))
    return fail (error, RB_REASON_MALFORMED, "it is not a proof with a checkpoint below");
  g_autoptr (RbCheckpoint) checkpoint = rb_checkpoint_open (&text[head_length + 2], key, error);
  if (checkpoint == NULL)
    return NULL;
  RbMerkleHash leaf = rb_merkle_leaf (entry, length);
  if (!rb_merkle_is_included (&leaf, index, checkpoint->size, proof, &checkpoint->root))
    return fail (error, RB_REASON_LOG_PROOF, "it does not show this entry to be in the log");
  RbReceipt *self = g_new0 (RbReceipt, 1);
  self->index = index;
  self->size = checkpoint->size;
  self->origin = g_strdup (checkpoint->origin);
  return self;
}

void
rb_receipt_free (RbReceipt *self)
{
  g_free (self->origin);
  g_free (self);
}

GBytes *
rb_receipt_write (guint64 index, GArray *proof, const char *checkpoint)
{
  g_autoptr (GString) text = g_string_new (HEAD "\n");
  g_string_append_printf (text, "index %" G_GUINT64_FORMAT "\n", index);
  for (guint i = 0; i < proof->len; i++) {
    const RbMerkleHash *hash = &g_array_index (proof, RbMerkleHash, i);
    g_autofree char *line = g_base64_encode (hash->bytes, sizeof hash->bytes);
    g_string_append_printf (text, "%s\n", line);
  }
  g_string_append_printf (text, "\n%s", checkpoint);
  return g_string_free_to_bytes (g_steal_pointer (&text));
}
