/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/signer.h"

#include "crypto/secret.h"
#include "keystore/token.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_KEY_FILE (64 * 1024)
#define TOKEN "pkcs11:"
#define PROGRAM "exec:"

struct _RbSigner {
  RbPublicKey *public;
  char *label;
  RbPrivateKey *key; /* in a file; else NULL */
  RbToken *token; /* on a token; else NULL */
  char **program; /* its command line; else NULL */
};

static void
signer_clear (gpointer data)
{
  RbSigner *self = data;
  g_clear_pointer (&self->public, rb_key_public_unref);
  g_clear_pointer (&self->key, rb_key_private_unref);
  g_clear_pointer (&self->token, rb_token_free);
  g_strfreev (self->program);
  g_free (self->label);
}

RbSigner *
rb_signer_ref (RbSigner *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
rb_signer_unref (RbSigner *self)
{
  g_atomic_rc_box_release_full (self, signer_clear);
}

static RbSigner *
signer_new (RbPublicKey *public, const char *label)
{
  RbSigner *self = g_atomic_rc_box_new0 (RbSigner);
  self->public = rb_key_public_ref (public);
  self->label = g_strdup (label);
  return self;
}

RbSigner *
rb_signer_from_key (RbPrivateKey *key, const char *label)
{
  RbSigner *self = signer_new (rb_key_private_public (key), label);
  self->key = rb_key_private_ref (key);
  return self;
}

static RbSigner *
open_file (const char *path, const char *passphrase, GError **error)
{
  g_autoptr (GBytes) bytes = rb_secret_read (path, MAX_KEY_FILE, error);
  if (bytes == NULL)
    return NULL;
  char *pem = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (RbPrivateKey) key = rb_key_private_from_pem (pem, passphrase, error);
  rb_secret_free (pem);
  g_autofree char *name = g_path_get_basename (path);
  if (key == NULL)
    g_prefix_error (error, "%s: ", path);
  return key == NULL ? NULL : rb_signer_from_key (key, name);
}

static RbSigner *
open_token (const char *uri, const char *pin, GError **error)
{
  RbToken *token = rb_token_open (uri, pin, error);
  if (token == NULL)
    return NULL;
  RbSigner *self = signer_new (rb_token_public (token), rb_token_label (token));
  self->token = token;
  return self;
}

static RbSigner *
open_program (const char *command, RbPublicKey *public, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) problem = NULL;
  if (public == NULL) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s%s: its public key is not known", PROGRAM, command);
    return NULL;
  }
  if (!g_shell_parse_argv (command, NULL, &words, &problem)) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "%s%s: %s", PROGRAM, command, problem->message);
    return NULL;
  }
  RbSigner *self = signer_new (public, words[0]);
  self->program = g_steal_pointer (&words);
  return self;
}

gboolean
rb_signer_is_file (const char *where)
{
  return !g_str_has_prefix (where, TOKEN) && !g_str_has_prefix (where, PROGRAM);
}

RbSigner *
rb_signer_open (const char *where, const char *secret, RbPublicKey *public, GError **error)
{
  g_autoptr (RbSigner) self = g_str_has_prefix (where, TOKEN) ? open_token (where, secret, error)
                              : g_str_has_prefix (where, PROGRAM)
                                ? open_program (&where[strlen (PROGRAM)], public, error)
                                : open_file (where, secret, error);
  if (self == NULL)
    return NULL;
  if (public != NULL && !rb_key_public_equal (self->public, public)) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s: key is %.16s, expected %.16s", where,
                    rb_key_public_id (self->public), rb_key_public_id (public));
    return NULL;
  }
  return g_steal_pointer (&self);
}

RbPublicKey *
rb_signer_public (RbSigner *self)
{
  return self->public;
}

const char *
rb_signer_label (RbSigner *self)
{
  return self->label;
}

static GBytes *
sign_by_program (RbSigner *self, GBytes *message, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) signature = NULL;
  g_autoptr (GSubprocess) child = g_subprocess_newv (
    (const char *const *) self->program, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &problem);
  if (child == NULL || !g_subprocess_communicate (child, message, NULL, &signature, NULL, &problem)) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s", problem->message);
    return NULL;
  }
  if (!g_subprocess_get_successful (child)) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "the key service failed");
    return NULL;
  }
  return g_steal_pointer (&signature);
}

static GBytes *
make_signature (RbSigner *self, GBytes *message, GError **error)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (message, &length);
  if (self->key != NULL)
    return rb_key_sign (self->key, data, length, error);
  return self->token != NULL ? rb_token_sign (self->token, message, error) : sign_by_program (self, message, error);
}

GBytes *
rb_signer_sign (RbSigner *self, GBytes *message, GError **error)
{
  g_autoptr (GBytes) signature = make_signature (self, message, error);
  gsize length = 0, message_length = 0;
  if (signature == NULL) {
    g_prefix_error (error, "%s: ", self->label);
    return NULL;
  }
  gconstpointer data = g_bytes_get_data (signature, &length);
  gconstpointer signed_bytes = g_bytes_get_data (message, &message_length);
  if (!rb_key_verify (self->public, rb_key_public_scheme (self->public), signed_bytes, message_length, data, length)) {
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s: its signature does not verify with its public key",
                    self->label);
    return NULL;
  }
  return g_steal_pointer (&signature);
}
