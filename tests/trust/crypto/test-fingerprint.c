/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/fingerprint.h"

#include "crypto/digest.h"

#include <string.h>

/* BIP 39's own vectors: entropy of 16 bytes, its words without the last one, which is a checksum in part. */
static void
test_vectors (void)
{
  static const struct {
    const char *hex, *words;
  } vectors[] = {
    { "00000000000000000000000000000000", "abandon-abandon-abandon-abandon-abandon-abandon-abandon-abandon-abandon-"
                                          "abandon-abandon" },
    { "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal-winner-thank-year-wave-sausage-worth-useful-legal-winner-thank" },
    { "9e885d952ad362caeb4efe34a8e91bd2", "ozone-drill-grab-fiber-curtain-grace-pudding-thank-cruise-elder-eight" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autofree char *whole = g_strconcat (vectors[i].hex, vectors[i].hex, NULL);
    g_autofree char *words = rb_fingerprint_of (whole, 11);
    g_assert_cmpstr (words, ==, vectors[i].words);
  }
}

static void
test_list (void)
{
  for (guint i = 1; i < RB_FINGERPRINT_WORDS; i++)
    g_assert_cmpint (strcmp (rb_fingerprint_words[i - 1], rb_fingerprint_words[i]), <, 0);
}

static void
test_matches (void)
{
  g_autofree char *digest = rb_digest_sha256_hex ("abc", 3), *other = rb_digest_sha256_hex ("abd", 3);
  g_autofree char *words = rb_fingerprint_of (digest, RB_FINGERPRINT_FULL);
  g_autofree char *label = rb_fingerprint_of (digest, RB_FINGERPRINT_LABEL);
  g_auto (GStrv) parts = g_strsplit (words, "-", -1);
  g_autofree char *spaced = g_strjoinv ("  ", parts), *upper = g_ascii_strup (spaced, -1);
  g_assert_cmpuint (g_strv_length (parts), ==, 12);
  g_assert_true (rb_fingerprint_matches (digest, words));
  g_assert_true (rb_fingerprint_matches (digest, upper));
  g_assert_true (rb_fingerprint_matches (digest, digest));
  g_assert_false (rb_fingerprint_matches (other, words));
  g_assert_false (rb_fingerprint_matches (digest, label));
  g_assert_false (rb_fingerprint_matches (digest, ""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fingerprint/vectors", test_vectors);
  g_test_add_func ("/fingerprint/list", test_list);
  g_test_add_func ("/fingerprint/matches", test_matches);
  return g_test_run ();
}
