/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/delegation-change.h"

#include "core/json.h"
#include "model/member.h"
#include "uptane/form.h"

#include <string.h>

static gboolean
delegation_change_error (GError **error, RbReason reason, const char *name, const char *text)
{
  return rb_reason_deny (error, RB_AUTHORITY_ERROR, reason, "delegation %s: %s", name, text);
}

static json_t *
strings (const char *const *list)
{
  json_t *array = json_array ();
  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    json_array_append_new (array, json_string (list[i]));
  return array;
}

/* Keys that no other role of the repository has. */
static RbRolePlan *
read_plan (const RbAuthoring *self, const char *name, const char *role, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s=%s", name, role);
  g_autoptr (RbRolePlan) plan = rb_role_plan_parse (text, self->oem, error);
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_role_plan_free);
  if (plan == NULL)
    return NULL;
  for (guint i = 0; i < self->roles->len; i++) {
    const RbRolePlan *top = self->roles->pdata[i];
    g_ptr_array_add (others, rb_authoring_plan (self, top->name, error));
  }
  for (gsize i = 0; i < json_array_size (self->delegations); i++) {
    const json_t *one = json_array_get (self->delegations, i);
    if (strcmp (rb_json_string_or (one, "name", ""), name) != 0)
      g_ptr_array_add (others, rb_authoring_delegation_plan (self, one, error));
  }
  for (guint i = 0; i < others->len; i++)
    if (others->pdata[i] == NULL || !rb_role_plan_check_apart (others->pdata[i], plan, error))
      return NULL;
  return g_steal_pointer (&plan);
}

static gboolean
set_keys (const RbAuthoring *self, json_t *delegation, const char *name, const char *role, GError **error)
{
  g_autoptr (RbRolePlan) plan = read_plan (self, name, role, error);
  g_autoptr (json_t) value = plan == NULL ? NULL : rb_role_plan_to_json (plan);
  if (value == NULL)
    return FALSE;
  json_object_update (delegation, value);
  return TRUE;
}

gboolean
rb_delegation_change_add (RbAuthoring *self, const char *name, const char *role, const char *const *paths,
                          const char *const *hardware_ids, GError **error)
{
  if (strcmp (self->kind, "image") != 0)
    return delegation_change_error (error, RB_REASON_USAGE, name, "only an Image repository delegates");
  if (!rb_member_id_is_valid (name) || rb_form_is_top_level (name))
    return delegation_change_error (error, RB_REASON_USAGE, name, "not a name for a delegation");
  if (role == NULL || paths == NULL)
    return delegation_change_error (error, RB_REASON_USAGE, name, "--role and --paths are expected");
  if (rb_authoring_delegation (self, name) != NULL)
    return delegation_change_error (error, RB_REASON_EXISTS, name, "it is there");
  g_autoptr (json_t) delegation = json_pack ("{s:s,s:o,s:o,s:{}}", "name", name, "paths", strings (paths),
                                             "hardware_ids", strings (hardware_ids), "targets");
  if (!set_keys (self, delegation, name, role, error))
    return FALSE;
  json_array_append (self->delegations, delegation);
  return TRUE;
}

gboolean
rb_delegation_change_revoke (RbAuthoring *self, const char *name, GError **error)
{
  for (gsize i = 0; i < json_array_size (self->delegations); i++)
    if (strcmp (rb_json_string_or (json_array_get (self->delegations, i), "name", ""), name) == 0) {
      json_array_remove (self->delegations, i);
      return TRUE;
    }
  return delegation_change_error (error, RB_REASON_NOT_FOUND, name, "it is not there");
}

gboolean
rb_delegation_change_replace (RbAuthoring *self, const char *name, const char *role, const char *const *paths,
                              const char *const *hardware_ids, GError **error)
{
  json_t *delegation = rb_authoring_delegation (self, name);
  if (delegation == NULL)
    return delegation_change_error (error, RB_REASON_NOT_FOUND, name, "it is not there");
  if (role == NULL)
    return delegation_change_error (error, RB_REASON_USAGE, name, "--role THRESHOLD:KEY is expected");
  if (paths != NULL)
    rb_json_set (delegation, "paths", strings (paths));
  if (hardware_ids != NULL)
    rb_json_set (delegation, "hardware_ids", strings (hardware_ids));
  return set_keys (self, delegation, name, role, error);
}
