/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/online-keys.h"

#include "core/json.h"
#include "keymaker/keygen.h"

#include <string.h>

/* NAME-2, NAME-3, …: the first that is free. (transfer full) */
static char *
next_name (const char *folder, const char *name)
{
  gsize length = strlen (name);
  while (length > 0 && g_ascii_isdigit (name[length - 1]))
    length--;
  gboolean counted = length > 1 && length < strlen (name) && name[length - 1] == '-';
  g_autofree char *stem = g_strndup (name, counted ? length - 1 : strlen (name));
  for (guint i = 2;; i++) {
    g_autofree char *next = g_strdup_printf ("%s-%u", stem, i);
    if (!rb_key_card_exists (folder, next))
      return g_steal_pointer (&next);
  }
}

/* A key of the same holder and kind in a file. */
static RbKeyCard *
renew (const RbKeyCard *old, const char *folder, const char *secret, gint64 now, GError **error)
{
  g_autoptr (json_t) value = rb_key_card_to_json (old);
  g_autoptr (RbKeyCard) card = rb_key_card_parse (value, old->name, error);
  g_autoptr (RbPrivateKey) key = card == NULL ? NULL : rb_keygen_new (rb_key_public_type (old->public), error);
  if (key == NULL)
    return NULL;
  g_free (card->name);
  card->name = next_name (folder, old->name);
  rb_key_public_unref (card->public);
  card->public = rb_key_public_ref (rb_key_private_public (key));
  card->created = now;
  if (!rb_key_card_write_private (folder, card->name, key, secret, error) || !rb_key_card_save (card, folder, error))
    return NULL;
  return g_steal_pointer (&card);
}

static RbRolePlan *
renew_role (const RbRolePlan *old, const RbOnlineKeys *keys, RbPublishing *publishing, GError **error)
{
  const char *folder = publishing->authoring->oem;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "%s=%u:", old->name, old->threshold);
  if (keys->secret == NULL || keys->secret[0] == '\0') {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_PASSPHRASE, "%s: no passphrase for the new keys", old->name);
    return NULL;
  }
  for (guint i = 0; i < old->cards->len; i++) {
    const RbKeyCard *card = old->cards->pdata[i];
    if (card->where != NULL) {
      rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE,
                      "--%s is missing: key %s is not in a file, and none is made for it", old->name, card->name);
      return NULL;
    }
    g_autoptr (RbKeyCard) made = renew (card, folder, keys->secret, publishing->now, error);
    if (made == NULL)
      return NULL;
    g_string_append_printf (text, "%s%s", i == 0 ? "" : ",", made->name);
  }
  return rb_role_plan_parse (text->str, folder, error);
}

/* Of one role: the keys that are named, new ones, or as they were. */
static RbRolePlan *
plan_of (const RbRolePlan *old, const RbOnlineKeys *keys, RbPublishing *publishing, GError **error)
{
  gboolean timestamp = strcmp (old->name, "timestamp") == 0, snapshot = strcmp (old->name, "snapshot") == 0;
  const char *given = timestamp ? keys->timestamp : snapshot ? keys->snapshot : NULL;
  g_autofree char *text = given == NULL ? NULL : g_strdup_printf ("%s=%s", old->name, given);
  if (text != NULL)
    return rb_role_plan_parse (text, publishing->authoring->oem, error);
  return timestamp || snapshot ? renew_role (old, keys, publishing, error)
                               : rb_authoring_plan (publishing->authoring, old->name, error);
}

GPtrArray *
rb_online_keys_rotate (const RbOnlineKeys *self, RbPublishing *publishing, GError **error)
{
  g_autoptr (GPtrArray) roles = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_role_plan_free);
  for (guint i = 0; i < publishing->authoring->roles->len; i++) {
    RbRolePlan *plan = plan_of (publishing->authoring->roles->pdata[i], self, publishing, error);
    if (plan == NULL)
      return NULL;
    g_ptr_array_add (roles, plan);
  }
  g_clear_pointer (&publishing->cards, g_ptr_array_unref);
  publishing->cards = rb_key_card_list (publishing->authoring->oem, error);
  return publishing->cards != NULL && rb_role_plan_check_all (roles, error) ? g_steal_pointer (&roles) : NULL;
}
