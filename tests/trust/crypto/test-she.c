/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/she.h"

#include "core/bytes.h"

#include <string.h>

static void
assert_hex (const guint8 *data, gsize length, const char *expected)
{
  g_autofree char *hex = rb_bytes_to_hex (data, length);
  g_assert_cmpstr (hex, ==, expected);
}

static void
published (RbSheSlot *slot, guint8 auth_key[16], guint8 new_key[16])
{
  *slot = (RbSheSlot){ .uid = { [14] = 1 }, .slot = 4, .auth_slot = 1, .counter = 1 };
  g_assert_true (rb_bytes_from_hex_exact ("000102030405060708090a0b0c0d0e0f", auth_key, 16));
  g_assert_true (rb_bytes_from_hex_exact ("0f0e0d0c0b0a09080706050403020100", new_key, 16));
}

/* AUTOSAR SHE specification 13.7 */
static void
test_published_vector (void)
{
  RbSheSlot slot;
  guint8 auth_key[16], new_key[16];
  RbSheUpdate update;
  published (&slot, auth_key, new_key);
  rb_she_update (&slot, auth_key, new_key, &update);
  assert_hex (update.m1, 16, "00000000000000000000000000000141");
  assert_hex (update.m2, 32, "2b111e2d93f486566bcbba1d7f7a9797c94643b050fc5d4d7de14cff682203c3");
  assert_hex (update.m3, 16, "b9d745e5ace7d41860bc63c2b9f5bb46");
  assert_hex (update.m4, 32, "00000000000000000000000000000141b472e8d8727d70d57295e74849a27917");
  assert_hex (update.m5, 16, "820d8d95dc11b4668878160cb2a4e23e");
}

static void
test_load (void)
{
  RbSheSlot slot, loaded;
  guint8 auth_key[16], new_key[16], key[16];
  RbSheUpdate update, answer;
  g_autoptr (GError) error = NULL;
  published (&slot, auth_key, new_key);
  slot.counter = 0x0abcdef;
  slot.flags = 0x15;
  rb_she_update (&slot, auth_key, new_key, &update);
  g_assert_true (
    rb_she_load (update.m1, update.m2, update.m3, slot.uid, auth_key, slot.counter - 1, &loaded, key, &answer, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (loaded.slot, ==, 4);
  g_assert_cmpuint (loaded.auth_slot, ==, 1);
  g_assert_cmpuint (loaded.counter, ==, slot.counter);
  g_assert_cmpuint (loaded.flags, ==, 0x15);
  g_assert_cmpmem (key, 16, new_key, 16);
  g_assert_cmpmem (answer.m4, 32, update.m4, 32);
  g_assert_cmpmem (answer.m5, 16, update.m5, 16);
}

static void
test_refused (void)
{
  RbSheSlot slot, loaded;
  guint8 auth_key[16], new_key[16], key[16];
  RbSheUpdate update, answer;
  published (&slot, auth_key, new_key);
  rb_she_update (&slot, auth_key, new_key, &update);
  for (guint i = 0; i < 4; i++) {
    g_autoptr (GError) error = NULL;
    RbSheUpdate bad = update;
    guint8 uid[15];
    memcpy (uid, slot.uid, 15);
    uid[0] ^= i == 0 ? 1 : 0; /* another ECU */
    bad.m3[15] ^= i == 1 ? 1 : 0; /* forged */
    bad.m2[31] ^= i == 2 ? 1 : 0; /* altered */
    guint32 stored = i == 3 ? 1 : 0; /* replayed */
    g_assert_false (rb_she_load (bad.m1, bad.m2, bad.m3, uid, auth_key, stored, &loaded, key, &answer, &error));
    g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_REFUSED);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/she/published-vector", test_published_vector);
  g_test_add_func ("/she/load", test_load);
  g_test_add_func ("/she/refused", test_refused);
  return g_test_run ();
}
