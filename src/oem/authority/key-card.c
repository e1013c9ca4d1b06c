/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/key-card.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/fingerprint.h"
#include "crypto/secret.h"
#include "model/member.h"

#include <string.h>

#define FORMAT "recallbay-key-1"
#define MAX_CARD (64 * 1024)
#define MAX_TEXT 200

void
rb_key_card_free (RbKeyCard *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->public, rb_key_public_unref);
  g_free (self->name);
  g_free (self->holder);
  g_free (self->organisation);
  g_free (self->place);
  g_free (self->where);
  g_free (self->token);
  g_free (self->reason);
  g_free (self);
}

gboolean
rb_key_card_check_name (const char *name, GError **error)
{
  return rb_member_id_is_valid (name)
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_MALFORMED,
                            "key name “%s”: letters, digits, '.', '_' and '-' are expected", name);
}

/* A time, or absent: 0. */
static gboolean
read_moment (const json_t *value, const char *member, gint64 *moment, const char *what, GError **error)
{
  return json_object_get (value, member) == NULL || rb_json_moment (value, member, moment, what, error);
}

static gboolean
read_people (RbKeyCard *self, const json_t *value, const char *what, GError **error)
{
  return rb_member_id (value, "name", &self->name, what, error)
         && rb_member_text (value, "holder", MAX_TEXT, &self->holder, what, error)
         && rb_member_text_or_none (value, "organisation", MAX_TEXT, &self->organisation, what, error)
         && rb_member_text_or_none (value, "place", MAX_TEXT, &self->place, what, error)
         && rb_member_text_or_none (value, "where", MAX_CARD, &self->where, what, error)
         && rb_member_text_or_none (value, "token", MAX_TEXT, &self->token, what, error)
         && rb_member_text_or_none (value, "reason", MAX_TEXT, &self->reason, what, error);
}

RbKeyCard *
rb_key_card_parse (const json_t *value, const char *what, GError **error)
{
  g_autoptr (RbKeyCard) self = g_new0 (RbKeyCard, 1);
  if (!rb_member_format (value, FORMAT, what, error)
      || !rb_json_only (value, what, error, "format", "name", "holder", "organisation", "place", "online", "where",
                        "token", "public", "key_id", "fingerprint", "created", "until", "retired", "since", "reason",
                        NULL)
      || !read_people (self, value, what, error) || !rb_json_boolean (value, "online", &self->online, what, error)
      || !read_moment (value, "created", &self->created, what, error)
      || !read_moment (value, "until", &self->until, what, error)
      || !read_moment (value, "retired", &self->retired, what, error)
      || !read_moment (value, "since", &self->since, what, error))
    return NULL;
  const char *pem = rb_json_string (value, "public", what, error);
  self->public = pem == NULL ? NULL : rb_key_public_from_pem (pem, error);
  const char *id = self->public == NULL ? NULL : rb_json_sha256 (value, "key_id", what, error);
  if (id == NULL)
    return NULL;
  if (!g_str_equal (id, rb_key_public_id (self->public))) {
    rb_member_refuse (error, what, "key_id is not that of the public key");
    return NULL;
  }
  return g_steal_pointer (&self);
}

static void
set_text (json_t *value, const char *member, const char *text)
{
  if (text != NULL)
    rb_json_set_string (value, member, text);
}

static void
set_moment (json_t *value, const char *member, gint64 moment)
{
  if (moment != 0)
    rb_json_set_moment (value, member, moment);
}

json_t *
rb_key_card_to_json (const RbKeyCard *self)
{
  json_t *value = json_object ();
  g_autofree char *pem = rb_key_public_pem (self->public);
  g_autofree char *words = rb_fingerprint_of (rb_key_public_id (self->public), RB_FINGERPRINT_FULL);
  rb_json_set_string (value, "format", FORMAT);
  rb_json_set_string (value, "name", self->name);
  rb_json_set_string (value, "holder", self->holder);
  set_text (value, "organisation", self->organisation);
  set_text (value, "place", self->place);
  rb_json_set_boolean (value, "online", self->online);
  set_text (value, "where", self->where);
  set_text (value, "token", self->token);
  rb_json_set_string (value, "public", pem);
  rb_json_set_string (value, "key_id", rb_key_public_id (self->public));
  rb_json_set_string (value, "fingerprint", words);
  set_moment (value, "created", self->created);
  set_moment (value, "until", self->until);
  set_moment (value, "retired", self->retired);
  set_moment (value, "since", self->since);
  set_text (value, "reason", self->reason);
  return value;
}

static char *
path_of (const char *folder, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  return g_build_filename (folder, "keys", file, NULL);
}

char *
rb_key_card_private_path (const char *folder, const char *name)
{
  return path_of (folder, name, ".pem");
}

gboolean
rb_key_card_exists (const char *folder, const char *name)
{
  g_autofree char *path = path_of (folder, name, ".json");
  return rb_member_id_is_valid (name) && rb_files_exists (path);
}

RbKeyCard *
rb_key_card_load (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = path_of (folder, name, ".json");
  if (!rb_key_card_check_name (name, error))
    return NULL;
  if (!rb_files_exists (path)) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_NOT_FOUND, "key %s: not in %s/keys", name, folder);
    return NULL;
  }
  g_autoptr (json_t) value = rb_json_load (path, MAX_CARD, error);
  g_autoptr (RbKeyCard) self = value == NULL ? NULL : rb_key_card_parse (value, path, error);
  if (self != NULL && !g_str_equal (self->name, name)) {
    rb_member_refuse (error, path, "it is the card of key %s", self->name);
    return NULL;
  }
  return g_steal_pointer (&self);
}

gboolean
rb_key_card_save (const RbKeyCard *self, const char *folder, GError **error)
{
  g_autofree char *path = path_of (folder, self->name, ".json");
  g_autofree char *keys = g_build_filename (folder, "keys", NULL);
  g_autoptr (json_t) value = rb_key_card_to_json (self);
  g_autofree char *text = rb_json_to_pretty (value);
  return rb_files_make_folder (keys, error) && rb_files_write_private_text (path, text, error);
}

GPtrArray *
rb_key_card_list (const char *folder, GError **error)
{
  g_autofree char *keys = g_build_filename (folder, "keys", NULL);
  g_autoptr (GPtrArray) cards = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_card_free);
  if (!rb_files_is_folder (keys))
    return g_steal_pointer (&cards);
  g_auto (GStrv) names = rb_files_list (keys, error);
  if (names == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++) {
    if (!g_str_has_suffix (names[i], ".json"))
      continue;
    g_autofree char *name = g_strndup (names[i], strlen (names[i]) - strlen (".json"));
    RbKeyCard *card = rb_key_card_load (folder, name, error);
    if (card == NULL)
      return NULL;
    g_ptr_array_add (cards, card);
  }
  return g_steal_pointer (&cards);
}

RbKeyCard *
rb_key_card_of (GPtrArray *cards, RbPublicKey *key)
{
  for (guint i = 0; i < cards->len; i++)
    if (rb_key_public_equal (((RbKeyCard *) cards->pdata[i])->public, key))
      return cards->pdata[i];
  return NULL;
}

gboolean
rb_key_card_write_private (const char *folder, const char *name, RbPrivateKey *key, const char *passphrase,
                           GError **error)
{
  g_autofree char *path = rb_key_card_private_path (folder, name);
  g_autofree char *keys = g_path_get_dirname (path);
  char *pem = rb_key_private_pem (key, passphrase);
  gboolean written = rb_files_make_folder (keys, error) && rb_files_write_private_text (path, pem, error);
  rb_secret_free (pem);
  return written;
}

gboolean
rb_key_card_is_at_hand (const RbKeyCard *self, const char *folder)
{
  g_autofree char *path = rb_key_card_private_path (folder, self->name);
  return self->where != NULL || rb_files_exists (path);
}

RbSigner *
rb_key_card_open (const RbKeyCard *self, const char *folder, const char *secret, GError **error)
{
  g_autofree char *path = rb_key_card_private_path (folder, self->name);
  if (self->retired != 0) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_KEY_RETIRED, "key %s: retired, %s", self->name,
                    self->reason == NULL ? "no reason is given" : self->reason);
    return NULL;
  }
  return rb_signer_open (self->where == NULL ? path : self->where, secret, self->public, error);
}

char *
rb_key_card_text (const RbKeyCard *self)
{
  g_autofree char *label = rb_fingerprint_of (rb_key_public_id (self->public), RB_FINGERPRINT_LABEL);
  return self->token == NULL ? g_strdup_printf ("%s (key %s, %s)", self->holder, self->name, label)
                             : g_strdup_printf ("%s (token “%s”, %s)", self->holder, self->token, label);
}
