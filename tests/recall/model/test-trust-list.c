/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"
#include "model/trust-list.h"

#define NOW G_GINT64_CONSTANT (1800000000)
#define DAY (24 * 60 * 60)

typedef struct {
  RbPrivateKey *ca_key, *other_key, *key;
  RbCertificate *ca, *other_ca;
} Dealers;

static RbPrivateKey *
new_key (void)
{
  g_autoptr (GError) error = NULL;
  RbPrivateKey *key = rb_keygen_new (RB_KEY_EC_P256, &error);
  g_assert_no_error (error);
  return key;
}

static RbCertificate *
issue (const char *name, int purpose, gint64 end, RbPrivateKey *subject, RbCertificate *issuer,
       RbPrivateKey *issuer_key)
{
  g_autoptr (GError) error = NULL;
  const RbIssueRequest request
    = { .common_name = name, .purpose = purpose, .not_before = NOW - 10 * DAY, .not_after = end };
  RbCertificate *certificate
    = rb_issue_certificate (&request, rb_key_private_public (subject), issuer, issuer_key, &error);
  g_assert_no_error (error);
  return certificate;
}

static void
set_up (Dealers *self, gconstpointer data)
{
  self->ca_key = new_key ();
  self->other_key = new_key ();
  self->key = new_key ();
  /* an impostor calls itself the same */
  self->ca = issue ("Dealer CA", -1, NOW + 100 * DAY, self->ca_key, NULL, self->ca_key);
  self->other_ca = issue ("Dealer CA", -1, NOW + 100 * DAY, self->other_key, NULL, self->other_key);
}

static void
tear_down (Dealers *self, gconstpointer data)
{
  rb_key_private_unref (self->ca_key);
  rb_key_private_unref (self->other_key);
  rb_key_private_unref (self->key);
  rb_certificate_unref (self->ca);
  rb_certificate_unref (self->other_ca);
}

static json_t *
base (RbCertificate *ca)
{
  g_autofree char *text = rb_bytes_to_base64 (rb_certificate_der (ca));
  json_t *list = json_pack ("{s:s,s:i,s:s,s:i,s:s,s:[s],s:[s],s:[],s:[]}", "format", "recallbay-trust-list-1",
                            "version", 1, "oem", "OEM", "max_age_days", 30, "minimum_version", "1.10.2", "wmis", "1RB",
                            "dealer_cas", text, "revoked", "withdrawn");
  rb_json_set_moment (list, "issued", NOW);
  return list;
}

static RbTrustList *
parse (const json_t *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = rb_json_to_bytes (json);
  RbTrustList *list = rb_trust_list_parse (bytes, &error);
  g_assert_no_error (error);
  return list;
}

static void
assert_reason (gboolean ok, GError *error, RbReason expected)
{
  g_test_message ("%s", error == NULL ? "ok" : error->message);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (expected));
  g_assert_cmpint (ok, ==, expected == RB_REASON_NONE);
  g_clear_error (&error);
}

static void
check_signer (const RbTrustList *list, RbCertificate *one, RbCertificate *two, gint64 moment, RbReason expected)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_ptr_array_add (chain, one);
  if (two != NULL)
    g_ptr_array_add (chain, two);
  gboolean ok = rb_trust_list_check_signer (list, chain, RB_PURPOSE_TECHNICIAN, moment, &error);
  assert_reason (ok, error, expected);
}

static void
test_signers (Dealers *self, gconstpointer data)
{
  g_autoptr (json_t) json = base (self->ca);
  g_autoptr (RbTrustList) list = parse (json);
  g_autoptr (RbCertificate) good = issue ("Jo", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, self->ca, self->ca_key);
  g_autoptr (RbCertificate) foreign
    = issue ("Jo", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, self->other_ca, self->other_key);
  g_autoptr (RbCertificate) own = issue ("Jo", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, NULL, self->key);
  g_autoptr (RbCertificate) machine
    = issue ("Jo", RB_PURPOSE_WORKSTATION, NOW + DAY, self->key, self->ca, self->ca_key);
  check_signer (list, good, self->ca, NOW, RB_REASON_NONE);
  check_signer (list, good, NULL, NOW, RB_REASON_NONE);
  check_signer (list, good, self->other_ca, NOW, RB_REASON_NONE); /* what is sent along leads nowhere */
  check_signer (list, good, self->ca, NOW + DAY + 1, RB_REASON_CERTIFICATE_EXPIRED);
  check_signer (list, good, self->ca, NOW - 11 * DAY, RB_REASON_CERTIFICATE_EXPIRED);
  check_signer (list, machine, self->ca, NOW, RB_REASON_KEY_USAGE);
  check_signer (list, foreign, self->other_ca, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
  check_signer (list, foreign, self->ca, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
  check_signer (list, own, NULL, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
  check_signer (list, self->other_ca, NULL, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
}

static void
test_no_dealer_ca (Dealers *self, gconstpointer data)
{
  g_autoptr (json_t) json = base (self->ca);
  json_array_clear (json_object_get (json, "dealer_cas"));
  g_autoptr (RbTrustList) list = parse (json);
  g_autoptr (RbCertificate) good = issue ("Jo", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, self->ca, self->ca_key);
  check_signer (list, good, self->ca, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
}

static void
revoke_certificate (json_t *list, RbCertificate *certificate, RbCertificate *issuer, gint64 since)
{
  g_autofree char *id = rb_certificate_revocation_id (certificate, issuer);
  json_t *entry = json_pack ("{s:s,s:s}", "sha256", id, "reason", "key-compromise");
  rb_json_set_moment (entry, "since", since);
  json_array_append_new (json_object_get (list, "revoked"), entry);
}

/* From that second on; a regional CA takes all under it along; the other certificates of the person stay good. */
static void
test_revoked (Dealers *self, gconstpointer data)
{
  g_autoptr (RbPrivateKey) region_key = new_key ();
  g_autoptr (json_t) json = base (self->ca);
  g_autoptr (RbCertificate) lost = issue ("Jo", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, self->ca, self->ca_key);
  g_autoptr (RbCertificate) next = issue ("Jo", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, self->ca, self->ca_key);
  g_autoptr (RbCertificate) region = issue ("Region", -1, NOW + DAY, region_key, self->ca, self->ca_key);
  g_autoptr (RbCertificate) under = issue ("Sam", RB_PURPOSE_TECHNICIAN, NOW + DAY, self->key, region, region_key);
  revoke_certificate (json, lost, self->ca, NOW - 100);
  revoke_certificate (json, next, self->other_ca, NOW - 100); /* the same serial under another issuer */
  revoke_certificate (json, region, self->ca, NOW + 100);
  g_autoptr (RbTrustList) list = parse (json);
  check_signer (list, lost, self->ca, NOW - 101, RB_REASON_NONE);
  check_signer (list, lost, self->ca, NOW - 100, RB_REASON_SIGNER_NOT_TRUSTED);
  check_signer (list, lost, self->ca, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
  check_signer (list, next, self->ca, NOW, RB_REASON_NONE);
  check_signer (list, under, region, NOW, RB_REASON_NONE);
  check_signer (list, under, region, NOW + 100, RB_REASON_SIGNER_NOT_TRUSTED);
  check_signer (list, under, NULL, NOW, RB_REASON_SIGNER_NOT_TRUSTED);
}

static void
test_age (Dealers *self, gconstpointer data)
{
  static const struct {
    gint64 now;
    RbReason expected;
  } cases[] = { { NOW, RB_REASON_NONE },
                { NOW + 30 * DAY - 1, RB_REASON_NONE },
                { NOW + 30 * DAY, RB_REASON_TRUST_LIST_EXPIRED },
                { NOW - 1, RB_REASON_CLOCK },
                { G_MAXINT64, RB_REASON_TRUST_LIST_EXPIRED } };
  g_autoptr (json_t) json = base (self->ca);
  g_autoptr (RbTrustList) list = parse (json);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    gboolean ok = rb_trust_list_check_age (list, cases[i].now, &error);
    assert_reason (ok, error, cases[i].expected);
  }
}

static void
test_version (Dealers *self, gconstpointer data)
{
  static const char *const enough[] = { "1.10.2", "1.10.3", "1.11.0", "2.0.0", "10.0.0" };
  static const char *const outdated[] = { "1.10.1", "1.9.9", "0.99.99", "1.10", "1.10.2-rc1", "" };
  g_autoptr (json_t) json = base (self->ca);
  g_autoptr (RbTrustList) list = parse (json);
  for (guint i = 0; i < G_N_ELEMENTS (enough); i++)
    g_assert_true (rb_trust_list_check_version (list, enough[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (outdated); i++) {
    GError *error = NULL;
    gboolean ok = rb_trust_list_check_version (list, outdated[i], &error);
    assert_reason (ok, error, RB_REASON_WORKSTATION_OUTDATED);
  }
}

static void
test_withdrawn (Dealers *self, gconstpointer data)
{
  g_autoptr (json_t) json = base (self->ca);
  json_t *entry = json_pack ("{s:s,s:s}", "campaign", "R-1", "reason", "wrong image");
  GError *error = NULL;
  rb_json_set_moment (entry, "since", NOW);
  json_array_append_new (json_object_get (json, "withdrawn"), entry);
  g_autoptr (RbTrustList) list = parse (json);
  g_assert_true (rb_trust_list_check_campaign (list, "R-2", NOW, NULL));
  g_assert_true (rb_trust_list_check_campaign (list, "R-1", NOW - 1, NULL));
  gboolean ok = rb_trust_list_check_campaign (list, "R-1", NOW, &error);
  assert_reason (ok, error, RB_REASON_CAMPAIGN_WITHDRAWN);
}

/* Every value of the file is where its name says. */
static void
test_values (Dealers *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("RB_GOOD"), "trust-list.json", NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, 65536, &error);
  g_autoptr (RbTrustList) list = rb_trust_list_parse (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (list->version, ==, 3);
  g_assert_cmpstr (list->oem, ==, "Aurora Motors");
  g_assert_cmpint (list->max_age, ==, 30 * DAY);
  g_assert_cmpstr (list->minimum_version, ==, "0.1.0");
  g_assert_cmpstr (list->wmis[0], ==, "1RB");
  g_assert_cmpstr (list->wmis[1], ==, "2XY");
  g_assert_null (list->wmis[2]);
  g_assert_cmpuint (list->dealer_cas->len, ==, 1);
  g_assert_cmpstr (rb_certificate_common_name (list->dealer_cas->pdata[0]), ==, "Aurora Motors Dealer CA");
  g_assert_cmpuint (g_hash_table_size (list->revoked), ==, 2);
  g_autofree char *id = g_strnfill (64, 'c');
  for (guint i = 1; i < 64; i += 2)
    id[i] = 'd';
  g_assert_cmpstr (((RbRevoked *) g_hash_table_lookup (list->revoked, id))->reason, ==, "affiliation-changed");
  g_assert_cmpstr (((RbWithdrawn *) g_hash_table_lookup (list->withdrawn, "R-2026-07"))->reason, ==,
                   "Replaced by R-2026-11");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/trust-list/" name, Dealers, NULL, set_up, function, tear_down)
  ADD ("values", test_values);
  ADD ("signers", test_signers);
  ADD ("no-dealer-ca", test_no_dealer_ca);
  ADD ("revoked", test_revoked);
  ADD ("age", test_age);
  ADD ("version", test_version);
  ADD ("withdrawn", test_withdrawn);
  return g_test_run ();
}
