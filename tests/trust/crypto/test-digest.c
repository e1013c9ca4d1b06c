/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include "core/bytes.h"

/* RFC 5869 A.1 and A.3 */
static void
test_hkdf (void)
{
  g_autoptr (GBytes) ikm = rb_bytes_from_hex ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  g_autoptr (GBytes) salt = rb_bytes_from_hex ("000102030405060708090a0b0c");
  g_autoptr (GBytes) info = rb_bytes_from_hex ("f0f1f2f3f4f5f6f7f8f9");
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) with_salt = rb_digest_hkdf (ikm, salt, info, 42);
  g_autoptr (GBytes) without = rb_digest_hkdf (ikm, NULL, nothing, 42);
  g_autofree char *first = rb_bytes_hex (with_salt);
  g_autofree char *second = rb_bytes_hex (without);
  g_assert_cmpstr (first, ==, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  g_assert_cmpstr (second, ==, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

/* RFC 4493 section 4 */
static void
test_cmac (void)
{
  static const struct {
    const char *message, *mac;
  } vectors[] = {
    { "", "bb1d6929e95937287fa37d129b756746" },
    { "6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c" },
    { "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
      "dfa66747de9ae63030ca32611497c827" },
  };
  guint8 key[16];
  g_assert_true (rb_bytes_from_hex_exact ("2b7e151628aed2a6abf7158809cf4f3c", key, 16));
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autoptr (GBytes) message = rb_bytes_from_hex (vectors[i].message);
    guint8 mac[16];
    rb_digest_cmac (key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), mac);
    g_autofree char *hex = rb_bytes_to_hex (mac, 16);
    g_assert_cmpstr (hex, ==, vectors[i].mac);
  }
}

static void
test_sha256 (void)
{
  g_autoptr (RbSha256) running = rb_digest_sha256_new ();
  rb_digest_sha256_update (running, "a", 1);
  rb_digest_sha256_update (running, "bc", 2);
  g_autofree char *in_parts = rb_digest_sha256_finish (running);
  g_autofree char *whole = rb_digest_sha256_hex ("abc", 3);
  g_autofree char *longer = rb_digest_sha512_hex ("abc", 3);
  g_assert_cmpstr (whole, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  g_assert_cmpstr (in_parts, ==, whole);
  g_assert_true (g_str_has_prefix (longer, "ddaf35a193617abacc417349ae204131"));
}

static void
test_random (void)
{
  g_autoptr (GBytes) a = rb_digest_random (32);
  g_autoptr (GBytes) b = rb_digest_random (32);
  g_assert_false (g_bytes_equal (a, b));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/digest/hkdf", test_hkdf);
  g_test_add_func ("/digest/cmac", test_cmac);
  g_test_add_func ("/digest/sha256", test_sha256);
  g_test_add_func ("/digest/random", test_random);
  return g_test_run ();
}
