/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "keymaker/keygen.h"
#include "recovery/proof.h"
#include "uptane/report.h"

#include <string.h>

/* What proves that something holds, and everything near it that does not. */

#define VIN "RBY1DEM0XRA000042"
#define OTHER_VIN "RBY1DEM0XRA000043"
#define SERIAL "SN-BRAKE-0001"
#define IMAGE_SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NONCE "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define CHALLENGE "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static GBytes *
unhex (const char *hex)
{
  GBytes *bytes = rb_bytes_from_hex (hex);
  g_assert_nonnull (bytes);
  return bytes;
}

static GBytes *
flipped (GBytes *bytes, gsize at)
{
  GByteArray *copy = g_bytes_unref_to_array (g_bytes_new (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)));
  copy->data[at] ^= 1;
  return g_byte_array_free_to_bytes (copy);
}

/* image: the expected digests were computed with sha256sum */

static const struct {
  const char *image, *nonce, *digest;
  gboolean holds;
} images[] = {
  { "00008000"
    "00000001"
    "aa",
    "0011", "3075565f4bf6d95426b2fa5dac1311a73e5e01b68102776082c1eceba7ad8f36", TRUE },
  { "616263", "", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", TRUE },
  { "6263", "61", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", TRUE },
  { "", "616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", TRUE },
  { "", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", TRUE },
  { "616263", "", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", FALSE },
  { "616263", "", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a", FALSE },
  { "616263", "00", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", FALSE },
  { "616263", "", "", FALSE },
  { "616263", "", NULL, FALSE },
};

static void
test_image (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GBytes) image = unhex (images[i].image);
  g_autoptr (GBytes) nonce = unhex (images[i].nonce);
  g_assert_cmpint (rb_proof_image (image, nonce, images[i].digest), ==, images[i].holds);
}

/* proof of possession */

typedef struct {
  RbCampaign *campaign, *other;
  RbPrivateKey *key, *attacker;
  GBytes *spki, *challenge, *proof;
} Bench;

static RbCampaign *
campaign_with_nonce (guint8 last)
{
  RbCampaign *campaign = g_new0 (RbCampaign, 1);
  campaign->id = g_strdup_printf ("R-2026-%02x", last);
  campaign->ecus = g_ptr_array_new ();
  campaign->checklist = g_ptr_array_new ();
  campaign->nonce[31] = last;
  return campaign;
}

static GBytes *
sign_possession (RbPrivateKey *key, const RbCampaign *campaign, const char *vin, const char *serial, GBytes *spki,
                 GBytes *challenge)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = rb_campaign_pop_message (campaign, vin, serial, spki, challenge);
  GBytes *proof = rb_key_sign (key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), &error);
  g_assert_no_error (error);
  return proof;
}

static void
bench_open (Bench *bench, gconstpointer type)
{
  RbKeyType kind = GPOINTER_TO_INT (type);
  bench->campaign = campaign_with_nonce (1);
  bench->other = campaign_with_nonce (2);
  bench->key = rb_keygen_new (kind, NULL);
  bench->attacker = rb_keygen_new (kind, NULL);
  bench->spki = g_bytes_ref (rb_key_public_spki (rb_key_private_public (bench->key)));
  bench->challenge = unhex (CHALLENGE);
  bench->proof = sign_possession (bench->key, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge);
}

static void
bench_close (Bench *bench, gconstpointer type)
{
  rb_campaign_free (bench->campaign);
  rb_campaign_free (bench->other);
  rb_key_private_unref (bench->key);
  rb_key_private_unref (bench->attacker);
  g_bytes_unref (bench->spki);
  g_bytes_unref (bench->challenge);
  g_bytes_unref (bench->proof);
}

static void
assert_possession (Bench *bench, const RbCampaign *campaign, const char *vin, const char *serial, GBytes *spki,
                   GBytes *challenge, GBytes *proof, gboolean holds)
{
  g_autofree char *id = rb_proof_possession (campaign, vin, serial, spki, challenge, proof);
  g_assert_cmpstr (id, ==, holds ? rb_key_public_id (rb_key_private_public (bench->key)) : NULL);
}

static void
test_possession (Bench *bench, gconstpointer type)
{
  g_autoptr (GBytes) later = unhex ("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
  g_autoptr (GBytes) broken = flipped (bench->proof, g_bytes_get_size (bench->proof) - 1);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (bench->proof, 0, g_bytes_get_size (bench->proof) - 1);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  GBytes *other_spki = rb_key_public_spki (rb_key_private_public (bench->attacker));
  g_autoptr (GBytes) by_attacker
    = sign_possession (bench->attacker, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge, bench->proof, TRUE);
  /* another campaign, car, ECU, day, key, and what is no signature */
  assert_possession (bench, bench->other, VIN, SERIAL, bench->spki, bench->challenge, bench->proof, FALSE);
  assert_possession (bench, bench->campaign, OTHER_VIN, SERIAL, bench->spki, bench->challenge, bench->proof, FALSE);
  assert_possession (bench, bench->campaign, VIN, "SN-DOOR-0001", bench->spki, bench->challenge, bench->proof, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->spki, later, bench->proof, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, other_spki, bench->challenge, bench->proof, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge, by_attacker, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge, broken, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge, cut, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->spki, bench->challenge, nothing, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, nothing, bench->challenge, bench->proof, FALSE);
  assert_possession (bench, bench->campaign, VIN, SERIAL, bench->challenge, bench->challenge, bench->proof, FALSE);
}

/* SHE: the published vector of the specification, 13.7 */

#define M1 "00000000000000000000000000000141"
#define M2 "2b111e2d93f486566bcbba1d7f7a9797c94643b050fc5d4d7de14cff682203c3"
#define M3 "b9d745e5ace7d41860bc63c2b9f5bb46"
#define M4 "00000000000000000000000000000141b472e8d8727d70d57295e74849a27917"
#define M5 "820d8d95dc11b4668878160cb2a4e23e"

static json_t *
she_update (void)
{
  g_autoptr (GBytes) answer = unhex (M4 M5);
  g_autofree char *digest = rb_digest_sha256_hex_of (answer);
  json_t *update = json_pack ("{s:s,s:i,s:i,s:s,s:s,s:s,s:s}", "serial", SERIAL, "slot", 4, "counter", 1, "m1", M1,
                              "m2", M2, "m3", M3, "answer_sha256", digest);
  g_assert_nonnull (update);
  return update;
}

static void
test_she_request (void)
{
  g_autoptr (json_t) update = she_update ();
  g_autoptr (GBytes) request = rb_proof_she_request (update);
  g_autofree char *hex = rb_bytes_hex (request);
  g_assert_cmpstr (hex, ==, M1 M2 M3);
}

static const struct {
  const char *member, *value;
  gboolean asks, proves;
} she_updates[] = {
  { "serial", "another", TRUE, TRUE },
  { "m1", NULL, FALSE, TRUE },
  { "m1", "00", FALSE, TRUE },
  { "m1", "zz000000000000000000000000000141", FALSE, TRUE },
  { "m2", M1, FALSE, TRUE },
  { "m3", M2, FALSE, TRUE },
  { "m3", "", FALSE, TRUE },
  { "answer_sha256", M4, TRUE, FALSE },
  { "answer_sha256", "", TRUE, FALSE },
  { "answer_sha256", NULL, TRUE, FALSE },
};

static void
test_she_update (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (json_t) update = she_update ();
  g_autoptr (GBytes) answer = unhex (M4 M5);
  if (she_updates[i].value == NULL)
    json_object_del (update, she_updates[i].member);
  else
    rb_json_set_string (update, she_updates[i].member, she_updates[i].value);
  g_autoptr (GBytes) request = rb_proof_she_request (update);
  g_assert_cmpint (request != NULL, ==, she_updates[i].asks);
  g_assert_cmpint (rb_proof_she_answer (update, answer), ==, she_updates[i].proves);
  g_assert_cmpint (rb_proof_she (update, 4, 1, answer), ==, she_updates[i].proves);
}

static const struct {
  guint slot;
  gint64 counter;
  const char *answer;
  gboolean holds;
} she_answers[] = {
  { 4, 1, M4 M5, TRUE },  { 4, 1, M4 M5 "00", TRUE }, /* what follows is the maker's */
  { 5, 1, M4 M5, FALSE }, { 4, 0, M4 M5, FALSE },     { 4, 2, M4 M5, FALSE }, { 4, 1, M5 M4, FALSE },
  { 4, 1, M4, FALSE },    { 4, 1, "", FALSE },        { 4, 1, NULL, FALSE },
};

static void
test_she_answer (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (json_t) update = she_update ();
  g_autoptr (GBytes) answer = she_answers[i].answer == NULL ? NULL : unhex (she_answers[i].answer);
  g_assert_cmpint (rb_proof_she (update, she_answers[i].slot, she_answers[i].counter, answer), ==,
                   she_answers[i].holds);
}

static void
test_she_every_bit (void)
{
  g_autoptr (json_t) update = she_update ();
  g_autoptr (GBytes) answer = unhex (M4 M5);
  for (gsize at = 0; at < 48; at++) {
    g_autoptr (GBytes) broken = flipped (answer, at);
    g_assert_false (rb_proof_she_answer (update, broken));
  }
}

/* reports */

static json_t *
report_part (void)
{
  return json_pack ("{s:s,s:s,s:s,s:s,s:{s:s,s:{s:i,s:{s:s}}}}", "ecu_serial", SERIAL, "vin", VIN, "nonce", NONCE,
                    "challenge", CHALLENGE, "installed_image", "filepath", "a/b.bin", "fileinfo", "length", 11,
                    "hashes", "sha256", IMAGE_SHA);
}

static const struct {
  const char *name, *member, *value; /* changed before it is signed; value NULL: left out */
  const char *text; /* NULL: it holds */
} reports[] = {
  { "good", NULL, NULL, NULL },
  { "another-ecu", "ecu_serial", "SN-DOOR-0001", "is not signed by its new key" },
  { "no-ecu", "ecu_serial", NULL, "is not signed by its new key" },
  { "another-vehicle", "vin", OTHER_VIN, "is of another vehicle" },
  { "no-vehicle", "vin", NULL, "is of another vehicle" },
  { "old-challenge", "challenge", "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf", "answers another question" },
  { "no-challenge", "challenge", NULL, "answers another question" },
  { "another-campaign", "nonce", CHALLENGE, "answers another question" },
  { "upper-case-nonce", "nonce", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
    "answers another question" },
  { "no-image", "installed_image", NULL, "names another image" },
};

static void
judge_report (Bench *bench, GBytes *report, gboolean signature_judged, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) nonce = unhex (NONCE);
  gboolean good = rb_proof_report (report, signature_judged ? bench->spki : NULL, VIN, SERIAL, IMAGE_SHA, nonce,
                                   bench->challenge, &error);
  g_assert_cmpint (good, ==, text == NULL);
  if (text == NULL) {
    g_assert_no_error (error);
    return;
  }
  g_assert_error (error, RB_RECOVERY_ERROR, RB_REASON_REPORT_NOT_PROVEN);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_nonnull (strstr (error->message, SERIAL));
}

static void
test_reports (Bench *bench, gconstpointer type)
{
  for (guint i = 0; i < G_N_ELEMENTS (reports); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) part = report_part ();
    if (reports[i].member != NULL && reports[i].value == NULL)
      json_object_del (part, reports[i].member);
    else if (reports[i].member != NULL)
      rb_json_set_string (part, reports[i].member, reports[i].value);
    g_autoptr (GBytes) report = rb_report_sign (part, bench->key, &error);
    g_assert_no_error (error);
    judge_report (bench, report, TRUE, reports[i].text);
    judge_report (bench, report, FALSE, reports[i].text);
  }
}

static void
test_report_of_another_image (Bench *bench, gconstpointer type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) part = report_part ();
  json_t *hashes = json_object_get (json_object_get (json_object_get (part, "installed_image"), "fileinfo"), "hashes");
  rb_json_set_string (hashes, "sha256", NONCE);
  g_autoptr (GBytes) report = rb_report_sign (part, bench->key, &error);
  judge_report (bench, report, TRUE, "names another image");
}

static void
test_report_signatures (Bench *bench, gconstpointer type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) part = report_part ();
  const guint8 secret[16] = { 1 };
  g_autoptr (GBytes) by_attacker = rb_report_sign (part, bench->attacker, &error);
  g_autoptr (GBytes) by_mac = rb_report_mac (part, secret, "she:4:1");
  g_autoptr (GBytes) garbage = g_bytes_new_static ("{\"signed\":1}", 12);
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  judge_report (bench, by_attacker, TRUE, "is not signed by its new key");
  judge_report (bench, by_attacker, FALSE, NULL); /* who does not judge the signature says so: deferred */
  judge_report (bench, by_mac, TRUE, "is not signed by its new key");
  judge_report (bench, by_mac, FALSE, NULL);
  judge_report (bench, garbage, FALSE, "is not signed by its new key");
  judge_report (bench, empty, TRUE, "is not signed by its new key");
}

static void
test_report_by_unusable_key (Bench *bench, gconstpointer type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) part = report_part ();
  g_autoptr (GBytes) report = rb_report_sign (part, bench->key, NULL);
  g_autoptr (GBytes) nonce = unhex (NONCE);
  g_autoptr (GBytes) junk = unhex ("3003020100");
  g_assert_false (rb_proof_report (report, junk, VIN, SERIAL, IMAGE_SHA, nonce, bench->challenge, &error));
  g_assert_error (error, RB_RECOVERY_ERROR, RB_REASON_REPORT_NOT_PROVEN);
  g_assert_nonnull (strstr (error->message, "unusable key"));
}

static void
add (const char *group, guint n, GTestDataFunc test)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf ("/proof/%s/%u", group, i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test);
  }
}

static void
add_with_key (const char *name, void (*test) (Bench *, gconstpointer))
{
  static const struct {
    const char *name;
    RbKeyType type;
  } types[] = { { "ed25519", RB_KEY_ED25519 }, { "p256", RB_KEY_EC_P256 } };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *path = g_strdup_printf ("/proof/%s/%s", name, types[i].name);
    g_test_add (path, Bench, GINT_TO_POINTER (types[i].type), bench_open, test, bench_close);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("image", G_N_ELEMENTS (images), test_image);
  add_with_key ("possession", test_possession);
  g_test_add_func ("/proof/she-request", test_she_request);
  add ("she-update", G_N_ELEMENTS (she_updates), test_she_update);
  add ("she-answer", G_N_ELEMENTS (she_answers), test_she_answer);
  g_test_add_func ("/proof/she-every-bit", test_she_every_bit);
  add_with_key ("reports", test_reports);
  add_with_key ("report-of-another-image", test_report_of_another_image);
  add_with_key ("report-signatures", test_report_signatures);
  add_with_key ("report-by-unusable-key", test_report_by_unusable_key);
  return g_test_run ();
}
