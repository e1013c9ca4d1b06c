/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include "core/bytes.h"
#include "core/files.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"
#include "keystore/identity.h"
#include "vehicle/ecu-client.h"

#include <string.h>

/* Unlocking an ECU and waiting for it after a reset. */

#define NOW 1795417200
#define YEAR (365 * 24 * 60 * 60)
#define SERVER "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"

#define VIN "1RBDM7AA2TA000001"
#define SERIAL "SN-BRAKE-0001"

static const RbOwnership ownership = { VIN, SERIAL };
static const RbModelEcu model
  = { .name = "brake", .label = "Brake control", .hardware_id = "hw-brake-1", .can_extension = -1 };

typedef struct {
  Fake *fake;
  RbEcuClient *unit;
  RbProfile profile;
  RbIdentity *identity;
  GError *error;
} Bench;

static RbIdentity *
make_identity (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPrivateKey) ca_key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  const RbIssueRequest ca_request = { .common_name = "CA", .purpose = -1, .not_before = NOW, .not_after = NOW + YEAR };
  const RbIssueRequest request
    = { .common_name = "Bay 1", .purpose = RB_PURPOSE_ECU_AUTHENTICATION, .not_before = NOW, .not_after = NOW + YEAR };
  g_autoptr (RbCertificate) ca
    = rb_issue_certificate (&ca_request, rb_key_private_public (ca_key), NULL, ca_key, &error);
  g_autoptr (RbCertificate) leaf = rb_issue_certificate (&request, rb_key_private_public (key), ca, ca_key, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_ptr_array_add (chain, leaf);
  g_ptr_array_add (chain, ca);
  g_autoptr (GBytes) file = rb_issue_pkcs12 ("bay", key, chain, "secret", &error);
  g_autofree char *folder = g_dir_make_tmp ("recallbay-unlock-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "bay.p12", NULL);
  g_assert_true (rb_files_write_private (path, file, &error));
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "secret", &error);
  g_assert_no_error (error);
  g_assert_true (rb_files_remove_tree (folder, NULL));
  RbIdentity *identity = rb_identity_set_find (set, RB_PURPOSE_ECU_AUTHENTICATION, &error);
  g_assert_no_error (error);
  return identity;
}

static void
bench_open (Bench *bench, const FakeStep *steps)
{
  g_autoptr (RbLink) link = NULL;
  *bench = (Bench){
    .profile
    = { .p2_ms = 50, .p2_star_ms = 1000, .boot_ms = 20, .security_delay_ms = 1, .unlock = RB_UNLOCK_AUTHENTICATION }
  };
  bench->fake = fake_new (steps, &link);
  bench->unit = rb_ecu_client_new (link, &model, &bench->profile, &bench->error);
  g_assert_no_error (bench->error);
}

static void
bench_close (Bench *bench)
{
  rb_ecu_client_free (bench->unit);
  g_clear_pointer (&bench->identity, rb_identity_unref);
  g_clear_error (&bench->error);
}

/* an ECU that checks the proof with the key of the certificate it was given */
typedef struct {
  const char *to_certificate; /* instead of a good answer */
  const char *to_proof;
  gboolean bare; /* it takes its own challenge only */
  char *certificate, *challenge;
  gboolean proven;
} Judge;

static char *
field (const char *hex, guint *at)
{
  g_autofree char *length = g_strndup (&hex[*at], 4);
  guint n = (guint) g_ascii_strtoull (length, NULL, 16) * 2;
  char *found = g_strndup (&hex[*at + 4], n);
  g_assert_cmpuint (strlen (found), ==, n);
  *at += 4 + n;
  return found;
}

/* put together from hex alone: name, direction, VIN, serial number, challenges, digest of the certificate */
static GBytes *
message_of (Judge *judge, GBytes *certificate)
{
  g_autofree char *digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, certificate);
  g_autofree char *vin = rb_bytes_to_hex (VIN, strlen (VIN));
  g_autofree char *serial = rb_bytes_to_hex (SERIAL, strlen (SERIAL));
  g_autofree char *whole
    = g_strconcat ("726563616c6c6261792d307832392d7632", "0010636c69656e742d746f2d736572766572", "0011", vin, "000d",
                   serial, "0020" SERVER, "0020", judge->challenge, "0020", digest, NULL);
  return rb_bytes_from_hex (judge->bare ? SERVER : whole);
}

static gboolean
proof_is_good (Judge *judge, const char *proof_hex)
{
  g_autoptr (GBytes) der = rb_bytes_from_hex (judge->certificate);
  g_autoptr (GBytes) proof = rb_bytes_from_hex (proof_hex);
  g_autoptr (GBytes) message = message_of (judge, der);
  g_autoptr (RbCertificate) certificate = rb_certificate_from_der (der, NULL);
  g_assert_nonnull (certificate);
  RbPublicKey *key = rb_certificate_key (certificate);
  return rb_key_verify (key, rb_key_public_scheme (key), g_bytes_get_data (message, NULL), g_bytes_get_size (message),
                        g_bytes_get_data (proof, NULL), g_bytes_get_size (proof));
}

static char *
judge_answer (const char *request, gpointer data)
{
  Judge *judge = data;
  guint at = 4;
  if (g_str_has_prefix (request, "290100")) {
    at = 6;
    g_free (judge->certificate);
    g_free (judge->challenge);
    judge->certificate = field (request, &at);
    judge->challenge = field (request, &at);
    g_assert_cmpuint (strlen (request), ==, at);
    return g_strdup (judge->to_certificate != NULL ? judge->to_certificate : "6901110020" SERVER "0000");
  }
  g_assert_true (g_str_has_prefix (request, "2903"));
  g_autofree char *proof = field (request, &at);
  g_autofree char *ephemeral = field (request, &at);
  g_assert_cmpstr (ephemeral, ==, "");
  judge->proven = proof_is_good (judge, proof);
  return g_strdup (judge->to_proof != NULL ? judge->to_proof : "6903120000");
}

static const struct {
  const char *to_certificate, *to_proof;
  RbReason reason;
} authentications[] = {
  { NULL, NULL, 0 },
  { "7f2950", NULL, RB_REASON_ECU_LOCKED },
  { "7f2937", NULL, RB_REASON_SECURITY_DELAY },
  { "7f297f", NULL, RB_REASON_REFUSED },
  { "69011100040102030400", NULL, RB_REASON_WRONG_ANSWER },
  { "690112", NULL, RB_REASON_WRONG_ANSWER },
  { "!", NULL, RB_REASON_LINK_LOST },
  { NULL, "7f2958", RB_REASON_ECU_LOCKED },
  { NULL, "7f2936", RB_REASON_ECU_LOCKED_OUT },
  { NULL, "690311", RB_REASON_WRONG_ANSWER },
  { NULL, "~", RB_REASON_NO_ANSWER },
};

static void
test_authentication (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Bench bench;
  Judge judge = { authentications[i].to_certificate, authentications[i].to_proof, FALSE, NULL, NULL, FALSE };
  bench_open (&bench, NULL);
  bench.identity = make_identity ();
  bench.fake->answer = judge_answer;
  bench.fake->user_data = &judge;
  gboolean good = rb_ecu_client_unlock (bench.unit, bench.identity, &ownership, NULL, &bench.error);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (bench.error)), ==, rb_reason_word (authentications[i].reason));
  g_assert_cmpint (good, ==, authentications[i].reason == 0);
  g_assert_cmpint (judge.proven, ==, authentications[i].to_certificate == NULL);
  g_assert_cmpuint (strlen (judge.challenge), ==, 64);
  g_free (judge.certificate);
  g_free (judge.challenge);
  bench_close (&bench);
}

/* an ECU whose profile says so is given a signature over its challenge and nothing else */
static void
test_bare_challenge (void)
{
  Bench bench;
  Judge judge = { .bare = TRUE };
  bench_open (&bench, NULL);
  bench.profile.bare_challenge = TRUE;
  bench.identity = make_identity ();
  bench.fake->answer = judge_answer;
  bench.fake->user_data = &judge;
  g_assert_true (rb_ecu_client_unlock (bench.unit, bench.identity, &ownership, NULL, &bench.error));
  g_assert_true (judge.proven);
  g_free (judge.certificate);
  g_free (judge.challenge);
  bench_close (&bench);
}

/* a challenge that is the message for another ECU is not signed, though the profile takes bare challenges */
static void
test_bare_imitation (void)
{
  Bench bench;
  Judge judge = { .bare = TRUE, .to_certificate = "6901110013726563616c6c6261792d307832392d763200100000" };
  bench_open (&bench, NULL);
  bench.profile.bare_challenge = TRUE;
  bench.identity = make_identity ();
  bench.fake->answer = judge_answer;
  bench.fake->user_data = &judge;
  g_assert_false (rb_ecu_client_unlock (bench.unit, bench.identity, &ownership, NULL, &bench.error));
  g_assert_error (bench.error, RB_VEHICLE_ERROR, RB_REASON_WRONG_ANSWER);
  g_assert_false (judge.proven);
  g_free (judge.certificate);
  g_free (judge.challenge);
  bench_close (&bench);
}

/* two unlocks never use one challenge */
static void
test_challenges_are_fresh (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Bench bench;
  bench_open (&bench, NULL);
  bench.identity = make_identity ();
  for (guint i = 0; i < 8; i++) {
    Judge judge = { 0 };
    bench.fake->answer = judge_answer;
    bench.fake->user_data = &judge;
    g_assert_true (rb_ecu_client_unlock (bench.unit, bench.identity, &ownership, NULL, &bench.error));
    g_assert_true (g_hash_table_add (seen, judge.challenge));
    g_free (judge.certificate);
  }
  bench_close (&bench);
}

static const struct {
  const char *algorithm;
  FakeStep steps[3];
  RbReason reason;
} accesses[] = {
  { "xor-a5a5a5a5", { { "2711", "6711a5a50000" }, { "27120000a5a5", "6712" } }, 0 },
  { "xor-a5a5a5a5", { { "2711", "67110000" } }, 0 }, /* unlocked already */
  { "xor-a5a5a5a5", { { "2711", "7f2737" }, { "2711", "7f2737" } }, RB_REASON_SECURITY_DELAY },
  { "xor-a5a5a5a5", { { "2711", "7f2736" } }, RB_REASON_ECU_LOCKED_OUT },
  { "xor-a5a5a5a5", { { "2711", "6711" } }, RB_REASON_WRONG_ANSWER },
  { "xor-a5a5a5a5", { { "2711", "6711a5a5" }, { "27120000", "7f2735" } }, RB_REASON_ECU_LOCKED },
  { "xor-a5a5a5a5", { { "2711", "6711a5a5" }, { "27120000", "7f2736" } }, RB_REASON_ECU_LOCKED_OUT },
  { "xor-a5a5a5a5", { { "2711", "!" } }, RB_REASON_LINK_LOST },
  { "secret-of-supplier", { { NULL } }, RB_REASON_UNSUPPORTED },
  { NULL, { { NULL } }, RB_REASON_UNSUPPORTED },
};

static void
test_security_access (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Bench bench;
  bench_open (&bench, accesses[i].steps);
  bench.profile.unlock = RB_UNLOCK_SECURITY_ACCESS;
  bench.profile.security_level = 0x11;
  bench.profile.security_algorithm = (char *) accesses[i].algorithm;
  g_assert_cmpint (rb_ecu_client_unlock (bench.unit, NULL, NULL, NULL, &bench.error), ==, accesses[i].reason == 0);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (bench.error)), ==, rb_reason_word (accesses[i].reason));
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static void
test_no_lock (void)
{
  static const FakeStep steps[] = { { NULL } };
  Bench bench;
  bench_open (&bench, steps);
  bench.profile.unlock = RB_UNLOCK_NONE;
  g_assert_true (rb_ecu_client_unlock (bench.unit, NULL, NULL, NULL, &bench.error));
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

/* after a reset the ECU is silent while it boots, then answers or refuses: either shows that it is there */
static const struct {
  const char *name;
  FakeStep steps[6];
  RbReason reason;
} resets[] = {
  { "at-once", { { "1101", "5101" }, { "22f186", "62f18601" } }, 0 },
  { "pending", { { "1101", "7f1178 5101" }, { "22f186", "62f18601" } }, 0 },
  { "after-silence", { { "1101", "5101" }, { "22f186", "~" }, { "22f186", "~" }, { "22f186", "62f18601" } }, 0 },
  { "without-answer", { { "1101", "~" }, { "22f186", "62f18601" } }, 0 },
  { "refuses-the-did", { { "1101", "5101" }, { "22f186", "7f2231" } }, 0 },
  { "gateway-says-not-there", { { "1101", "5101" }, { "22f186", "7f2225" }, { "22f186", "62f18601" } }, 0 },
  { "refused", { { "1101", "7f1122" } }, RB_REASON_REFUSED },
  { "wrong-kind", { { "1101", "5103" } }, RB_REASON_WRONG_ANSWER },
  { "lost", { { "1101", "!" } }, RB_REASON_LINK_LOST },
  { "lost-while-booting", { { "1101", "5101" }, { "22f186", "~" }, { "22f186", "!" } }, RB_REASON_LINK_LOST },
};

static void
test_reset (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Bench bench;
  bench_open (&bench, resets[i].steps);
  g_assert_cmpint (rb_ecu_client_reset (bench.unit, NULL, &bench.error), ==, resets[i].reason == 0);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (bench.error)), ==, rb_reason_word (resets[i].reason));
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static char *
reset_and_die (const char *request, gpointer data)
{
  return g_strdup (strcmp (request, "1101") == 0 ? "5101" : "~");
}

static void
test_boot_failed (void)
{
  Bench bench;
  bench_open (&bench, NULL);
  bench.fake->answer = reset_and_die;
  gint64 start = g_get_monotonic_time ();
  g_assert_false (rb_ecu_client_reset (bench.unit, NULL, &bench.error));
  gint64 spent = (g_get_monotonic_time () - start) / 1000;
  g_assert_error (bench.error, RB_VEHICLE_ERROR, RB_REASON_BOOT_FAILED);
  g_assert_cmpint (spent, >=, 20);
  g_assert_cmpint (spent, <, 5000);
  bench_close (&bench);
}

static void
test_reset_cancelled (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Bench bench;
  bench_open (&bench, NULL);
  bench.fake->answer = reset_and_die;
  bench.fake->cancel_at = cancellable;
  bench.fake->cancel_after = 3;
  g_assert_false (rb_ecu_client_reset (bench.unit, cancellable, &bench.error));
  g_assert_error (bench.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  bench_close (&bench);
}

static void
test_sessions (void)
{
  static const FakeStep steps[]
    = { { "1002", "500200320064" }, { "1003", "7f107e" }, { "22f18c", "7f227f" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps);
  g_assert_true (rb_ecu_client_session (bench.unit, 2, NULL, &bench.error));
  g_assert_false (rb_ecu_client_session (bench.unit, 3, NULL, &bench.error));
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_REFUSED);
  g_assert_true (g_str_has_prefix (bench.error->message, "Brake control: "));
  g_assert_true (rb_ecu_client_tester_present (bench.unit)); /* too early to be sent */
  g_assert_false (rb_ecu_client_lost_session (bench.unit));
  g_clear_error (&bench.error);
  gint64 value = 0;
  g_assert_false (rb_ecu_client_read_number (bench.unit, 0xf18c, &value, NULL, &bench.error));
  g_assert_true (rb_ecu_client_lost_session (bench.unit));
  g_assert_false (rb_ecu_client_is_unlocked (bench.unit, 2));
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static void
test_channel_is_given_back (void)
{
  static const FakeStep steps[] = { { NULL } };
  g_autoptr (RbLink) link = NULL;
  g_autoptr (GError) error = NULL;
  Fake *fake = fake_new (steps, &link);
  RbEcuClient *unit = rb_ecu_client_new (link, &model, NULL, &error);
  g_assert_cmpuint (fake->opened, ==, 1);
  rb_ecu_client_free (unit);
  g_assert_cmpuint (fake->opened, ==, 0);
}

static void
add (const char *group, guint n, GTestDataFunc test)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf ("/unlock/%s/%u", group, i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("authentication", G_N_ELEMENTS (authentications), test_authentication);
  g_test_add_func ("/unlock/bare-challenge", test_bare_challenge);
  g_test_add_func ("/unlock/bare-imitation", test_bare_imitation);
  g_test_add_func ("/unlock/challenges-are-fresh", test_challenges_are_fresh);
  add ("security-access", G_N_ELEMENTS (accesses), test_security_access);
  g_test_add_func ("/unlock/no-lock", test_no_lock);
  add ("reset", G_N_ELEMENTS (resets), test_reset);
  g_test_add_func ("/unlock/boot-failed", test_boot_failed);
  g_test_add_func ("/unlock/reset-cancelled", test_reset_cancelled);
  g_test_add_func ("/unlock/sessions", test_sessions);
  g_test_add_func ("/unlock/channel-is-given-back", test_channel_is_given_back);
  return g_test_run ();
}
