/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/role-plan.h"

#include "core/json.h"

#include <string.h>

#define MAX_KEYS 100

static RbRolePlan *
role_plan_new (const char *name, guint threshold)
{
  RbRolePlan *self = g_new0 (RbRolePlan, 1);
  self->name = g_strdup (name);
  self->threshold = threshold;
  self->cards = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_card_free);
  return self;
}

void
rb_role_plan_free (RbRolePlan *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->cards);
  g_free (self->name);
  g_free (self);
}

static gboolean
add_card (RbRolePlan *self, const char *folder, const char *name, GError **error)
{
  RbKeyCard *card = rb_key_card_load (folder, name, error);
  if (card != NULL)
    g_ptr_array_add (self->cards, card);
  return card != NULL;
}

/* Do two keys belong to one person, or are they one? */
static gboolean
check_people (const RbRolePlan *self, GError **error)
{
  for (guint i = 0; i < self->cards->len; i++)
    for (guint j = 0; j < i; j++) {
      const RbKeyCard *one = self->cards->pdata[j], *other = self->cards->pdata[i];
      if (strcmp (one->holder, other->holder) == 0 || rb_key_public_equal (one->public, other->public))
        return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_SAME_PERSON,
                               "role %s: keys %s and %s are both %s's", self->name, one->name, other->name,
                               one->holder);
    }
  return TRUE;
}

gboolean
rb_role_plan_check (const RbRolePlan *self, GError **error)
{
  for (guint i = 0; i < self->cards->len; i++) {
    const RbKeyCard *card = self->cards->pdata[i];
    if (card->retired != 0)
      return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_KEY_RETIRED, "role %s: key %s is retired", self->name,
                             card->name);
  }
  if (self->threshold < 1 || self->threshold > self->cards->len)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_ILLEGAL_THRESHOLD,
                           "role %s: threshold is %u, expected 1 to %u, the number of its keys", self->name,
                           self->threshold, self->cards->len);
  return check_people (self, error);
}

RbRolePlan *
rb_role_plan_parse (const char *text, const char *folder, GError **error)
{
  const char *equals = strchr (text, '='), *colon = equals == NULL ? NULL : strchr (equals, ':');
  char *end = NULL;
  guint64 threshold = equals == NULL ? 0 : g_ascii_strtoull (&equals[1], &end, 10);
  if (colon == NULL || end != colon || end == &equals[1] || threshold > MAX_KEYS || equals == text) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "“%s”: ROLE=THRESHOLD:KEY,KEY is expected", text);
    return NULL;
  }
  g_autofree char *name = g_strndup (text, (gsize) (equals - text));
  g_autoptr (RbRolePlan) self = role_plan_new (name, (guint) threshold);
  g_auto (GStrv) keys = g_strsplit (&colon[1], ",", MAX_KEYS);
  for (guint i = 0; keys[i] != NULL; i++)
    if (!add_card (self, folder, keys[i], error))
      return NULL;
  return rb_role_plan_check (self, error) ? g_steal_pointer (&self) : NULL;
}

json_t *
rb_role_plan_to_json (const RbRolePlan *self)
{
  json_t *names = json_array ();
  for (guint i = 0; i < self->cards->len; i++)
    json_array_append_new (names, json_string (((RbKeyCard *) self->cards->pdata[i])->name));
  return json_pack ("{s:i,s:o}", "threshold", (int) self->threshold, "keys", names);
}

RbRolePlan *
rb_role_plan_load (const char *name, const json_t *value, const char *folder, GError **error)
{
  gint64 threshold = 0;
  json_t *names = rb_json_array (value, "keys", name, error);
  if (names == NULL || !rb_json_integer (value, "threshold", 1, MAX_KEYS, &threshold, name, error))
    return NULL;
  g_autoptr (RbRolePlan) self = role_plan_new (name, (guint) threshold);
  for (gsize i = 0; i < json_array_size (names); i++) {
    const char *key = json_string_value (json_array_get (names, i));
    if (!add_card (self, folder, key == NULL ? "" : key, error))
      return NULL;
  }
  return g_steal_pointer (&self);
}

gboolean
rb_role_plan_check_apart (const RbRolePlan *one, const RbRolePlan *other, GError **error)
{
  for (guint i = 0; i < one->cards->len; i++) {
    const RbKeyCard *card = one->cards->pdata[i], *same = rb_key_card_of (other->cards, card->public);
    if (same != NULL)
      return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_POLICY,
                             "key %s: in the roles %s and %s, one is allowed", card->name, one->name, other->name);
  }
  return TRUE;
}

gboolean
rb_role_plan_check_all (GPtrArray *plans, GError **error)
{
  for (guint i = 0; i < plans->len; i++) {
    if (!rb_role_plan_check (plans->pdata[i], error))
      return FALSE;
    for (guint j = 0; j < i; j++)
      if (!rb_role_plan_check_apart (plans->pdata[j], plans->pdata[i], error))
        return FALSE;
  }
  return TRUE;
}

RbRolePlan *
rb_role_plan_find (GPtrArray *plans, const char *name)
{
  for (guint i = 0; i < plans->len; i++)
    if (strcmp (((RbRolePlan *) plans->pdata[i])->name, name) == 0)
      return plans->pdata[i];
  return NULL;
}

GPtrArray *
rb_role_plan_keys (const RbRolePlan *self)
{
  GPtrArray *keys = g_ptr_array_new ();
  for (guint i = 0; i < self->cards->len; i++)
    g_ptr_array_add (keys, ((RbKeyCard *) self->cards->pdata[i])->public);
  return keys;
}
