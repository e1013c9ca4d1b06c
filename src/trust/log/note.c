/* SPDX-License-Identifier: Apache-2.0 */
#include "log/note.h"

#include "core/bytes.h"
#include "crypto/digest.h"

#include <string.h>

#define TYPE_ED25519 1
#define HASH_LENGTH 4
#define ED25519_LENGTH 32
#define MAX_NOTE (1024 * 1024)
#define MAX_SIGNATURES 100
#define MARK "— "

struct _RbNoteKey {
  char *name;
  guint32 hash;
  RbPublicKey *key;
};

static gpointer
note_error (GError **error, RbReason reason, const char *text)
{
  g_set_error (error, RB_LOG_ERROR, (int) reason, "Signed note: %s", text);
  return NULL;
}

static gboolean
name_is_valid (const char *name)
{
  if (name[0] == '\0' || strchr (name, '+') != NULL || !g_utf8_validate (name, -1, NULL))
    return FALSE;
  for (const char *at = name; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_isspace (g_utf8_get_char (at)))
      return FALSE;
  return TRUE;
}

static guint32
key_hash (const char *name, GBytes *raw)
{
  guint8 digest[RB_SHA256_LENGTH];
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  rb_writer_data (bytes, name, strlen (name));
  rb_writer_u8 (bytes, '\n');
  rb_writer_u8 (bytes, TYPE_ED25519);
  rb_writer_bytes (bytes, raw);
  rb_digest_sha256 (bytes->data, bytes->len, digest);
  RbReader reader = rb_reader_new (digest, sizeof digest);
  return rb_reader_u32be (&reader);
}

RbNoteKey *
rb_note_key_parse (const char *vkey, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (vkey, "+", 3);
  guint8 hash[HASH_LENGTH];
  if (g_strv_length (parts) != 3 || !name_is_valid (parts[0]) || !rb_bytes_from_hex_exact (parts[1], hash, sizeof hash))
    return note_error (error, RB_REASON_MALFORMED, "the verifier key is not NAME+HASH+KEY");
  g_autoptr (GBytes) bytes = rb_bytes_from_base64 (parts[2]);
  if (bytes == NULL || g_bytes_get_size (bytes) != 1 + ED25519_LENGTH)
    return note_error (error, RB_REASON_MALFORMED, "the verifier key is not an Ed25519 one");
  RbReader reader = rb_reader_from_bytes (bytes), hash_reader = rb_reader_new (hash, sizeof hash);
  guint8 type = rb_reader_u8 (&reader);
  g_autoptr (GBytes) raw = rb_reader_take_bytes (&reader, ED25519_LENGTH);
  if (type != TYPE_ED25519 || rb_reader_u32be (&hash_reader) != key_hash (parts[0], raw))
    return note_error (error, RB_REASON_MALFORMED, "the verifier key's hash is not its own");
  RbPublicKey *key = rb_key_public_from_ed25519 (g_bytes_get_data (raw, NULL), ED25519_LENGTH, error);
  if (key == NULL)
    return NULL;
  RbNoteKey *self = g_new0 (RbNoteKey, 1);
  self->name = g_strdup (parts[0]);
  self->hash = key_hash (parts[0], raw);
  self->key = key;
  return self;
}

void
rb_note_key_free (RbNoteKey *self)
{
  g_free (self->name);
  rb_key_public_unref (self->key);
  g_free (self);
}

const char *
rb_note_key_name (const RbNoteKey *self)
{
  return self->name;
}

char *
rb_note_key_text (const char *name, RbPublicKey *key)
{
  g_autoptr (GBytes) raw = rb_key_public_ed25519 (key);
  g_autoptr (GByteArray) typed = g_byte_array_new ();
  g_return_val_if_fail (raw != NULL, NULL);
  rb_writer_u8 (typed, TYPE_ED25519);
  rb_writer_bytes (typed, raw);
  g_autofree char *text = g_base64_encode (typed->data, typed->len);
  return g_strdup_printf ("%s+%08x+%s", name, key_hash (name, raw), text);
}

/* Is line a signature of text by key? A line of another key is not, and is no error. */
static gboolean
line_signs (const char *line, const char *text, const RbNoteKey *key)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  if (g_strv_length (words) != 3 || strcmp (words[0], "—") != 0 || strcmp (words[1], key->name) != 0)
    return FALSE;
  g_autoptr (GBytes) bytes = rb_bytes_from_base64 (words[2]);
  if (bytes == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (bytes);
  guint32 hash = rb_reader_u32be (&reader);
  gsize left = rb_reader_left (&reader);
  const guint8 *signature = rb_reader_take (&reader, left);
  return rb_reader_ok (&reader) && hash == key->hash
         && rb_key_verify (key->key, RB_SCHEME_ED25519, text, strlen (text), signature, left);
}

static gboolean
lines_are_signatures (char **lines)
{
  guint n = g_strv_length (lines);
  if (n < 2 || n > MAX_SIGNATURES + 1 || lines[n - 1][0] != '\0')
    return FALSE;
  for (guint i = 0; i + 1 < n; i++)
    if (!g_str_has_prefix (lines[i], MARK))
      return FALSE;
  return TRUE;
}

char *
rb_note_open (const char *note, const RbNoteKey *key, GError **error)
{
  const char *end = g_strrstr (note, "\n\n");
  if (strlen (note) > MAX_NOTE || !g_utf8_validate (note, -1, NULL) || end == NULL)
    return note_error (error, RB_REASON_MALFORMED, "it is not text with signatures below");
  gsize length = (gsize) (end - note) + 1;
  g_autofree char *text = g_strndup (note, length);
  g_auto (GStrv) lines = g_strsplit (&note[length + 1], "\n", -1);
  if (!lines_are_signatures (lines))
    return note_error (error, RB_REASON_MALFORMED, "it is not text with signatures below");
  for (guint i = 0; lines[i] != NULL; i++)
    if (line_signs (lines[i], text, key))
      return g_steal_pointer (&text);
  return note_error (error, RB_REASON_LOG_SIGNATURE, "the key that is trusted did not sign it");
}

char *
rb_note_sign (const char *text, const char *name, RbPrivateKey *key, GError **error)
{
  g_autoptr (GBytes) raw = rb_key_public_ed25519 (rb_key_private_public (key));
  if (raw == NULL || !name_is_valid (name) || !g_str_has_suffix (text, "\n"))
    return note_error (error, RB_REASON_MALFORMED,
                       "only text that ends with a newline is signed, by an Ed25519 key with a name");
  g_autoptr (GBytes) signature = rb_key_sign (key, text, strlen (text), error);
  if (signature == NULL)
    return NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  rb_writer_u32be (bytes, key_hash (name, raw));
  rb_writer_bytes (bytes, signature);
  g_autofree char *encoded = g_base64_encode (bytes->data, bytes->len);
  return g_strdup_printf ("%s\n" MARK "%s %s\n", text, name, encoded);
}
