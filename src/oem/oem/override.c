/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/override.h"

#include "authority/policy-rules.h"
#include "core/json.h"

#include <string.h>

/* Two people, each with a key that is not retired. */
static gboolean
check_approvers (const RbOverride *self, const char *oem, GError **error)
{
  if (self->approved_by == NULL || g_strv_length (self->approved_by) != 2)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE,
                           "--below-policy: --approved-by KEY is expected twice");
  g_autoptr (RbKeyCard) first = rb_key_card_load (oem, self->approved_by[0], error);
  g_autoptr (RbKeyCard) second = first == NULL ? NULL : rb_key_card_load (oem, self->approved_by[1], error);
  if (second == NULL)
    return FALSE;
  if (first->retired != 0 || second->retired != 0)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_KEY_RETIRED, "--approved-by: key %s is retired",
                           first->retired != 0 ? first->name : second->name);
  return strcmp (first->holder, second->holder) != 0
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_SAME_PERSON, "--approved-by: both keys are %s's",
                            first->holder);
}

gboolean
rb_override_check (const RbOverride *self, RbAuthoring *authoring, GPtrArray *roles, const json_t *policy, gint64 now,
                   GError **error)
{
  g_autoptr (GError) below = NULL;
  if (rb_policy_rules_check_plans (policy, authoring->kind, roles, &below))
    return TRUE;
  if (self->text == NULL) {
    g_propagate_error (error, g_steal_pointer (&below));
    return FALSE;
  }
  if (!check_approvers (self, authoring->oem, error))
    return FALSE;
  json_t *note = json_pack ("{s:s,s:s,s:[s,s]}", "reason", self->text, "text", below->message, "approved_by",
                            self->approved_by[0], self->approved_by[1]);
  rb_json_set_moment (note, "at", now);
  json_array_append_new (authoring->overrides, note);
  return TRUE;
}
