/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/root-change.h"

#include "core/json.h"

#include <string.h>

static RbRolePlan *
copy_plan (const RbRolePlan *plan, const char *oem, GError **error)
{
  g_autoptr (json_t) value = rb_role_plan_to_json (plan);
  return rb_role_plan_load (plan->name, value, oem, error);
}

/* Takes away the key of that name; FALSE: it is not there. */
static gboolean
remove_key (RbRolePlan *plan, const char *name)
{
  for (guint i = 0; i < plan->cards->len; i++)
    if (strcmp (((RbKeyCard *) plan->cards->pdata[i])->name, name) == 0) {
      g_ptr_array_remove_index (plan->cards, i);
      return TRUE;
    }
  return FALSE;
}

static gboolean
revoke_key (GPtrArray *plans, const char *name, GError **error)
{
  guint n = 0;
  for (guint i = 0; i < plans->len; i++)
    n += remove_key (plans->pdata[i], name);
  return n > 0
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_NOT_FOUND, "--revoke %s: no role has this key", name);
}

static gboolean
add_key (GPtrArray *plans, const char *oem, const char *name, GError **error)
{
  RbKeyCard *card = rb_key_card_load (oem, name, error);
  if (card != NULL)
    g_ptr_array_add (rb_role_plan_find (plans, "root")->cards, card);
  return card != NULL;
}

static gboolean
replace (GPtrArray *plans, const char *oem, const char *text, GError **error)
{
  RbRolePlan *plan = rb_role_plan_parse (text, oem, error);
  RbRolePlan *before = plan == NULL ? NULL : rb_role_plan_find (plans, plan->name);
  if (plan != NULL && before == NULL) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--role %s: a root has no such role", plan->name);
    rb_role_plan_free (plan);
    return FALSE;
  }
  if (plan == NULL)
    return FALSE;
  g_ptr_array_remove (plans, before);
  g_ptr_array_add (plans, plan);
  return TRUE;
}

static gboolean
same_keys (const RbRolePlan *one, const RbRolePlan *other)
{
  for (guint i = 0; i < one->cards->len; i++)
    if (rb_key_card_of (other->cards, ((RbKeyCard *) one->cards->pdata[i])->public) == NULL)
      return FALSE;
  return one->cards->len == other->cards->len;
}

/* Clients drop what these keys signed only where both change. */
static gboolean
check_together (GPtrArray *before, GPtrArray *after, GError **error)
{
  gboolean timestamp = same_keys (rb_role_plan_find (before, "timestamp"), rb_role_plan_find (after, "timestamp"));
  gboolean snapshot = same_keys (rb_role_plan_find (before, "snapshot"), rb_role_plan_find (after, "snapshot"));
  return timestamp == snapshot
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_POLICY,
                            "%s keys change and %s keys stay: both are replaced in one root",
                            timestamp ? "snapshot" : "timestamp", timestamp ? "timestamp" : "snapshot");
}

static gboolean
check_old_threshold (const RbAuthoring *authoring, GError **error)
{
  const RbRolePlan *root = rb_role_plan_find (authoring->roles, "root");
  guint left = 0;
  for (guint i = 0; i < root->cards->len; i++)
    left += ((RbKeyCard *) root->cards->pdata[i])->retired == 0;
  return left >= root->threshold
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_THRESHOLD_UNMET,
                            "%s root: %u of %u keys are not retired, its threshold is %u: the chain ends here, a new "
                            "anchor goes through the Service repository",
                            authoring->kind, left, root->cards->len, root->threshold);
}

GPtrArray *
rb_root_change_apply (const RbAuthoring *authoring, const RbRootChange *change, GError **error)
{
  g_autoptr (GPtrArray) plans = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_role_plan_free);
  if (!check_old_threshold (authoring, error))
    return NULL;
  for (guint i = 0; i < authoring->roles->len; i++) {
    RbRolePlan *plan = copy_plan (authoring->roles->pdata[i], authoring->oem, error);
    if (plan == NULL)
      return NULL;
    g_ptr_array_add (plans, plan);
  }
  for (guint i = 0; change->revoke != NULL && change->revoke[i] != NULL; i++)
    if (!revoke_key (plans, change->revoke[i], error))
      return NULL;
  for (guint i = 0; change->roles != NULL && change->roles[i] != NULL; i++)
    if (!replace (plans, authoring->oem, change->roles[i], error))
      return NULL;
  for (guint i = 0; change->add != NULL && change->add[i] != NULL; i++)
    if (!add_key (plans, authoring->oem, change->add[i], error))
      return NULL;
  if (!check_together (authoring->roles, plans, error) || !rb_role_plan_check_all (plans, error))
    return NULL;
  return g_steal_pointer (&plans);
}
