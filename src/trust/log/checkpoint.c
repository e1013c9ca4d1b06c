/* SPDX-License-Identifier: Apache-2.0 */
#include "log/checkpoint.h"

#include "core/bytes.h"

#include <string.h>

static gboolean
read_size (const char *text, guint64 *size)
{
  if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0') || strspn (text, "0123456789") != strlen (text))
    return FALSE;
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, size, NULL);
}

static gboolean
read_root (const char *text, RbMerkleHash *root)
{
  g_autoptr (GBytes) bytes = rb_bytes_from_base64 (text);
  if (bytes == NULL || g_bytes_get_size (bytes) != sizeof root->bytes)
    return FALSE;
  memcpy (root->bytes, g_bytes_get_data (bytes, NULL), sizeof root->bytes);
  return TRUE;
}

RbCheckpoint *
rb_checkpoint_open (const char *note, const RbNoteKey *key, GError **error)
{
  g_autofree char *text = rb_note_open (note, key, error);
  if (text == NULL)
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", 4);
  g_autoptr (RbCheckpoint) self = g_new0 (RbCheckpoint, 1);
  if (g_strv_length (lines) != 4 || lines[0][0] == '\0' || !read_size (lines[1], &self->size)
      || !read_root (lines[2], &self->root)) {
    g_set_error (error, RB_LOG_ERROR, RB_REASON_MALFORMED, "Checkpoint: it is not origin, size and root");
    return NULL;
  }
  self->origin = g_strdup (lines[0]);
  return g_steal_pointer (&self);
}

void
rb_checkpoint_free (RbCheckpoint *self)
{
  g_free (self->origin);
  g_free (self);
}

char *
rb_checkpoint_sign (const char *origin, guint64 size, const RbMerkleHash *root, RbPrivateKey *key, GError **error)
{
  g_autofree char *encoded = g_base64_encode (root->bytes, sizeof root->bytes);
  g_autofree char *text = g_strdup_printf ("%s\n%" G_GUINT64_FORMAT "\n%s\n", origin, size, encoded);
  return rb_note_sign (text, origin, key, error);
}
