/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/files.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"
#include "keystore/identity.h"

#include <string.h>

#define NOW 1795417200
#define YEAR (365 * 24 * 60 * 60)

typedef struct {
  char *folder;
  RbPrivateKey *ca_key, *key;
  RbCertificate *ca, *certificate, *expired;
  GPtrArray *chain, *anchors;
} Fixture;

static RbCertificate *
issue (Fixture *fixture, const char *name, int purpose, gint64 until, RbPrivateKey *key)
{
  const RbIssueRequest request
    = { .common_name = name, .organisation = "Test", .purpose = purpose, .not_before = NOW - YEAR, .not_after = until };
  g_autoptr (GError) error = NULL;
  RbCertificate *certificate
    = rb_issue_certificate (&request, rb_key_private_public (key), fixture->ca, fixture->ca_key, &error);
  g_assert_no_error (error);
  return certificate;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("recallbay-identity-XXXXXX", NULL);
  fixture->ca_key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  fixture->key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  fixture->ca = issue (fixture, "CA", -1, NOW + YEAR, fixture->ca_key);
  fixture->certificate = issue (fixture, "Ann Example", RB_PURPOSE_TECHNICIAN, NOW + YEAR, fixture->key);
  fixture->expired = issue (fixture, "Old", RB_PURPOSE_TECHNICIAN, NOW - 1, fixture->key);
  fixture->chain = g_ptr_array_new ();
  fixture->anchors = g_ptr_array_new ();
  g_ptr_array_add (fixture->chain, fixture->certificate);
  g_ptr_array_add (fixture->chain, fixture->ca);
  g_ptr_array_add (fixture->anchors, fixture->ca);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  g_ptr_array_unref (fixture->chain);
  g_ptr_array_unref (fixture->anchors);
  rb_certificate_unref (fixture->ca);
  rb_certificate_unref (fixture->certificate);
  rb_certificate_unref (fixture->expired);
  rb_key_private_unref (fixture->ca_key);
  rb_key_private_unref (fixture->key);
}

static void
test_certificate (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpstr (rb_certificate_common_name (fixture->certificate), ==, "Ann Example");
  g_assert_cmpint (rb_certificate_not_after (fixture->certificate), ==, NOW + YEAR);
  g_assert_true (rb_certificate_has_purpose (fixture->certificate, RB_PURPOSE_TECHNICIAN));
  g_assert_false (rb_certificate_has_purpose (fixture->certificate, RB_PURPOSE_WORKSTATION));
  g_assert_true (rb_certificate_verify (fixture->chain, fixture->anchors, RB_PURPOSE_TECHNICIAN, NOW, &error));
  g_assert_no_error (error);
}

/* Its digest names a certificate, so that bytes after its end would make another one of it. */
static void
test_certificate_bytes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL, longer = NULL, shorter = NULL;
  GBytes *der = rb_certificate_der (fixture->certificate);
  gsize length = 0;
  const guint8 *bytes = g_bytes_get_data (der, &length);
  g_autoptr (RbCertificate) same = rb_certificate_from_der (der, &error);
  g_assert_no_error (error);
  g_assert_nonnull (same);
  g_autofree guint8 *more = g_malloc0 (length + 1);
  memcpy (more, bytes, length);
  g_autoptr (GBytes) with_one = g_bytes_new (more, length + 1), without_one = g_bytes_new (bytes, length - 1);
  g_assert_null (rb_certificate_from_der (with_one, &longer));
  g_assert_error (longer, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE);
  g_assert_null (rb_certificate_from_der (without_one, &shorter));
  g_assert_error (shorter, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE);
}

static void
test_certificate_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) purpose = NULL;
  g_autoptr (GError) late = NULL;
  g_autoptr (GError) old = NULL;
  g_autoptr (GError) other = NULL;
  g_assert_false (rb_certificate_verify (fixture->chain, fixture->anchors, RB_PURPOSE_WORKSTATION, NOW, &purpose));
  g_assert_error (purpose, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE);
  g_assert_false (rb_certificate_verify (fixture->chain, fixture->anchors, -1, NOW + 2 * YEAR, &late));
  g_assert_error (late, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE_EXPIRED);
  fixture->chain->pdata[0] = fixture->expired;
  g_assert_false (rb_certificate_verify (fixture->chain, fixture->anchors, -1, NOW, &old));
  g_assert_error (old, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE_EXPIRED);
  fixture->chain->pdata[0] = fixture->certificate;
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  const RbIssueRequest request
    = { .common_name = "CA", .organisation = "Test", .purpose = -1, .not_before = NOW - YEAR, .not_after = NOW + YEAR };
  g_autoptr (RbCertificate) stranger = rb_issue_certificate (&request, rb_key_private_public (key), NULL, key, NULL);
  fixture->anchors->pdata[0] = stranger;
  g_assert_false (rb_certificate_verify (fixture->chain, fixture->anchors, -1, NOW, &other));
  g_assert_error (other, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE);
}

static RbIdentitySet *
load_p12 (Fixture *fixture, const char *passphrase, GError **error)
{
  g_autofree char *path = g_build_filename (fixture->folder, "a.p12", NULL);
  g_autoptr (GBytes) p12 = rb_issue_pkcs12 ("Ann", fixture->key, fixture->chain, "correct horse", NULL);
  g_assert_true (rb_files_write_private (path, p12, NULL));
  return rb_identity_set_load (path, passphrase, error);
}

static void
test_pkcs12 (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbIdentitySet) set = load_p12 (fixture, "correct horse", &error);
  g_assert_no_error (error);
  g_autoptr (RbIdentity) identity = rb_identity_set_find (set, RB_PURPOSE_TECHNICIAN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rb_identity_chain (identity)->len, ==, 2);
  g_assert_null (rb_identity_set_find (set, RB_PURPOSE_WORKSTATION, &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE);
  g_clear_error (&error);
  g_assert_null (load_p12 (fixture, "battery staple", &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE);
}

static void
append_pem (GString *text, RbCertificate *certificate)
{
  g_autofree char *base64 = rb_bytes_to_base64 (rb_certificate_der (certificate));
  g_string_append (text, "-----BEGIN CERTIFICATE-----\n");
  for (gsize at = 0; at < strlen (base64); at += 64)
    g_string_append_printf (text, "%.64s\n", &base64[at]);
  g_string_append (text, "-----END CERTIFICATE-----\n");
}

/* Only the key for vehicle links leaves, with its chain, own first. */
static void
test_link_pem (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "w.pem", NULL);
  g_autoptr (RbPrivateKey) link_key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  g_autoptr (RbCertificate) certificate = issue (fixture, "Link", RB_PURPOSE_DOIP_TLS, NOW + YEAR, link_key);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *other = rb_key_private_pem (fixture->key, "pw");
  g_autofree char *own = rb_key_private_pem (link_key, "pw");
  g_string_append (text, other);
  g_string_append (text, own);
  append_pem (text, fixture->certificate);
  append_pem (text, certificate);
  append_pem (text, fixture->ca);
  g_assert_true (rb_files_write_text (path, text->str, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "pw", &error);
  g_assert_no_error (error);
  g_autofree char *pem = rb_identity_set_link_pem (set, &error);
  g_assert_no_error (error);
  g_autoptr (RbPrivateKey) got = rb_key_private_from_pem (pem, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (rb_key_public_equal (rb_key_private_public (got), rb_key_private_public (link_key)));
  g_autoptr (GPtrArray) chain = rb_certificate_list_from_pem (pem, &error);
  g_assert_cmpuint (chain->len, ==, 2);
  g_assert_cmpstr (rb_certificate_id (chain->pdata[0]), ==, rb_certificate_id (certificate));
  g_assert_cmpstr (rb_certificate_id (chain->pdata[1]), ==, rb_certificate_id (fixture->ca));
  g_assert_null (g_strrstr_len (pem, -1, "ENCRYPTED"));
  g_auto (GStrv) parts = g_strsplit (pem, "PRIVATE KEY-----", -1);
  g_assert_cmpuint (g_strv_length (parts), ==, 3);
}

static void
test_link_pem_of_others (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "p.pem", NULL);
  g_autofree char *key = rb_key_private_pem (fixture->key, "pw");
  g_autoptr (GString) text = g_string_new (key);
  append_pem (text, fixture->certificate);
  g_assert_true (rb_files_write_text (path, text->str, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "pw", &error);
  g_assert_no_error (error);
  g_assert_null (rb_identity_set_link_pem (set, &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE);
}

/* Several keys in one PEM file, told apart by purpose; CMS to the key agreement key. */
static void
test_pem_and_cms (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "w.pem", NULL);
  g_autoptr (RbPrivateKey) second = rb_keygen_new (RB_KEY_EC_P256, NULL);
  g_autoptr (RbCertificate) agreement = issue (fixture, "W", RB_PURPOSE_KEY_AGREEMENT, NOW + YEAR, second);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *key1 = rb_key_private_pem (fixture->key, "pw");
  g_autofree char *key2 = rb_key_private_pem (second, "pw");
  g_string_append (text, key1);
  g_string_append (text, key2);
  RbCertificate *const all[] = { agreement, fixture->certificate, fixture->ca };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    append_pem (text, all[i]);
  g_assert_true (rb_files_write_text (path, text->str, NULL));
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_identity_set_load (path, "wrong", &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE);
  g_clear_error (&error);
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "pw", &error);
  g_assert_no_error (error);
  g_autoptr (RbIdentity) recipient = rb_identity_set_find (set, RB_PURPOSE_KEY_AGREEMENT, &error);
  g_autoptr (RbIdentity) other = rb_identity_set_find (set, RB_PURPOSE_TECHNICIAN, &error);
  g_autoptr (GPtrArray) recipients = g_ptr_array_new ();
  g_ptr_array_add (recipients, agreement);
  g_autoptr (GBytes) plain = g_bytes_new_static ("secret", 6);
  g_autoptr (GBytes) cms = rb_identity_encrypt_to (recipients, plain, &error);
  g_autoptr (GBytes) opened = rb_identity_decrypt (recipient, cms, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (opened, plain));
  g_assert_null (rb_identity_decrypt (other, cms, &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY);
}

static void
test_dsse (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbIdentitySet) set = load_p12 (fixture, "correct horse", &error);
  g_autoptr (RbIdentity) identity = rb_identity_set_find (set, RB_PURPOSE_TECHNICIAN, &error);
  g_autoptr (GBytes) payload = g_bytes_new_static ("{}", 2);
  g_autoptr (RbDsse) envelope = rb_dsse_new ("application/x", payload);
  g_assert_true (rb_identity_sign_envelope (identity, envelope, &error));
  g_autoptr (GBytes) json = rb_dsse_to_json (envelope);
  g_autoptr (RbDsse) read = rb_dsse_parse (json, 100000, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rb_dsse_signature_count (read), ==, 1);
  g_assert_true (rb_dsse_signature_is_valid (read, 0));
  g_assert_cmpstr (rb_dsse_digest (read), ==, rb_dsse_digest (envelope));
  g_assert_true (
    g_bytes_equal (rb_certificate_der (rb_dsse_chain (read, 0)->pdata[0]), rb_certificate_der (fixture->certificate)));
  g_autofree char *text = g_strndup (g_bytes_get_data (json, NULL), g_bytes_get_size (json));
  char *type = strstr (text, "application/x");
  g_assert_nonnull (type);
  type[12] = 'y';
  g_autoptr (GBytes) changed = g_bytes_new (text, strlen (text));
  g_autoptr (RbDsse) other = rb_dsse_parse (changed, 100000, &error);
  g_assert_no_error (error);
  g_assert_false (rb_dsse_signature_is_valid (other, 0));
}

/* The published vector signs with raw r ‖ s; ours is the same in DER. */
static void
test_dsse_published (void)
{
  static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ805D3eqNZywjCI19lInBJOp7YMr\n"
                            "CrzAH3CVTAOQ0jgMeCvVTiaRJaRPRDOv8UMs6U4SvKc6pnrIDOoSYI3fdA==\n-----END PUBLIC KEY-----\n";
  g_autoptr (GBytes) payload = g_bytes_new_static ("hello world", 11);
  g_autoptr (GBytes) pae = rb_dsse_pae ("http://example.com/HelloWorld", payload);
  g_autofree char *digest = rb_digest_sha256_hex_of (pae);
  g_assert_cmpstr (digest, ==, "217751fac2c4f14edb2c9297fbc34abcb016ba88e74757e875ec4ac16fb6b6a1");
  g_autoptr (GBytes) signature
    = rb_bytes_from_hex ("3044022003726ab101ad56c2763b6c6aac8e487275e2a79193a09dc5f859d9f8ef3c4a3b"
                         "022051eab0c06a369b64a7222537d4887a893dc200ae21060074d57825235b624864");
  g_autofree char *base64 = rb_bytes_to_base64 (signature);
  g_autofree char *json
    = g_strdup_printf ("{\"payload\":\"aGVsbG8gd29ybGQ=\",\"payloadType\":\"http://example.com/HelloWorld\","
                       "\"signatures\":[{\"sig\":\"%s\"},{\"keyid\":\"x\",\"sig\":\"\"}]}",
                       base64);
  g_autoptr (GBytes) bytes = g_bytes_new (json, strlen (json));
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDsse) envelope = rb_dsse_parse (bytes, 100000, &error);
  g_autoptr (RbPublicKey) key = rb_key_public_from_pem (pem, &error);
  g_assert_no_error (error);
  g_assert_true (rb_dsse_verify_with_key (envelope, 0, key));
  g_assert_false (rb_dsse_verify_with_key (envelope, 1, key));
  g_assert_false (rb_dsse_signature_is_valid (envelope, 0));
}

static void
test_dsse_malformed (void)
{
  static const char *const bad[] = { "{}",
                                     "[]",
                                     "{\"payload\":\"!\",\"payloadType\":\"t\",\"signatures\":[]}",
                                     "{\"payload\":\"\",\"payloadType\":\"t\"}",
                                     "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{}]}",
                                     "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"*\"}]}" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (bad[i], strlen (bad[i]));
    g_autoptr (GError) error = NULL;
    g_assert_null (rb_dsse_parse (bytes, 1000, &error));
    g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_MALFORMED);
  }
}

static void
test_keys (void)
{
  static const RbKeyType types[] = { RB_KEY_ED25519, RB_KEY_EC_P256, RB_KEY_RSA };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbPrivateKey) key = rb_keygen_new (types[i], &error);
    g_autoptr (GBytes) signature = rb_key_sign (key, "message", 7, &error);
    g_assert_no_error (error);
    RbPublicKey *public_key = rb_key_private_public (key);
    RbScheme scheme = rb_key_public_scheme (public_key);
    g_autoptr (RbPublicKey) again = rb_key_public_from_spki (rb_key_public_spki (public_key), &error);
    g_assert_true (rb_key_public_equal (again, public_key));
    g_assert_true (
      rb_key_verify (again, scheme, "message", 7, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature)));
    g_assert_false (
      rb_key_verify (again, scheme, "massage", 7, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature)));
    g_assert_false (rb_key_verify (again, scheme, "message", 7, "", 0));
    g_assert_false (rb_key_verify (again, types[i] == RB_KEY_RSA ? RB_SCHEME_ED25519 : RB_SCHEME_RSASSA_PSS_SHA256,
                                   "message", 7, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature)));
    g_autofree char *pem = rb_key_private_pem (key, NULL);
    g_autoptr (RbPrivateKey) reread = rb_key_private_from_pem (pem, NULL, &error);
    g_assert_true (rb_key_public_equal (rb_key_private_public (reread), public_key));
  }
}

/* RFC 8032 7.1 test 2 */
static void
test_ed25519_published (void)
{
  g_autoptr (GBytes) raw = rb_bytes_from_hex ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  g_autoptr (GBytes) signature = rb_bytes_from_hex ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                                    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  g_autoptr (RbPublicKey) key = rb_key_public_from_ed25519 (g_bytes_get_data (raw, NULL), 32, NULL);
  g_assert_true (rb_key_verify (key, RB_SCHEME_ED25519, "\x72", 1, g_bytes_get_data (signature, NULL), 64));
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_key_public_from_ed25519 (g_bytes_get_data (raw, NULL), 31, &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED);
}

static void
test_unsafe_keys (void)
{
  static const char *const commands[] = { "openssl genrsa 1024", "openssl ecparam -name secp384r1 -genkey -noout" };
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *pem = NULL;
    g_assert_true (g_spawn_command_line_sync (commands[i], &pem, NULL, NULL, NULL));
    g_assert_null (rb_key_private_from_pem (pem, NULL, &error));
    g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_UNSAFE_ALGORITHM);
  }
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/identity/certificate", test_certificate);
  ADD ("/identity/certificate-bytes", test_certificate_bytes);
  ADD ("/identity/certificate-refused", test_certificate_refused);
  ADD ("/identity/pkcs12", test_pkcs12);
  ADD ("/identity/pem-and-cms", test_pem_and_cms);
  ADD ("/identity/link-pem", test_link_pem);
  ADD ("/identity/link-pem-of-others", test_link_pem_of_others);
  ADD ("/dsse/sign-and-verify", test_dsse);
  g_test_add_func ("/dsse/published", test_dsse_published);
  g_test_add_func ("/dsse/malformed", test_dsse_malformed);
  g_test_add_func ("/key/round-trip", test_keys);
  g_test_add_func ("/key/ed25519-published", test_ed25519_published);
  g_test_add_func ("/key/unsafe", test_unsafe_keys);
  return g_test_run ();
}
