/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/she.h"

#include "core/bytes.h"
#include "crypto/digest.h"

#include <openssl/evp.h>
#include <string.h>

/* KEY_UPDATE_ENC_C and KEY_UPDATE_MAC_C of the SHE specification, padding included. */
static const guint8 enc_constant[16] = { 0x01, 0x01, 0x53, 0x48, 0x45, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0xb0 };
static const guint8 mac_constant[16] = { 0x01, 0x02, 0x53, 0x48, 0x45, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0xb0 };

/* AES-128 without padding; length is a multiple of 16. AES itself cannot fail. */
static void
aes (const EVP_CIPHER *cipher, gboolean encrypt, const guint8 key[16], const guint8 *in, gsize length, guint8 *out)
{
  static const guint8 zero_iv[16];
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new ();
  int written = 0;
  if (EVP_CipherInit_ex2 (context, cipher, key, zero_iv, encrypt, NULL) != 1
      || EVP_CIPHER_CTX_set_padding (context, 0) != 1
      || EVP_CipherUpdate (context, out, &written, in, (int) length) != 1)
    g_error ("OpenSSL: AES failed");
  EVP_CIPHER_CTX_free (context);
}

/* Miyaguchi-Preneel compression of key ‖ constant. */
static void
derive (const guint8 key[16], const guint8 constant[16], guint8 out[16])
{
  const guint8 *const blocks[] = { key, constant };
  guint8 chain[16] = { 0 };
  for (guint b = 0; b < G_N_ELEMENTS (blocks); b++) {
    guint8 encrypted[16];
    aes (EVP_aes_128_ecb (), TRUE, chain, blocks[b], 16, encrypted);
    for (guint i = 0; i < 16; i++)
      chain[i] = (guint8) (chain[i] ^ encrypted[i] ^ blocks[b][i]);
  }
  memcpy (out, chain, 16);
}

/* M2's clear text: counter (28 bits) ‖ flags (5 bits) ‖ 95 zero bits ‖ new key. */
static void
pack_m2 (const RbSheSlot *slot, const guint8 new_key[16], guint8 clear[32])
{
  guint64 head = (guint64) slot->counter << 36 | (guint64) (slot->flags & 31) << 31;
  memset (clear, 0, 32);
  for (guint i = 0; i < 8; i++)
    clear[i] = (guint8) (head >> (56 - 8 * i));
  memcpy (&clear[16], new_key, 16);
}

static void
proof (const RbSheSlot *slot, const guint8 new_key[16], RbSheUpdate *out)
{
  guint8 k3[16], k4[16];
  guint8 clear[16] = { 0 };
  derive (new_key, enc_constant, k3);
  derive (new_key, mac_constant, k4);
  guint32 head = slot->counter << 4 | 8; /* 28 bits, then a one */
  for (guint i = 0; i < 4; i++)
    clear[i] = (guint8) (head >> (24 - 8 * i));
  memcpy (out->m4, slot->uid, 15);
  out->m4[15] = (guint8) (slot->slot << 4 | slot->auth_slot);
  aes (EVP_aes_128_ecb (), TRUE, k3, clear, 16, &out->m4[16]);
  rb_digest_cmac (k4, out->m4, 32, out->m5);
}

void
rb_she_update (const RbSheSlot *slot, const guint8 auth_key[16], const guint8 new_key[16], RbSheUpdate *out)
{
  guint8 k1[16], k2[16];
  guint8 clear[32];
  guint8 authenticated[48];
  derive (auth_key, enc_constant, k1);
  derive (auth_key, mac_constant, k2);
  memcpy (out->m1, slot->uid, 15);
  out->m1[15] = (guint8) (slot->slot << 4 | slot->auth_slot);
  pack_m2 (slot, new_key, clear);
  aes (EVP_aes_128_cbc (), TRUE, k1, clear, 32, out->m2);
  memcpy (authenticated, out->m1, 16);
  memcpy (&authenticated[16], out->m2, 32);
  rb_digest_cmac (k2, authenticated, 48, out->m3);
  proof (slot, new_key, out);
}

static gboolean
she_error (GError **error, const char *why)
{
  return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_REFUSED, "SHE key update refused: %s", why);
}

gboolean
rb_she_load (const guint8 m1[16], const guint8 m2[32], const guint8 m3[16], const guint8 uid[15],
             const guint8 auth_key[16], guint32 stored_counter, RbSheSlot *slot, guint8 new_key[16], RbSheUpdate *out,
             GError **error)
{
  guint8 k1[16], k2[16], expected[16];
  guint8 clear[32];
  guint8 authenticated[48];
  if (memcmp (m1, uid, 15) != 0)
    return she_error (error, "it is for another UID");
  derive (auth_key, mac_constant, k2);
  memcpy (authenticated, m1, 16);
  memcpy (&authenticated[16], m2, 32);
  rb_digest_cmac (k2, authenticated, 48, expected);
  if (!rb_bytes_equal_secret (expected, m3, 16))
    return she_error (error, "M3 is not by the authorising key");
  derive (auth_key, enc_constant, k1);
  aes (EVP_aes_128_cbc (), FALSE, k1, m2, 32, clear);
  guint64 head = 0;
  for (guint i = 0; i < 8; i++)
    head = head << 8 | clear[i];
  memcpy (slot->uid, uid, 15);
  slot->slot = m1[15] >> 4;
  slot->auth_slot = m1[15] & 15;
  slot->counter = (guint32) (head >> 36);
  slot->flags = (head >> 31) & 31;
  if (slot->counter <= stored_counter)
    return she_error (error, "its counter is not above the stored one");
  memcpy (new_key, &clear[16], 16);
  memcpy (out->m1, m1, 16);
  memcpy (out->m2, m2, 32);
  memcpy (out->m3, m3, 16);
  proof (slot, new_key, out);
  return TRUE;
}
