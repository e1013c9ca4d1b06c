/* SPDX-License-Identifier: Apache-2.0 */
#include "identitykey/identity-key.h"

#include "crypto/certificate.h"
#include "crypto/evp.h"
#include "crypto/key-inside.h"
#include "crypto/secret.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

/* The upper bound of a common name in RFC 5280, ub-common-name. */
#define MAX_NAME 64

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_REQ, X509_REQ_free)

static const RbPurpose workstation[] = { RB_PURPOSE_WORKSTATION, RB_PURPOSE_TLS_CLIENT, RB_PURPOSE_DOIP_TLS,
                                         RB_PURPOSE_ECU_AUTHENTICATION, RB_PURPOSE_KEY_AGREEMENT };
static const RbPurpose technician[] = { RB_PURPOSE_TECHNICIAN };

static const struct {
  const RbPurpose *purposes;
  guint n;
} kinds[] = { [RB_IDENTITY_KEY_TECHNICIAN] = { technician, G_N_ELEMENTS (technician) },
              [RB_IDENTITY_KEY_WORKSTATION] = { workstation, G_N_ELEMENTS (workstation) } };

static gboolean
add_purpose (X509_REQ *request, RbPurpose purpose)
{
  STACK_OF (X509_EXTENSION) *list = sk_X509_EXTENSION_new_null ();
  X509_EXTENSION *usage = X509V3_EXT_conf_nid (NULL, NULL, NID_ext_key_usage, rb_certificate_purpose_oid (purpose));
  gboolean added = list != NULL && usage != NULL && sk_X509_EXTENSION_push (list, usage) > 0;
  if (!added)
    X509_EXTENSION_free (usage);
  added = added && X509_REQ_add_extensions (request, list) == 1;
  sk_X509_EXTENSION_pop_free (list, X509_EXTENSION_free);
  return added;
}

static gboolean
append_request (GString *pem, EVP_PKEY *key, const char *name, RbPurpose purpose, GError **error)
{
  g_autoptr (X509_REQ) request = X509_REQ_new ();
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  if (request == NULL || bio == NULL || X509_REQ_set_version (request, X509_REQ_VERSION_1) != 1
      || X509_NAME_add_entry_by_txt (X509_REQ_get_subject_name (request), "CN", MBSTRING_UTF8,
                                     (const unsigned char *) name, -1, -1, 0)
           != 1
      || X509_REQ_set_pubkey (request, key) != 1 || !add_purpose (request, purpose)
      || X509_REQ_sign (request, key, EVP_sha256 ()) <= 0 || PEM_write_bio_X509_REQ (bio, request) != 1) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "making a certificate signing request");
    return FALSE;
  }
  g_autoptr (GBytes) text = rb_evp_bio_bytes (bio);
  g_string_append_len (pem, g_bytes_get_data (text, NULL), (gssize) g_bytes_get_size (text));
  return TRUE;
}

/* The key in PEM, its request at the end of requests. */
static char *
make_one (GString *requests, const char *name, const char *passphrase, RbPurpose purpose, GError **error)
{
  EVP_PKEY *made = EVP_PKEY_Q_keygen (NULL, NULL, "EC", "P-256");
  if (made == NULL) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "making a key");
    return NULL;
  }
  g_autoptr (RbPrivateKey) key = rb_key_from_evp_private (made, error);
  if (key == NULL || !append_request (requests, rb_key_evp_private (key), name, purpose, error))
    return NULL;
  return rb_key_private_pem (key, passphrase);
}

static gboolean
check (const char *name, const char *passphrase, GError **error)
{
  if (passphrase == NULL || passphrase[0] == '\0')
    return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE, "passphrase of the new keys: none was given");
  if (!g_utf8_validate (name, -1, NULL) || name[0] == '\0' || g_utf8_strlen (name, -1) > MAX_NAME)
    return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "name: 1 to %d characters are expected",
                           MAX_NAME);
  return TRUE;
}

char *
rb_identity_key_make (RbIdentityKeyKind kind, const char *name, const char *passphrase, char **requests, GError **error)
{
  g_autoptr (GString) asked = g_string_new (NULL);
  if (!check (name, passphrase, error))
    return NULL;
  char *keys = g_strdup ("");
  for (guint i = 0; i < kinds[kind].n; i++) {
    char *one = make_one (asked, name, passphrase, kinds[kind].purposes[i], error), *before = keys;
    keys = one == NULL ? NULL : g_strconcat (before, one, NULL);
    rb_secret_free (before);
    rb_secret_free (one);
    if (keys == NULL)
      return NULL;
  }
  *requests = g_string_free (g_steal_pointer (&asked), FALSE);
  return keys;
}
