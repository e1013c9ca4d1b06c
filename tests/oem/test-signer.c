/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/key-card.h"
#include "core/files.h"
#include "keymaker/keygen.h"

#include <gio/gio.h>
#include <signal.h>

typedef struct {
  char *folder;
  RbPrivateKey *key;
  RbKeyCard *card;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->folder = g_dir_make_tmp ("signer-XXXXXX", &error);
  self->key = rb_keygen_new (RB_KEY_EC_P256, &error);
  g_assert_no_error (error);
  g_autofree char *pem = rb_key_private_pem (self->key, "secret"), *plain = rb_key_private_pem (self->key, NULL);
  g_autofree char *keys = g_build_filename (self->folder, "keys", NULL);
  g_autofree char *path = rb_key_card_private_path (self->folder, "ada");
  g_autofree char *service = g_build_filename (self->folder, "service.pem", NULL);
  g_assert_true (rb_files_make_folder (keys, &error) && rb_files_write_private_text (path, pem, &error)
                 && rb_files_write_private_text (service, plain, &error));
  self->card = g_new0 (RbKeyCard, 1);
  self->card->name = g_strdup ("ada");
  self->card->holder = g_strdup ("Ada Lane");
  self->card->public = rb_key_public_ref (rb_key_private_public (self->key));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean removed = rb_files_remove_tree (self->folder, &error);
  g_assert_true (removed);
  rb_key_card_free (self->card);
  rb_key_private_unref (self->key);
  g_free (self->folder);
}

static void
assert_signs (Fixture *self, RbSigner *signer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = g_bytes_new_static ("message", 7);
  g_autoptr (GBytes) signature = rb_signer_sign (signer, message, &error);
  g_assert_no_error (error);
  g_assert_true (rb_key_verify (self->card->public, RB_SCHEME_ECDSA_P256_SHA256, "message", 7,
                                g_bytes_get_data (signature, NULL), g_bytes_get_size (signature)));
}

static void
test_file (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbSigner) signer = rb_key_card_open (self->card, self->folder, "secret", &error);
  g_assert_no_error (error);
  assert_signs (self, signer);
  g_autoptr (RbSigner) none = rb_key_card_open (self->card, self->folder, "wrong", &error);
  g_assert_null (none);
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE);
}

/* openssl is the key service. */
static void
test_program (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->card->where = g_strdup_printf ("exec:openssl dgst -sha256 -sign '%s/service.pem'", self->folder);
  g_autoptr (RbSigner) signer = rb_key_card_open (self->card, self->folder, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_signer_label (signer), ==, "openssl");
  assert_signs (self, signer);
}

static void
test_bad_program (Fixture *self, gconstpointer data)
{
  static const char *const commands[] = { "exec:/bin/false", "exec:/bin/cat", "exec:/bin/true", "exec:/none/at/all" };
  g_autoptr (GBytes) message = g_bytes_new_static ("message", 7);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbSigner) signer = rb_signer_open (commands[i], NULL, self->card->public, &error);
    g_assert_no_error (error);
    g_autoptr (GBytes) signature = rb_signer_sign (signer, message, &error);
    g_assert_null (signature);
    g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY);
  }
  g_autoptr (GError) unknown = NULL, unparsed = NULL;
  g_assert_null (rb_signer_open ("exec:/bin/cat", NULL, NULL, &unknown));
  g_assert_error (unknown, RB_CRYPTO_ERROR, RB_REASON_IDENTITY);
  g_assert_null (rb_signer_open ("exec:'", NULL, self->card->public, &unparsed));
  g_assert_error (unparsed, RB_CRYPTO_ERROR, RB_REASON_MALFORMED);
}

static void
test_another_key (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPrivateKey) other = rb_keygen_new (RB_KEY_EC_P256, &error);
  rb_key_public_unref (self->card->public);
  self->card->public = rb_key_public_ref (rb_key_private_public (other));
  g_autoptr (RbSigner) signer = rb_key_card_open (self->card, self->folder, "secret", &error);
  g_assert_null (signer);
  g_assert_error (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY);
}

static void
test_retired (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->card->retired = 1;
  g_autoptr (RbSigner) signer = rb_key_card_open (self->card, self->folder, "secret", &error);
  g_assert_null (signer);
  g_assert_error (error, RB_AUTHORITY_ERROR, RB_REASON_KEY_RETIRED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN); /* as rb_output_prepare() does */
  g_test_add ("/signer/file", Fixture, NULL, set_up, test_file, tear_down);
  g_test_add ("/signer/program", Fixture, NULL, set_up, test_program, tear_down);
  g_test_add ("/signer/bad-program", Fixture, NULL, set_up, test_bad_program, tear_down);
  g_test_add ("/signer/another-key", Fixture, NULL, set_up, test_another_key, tear_down);
  g_test_add ("/signer/retired", Fixture, NULL, set_up, test_retired, tear_down);
  return g_test_run ();
}
