/* SPDX-License-Identifier: Apache-2.0 */
/* The openssl command line judges what we write, and we read what it writes. */
#include "core/bytes.h"
#include "core/files.h"
#include "core/moment.h"
#include "keystore/identity.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"

#include <string.h>

#define MAX_FILE 100000

typedef struct {
  char *folder;
  gint64 now;
  RbPrivateKey *ca_key, *key;
  RbCertificate *ca;
} Fixture;

static char *
at (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

static void
save (Fixture *fixture, const char *name, GBytes *bytes)
{
  g_autofree char *path = at (fixture, name);
  g_assert_true (rb_files_write (path, bytes, NULL));
}

static void
save_text (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = at (fixture, name);
  g_assert_true (rb_files_write_text (path, text, NULL));
}

static GBytes *
load (Fixture *fixture, const char *name)
{
  g_autofree char *path = at (fixture, name);
  GBytes *bytes = rb_files_read (path, MAX_FILE, NULL);
  g_assert_nonnull (bytes);
  return bytes;
}

static char *
load_text (Fixture *fixture, const char *name)
{
  g_autoptr (GBytes) bytes = load (fixture, name);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* Runs openssl in the folder; does it end well? */
static gboolean
openssl (Fixture *fixture, const char *arguments)
{
  g_autofree char *command = g_strconcat ("openssl ", arguments, NULL);
  g_auto (GStrv) argv = NULL;
  g_autofree char *out = NULL, *err = NULL;
  int status = 0;
  g_assert_true (g_shell_parse_argv (command, NULL, &argv, NULL));
  g_assert_true (
    g_spawn_sync (fixture->folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, NULL));
  gboolean good = g_spawn_check_wait_status (status, NULL);
  if (!good)
    g_test_message ("%s: %s", command, err);
  return good;
}

static char *
pem_of (RbCertificate *certificate)
{
  g_autofree char *base64 = rb_bytes_to_base64 (rb_certificate_der (certificate));
  g_autoptr (GString) text = g_string_new ("-----BEGIN CERTIFICATE-----\n");
  for (gsize i = 0; i < strlen (base64); i += 64)
    g_string_append_printf (text, "%.64s\n", &base64[i]);
  g_string_append (text, "-----END CERTIFICATE-----\n");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static RbCertificate *
issue (Fixture *fixture, const char *name, int purpose, RbPrivateKey *key)
{
  static const char *const dns[] = { "intake.example", "127.0.0.1", NULL };
  const RbIssueRequest request = { .common_name = name,
                                   .organisation = "Test",
                                   .purpose = purpose,
                                   .dns = purpose == RB_PURPOSE_TLS_SERVER ? dns : NULL,
                                   .not_before = fixture->now - RB_MOMENT_DAY,
                                   .not_after = fixture->now + RB_MOMENT_DAY };
  g_autoptr (GError) error = NULL;
  RbCertificate *certificate
    = rb_issue_certificate (&request, rb_key_private_public (key), fixture->ca, fixture->ca_key, &error);
  g_assert_no_error (error);
  return certificate;
}

static void
save_certificate (Fixture *fixture, const char *name, RbCertificate *certificate)
{
  g_autofree char *pem = pem_of (certificate);
  save_text (fixture, name, pem);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("recallbay-openssl-XXXXXX", NULL);
  fixture->now = rb_moment_now ();
  fixture->ca_key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  fixture->key = rb_keygen_new (RB_KEY_EC_P256, NULL);
  fixture->ca = issue (fixture, "CA", -1, fixture->ca_key);
  save_certificate (fixture, "ca.pem", fixture->ca);
  g_autofree char *pem = rb_key_private_pem (fixture->key, "correct horse");
  save_text (fixture, "key.pem", pem);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (fixture->folder, NULL));
  g_free (fixture->folder);
  rb_certificate_unref (fixture->ca);
  rb_key_private_unref (fixture->ca_key);
  rb_key_private_unref (fixture->key);
}

static void
test_certificates (Fixture *fixture, gconstpointer data)
{
  for (int purpose = 0; purpose <= RB_PURPOSE_TLS_SERVER; purpose++) {
    g_autoptr (RbCertificate) certificate = issue (fixture, "Name", purpose, fixture->key);
    save_certificate (fixture, "leaf.pem", certificate);
    g_assert_true (openssl (fixture, "verify -x509_strict -auth_level 2 -CAfile ca.pem leaf.pem"));
    gboolean for_server = openssl (fixture, "verify -purpose sslserver -verify_ip 127.0.0.1 -CAfile ca.pem leaf.pem");
    g_assert_true (for_server == (purpose == RB_PURPOSE_TLS_SERVER));
    g_assert_true (openssl (fixture, "verify -purpose sslclient -CAfile ca.pem leaf.pem")
                   == (purpose == RB_PURPOSE_TLS_CLIENT));
  }
  save_certificate (fixture, "leaf.pem", fixture->ca);
  g_assert_true (openssl (fixture, "verify -x509_strict -CAfile ca.pem leaf.pem"));
}

static void
test_pkcs12 (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbCertificate) certificate = issue (fixture, "Ann", RB_PURPOSE_TECHNICIAN, fixture->key);
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_ptr_array_add (chain, certificate);
  g_ptr_array_add (chain, fixture->ca);
  g_autoptr (GBytes) p12 = rb_issue_pkcs12 ("Ann", fixture->key, chain, "correct horse", &error);
  g_assert_no_error (error);
  save (fixture, "ours.p12", p12);
  g_assert_true (openssl (fixture, "pkcs12 -in ours.p12 -passin 'pass:correct horse' -noenc -out all.pem"));
  g_assert_false (openssl (fixture, "pkcs12 -in ours.p12 -passin pass:wrong -noenc -out wrong.pem"));
  g_autofree char *all = load_text (fixture, "all.pem");
  g_autoptr (RbPrivateKey) key = rb_key_private_from_pem (strstr (all, "-----BEGIN PRIVATE KEY"), NULL, &error);
  g_assert_no_error (error);
  g_assert_true (rb_key_public_equal (rb_key_private_public (key), rb_key_private_public (fixture->key)));
  save_certificate (fixture, "leaf.pem", certificate);
  g_assert_true (openssl (fixture,
                          "pkcs12 -export -inkey key.pem -passin 'pass:correct horse' -in leaf.pem -certfile ca.pem "
                          "-passout pass:theirs -out theirs.p12"));
  g_autofree char *path = at (fixture, "theirs.p12");
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "theirs", &error);
  g_assert_no_error (error);
  g_autoptr (RbIdentity) identity = rb_identity_set_find (set, RB_PURPOSE_TECHNICIAN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rb_identity_chain (identity)->len, ==, 2);
}

static void
test_private_keys (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *ours = load_text (fixture, "key.pem");
  g_assert_nonnull (strstr (ours, "BEGIN ENCRYPTED PRIVATE KEY"));
  g_assert_true (openssl (fixture, "pkey -in key.pem -passin 'pass:correct horse' -pubout -out public.pem"));
  g_assert_false (openssl (fixture, "pkey -in key.pem -passin pass:wrong -pubout -out wrong.pem"));
  g_autofree char *public_pem = load_text (fixture, "public.pem");
  g_autofree char *own_pem = rb_key_public_pem (rb_key_private_public (fixture->key));
  g_assert_cmpstr (public_pem, ==, own_pem);
  g_assert_true (openssl (fixture, "genpkey -algorithm ed25519 -aes-256-cbc -pass pass:x -out theirs.pem"));
  g_autofree char *theirs = load_text (fixture, "theirs.pem");
  g_autoptr (RbPrivateKey) key = rb_key_private_from_pem (theirs, "x", &error);
  g_assert_no_error (error);
  g_assert_cmpint (rb_key_public_type (rb_key_private_public (key)), ==, RB_KEY_ED25519);
  g_assert_null (rb_key_private_from_pem (theirs, NULL, &error));
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE);
}

/* Signed by openssl under every scheme, and one altered byte in each signature. */
static void
test_schemes (Fixture *fixture, gconstpointer data)
{
  static const struct {
    RbScheme scheme;
    const char *make, *sign;
  } schemes[] = {
    { RB_SCHEME_ED25519, "genpkey -algorithm ed25519 -out s.pem", "pkeyutl -sign -rawin -inkey s.pem -in m -out s" },
    { RB_SCHEME_ECDSA_P256_SHA256, "ecparam -name prime256v1 -genkey -noout -out s.pem",
      "dgst -sha256 -sign s.pem -out s m" },
    { RB_SCHEME_ECDSA_P256_SHA512, NULL, "dgst -sha512 -sign s.pem -out s m" },
    { RB_SCHEME_RSA_PKCS1V15_SHA256, "genrsa -out s.pem 2048", "dgst -sha256 -sign s.pem -out s m" },
    { RB_SCHEME_RSASSA_PSS_SHA256, NULL,
      "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign s.pem -out s m" },
    { RB_SCHEME_RSASSA_PSS_SHA384, NULL,
      "dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max -sign s.pem -out s m" },
    { RB_SCHEME_RSASSA_PSS_SHA512, NULL,
      "dgst -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:0 -sign s.pem -out s m" },
  };
  save_text (fixture, "m", "message");
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_true (schemes[i].make == NULL || openssl (fixture, schemes[i].make));
    g_assert_true (openssl (fixture, schemes[i].sign) && openssl (fixture, "pkey -in s.pem -pubout -out p.pem"));
    g_autofree char *pem = load_text (fixture, "p.pem");
    g_autoptr (RbPublicKey) key = rb_key_public_from_pem (pem, &error);
    g_assert_no_error (error);
    g_autoptr (GBytes) bytes = load (fixture, "s");
    gsize length = 0;
    g_autofree guint8 *signature = g_memdup2 (g_bytes_get_data (bytes, &length), g_bytes_get_size (bytes));
    g_assert_true (rb_key_verify (key, schemes[i].scheme, "message", 7, signature, length));
    for (guint other = 0; other < G_N_ELEMENTS (schemes); other++)
      g_assert_true (rb_key_verify (key, schemes[other].scheme, "message", 7, signature, length) == (other == i));
    signature[length / 2] ^= 1;
    g_assert_false (rb_key_verify (key, schemes[i].scheme, "message", 7, signature, length));
  }
}

/* Signed by us under each key type's own scheme. */
static void
test_own_signatures (Fixture *fixture, gconstpointer data)
{
  static const struct {
    RbKeyType type;
    const char *verify;
  } types[] = {
    { RB_KEY_ED25519, "pkeyutl -verify -rawin -pubin -inkey p.pem -in m -sigfile s" },
    { RB_KEY_EC_P256, "dgst -sha256 -verify p.pem -signature s m" },
    { RB_KEY_RSA, "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify p.pem -signature s m" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (RbPrivateKey) key = rb_keygen_new (types[i].type, NULL);
    g_autoptr (GBytes) signature = rb_key_sign (key, "message", 7, NULL);
    g_autofree char *pem = rb_key_public_pem (rb_key_private_public (key));
    save_text (fixture, "p.pem", pem);
    save (fixture, "s", signature);
    save_text (fixture, "m", "message");
    g_assert_true (openssl (fixture, types[i].verify));
    save_text (fixture, "m", "massage");
    g_assert_false (openssl (fixture, types[i].verify));
  }
}

/* One key in four encodings is one signer. */
static void
test_one_key_one_id (Fixture *fixture, gconstpointer data)
{
  static const char *const forms[] = { "uncompressed", "compressed", "hybrid", "uncompressed -param_enc explicit" };
  const char *id = rb_key_public_id (rb_key_private_public (fixture->key));
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *command = g_strconcat (
      "ec -in key.pem -passin 'pass:correct horse' -pubout -outform DER -out p.der -conv_form ", forms[i], NULL);
    g_assert_true (openssl (fixture, command));
    g_autoptr (GBytes) spki = load (fixture, "p.der");
    g_autoptr (RbPublicKey) key = rb_key_public_from_spki (spki, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (rb_key_public_id (key), ==, id);
    g_assert_true (rb_key_public_equal (key, rb_key_private_public (fixture->key)));
    g_autoptr (GBytes) signature = rb_key_sign (fixture->key, "m", 1, &error);
    g_assert_true (rb_key_verify (key, RB_SCHEME_ECDSA_P256_SHA256, "m", 1, g_bytes_get_data (signature, NULL),
                                  g_bytes_get_size (signature)));
  }
}

static void
test_weak_digest (Fixture *fixture, gconstpointer data)
{
  g_autofree char *ca_pem = rb_key_private_pem (fixture->ca_key, NULL);
  save_text (fixture, "ca.key", ca_pem);
  save_text (fixture, "extensions",
             "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
             "extendedKeyUsage=1.3.6.1.4.1.58270.77.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
  g_assert_true (
    openssl (fixture, "req -new -key key.pem -passin 'pass:correct horse' -subj /CN=Ann -out request.pem"));
  static const char *const digests[] = { "sha256", "sha1" };
  for (guint i = 0; i < G_N_ELEMENTS (digests); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *command
      = g_strdup_printf ("x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 1 -set_serial 7 -%s "
                         "-extfile extensions -out leaf.pem",
                         digests[i]);
    g_assert_true (openssl (fixture, command));
    g_autofree char *pem = load_text (fixture, "leaf.pem");
    g_autoptr (GPtrArray) chain = rb_certificate_list_from_pem (pem, &error);
    g_autoptr (GPtrArray) anchors = g_ptr_array_new ();
    g_ptr_array_add (anchors, fixture->ca);
    gboolean good = rb_certificate_verify (chain, anchors, RB_PURPOSE_TECHNICIAN, rb_moment_now (), &error);
    g_assert_true (good == (i == 0));
    if (!good)
      g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_UNSAFE_ALGORITHM);
  }
}

static RbIdentity *
recipient (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbCertificate) certificate = issue (fixture, "W", RB_PURPOSE_KEY_AGREEMENT, fixture->key);
  save_certificate (fixture, "leaf.pem", certificate);
  g_autofree char *key = load_text (fixture, "key.pem");
  g_autofree char *leaf = load_text (fixture, "leaf.pem");
  g_autofree char *both = g_strconcat (key, leaf, NULL);
  save_text (fixture, "both.pem", both);
  g_autofree char *path = at (fixture, "both.pem");
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "correct horse", &error);
  g_assert_no_error (error);
  return rb_identity_set_find (set, RB_PURPOSE_KEY_AGREEMENT, NULL);
}

static GBytes *
encrypt (RbIdentity *identity, GBytes *plain)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) recipients = g_ptr_array_new ();
  g_ptr_array_add (recipients, rb_identity_certificate (identity));
  GBytes *cms = rb_identity_encrypt_to (recipients, plain, &error);
  g_assert_no_error (error);
  return cms;
}

static void
test_cms (Fixture *fixture, gconstpointer data)
{
  g_autoptr (RbIdentity) identity = recipient (fixture);
  g_autoptr (GBytes) plain = g_bytes_new_static ("M1 M2\nM3\r\n\0x", 12);
  g_autoptr (GBytes) cms = encrypt (identity, plain);
  save (fixture, "ours.cms", cms);
  g_assert_true (openssl (fixture, "cms -decrypt -binary -inform DER -in ours.cms -recip leaf.pem -inkey key.pem "
                                   "-passin 'pass:correct horse' -out opened"));
  g_autoptr (GBytes) opened = load (fixture, "opened");
  g_assert_true (g_bytes_equal (opened, plain));
  static const char *const ciphers[] = { "aes-256-gcm", "aes-256-cbc" };
  for (guint i = 0; i < G_N_ELEMENTS (ciphers); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *command
      = g_strdup_printf ("cms -encrypt -binary -%s -outform DER -in opened -out theirs.cms leaf.pem", ciphers[i]);
    g_assert_true (openssl (fixture, command));
    g_autoptr (GBytes) theirs = load (fixture, "theirs.cms");
    g_autoptr (GBytes) read = rb_identity_decrypt (identity, theirs, &error);
    g_assert_no_error (error);
    g_assert_true (g_bytes_equal (read, plain));
  }
}

/* No altered byte gives another text. */
static void
test_cms_altered (Fixture *fixture, gconstpointer data)
{
  g_autoptr (RbIdentity) identity = recipient (fixture);
  g_autoptr (GBytes) plain = g_bytes_new_static ("sixteen bytes or more of a secret", 33);
  g_autoptr (GBytes) cms = encrypt (identity, plain);
  gsize length = 0;
  gconstpointer bytes = g_bytes_get_data (cms, &length);
  guint refused = 0;
  for (gsize i = 0; i < length; i++) {
    g_autofree guint8 *copy = g_memdup2 (bytes, length);
    copy[i] ^= 1;
    g_autoptr (GBytes) altered = g_bytes_new (copy, length);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) opened = rb_identity_decrypt (identity, altered, &error);
    refused += opened == NULL;
    g_assert_true (opened == NULL ? error != NULL : g_bytes_equal (opened, plain));
  }
  g_assert_cmpuint (refused, >, length / 2);
}

/* A key with two certificates: for one purpose twice, or for two purposes. */
static void
test_same_key_twice (Fixture *fixture, gconstpointer data)
{
  static const RbPurpose second[] = { RB_PURPOSE_WORKSTATION, RB_PURPOSE_ECU_AUTHENTICATION };
  for (guint i = 0; i < G_N_ELEMENTS (second); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbCertificate) a = issue (fixture, "A", RB_PURPOSE_WORKSTATION, fixture->key);
    g_autoptr (RbCertificate) b = issue (fixture, "B", second[i], fixture->key);
    g_autofree char *key = load_text (fixture, "key.pem");
    g_autofree char *pem_a = pem_of (a);
    g_autofree char *pem_b = pem_of (b);
    g_autofree char *all = g_strconcat (key, pem_a, pem_b, NULL);
    save_text (fixture, "all.pem", all);
    g_autofree char *path = at (fixture, "all.pem");
    g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "correct horse", &error);
    g_assert_no_error (error);
    g_assert_null (rb_identity_set_find (set, RB_PURPOSE_WORKSTATION, &error));
    g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE);
  }
}

/* The openssl command line names a certificate in a trust list as we do, with and without the sign octet of its serial
 * number. */
static void
test_revocation_id (Fixture *fixture, gconstpointer data)
{
  const char *const script[]
    = { "sh", "-c",
        "serial=$(openssl x509 -in revocation.pem -noout -serial | cut -d= -f2)\n"
        "openssl asn1parse -genstr INTEGER:0x$serial -noout -out serial.der\n"
        "openssl x509 -in ca.pem -noout -pubkey | openssl pkey -pubin -outform DER -out ca.der\n"
        "tail -c +3 serial.der | cat ca.der - | sha256sum | cut -c1-64",
        NULL };
  for (guint i = 0; i < 8; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *out = NULL;
    g_autoptr (RbCertificate) one = issue (fixture, "Jo", RB_PURPOSE_TECHNICIAN, fixture->key);
    g_autofree char *id = rb_certificate_revocation_id (one, fixture->ca);
    save_certificate (fixture, "revocation.pem", one);
    g_assert_true (g_spawn_sync (fixture->folder, (char **) script, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL,
                                 NULL, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (g_strchomp (out), ==, id);
  }
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/openssl/certificates", test_certificates);
  ADD ("/openssl/revocation-id", test_revocation_id);
  ADD ("/openssl/pkcs12", test_pkcs12);
  ADD ("/openssl/private-keys", test_private_keys);
  ADD ("/openssl/schemes", test_schemes);
  ADD ("/openssl/own-signatures", test_own_signatures);
  ADD ("/openssl/one-key-one-id", test_one_key_one_id);
  ADD ("/openssl/weak-digest", test_weak_digest);
  ADD ("/openssl/cms", test_cms);
  ADD ("/openssl/cms-altered", test_cms_altered);
  ADD ("/openssl/same-key-twice", test_same_key_twice);
  return g_test_run ();
}
