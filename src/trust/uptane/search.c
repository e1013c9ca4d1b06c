/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/search.h"

#include "core/json.h"
#include "uptane/delegation.h"

#define MAX_ALL 65536

#define deny(error, reason, ...) rb_reason_deny (error, RB_UPTANE_ERROR, reason, __VA_ARGS__)

typedef struct {
  const char *path; /* NULL: everything is loaded, nothing looked up */
  const char *hardware_id;
  const RbPolicy *policy;
  RbSearchLoadFunc load;
  gpointer data;
  GHashTable *visited; /* places, or roles */
  gboolean stopped; /* by a terminating delegation */
  char *role; /* where the search failed or ended */
} Search;

static RbTarget *search_file (Search *self, const RbMetadata *targets, const char *role, GError **error);

char *
rb_search_place (const RbSearchDelegation *self)
{
  return g_strdup_printf ("%s %" G_GSIZE_FORMAT " %" G_GSIZE_FORMAT, self->file->sha256, self->index, self->member);
}

void
rb_search_delegated_free (RbDelegated *self)
{
  g_free (self->place);
  g_free (self->parent);
  g_free (self->role);
  g_free (self->carrier);
  g_free (self->keys);
  g_free (self);
}

/* So that delegations in a circle end. FALSE without error beyond the bound of a search. */
static gboolean
visit (Search *self, const RbSearchDelegation *delegation, GError **error)
{
  gboolean all = self->path == NULL;
  guint max = all ? MAX_ALL : self->policy->max_delegations;
  if (g_hash_table_size (self->visited) >= max)
    return all ? deny (error, RB_REASON_TOO_LARGE, "more than %d delegations", MAX_ALL) : FALSE;
  gboolean by_role = !all && self->policy->visits_role_once;
  return g_hash_table_add (self->visited, by_role ? g_strdup (delegation->role) : rb_search_place (delegation));
}

static RbTarget *
search_role (Search *self, const RbSearchDelegation *delegation, GError **error)
{
  if (!visit (self, delegation, error))
    return NULL;
  g_free (self->role);
  self->role = g_strdup (delegation->role);
  const RbDelegated *delegated = self->load (delegation, self->data, error);
  RbTarget *found = delegated == NULL ? NULL : search_file (self, delegated->metadata, delegated->role, error);
  if (found != NULL && found->carrier == NULL) {
    found->carrier = g_strdup (delegated->carrier);
    found->carrier_keys = g_strdup (delegated->keys);
  }
  return found;
}

static guint
agreeing (GPtrArray *found, const RbTarget *with)
{
  guint n = 0;
  for (guint i = 0; i < found->len; i++)
    n += rb_target_agrees (found->pdata[i], with);
  return n;
}

/* The Standard's multi-role delegation (5.4.4.7, TAP 3): enough roles must say the same; of two such sets the one with
 * the earliest role counts. */
static RbTarget *
search_several (Search *self, const RbSearchDelegation *place, GError **error)
{
  const json_t *roles = json_object_get (place->entry, "roles");
  gsize n = json_array_size (roles);
  gsize needed = (gsize) rb_json_integer_or (place->entry, "min_roles_in_agreement", (gint64) n);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_target_free);
  g_autoptr (GError) failure = NULL;
  for (gsize i = 0; i < n && failure == NULL; i++) {
    const json_t *entry = json_array_get (roles, i);
    const RbSearchDelegation member
      = { place->file, place->parent, rb_json_string_or (entry, "name", ""), entry, place->index, i };
    RbTarget *said = search_role (self, &member, &failure);
    if (said != NULL)
      g_ptr_array_add (found, said);
    self->stopped = FALSE;
  }
  for (guint i = 0; i < found->len && failure == NULL; i++)
    if (agreeing (found, found->pdata[i]) >= needed)
      return rb_target_copy (found->pdata[i]);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (found->len > 0)
    deny (error, RB_REASON_TARGET_MISMATCH, "too few of the roles that must agree say the same");
  return NULL;
}

static RbTarget *
search_delegation (Search *self, const RbSearchDelegation *delegation, GError **error)
{
  gboolean several = (self->path == NULL || self->policy->several_roles)
                     && json_is_array (json_object_get (delegation->entry, "roles"));
  RbTarget *found = several ? search_several (self, delegation, error) : search_role (self, delegation, error);
  self->stopped = self->path != NULL && (self->stopped || rb_json_boolean_or (delegation->entry, "terminating", FALSE));
  return found;
}

/* Bins are terminating delegations. */
static RbTarget *
search_bin (Search *self, const RbMetadata *targets, const char *parent, const json_t *succinct, guint64 bin,
            GError **error)
{
  g_autofree char *role = rb_delegation_bin_name (succinct, bin);
  const RbSearchDelegation delegation = { targets, parent, role, succinct, (gsize) bin, 0 };
  self->stopped = self->path != NULL;
  return search_role (self, &delegation, error);
}

static RbTarget *
search_bins (Search *self, const RbMetadata *targets, const char *parent, const json_t *succinct, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (self->path != NULL)
    return search_bin (self, targets, parent, succinct, rb_delegation_bin (succinct, self->path), error);
  for (guint64 bin = 0; bin < rb_delegation_n_bins (succinct) && failure == NULL; bin++)
    search_bin (self, targets, parent, succinct, bin, &failure);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

static RbTarget *
search_list (Search *self, const RbMetadata *targets, const char *parent, const json_t *list, GError **error)
{
  g_autoptr (GError) failure = NULL;
  RbTarget *found = NULL;
  for (gsize i = 0; i < json_array_size (list) && !self->stopped && found == NULL && failure == NULL; i++) {
    const json_t *entry = json_array_get (list, i);
    const RbSearchDelegation delegation = { targets, parent, rb_json_string_or (entry, "name", ""), entry, i, 0 };
    if (self->path == NULL || rb_delegation_matches (entry, self->path, self->hardware_id))
      found = search_delegation (self, &delegation, &failure);
  }
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return found;
}

static RbTarget *
search_file (Search *self, const RbMetadata *targets, const char *role, GError **error)
{
  const json_t *entry = self->path == NULL ? NULL : rb_metadata_entry (targets, self->path);
  const json_t *delegations = json_object_get (targets->signed_part, "delegations");
  const json_t *succinct = json_object_get (delegations, "succinct_roles");
  if (entry != NULL)
    return rb_target_from_json (self->path, entry, error);
  return succinct != NULL ? search_bins (self, targets, role, succinct, error)
                          : search_list (self, targets, role, json_object_get (delegations, "roles"), error);
}

static RbTarget *
search (Search *self, const RbMetadata *targets, char **role, GError **error)
{
  g_autoptr (GHashTable) visited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->visited = visited;
  self->role = g_strdup ("targets");
  RbTarget *found = search_file (self, targets, "targets", error);
  *role = self->role;
  return found;
}

RbTarget *
rb_search_target (const RbMetadata *targets, const char *path, const char *hardware_id, const RbPolicy *policy,
                  RbSearchLoadFunc load, gpointer data, char **role, GError **error)
{
  Search self = { .path = path, .hardware_id = hardware_id, .policy = policy, .load = load, .data = data };
  return search (&self, targets, role, error);
}

gboolean
rb_search_all (const RbMetadata *targets, RbSearchLoadFunc load, gpointer data, char **role, GError **error)
{
  Search self = { .load = load, .data = data };
  GError *failure = NULL;
  RbTarget *none = search (&self, targets, role, &failure);
  g_assert (none == NULL);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}
