/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/fingerprint.h"

#include "core/bytes.h"
#include "crypto/digest.h"

#include <string.h>

#define WORD_BITS 11

static guint
word_index (const guint8 *digest, guint word)
{
  guint index = 0;
  for (guint bit = word * WORD_BITS; bit < (word + 1) * WORD_BITS; bit++)
    index = index << 1 | (digest[bit / 8] >> (7 - bit % 8) & 1);
  return index;
}

char *
rb_fingerprint_of (const char *sha256_hex, guint n)
{
  guint8 digest[RB_SHA256_LENGTH];
  g_autoptr (GString) text = g_string_new (NULL);
  g_assert (n * WORD_BITS <= 8 * RB_SHA256_LENGTH && rb_bytes_from_hex_exact (sha256_hex, digest, sizeof digest));
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s", i == 0 ? "" : "-", rb_fingerprint_words[word_index (digest, i)]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Lower case, one '-' between words, none at the ends. */
static char *
normalise (const char *text)
{
  GString *out = g_string_new (NULL);
  for (; *text != '\0'; text++)
    if (*text != '-' && !g_ascii_isspace (*text))
      g_string_append_c (out, g_ascii_tolower (*text));
    else if (out->len > 0 && out->str[out->len - 1] != '-')
      g_string_append_c (out, '-');
  if (out->len > 0 && out->str[out->len - 1] == '-')
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}

gboolean
rb_fingerprint_matches (const char *sha256_hex, const char *text)
{
  g_autofree char *given = normalise (text);
  g_autofree char *words = rb_fingerprint_of (sha256_hex, RB_FINGERPRINT_FULL);
  return strcmp (given, sha256_hex) == 0 || strcmp (given, words) == 0;
}
