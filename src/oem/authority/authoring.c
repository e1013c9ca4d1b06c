/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/authoring.h"

#include "core/files.h"
#include "core/json.h"
#include "model/member.h"

#include <string.h>

#define FORMAT "recallbay-authoring-1"
#define MAX_FILE (256 * 1024 * 1024)

static const char *const role_names[] = { "root", "timestamp", "snapshot", "targets" };

gboolean
rb_authoring_check_kind (const char *kind, GError **error)
{
  if (strcmp (kind, "director") == 0 || strcmp (kind, "image") == 0 || strcmp (kind, "service") == 0)
    return TRUE;
  return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "%s: director, image or service is expected",
                         kind);
}

static RbAuthoring *
authoring_new (const char *oem, const char *kind)
{
  RbAuthoring *self = g_new0 (RbAuthoring, 1);
  self->kind = g_strdup (kind);
  self->dialect = strcmp (kind, "service") == 0 ? RB_DIALECT_TUF : RB_DIALECT_UPTANE;
  self->oem = g_strdup (oem);
  return self;
}

void
rb_authoring_free (RbAuthoring *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->roles, g_ptr_array_unref);
  json_decref (self->targets);
  json_decref (self->delegations);
  json_decref (self->vehicles);
  json_decref (self->versions);
  json_decref (self->drafts);
  json_decref (self->overrides);
  g_free (self->kind);
  g_free (self->oem);
  g_free (self);
}

static char *
path_of (const char *oem, const char *kind)
{
  g_autofree char *file = g_strconcat (kind, ".json", NULL);
  return g_build_filename (oem, "authoring", file, NULL);
}

RbAuthoring *
rb_authoring_init (const char *oem, const char *kind, GPtrArray *roles, GError **error)
{
  g_autoptr (RbAuthoring) self = authoring_new (oem, kind);
  g_autofree char *path = path_of (oem, kind);
  self->roles = roles;
  for (guint i = 0; i < G_N_ELEMENTS (role_names); i++)
    if (rb_role_plan_find (roles, role_names[i]) == NULL) {
      rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--role %s=THRESHOLD:KEY is missing", role_names[i]);
      return NULL;
    }
  if (roles->len != G_N_ELEMENTS (role_names)) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE,
                    "--role: root, timestamp, snapshot and targets are expected, each once");
    return NULL;
  }
  if (rb_files_exists (path)) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_EXISTS, "%s: the repository is there", kind);
    return NULL;
  }
  self->targets = json_object ();
  self->delegations = json_array ();
  self->vehicles = json_object ();
  self->versions = json_object ();
  self->drafts = json_object ();
  self->overrides = json_array ();
  return g_steal_pointer (&self);
}

static gboolean
load_roles (RbAuthoring *self, const json_t *value, GError **error)
{
  json_t *roles = rb_json_object (value, "roles", self->kind, error);
  self->roles = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_role_plan_free);
  for (guint i = 0; roles != NULL && i < G_N_ELEMENTS (role_names); i++) {
    json_t *one = rb_json_object (roles, role_names[i], self->kind, error);
    RbRolePlan *plan = one == NULL ? NULL : rb_role_plan_load (role_names[i], one, self->oem, error);
    if (plan == NULL)
      return FALSE;
    g_ptr_array_add (self->roles, plan);
  }
  return roles != NULL;
}

static gboolean
take (const json_t *value, const char *member, gboolean array, json_t **out, GError **error)
{
  json_t *found
    = array ? rb_json_array (value, member, "authoring", error) : rb_json_object (value, member, "authoring", error);
  *out = found == NULL ? NULL : json_incref (found);
  return found != NULL;
}

RbAuthoring *
rb_authoring_load (const char *oem, const char *kind, GError **error)
{
  g_autofree char *path = path_of (oem, kind);
  g_autoptr (RbAuthoring) self = authoring_new (oem, kind);
  if (!rb_files_exists (path)) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_NOT_FOUND, "%s: the repository is not there; see repo init",
                    kind);
    return NULL;
  }
  g_autoptr (json_t) value = rb_json_load (path, MAX_FILE, error);
  if (value == NULL || !rb_member_format (value, FORMAT, path, error) || !load_roles (self, value, error)
      || !take (value, "targets", FALSE, &self->targets, error)
      || !take (value, "delegations", TRUE, &self->delegations, error)
      || !take (value, "vehicles", FALSE, &self->vehicles, error)
      || !take (value, "versions", FALSE, &self->versions, error)
      || !take (value, "drafts", FALSE, &self->drafts, error)
      || !take (value, "overrides", TRUE, &self->overrides, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
rb_authoring_save (const RbAuthoring *self, GError **error)
{
  g_autofree char *path = path_of (self->oem, self->kind);
  g_autofree char *parent = g_path_get_dirname (path);
  json_t *roles = json_object ();
  for (guint i = 0; i < self->roles->len; i++) {
    const RbRolePlan *plan = self->roles->pdata[i];
    rb_json_set (roles, plan->name, rb_role_plan_to_json (plan));
  }
  g_autoptr (json_t) value
    = json_pack ("{s:s,s:s,s:o,s:O,s:O,s:O,s:O,s:O,s:O}", "format", FORMAT, "kind", self->kind, "roles", roles,
                 "targets", self->targets, "delegations", self->delegations, "vehicles", self->vehicles, "versions",
                 self->versions, "drafts", self->drafts, "overrides", self->overrides);
  g_autofree char *text = rb_json_to_pretty (value);
  return rb_files_make_folder (parent, error) && rb_files_write_private_text (path, text, error);
}

gint64
rb_authoring_next_version (RbAuthoring *self, const char *name)
{
  gint64 version = rb_json_integer_or (self->versions, name, 0) + 1;
  rb_json_set_integer (self->versions, name, version);
  return version;
}

json_t *
rb_authoring_delegation (const RbAuthoring *self, const char *name)
{
  size_t i;
  json_t *one;
  json_array_foreach (self->delegations, i, one)
    if (strcmp (rb_json_string_or (one, "name", ""), name) == 0)
      return one;
  return NULL;
}

RbRolePlan *
rb_authoring_delegation_plan (const RbAuthoring *self, const json_t *delegation, GError **error)
{
  return rb_role_plan_load (rb_json_string_or (delegation, "name", ""), delegation, self->oem, error);
}

RbRolePlan *
rb_authoring_plan (const RbAuthoring *self, const char *role, GError **error)
{
  const RbRolePlan *top = rb_role_plan_find (self->roles, role);
  const json_t *delegation = rb_authoring_delegation (self, role);
  g_autoptr (json_t) value = top == NULL ? NULL : rb_role_plan_to_json (top);
  if (value != NULL)
    return rb_role_plan_load (role, value, self->oem, error);
  if (delegation != NULL)
    return rb_authoring_delegation_plan (self, delegation, error);
  rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_NOT_FOUND, "%s: no role %s", self->kind, role);
  return NULL;
}

json_t *
rb_authoring_root_part (const RbAuthoring *self, GPtrArray *roles, gint64 version, gint64 expires)
{
  RbAuthorRole list[G_N_ELEMENTS (role_names)];
  for (guint i = 0; i < G_N_ELEMENTS (role_names); i++) {
    const RbRolePlan *plan = rb_role_plan_find (roles, role_names[i]);
    list[i] = (RbAuthorRole){ plan->name, rb_role_plan_keys (plan), plan->threshold };
  }
  json_t *part = rb_author_root (self->dialect, version, expires, list, G_N_ELEMENTS (role_names));
  for (guint i = 0; i < G_N_ELEMENTS (role_names); i++)
    g_ptr_array_unref (list[i].keys);
  return part;
}

/* An array of strings as a GStrv; NULL for an empty one. (transfer full) */
static GStrv
strings (const json_t *list)
{
  size_t i;
  json_t *one;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  json_array_foreach (list, i, one)
    g_strv_builder_add (builder, json_string_value (one) == NULL ? "" : json_string_value (one));
  return json_array_size (list) == 0 ? NULL : g_strv_builder_end (builder);
}

static void
delegation_clear (gpointer data)
{
  RbAuthorDelegation *self = data;
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  g_strfreev (self->paths);
  g_strfreev (self->hardware_ids);
}

json_t *
rb_authoring_targets_part (const RbAuthoring *self, const char *role, gint64 version, gint64 expires, GError **error)
{
  gboolean top = strcmp (role, "targets") == 0;
  gsize n = top ? json_array_size (self->delegations) : 0;
  g_autoptr (GArray) list = g_array_new (FALSE, TRUE, sizeof (RbAuthorDelegation));
  g_autoptr (GPtrArray) plans = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_role_plan_free);
  json_t *targets = top ? self->targets : json_object_get (rb_authoring_delegation (self, role), "targets");
  g_array_set_clear_func (list, delegation_clear);
  for (gsize i = 0; i < n; i++) {
    const json_t *from = json_array_get (self->delegations, i);
    RbRolePlan *plan = rb_authoring_delegation_plan (self, from, error);
    if (plan == NULL)
      return NULL;
    g_ptr_array_add (plans, plan);
    RbAuthorDelegation one = { .name = plan->name,
                               .keys = rb_role_plan_keys (plan),
                               .threshold = plan->threshold,
                               .paths = strings (json_object_get (from, "paths")),
                               .hardware_ids = strings (json_object_get (from, "hardware_ids")) };
    g_array_append_val (list, one);
  }
  return rb_author_targets (self->dialect, version, expires, targets, (const RbAuthorDelegation *) (void *) list->data,
                            list->len, NULL);
}
