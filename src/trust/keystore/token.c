/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/token.h"

#include "core/files.h"
#include "crypto/digest.h"
#include "crypto/evp.h"
#include "crypto/secret.h"
#include "keystore/token-key.h"

#include <openssl/ecdsa.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <string.h>

#define MAX_SLOTS 256
#define MAX_SIGNATURE 1024
#define MAX_PIN_FILE 4096
#define RSA_BITS 3072
#define ID_LENGTH 16
#define FILE_SCHEME "file:"

struct _RbToken {
  CK_FUNCTION_LIST **modules;
  CK_FUNCTION_LIST *module;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE private;
  CK_TOKEN_INFO info;
  RbPublicKey *public;
  char *label;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (P11KitUri, p11_kit_uri_free)

static gboolean
token_error (GError **error, RbReason reason, const char *what, CK_RV result)
{
  return rb_reason_deny (error, RB_CRYPTO_ERROR, reason, "%s: %s", what, p11_kit_strerror (result));
}

void
rb_token_free (RbToken *self)
{
  if (self == NULL)
    return;
  if (self->module != NULL && self->session != 0)
    self->module->C_CloseSession (self->session);
  if (self->modules != NULL)
    p11_kit_modules_finalize_and_release (self->modules);
  g_clear_pointer (&self->public, rb_key_public_unref);
  g_free (self->label);
  g_free (self);
}

static P11KitUri *
parse (const char *text, GError **error)
{
  g_autoptr (P11KitUri) uri = p11_kit_uri_new ();
  int problem = p11_kit_uri_parse (text, P11_KIT_URI_FOR_ANY, uri);
  if (problem == P11_KIT_URI_OK)
    return g_steal_pointer (&uri);
  rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "%.64s: %s", text, p11_kit_uri_message (problem));
  return NULL;
}

gboolean
rb_token_has_pin (const char *text)
{
  g_autoptr (P11KitUri) uri = parse (text, NULL);
  return uri != NULL && (p11_kit_uri_get_pin_value (uri) != NULL || p11_kit_uri_get_pin_source (uri) != NULL);
}

/* The PIN of the URI, else that of the caller. Wipe it. (transfer full) */
static char *
find_pin (P11KitUri *uri, const char *pin, GError **error)
{
  const char *source = p11_kit_uri_get_pin_source (uri);
  if (p11_kit_uri_get_pin_value (uri) != NULL)
    return g_strdup (p11_kit_uri_get_pin_value (uri));
  if (source == NULL)
    return g_strdup (pin == NULL ? "" : pin);
  if (g_str_has_prefix (source, FILE_SCHEME))
    source = &source[strlen (FILE_SCHEME)];
  g_autoptr (GBytes) bytes = rb_secret_read (source, MAX_PIN_FILE, error);
  if (bytes == NULL)
    return NULL;
  char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  text[strcspn (text, "\r\n")] = '\0';
  return text;
}

/* The first slot of module whose token the URI means. */
static gboolean
find_slot (CK_FUNCTION_LIST *module, P11KitUri *uri, CK_SLOT_ID *slot, CK_TOKEN_INFO *info)
{
  CK_SLOT_ID slots[MAX_SLOTS];
  CK_ULONG n = MAX_SLOTS;
  if (module->C_GetSlotList (CK_TRUE, slots, &n) != CKR_OK)
    return FALSE;
  for (CK_ULONG i = 0; i < n; i++)
    if (module->C_GetTokenInfo (slots[i], info) == CKR_OK && (info->flags & CKF_TOKEN_INITIALIZED) != 0
        && p11_kit_uri_match_token_info (uri, info) == 1) {
      *slot = slots[i];
      return TRUE;
    }
  return FALSE;
}

static char *
label_of (const CK_TOKEN_INFO *info)
{
  g_autofree char *text = g_strndup ((const char *) info->label, sizeof info->label);
  g_autofree char *valid = g_utf8_make_valid (g_strchomp (text), -1);
  return g_steal_pointer (&valid);
}

/* Number of tries that the token reports as left. */
static const char *
tries_left (CK_FLAGS flags)
{
  if ((flags & CKF_USER_PIN_LOCKED) != 0)
    return "the token is locked";
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0)
    return "one try is left";
  return (flags & CKF_USER_PIN_COUNT_LOW) != 0 ? "few tries are left" : "more tries are left";
}

static gboolean
log_in (RbToken *self, CK_SLOT_ID slot, const char *pin, GError **error)
{
  CK_RV result = self->module->C_Login (self->session, CKU_USER, (CK_UTF8CHAR_PTR) pin, (CK_ULONG) strlen (pin));
  if (result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN)
    return TRUE;
  if (self->module->C_GetTokenInfo (slot, &self->info) != CKR_OK)
    self->info.flags = 0;
  if (result == CKR_PIN_INCORRECT || result == CKR_PIN_LOCKED || result == CKR_PIN_LEN_RANGE)
    return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE, "token “%s”: %s: %s", self->label,
                           pin[0] == '\0' ? "no PIN was given" : p11_kit_strerror (result),
                           tries_left (self->info.flags));
  return token_error (error, RB_REASON_IDENTITY, self->label, result);
}

static gboolean
open_session (RbToken *self, P11KitUri *uri, const char *pin, GError **error)
{
  CK_SLOT_ID slot = 0;
  for (guint i = 0; self->modules[i] != NULL && self->module == NULL; i++)
    if (find_slot (self->modules[i], uri, &slot, &self->info))
      self->module = self->modules[i];
  if (self->module == NULL)
    return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_NOT_FOUND, "no token that the URI names is plugged in");
  self->label = label_of (&self->info);
  CK_RV result = self->module->C_OpenSession (slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &self->session);
  if (result == CKR_TOKEN_WRITE_PROTECTED)
    result = self->module->C_OpenSession (slot, CKF_SERIAL_SESSION, NULL, NULL, &self->session);
  if (result != CKR_OK)
    return token_error (error, RB_REASON_IDENTITY, self->label, result);
  char *secret = find_pin (uri, pin, error);
  gboolean open = secret != NULL && log_in (self, slot, secret, error);
  rb_secret_free (secret);
  return open;
}

/* A session on the token, without a key. */
static RbToken *
connect (P11KitUri *uri, const char *pin, GError **error)
{
  g_autoptr (RbToken) self = g_new0 (RbToken, 1);
  self->modules = p11_kit_modules_load_and_initialize (0);
  if (self->modules == NULL) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_NOT_FOUND, "PKCS#11: %s", p11_kit_message ());
    return NULL;
  }
  return open_session (self, uri, pin, error) ? g_steal_pointer (&self) : NULL;
}

/* The private keys that id and label (each may be NULL) name; at most two are counted. */
static CK_ULONG
find_private (RbToken *self, const CK_ATTRIBUTE *id, const CK_ATTRIBUTE *label, CK_OBJECT_HANDLE *first)
{
  CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE template[3] = { { CKA_CLASS, &class, sizeof class } };
  CK_OBJECT_HANDLE found[2] = { 0 };
  CK_ULONG n = 0, length = 1;
  if (id != NULL)
    template[length++] = *id;
  if (label != NULL)
    template[length++] = *label;
  if (self->module->C_FindObjectsInit (self->session, template, length) != CKR_OK)
    return 0;
  if (self->module->C_FindObjects (self->session, found, 2, &n) != CKR_OK)
    n = 0;
  self->module->C_FindObjectsFinal (self->session);
  *first = found[0];
  return n;
}

RbToken *
rb_token_open (const char *text, const char *pin, GError **error)
{
  g_autoptr (P11KitUri) uri = parse (text, error);
  g_autoptr (RbToken) self = uri == NULL ? NULL : connect (uri, pin, error);
  if (self == NULL)
    return NULL;
  CK_ULONG n = find_private (self, p11_kit_uri_get_attribute (uri, CKA_ID), p11_kit_uri_get_attribute (uri, CKA_LABEL),
                             &self->private);
  if (n != 1) {
    rb_reason_deny (
      error, RB_CRYPTO_ERROR, n == 0 ? RB_REASON_NOT_FOUND : RB_REASON_IDENTITY, "token “%s”: %s", self->label,
      n == 0 ? "no such private key on it" : "several private keys on it, and the URI names no single one");
    return NULL;
  }
  self->public = rb_token_key_read (self->module, self->session, self->private, error);
  if (self->public == NULL)
    g_prefix_error (error, "token “%s”: ", self->label);
  return self->public == NULL ? NULL : g_steal_pointer (&self);
}

static CK_RV
generate (RbToken *self, RbKeyType type, const char *label, GBytes *id)
{
  static CK_BYTE p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
  static CK_BYTE ed25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
  static const CK_MECHANISM_TYPE mechanisms[] = { [RB_KEY_ED25519] = CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                                  [RB_KEY_RSA] = CKM_RSA_PKCS_KEY_PAIR_GEN,
                                                  [RB_KEY_EC_P256] = CKM_EC_KEY_PAIR_GEN };
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  CK_ULONG bits = RSA_BITS;
  CK_MECHANISM mechanism = { mechanisms[type], NULL, 0 };
  CK_OBJECT_HANDLE public;
  CK_ATTRIBUTE name = { CKA_LABEL, (void *) label, (CK_ULONG) strlen (label) };
  CK_ATTRIBUTE number = { CKA_ID, (void *) g_bytes_get_data (id, NULL), (CK_ULONG) g_bytes_get_size (id) };
  CK_ATTRIBUTE rsa = { CKA_MODULUS_BITS, &bits, sizeof bits };
  CK_ATTRIBUTE curve
    = { CKA_EC_PARAMS, type == RB_KEY_ED25519 ? ed25519 : p256, type == RB_KEY_ED25519 ? sizeof ed25519 : sizeof p256 };
  CK_ATTRIBUTE public_template[] = {
    { CKA_TOKEN, &yes, sizeof yes }, { CKA_VERIFY, &yes, sizeof yes }, name, number, type == RB_KEY_RSA ? rsa : curve
  };
  CK_ATTRIBUTE private_template[] = { { CKA_TOKEN, &yes, sizeof yes },
                                      { CKA_PRIVATE, &yes, sizeof yes },
                                      { CKA_SENSITIVE, &yes, sizeof yes },
                                      { CKA_SIGN, &yes, sizeof yes },
                                      { CKA_EXTRACTABLE, &no, sizeof no },
                                      name,
                                      number };
  return self->module->C_GenerateKeyPair (self->session, &mechanism, public_template, G_N_ELEMENTS (public_template),
                                          private_template, G_N_ELEMENTS (private_template), &public, &self->private);
}

RbToken *
rb_token_make_key (const char *text, const char *pin, const char *label, RbKeyType type, GError **error)
{
  g_autoptr (P11KitUri) uri = parse (text, error);
  g_autoptr (RbToken) self = uri == NULL ? NULL : connect (uri, pin, error);
  if (self == NULL)
    return NULL;
  CK_ATTRIBUTE name = { CKA_LABEL, (void *) label, (CK_ULONG) strlen (label) };
  if (find_private (self, NULL, &name, &self->private) > 0) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_EXISTS, "token “%s”: a key “%s” is on it", self->label, label);
    return NULL;
  }
  g_autoptr (GBytes) id = rb_digest_random (ID_LENGTH);
  CK_RV result = generate (self, type, label, id);
  if (result != CKR_OK) {
    token_error (error, RB_REASON_IDENTITY, self->label, result);
    return NULL;
  }
  self->public = rb_token_key_read (self->module, self->session, self->private, error);
  return self->public == NULL ? NULL : g_steal_pointer (&self);
}

RbPublicKey *
rb_token_public (RbToken *self)
{
  return self->public;
}

const char *
rb_token_label (RbToken *self)
{
  return self->label;
}

char *
rb_token_uri (RbToken *self)
{
  g_autoptr (P11KitUri) uri = p11_kit_uri_new ();
  g_autoptr (GBytes) id = rb_token_key_id (self->module, self->session, self->private);
  CK_ATTRIBUTE attribute = { CKA_ID, (void *) g_bytes_get_data (id, NULL), (CK_ULONG) g_bytes_get_size (id) };
  char *text = NULL;
  *p11_kit_uri_get_token_info (uri) = self->info;
  if (p11_kit_uri_set_attribute (uri, &attribute) != P11_KIT_URI_OK
      || p11_kit_uri_format (uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) != P11_KIT_URI_OK)
    g_error ("a PKCS#11 URI could not be written");
  char *copy = g_strdup (text);
  free (text);
  return copy;
}

/* r and s of equal length, as a token gives them, in DER. */
static GBytes *
ecdsa_der (const guint8 *raw, gsize length)
{
  ECDSA_SIG *signature = ECDSA_SIG_new ();
  unsigned char *der = NULL;
  BIGNUM *r = BN_bin2bn (raw, (int) length / 2, NULL), *s = BN_bin2bn (&raw[length / 2], (int) length / 2, NULL);
  if (ECDSA_SIG_set0 (signature, r, s) != 1)
    g_error ("out of memory");
  int size = i2d_ECDSA_SIG (signature, &der);
  GBytes *bytes = g_bytes_new (der, (gsize) MAX (size, 0));
  OPENSSL_free (der);
  ECDSA_SIG_free (signature);
  return bytes;
}

GBytes *
rb_token_sign (RbToken *self, GBytes *message, GError **error)
{
  RbKeyType type = rb_key_public_type (self->public);
  CK_RSA_PKCS_PSS_PARAMS pss = { CKM_SHA256, CKG_MGF1_SHA256, RB_SHA256_LENGTH };
  CK_MECHANISM mechanism = { CKM_EDDSA, NULL, 0 };
  guint8 digest[RB_SHA256_LENGTH], signature[MAX_SIGNATURE];
  CK_ULONG size = sizeof signature;
  gsize length = 0;
  const void *data = g_bytes_get_data (message, &length);
  rb_digest_sha256 (data, length, digest);
  if (type == RB_KEY_RSA)
    mechanism = (CK_MECHANISM){ CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof pss };
  else if (type == RB_KEY_EC_P256) {
    mechanism.mechanism = CKM_ECDSA;
    data = digest;
    length = sizeof digest;
  }
  CK_RV result = self->module->C_SignInit (self->session, &mechanism, self->private);
  if (result == CKR_OK)
    result = self->module->C_Sign (self->session, (CK_BYTE_PTR) data, (CK_ULONG) length, signature, &size);
  if (result != CKR_OK) {
    token_error (error, RB_REASON_IDENTITY, "signing", result);
    return NULL;
  }
  return type == RB_KEY_EC_P256 ? ecdsa_der (signature, size) : g_bytes_new (signature, size);
}
