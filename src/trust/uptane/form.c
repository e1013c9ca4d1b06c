/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/form.h"

#include "core/json.h"

#include <string.h>

#define MAX_THRESHOLD 1000
#define MAX_BITS 32

#define malformed(error, ...) rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, __VA_ARGS__)

static const char *const top_level[] = { "root", "timestamp", "snapshot", "targets", NULL };

gboolean
rb_form_is_top_level (const char *role)
{
  return g_strv_contains (top_level, role);
}

gboolean
rb_form_check_strings (const json_t *object, const char *member, const char *what, GError **error)
{
  const json_t *list = json_object_get (object, member);
  if (list == NULL)
    return TRUE;
  if (!json_is_array (list))
    return malformed (error, "%s: member “%s” is not an array", what, member);
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!json_is_string (json_array_get (list, i)))
      return malformed (error, "%s: member “%s” holds something else than strings", what, member);
  return TRUE;
}

static gboolean
check_boolean (const json_t *object, const char *member, const char *what, GError **error)
{
  const json_t *value = json_object_get (object, member);
  return value == NULL || json_is_boolean (value)
         || malformed (error, "%s: member “%s” is not true or false", what, member);
}

/* {"keyids","threshold"} */
static gboolean
check_role (const json_t *role, const char *what, GError **error)
{
  gint64 threshold = 0;
  if (!json_is_object (role))
    return malformed (error, "%s: the role is not an object", what);
  if (!rb_json_integer (role, "threshold", G_MININT64, G_MAXINT64, &threshold, what, error)
      || rb_json_array (role, "keyids", what, error) == NULL || !rb_form_check_strings (role, "keyids", what, error))
    return FALSE;
  return (threshold >= 1 && threshold <= MAX_THRESHOLD)
         || rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_ILLEGAL_THRESHOLD,
                            "%s: threshold %" G_GINT64_FORMAT " is not within 1…%d", what, threshold, MAX_THRESHOLD);
}

/* Unknown roles bind no client, and their form is not checked. */
gboolean
rb_form_check_root (const json_t *part, GError **error)
{
  const json_t *roles = rb_json_object (part, "roles", "root", error);
  if (roles == NULL || rb_json_object (part, "keys", "root", error) == NULL
      || !check_boolean (part, "consistent_snapshot", "root", error))
    return FALSE;
  for (guint i = 0; top_level[i] != NULL; i++) {
    const json_t *role = json_object_get (roles, top_level[i]);
    if (role != NULL && !check_role (role, "root", error))
      return FALSE;
  }
  return TRUE;
}

/* A role by its name, which occurs once. */
static gboolean
check_named_role (const json_t *role, GHashTable *names, GError **error)
{
  const char *name = rb_json_string (role, "name", "targets", error);
  if (name == NULL)
    return FALSE;
  if (name[0] == '\0' || rb_form_is_top_level (name))
    return malformed (error, "targets: a delegated role cannot have the name “%s”", name);
  if (!g_hash_table_add (names, (gpointer) name))
    return malformed (error, "targets: role “%s” is listed twice", name);
  return check_role (role, "targets", error);
}

/* Which paths and hardware a delegation speaks for. */
static gboolean
check_bounds (const json_t *delegation, GError **error)
{
  if (json_object_get (delegation, "paths") != NULL && json_object_get (delegation, "path_hash_prefixes") != NULL)
    return malformed (error, "targets: a delegation has both paths and path_hash_prefixes");
  return rb_form_check_strings (delegation, "paths", "targets", error)
         && rb_form_check_strings (delegation, "path_hash_prefixes", "targets", error)
         && rb_form_check_strings (delegation, "hardwareIds", "targets", error)
         && check_boolean (delegation, "terminating", "targets", error);
}

/* A multi-role delegation (TAP 3) lists roles of its own, each with keys and threshold. */
static gboolean
check_several (const json_t *delegation, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  const json_t *roles = rb_json_array (delegation, "roles", "targets", error);
  gint64 needed = 0;
  if (roles == NULL)
    return FALSE;
  if (json_object_get (delegation, "min_roles_in_agreement") != NULL
      && !rb_json_integer (delegation, "min_roles_in_agreement", 1, (gint64) json_array_size (roles), &needed,
                           "targets", error))
    return FALSE;
  for (gsize i = 0; i < json_array_size (roles); i++)
    if (!check_named_role (json_array_get (roles, i), names, error))
      return FALSE;
  return json_array_size (roles) > 0 || malformed (error, "targets: a delegation to several roles lists none");
}

static gboolean
check_delegation (const json_t *delegation, GHashTable *names, GError **error)
{
  if (!json_is_object (delegation))
    return malformed (error, "targets: a delegation is not an object");
  gboolean several = json_object_get (delegation, "roles") != NULL;
  return check_bounds (delegation, error)
         && (several ? check_several (delegation, error) : check_named_role (delegation, names, error));
}

static gboolean
check_succinct (const json_t *succinct, GError **error)
{
  gint64 bits = 0;
  return check_role (succinct, "targets", error) && rb_json_string (succinct, "name_prefix", "targets", error) != NULL
         && rb_json_integer (succinct, "bit_length", 1, MAX_BITS, &bits, "targets", error);
}

static gboolean
check_delegations (const json_t *delegations, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  const json_t *succinct = json_object_get (delegations, "succinct_roles");
  const json_t *roles = json_object_get (delegations, "roles");
  if (!json_is_object (delegations))
    return malformed (error, "targets: member “delegations” is not an object");
  if (succinct != NULL && roles != NULL)
    return malformed (error, "targets: delegations have both roles and succinct_roles");
  if ((succinct != NULL || json_array_size (roles) > 0)
      && rb_json_object (delegations, "keys", "targets", error) == NULL)
    return FALSE;
  if (succinct != NULL)
    return check_succinct (succinct, error);
  if (roles != NULL && !json_is_array (roles))
    return malformed (error, "targets: member “roles” is not an array");
  for (gsize i = 0; i < json_array_size (roles); i++)
    if (!check_delegation (json_array_get (roles, i), names, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_form_check_targets (const json_t *part, GError **error)
{
  const json_t *delegations = json_object_get (part, "delegations");
  return rb_json_object (part, "targets", "targets", error) != NULL
         && (delegations == NULL || json_is_null (delegations) || check_delegations (delegations, error));
}

static gboolean
is_illegal (const json_t *role)
{
  g_autoptr (GError) error = NULL;
  return !check_role (role, "", &error) && rb_reason_of (error) == RB_REASON_ILLEGAL_THRESHOLD;
}

static const char *
illegal_delegation (const json_t *roles)
{
  const char *found = NULL;
  for (gsize i = 0; i < json_array_size (roles) && found == NULL; i++) {
    const json_t *role = json_array_get (roles, i);
    const json_t *several = json_object_get (role, "roles");
    if (several != NULL)
      found = illegal_delegation (several);
    else if (is_illegal (role))
      found = rb_json_string_or (role, "name", NULL);
  }
  return found;
}

char *
rb_form_illegal_role (const json_t *part)
{
  const json_t *roles = json_object_get (part, "roles");
  for (guint i = 0; top_level[i] != NULL; i++)
    if (is_illegal (json_object_get (roles, top_level[i])))
      return g_strdup (top_level[i]);
  return g_strdup (illegal_delegation (json_object_get (json_object_get (part, "delegations"), "roles")));
}

/* NULL without error: not listed. */
static const char *
read_hash (const json_t *hashes, const char *name, gsize digits, const char *what, GError **error)
{
  const json_t *value = json_object_get (hashes, name);
  const char *text = json_string_value (value);
  gboolean good = text != NULL && strlen (text) == digits && strspn (text, "0123456789abcdefABCDEF") == digits;
  if (value != NULL && !good)
    malformed (error, "%s: %s is not %" G_GSIZE_FORMAT " hex digits", what, name, digits);
  return good ? text : NULL;
}

gboolean
rb_form_read_hashes (const json_t *hashes, const char *what, const char **sha256, const char **sha512, GError **error)
{
  g_autoptr (GError) failure = NULL;
  *sha256 = read_hash (hashes, "sha256", 64, what, &failure);
  *sha512 = failure != NULL ? NULL : read_hash (hashes, "sha512", 128, what, &failure);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    return TRUE;
  return FALSE;
}
