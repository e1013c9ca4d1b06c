/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/key-verbs.h"

#include "authority/key-card.h"
#include "authority/oem-folder.h"
#include "authority/policy-rules.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/fingerprint.h"
#include "crypto/secret.h"
#include "keymaker/keygen.h"
#include "keystore/token.h"

#include <string.h>

#define MAX_FILE (1024 * 1024)

typedef struct {
  char *name, *holder, *organisation, *place, *algorithm, *token, *until, *passphrase_file, *output, *public, *reason,
    *since, *policy;
  GStrv wmi;
  gboolean offline, online;
} Options;

static void
options_clear (Options *self)
{
  char *texts[]
    = { self->name,   self->holder, self->organisation,    self->place,  self->algorithm, self->token, self->until,
        self->public, self->reason, self->passphrase_file, self->output, self->since,     self->policy };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (self->wmi);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static int
verb_init (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) policy = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (options.policy != NULL)
    policy = rb_json_load (options.policy, MAX_FILE, &error);
  if (error != NULL || !rb_policy_rules_check_form (policy, &error)
      || !rb_oem_folder_init (cli->data_dir, options.name, (const char *const *) options.wmi, policy, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("OEM %s: %s", options.name, cli->data_dir);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:s}", "folder", cli->data_dir));
}

/* A card by what the options say of its holder. NULL: usage or malformed. */
static RbKeyCard *
card_of_options (const Options *options, const char *name, GError **error)
{
  g_autoptr (RbKeyCard) card = g_new0 (RbKeyCard, 1);
  if (!rb_key_card_check_name (name, error))
    return NULL;
  if (options->holder == NULL || options->holder[0] == '\0') {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--holder PERSON is missing");
    return NULL;
  }
  if (options->offline == options->online) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--offline or --online: one of them is expected");
    return NULL;
  }
  if (options->until != NULL && !rb_moment_from_text (options->until, &card->until)) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--until %s: not a time", options->until);
    return NULL;
  }
  card->name = g_strdup (name);
  card->holder = g_strdup (options->holder);
  card->organisation = g_strdup (options->organisation);
  card->place = g_strdup (options->place);
  card->online = options->online;
  card->created = rb_moment_now ();
  return g_steal_pointer (&card);
}

static RbKeyType
key_type (const char *algorithm)
{
  if (g_strcmp0 (algorithm, "ecdsa-p256") == 0)
    return RB_KEY_EC_P256;
  return g_strcmp0 (algorithm, "rsa-3072") == 0 ? RB_KEY_RSA : RB_KEY_ED25519;
}

/* A secret that has to be there. Wipe it. */
static char *
ask (RbCli *cli, const Options *options, const char *prompt, GError **error)
{
  g_autoptr (GError) problem = NULL;
  char *secret = rb_cli_passphrase (cli, options->passphrase_file, prompt, &problem);
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (secret == NULL || secret[0] == '\0')
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_PASSPHRASE, "%s: none was given", prompt);
  else
    return secret;
  rb_secret_free (secret);
  return NULL;
}

static gboolean
make_in_file (RbCli *cli, const char *folder, const Options *options, RbKeyCard *card, GError **error)
{
  char *passphrase = ask (cli, options, "Passphrase of the new key", error);
  g_autoptr (RbPrivateKey) key = passphrase == NULL ? NULL : rb_keygen_new (key_type (options->algorithm), error);
  gboolean made = key != NULL && rb_key_card_write_private (folder, card->name, key, passphrase, error);
  rb_secret_free (passphrase);
  if (made)
    card->public = rb_key_public_ref (rb_key_private_public (key));
  return made;
}

/* The PIN; "" where the URI has it. Wipe it. */
static char *
ask_pin (RbCli *cli, const Options *options, const char *uri, GError **error)
{
  return rb_token_has_pin (uri) ? g_strdup ("") : ask (cli, options, "PIN of the token", error);
}

static void
take_token (RbKeyCard *card, RbToken *token)
{
  card->public = rb_key_public_ref (rb_token_public (token));
  card->token = g_strdup (rb_token_label (token));
  card->where = rb_token_uri (token);
}

static gboolean
make_on_token (RbCli *cli, const Options *options, RbKeyCard *card, GError **error)
{
  char *pin = ask_pin (cli, options, options->token, error);
  g_autoptr (RbToken) token
    = pin == NULL ? NULL : rb_token_make_key (options->token, pin, card->name, key_type (options->algorithm), error);
  rb_secret_free (pin);
  if (token != NULL)
    take_token (card, token);
  return token != NULL;
}

static gboolean
save (const RbKeyCard *card, const char *folder, const char *output, GError **error)
{
  if (!rb_key_card_save (card, folder, error))
    return FALSE;
  if (output == NULL)
    return TRUE;
  g_autoptr (json_t) value = rb_key_card_to_json (card);
  g_autofree char *text = rb_json_to_pretty (value);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  return rb_files_write_output (output, bytes, 0644, error);
}

/* A name and a public key that the folder has not. */
static gboolean
check_new (const char *folder, const char *name, RbPublicKey *key, GError **error)
{
  g_autoptr (GPtrArray) cards = rb_key_card_list (folder, error);
  if (cards == NULL)
    return FALSE;
  if (rb_key_card_exists (folder, name))
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_EXISTS, "key %s: the folder has one of that name",
                           name);
  const RbKeyCard *same = key == NULL ? NULL : rb_key_card_of (cards, key);
  return same == NULL
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_EXISTS, "key %s: the folder has it as %s", name,
                            same->name);
}

static int
end_with_card (RbCli *cli, const RbKeyCard *card, const char *what)
{
  g_autofree char *text = rb_key_card_text (card);
  g_autofree char *words = rb_fingerprint_of (rb_key_public_id (card->public), RB_FINGERPRINT_FULL);
  g_autofree char *message = g_strdup_printf ("%s: %s\n%s", what, text, words);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:o}", "key", rb_key_card_to_json (card)));
}

static int
verb_new (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autofree char *folder = rb_oem_folder_find (cli->data_dir);
  g_autoptr (RbKeyCard) card = card_of_options (&options, argv[1], &error);
  g_autoptr (RbLock) lock = card == NULL ? NULL : rb_lock_folder (folder, folder, &error);
  if (lock == NULL || !check_new (folder, argv[1], NULL, &error)
      || !(options.token == NULL ? make_in_file (cli, folder, &options, card, &error)
                                 : make_on_token (cli, &options, card, &error))
      || !save (card, folder, options.output, &error))
    return rb_cli_fail (cli, error, NULL);
  return end_with_card (cli, card, "new key");
}

/* The private key of a PEM file, which is kept encrypted. */
static gboolean
take_private (RbCli *cli, const char *folder, const Options *options, const char *pem, RbKeyCard *card, GError **error)
{
  char *passphrase = ask (cli, options, "Passphrase of the key", error);
  g_autoptr (RbPrivateKey) key = passphrase == NULL ? NULL : rb_key_private_from_pem (pem, passphrase, error);
  gboolean taken = key != NULL && check_new (folder, card->name, rb_key_private_public (key), error)
                   && rb_key_card_write_private (folder, card->name, key, passphrase, error);
  rb_secret_free (passphrase);
  if (taken)
    card->public = rb_key_public_ref (rb_key_private_public (key));
  return taken;
}

/* A card, a public key or a private key. */
static RbKeyCard *
import_file (RbCli *cli, const char *folder, const Options *options, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_secret_read (path, MAX_FILE, error);
  if (bytes == NULL)
    return NULL;
  char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *stem = g_strndup (base, strcspn (base, "."));
  g_autoptr (RbKeyCard) card = NULL;
  if (strstr (text, "-----BEGIN") != text) {
    g_autoptr (json_t) value = rb_json_parse (bytes, MAX_FILE, path, error);
    card = value == NULL ? NULL : rb_key_card_parse (value, path, error);
    if (card != NULL && !check_new (folder, card->name, card->public, error))
      g_clear_pointer (&card, rb_key_card_free);
  } else {
    card = card_of_options (options, options->name == NULL ? stem : options->name, error);
    if (card != NULL && strstr (text, "PUBLIC KEY") != NULL)
      card->public = rb_key_public_from_pem (text, error);
    else if (card != NULL && !take_private (cli, folder, options, text, card, error))
      g_clear_pointer (&card, rb_key_card_free);
    if (card != NULL && (card->public == NULL || !check_new (folder, card->name, card->public, error)))
      g_clear_pointer (&card, rb_key_card_free);
  }
  rb_secret_free (text);
  return g_steal_pointer (&card);
}

static gboolean
take_service (const Options *options, const char *where, RbKeyCard *card, GError **error)
{
  g_autofree char *pem = NULL;
  if (options->public == NULL)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--public FILE is missing: the service's key");
  g_autoptr (GBytes) bytes = rb_files_read (options->public, MAX_FILE, error);
  pem = bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  card->public = pem == NULL ? NULL : rb_key_public_from_pem (pem, error);
  card->where = g_strdup (where);
  return card->public != NULL;
}

/* On a token, or behind a key service. */
static RbKeyCard *
import_elsewhere (RbCli *cli, const char *folder, const Options *options, const char *where, GError **error)
{
  if (options->name == NULL) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--name NAME is missing");
    return NULL;
  }
  g_autoptr (RbKeyCard) card = card_of_options (options, options->name, error);
  if (card == NULL)
    return NULL;
  if (!g_str_has_prefix (where, "pkcs11:")) {
    if (!take_service (options, where, card, error))
      return NULL;
  } else {
    char *pin = ask_pin (cli, options, where, error);
    g_autoptr (RbToken) token = pin == NULL ? NULL : rb_token_open (where, pin, error);
    rb_secret_free (pin);
    if (token == NULL)
      return NULL;
    take_token (card, token);
  }
  return check_new (folder, card->name, card->public, error) ? g_steal_pointer (&card) : NULL;
}

static int
verb_import (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autofree char *folder = rb_oem_folder_find (cli->data_dir);
  g_autoptr (RbLock) lock = rb_lock_folder (folder, folder, &error);
  if (lock == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autoptr (RbKeyCard) card = rb_signer_is_file (argv[1]) ? import_file (cli, folder, &options, argv[1], &error)
                                                           : import_elsewhere (cli, folder, &options, argv[1], &error);
  if (card == NULL || !save (card, folder, options.output, &error))
    return rb_cli_fail (cli, error, NULL);
  return end_with_card (cli, card, "key");
}

static void
say_card (RbCli *cli, const RbKeyCard *card, const char *folder)
{
  g_autofree char *text = rb_key_card_text (card);
  g_autofree char *words = rb_fingerprint_of (rb_key_public_id (card->public), RB_FINGERPRINT_FULL);
  g_autofree char *since = card->retired == 0 ? NULL : rb_moment_to_text (card->since);
  rb_cli_say (cli, "%s: %s%s%s, %s%s", card->name, text, card->organisation == NULL ? "" : ", ",
              card->organisation == NULL ? "" : card->organisation, card->online ? "online" : "offline",
              rb_key_card_is_at_hand (card, folder) ? "" : ", public half only");
  rb_cli_say (cli, "    %s", words);
  if (since != NULL)
    rb_cli_say (cli, "    retired; not to be believed since %s: %s", since, card->reason);
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autofree char *folder = rb_oem_folder_find (cli->data_dir);
  g_autoptr (GPtrArray) cards = rb_key_card_list (folder, &error);
  if (cards == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *list = json_array ();
  for (guint i = 0; i < cards->len; i++) {
    say_card (cli, cards->pdata[i], folder);
    json_array_append_new (list, rb_key_card_to_json (cards->pdata[i]));
  }
  g_autofree char *message = g_strdup_printf ("%u keys", cards->len);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:o}", "keys", list));
}

static int
verb_retire (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autofree char *folder = rb_oem_folder_find (cli->data_dir);
  g_autoptr (RbLock) lock = rb_lock_folder (folder, folder, &error);
  g_autoptr (RbKeyCard) card = lock == NULL ? NULL : rb_key_card_load (folder, argv[1], &error);
  if (card == NULL)
    return rb_cli_fail (cli, error, NULL);
  gint64 now = rb_moment_now (), since = now;
  if (options.since != NULL && (!rb_moment_from_text (options.since, &since) || since > now))
    return rb_cli_usage (cli, "--since %s: not a time in the past", options.since);
  if (card->retired != 0 && since >= card->since)
    return rb_cli_end (cli, RB_CLI_OK, "ok", "retired already", json_pack ("{s:o}", "key", rb_key_card_to_json (card)));
  card->retired = now;
  card->since = since;
  g_free (card->reason);
  card->reason = g_strdup (options.reason);
  if (!rb_key_card_save (card, folder, &error))
    return rb_cli_fail (cli, error, NULL);
  return end_with_card (cli, card, "retired");
}

static const RbOption init_options[] = {
  { "name", "NAME", "the OEM's name", RB_OPTION_TEXT (Options, name), .needed = TRUE },
  { "wmi", "PREFIX", "first characters of its vehicles' VINs; may be repeated", RB_OPTION_TEXTS (Options, wmi),
    .needed = TRUE },
  { "policy", "FILE", "its own key-management policy", RB_OPTION_FILE (Options, policy) },
  { NULL },
};

#define HOLDER_OPTIONS \
  { "holder", "PERSON", "who holds the key", RB_OPTION_TEXT (Options, holder) }, \
    { "organisation", "ORG", "the holder's organisation", RB_OPTION_TEXT (Options, organisation) }, \
    { "place", "PLACE", "where the key is kept", RB_OPTION_TEXT (Options, place) }, \
    { "until", "TIME", "when the holder's term ends", RB_OPTION_TEXT (Options, until) }, \
    { "offline", NULL, "the key signs by drafts only", RB_OPTION_FLAG (Options, offline) }, \
    { "online", NULL, "publishing uses the key", RB_OPTION_FLAG (Options, online) }, \
    { "passphrase-file", "FILE", "passphrase of the key, PIN of the token", \
      RB_OPTION_FILE (Options, passphrase_file) }, \
  { \
    "output", "FILE", "also write the public half there, for the OEM", RB_OPTION_FILE (Options, output), .letter = 'o' \
  }

static const RbOption new_options[] = {
  HOLDER_OPTIONS,
  { "algorithm", "ed25519|ecdsa-p256|rsa-3072", "default ed25519", RB_OPTION_WORD (Options, algorithm) },
  { "token", "URI", "make the key on this PKCS#11 token", RB_OPTION_TEXT (Options, token) },
  { NULL },
};

static const RbOption import_options[] = {
  HOLDER_OPTIONS,
  { "name", "NAME", "the key's name; default the file's", RB_OPTION_TEXT (Options, name) },
  { "public", "FILE", "public key of a key service, in PEM", RB_OPTION_FILE (Options, public) },
  { NULL },
};

static const RbOption retire_options[] = {
  { "reason", "TEXT", "why", RB_OPTION_TEXT (Options, reason), .needed = TRUE },
  { "since", "TIME", "signatures are not to be believed since then; default now", RB_OPTION_TEXT (Options, since) },
  { NULL },
};

const RbCliVerb rb_key_verbs[] = {
  { "oem init", "", "make the OEM's folder", verb_init, init_options, 0, 0 },
  { "key new", "NAME", "a signing key, in an encrypted file or on a token", verb_new, new_options, 1, 1 },
  { "key import", "FILE|URI", "a public half, a private key, a token's key, or a key service", verb_import,
    import_options, 1, 1 },
  { "key list", "", "the keys and their holders", verb_list, NULL, 0, 0 },
  { "key retire", "NAME", "a key that signs no more; its public half stays", verb_retire, retire_options, 1, 1 },
  { NULL },
};
