/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/policy-rules.h"

#include "core/json.h"
#include "model/member.h"
#include "uptane/form.h"

#include <string.h>

#define MAX_NUMBER 36500

static const RbPolicyRule rules[] = {
  { "director", "root", 5, 8, 366, TRUE },     { "director", "timestamp", 1, 1, 1, FALSE },
  { "director", "snapshot", 1, 1, 1, FALSE },  { "director", "targets", 1, 1, 1, FALSE },
  { "image", "root", 5, 8, 366, TRUE },        { "image", "timestamp", 1, 2, 60, FALSE },
  { "image", "snapshot", 1, 2, 60, FALSE },    { "image", "targets", 3, 4, 366, TRUE },
  { "image", "*", 1, 2, 366, TRUE },           { "service", "root", 5, 8, 366, TRUE },
  { "service", "timestamp", 1, 2, 30, FALSE }, { "service", "snapshot", 1, 2, 30, FALSE },
  { "service", "targets", 3, 5, 366, TRUE },
};

static gboolean
check_rule (const json_t *rule, GError **error)
{
  static const char *const members[] = { "threshold", "keys", "days" };
  static const char *const kinds[] = { "director", "image", "service" };
  guint kind;
  gint64 number;
  gboolean offline;
  if (!rb_json_only (rule, "policy", error, "kind", "role", "threshold", "keys", "days", "offline", NULL)
      || !rb_member_choice (rule, "kind", kinds, G_N_ELEMENTS (kinds), &kind, "policy", error)
      || rb_json_string (rule, "role", "policy", error) == NULL
      || !rb_json_boolean (rule, "offline", &offline, "policy", error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (!rb_json_integer (rule, members[i], 1, MAX_NUMBER, &number, "policy", error))
      return FALSE;
  return TRUE;
}

gboolean
rb_policy_rules_check_form (const json_t *policy, GError **error)
{
  if (policy == NULL)
    return TRUE;
  json_t *list
    = rb_json_only (policy, "policy", error, "rules", NULL) ? rb_json_array (policy, "rules", "policy", error) : NULL;
  for (gsize i = 0; list != NULL && i < json_array_size (list); i++)
    if (!check_rule (json_array_get (list, i), error))
      return FALSE;
  return list != NULL;
}

static gboolean
is_for (const char *kind, const char *role, const char *rule_kind, const char *rule_role)
{
  const char *wanted = rb_form_is_top_level (role) ? role : "*";
  return strcmp (kind, rule_kind) == 0 && strcmp (wanted, rule_role) == 0;
}

gboolean
rb_policy_rules_find (const json_t *policy, const char *kind, const char *role, RbPolicyRule *rule)
{
  size_t i;
  json_t *own;
  *rule = (RbPolicyRule){ NULL, NULL, 1, 1, 366, TRUE };
  json_array_foreach (json_object_get (policy, "rules"), i, own)
    if (is_for (kind, role, rb_json_string_or (own, "kind", ""), rb_json_string_or (own, "role", ""))) {
      rule->threshold = rb_json_integer_or (own, "threshold", 1);
      rule->keys = rb_json_integer_or (own, "keys", 1);
      rule->days = rb_json_integer_or (own, "days", 1);
      rule->offline = rb_json_boolean_or (own, "offline", TRUE);
      return TRUE;
    }
  for (guint j = 0; j < G_N_ELEMENTS (rules); j++)
    if (is_for (kind, role, rules[j].kind, rules[j].role)) {
      *rule = rules[j];
      return TRUE;
    }
  return FALSE;
}

static guint
count_online (const RbRolePlan *plan)
{
  guint n = 0;
  for (guint i = 0; i < plan->cards->len; i++)
    n += ((RbKeyCard *) plan->cards->pdata[i])->online;
  return n;
}

gboolean
rb_policy_rules_check_plans (const json_t *policy, const char *kind, GPtrArray *plans, GError **error)
{
  g_autoptr (GString) found = g_string_new (NULL);
  for (guint i = 0; i < plans->len; i++) {
    const RbRolePlan *plan = plans->pdata[i];
    RbPolicyRule rule;
    rb_policy_rules_find (policy, kind, plan->name, &rule);
    guint online = count_online (plan);
    if ((gint64) plan->threshold < rule.threshold || (gint64) plan->cards->len < rule.keys)
      g_string_append_printf (found, "%s %s: %u of %u keys, at least %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT "\n",
                              kind, plan->name, plan->threshold, plan->cards->len, rule.threshold, rule.keys);
    if (rule.offline && online > 0)
      g_string_append_printf (found, "%s %s: %u keys are online, none may be\n", kind, plan->name, online);
  }
  if (found->len == 0)
    return TRUE;
  g_string_truncate (found, found->len - 1);
  return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_POLICY, "%s", found->str);
}
