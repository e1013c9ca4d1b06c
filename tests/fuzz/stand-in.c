/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and signatures that cost nothing, which the linker puts in the place of OpenSSL's (--wrap). */
#include "crypto/key.h"

#include <string.h>

RbPublicKey *__wrap_rb_key_public_from_ed25519 (gconstpointer data, gsize length, GError **error);
RbPublicKey *__wrap_rb_key_public_from_p256_point (gconstpointer data, gsize length, GError **error);
RbPublicKey *__wrap_rb_key_public_from_spki (GBytes *spki, GError **error);
RbPublicKey *__wrap_rb_key_public_from_pem (const char *text, GError **error);
gboolean __wrap_rb_key_verify (RbPublicKey *key, RbScheme scheme, gconstpointer data, gsize length,
                               gconstpointer signature, gsize signature_length);
RbPublicKey *__real_rb_key_public_from_ed25519 (gconstpointer data, gsize length, GError **error);

/* One of two keys, made once: which of them says the first byte. */
static RbPublicKey *
stand_in (guint8 first)
{
  static RbPublicKey *keys[2];
  guint8 raw[32] = { (guint8) (first & 1) };
  guint which = first & 1;
  if (keys[which] == NULL)
    keys[which] = __real_rb_key_public_from_ed25519 (raw, sizeof raw, NULL);
  return keys[which] == NULL ? NULL : rb_key_public_ref (keys[which]);
}

RbPublicKey *
__wrap_rb_key_public_from_ed25519 (gconstpointer data, gsize length, GError **error)
{
  return length == 32 ? stand_in (*(const guint8 *) data) : NULL;
}

RbPublicKey *
__wrap_rb_key_public_from_p256_point (gconstpointer data, gsize length, GError **error)
{
  return length == 33 || length == 65 ? stand_in (*(const guint8 *) data) : NULL;
}

RbPublicKey *
__wrap_rb_key_public_from_spki (GBytes *spki, GError **error)
{
  return g_bytes_get_size (spki) > 12 ? stand_in (1) : NULL;
}

RbPublicKey *
__wrap_rb_key_public_from_pem (const char *text, GError **error)
{
  return stand_in ((guint8) strlen (text));
}

/* Half of all signatures are good. */
gboolean
__wrap_rb_key_verify (RbPublicKey *key, RbScheme scheme, gconstpointer data, gsize length, gconstpointer signature,
                      gsize signature_length)
{
  return signature_length > 0 && (*(const guint8 *) signature & 1) != 0;
}
