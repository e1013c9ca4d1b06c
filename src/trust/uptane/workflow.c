/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/workflow.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "uptane/accepted.h"
#include "uptane/delegation.h"
#include "uptane/listed.h"
#include "uptane/metadata.h"
#include "uptane/vehicle.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_UPTANE_ERROR, reason, __VA_ARGS__)

#define MAX_ROOT 512000
#define MAX_TIMESTAMP 16384
#define MAX_SNAPSHOT 2000000
#define MAX_TARGETS 5000000
#define MAX_ROOTS 256
#define MAX_DELEGATIONS 32
#define MAX_TARGET (G_GUINT64_CONSTANT (8) << 30)

struct _RbWorkflow {
  RbAccepted *accepted;
  RbSource *source;
  RbWorkflowOptions options;
  RbVerdict *verdict;
  GHashTable *trusted; /* role → RbMetadata, verified in this run or in an earlier one */
};

static RbMetadata *
trusted (RbWorkflow *self, const char *role)
{
  return g_hash_table_lookup (self->trusted, role);
}

static void
trust (RbWorkflow *self, const char *role, RbMetadata *metadata)
{
  g_hash_table_insert (self->trusted, g_strdup (role), metadata);
}

static gboolean
refused (RbWorkflow *self, const char *role, GError *failure, GError **error)
{
  g_prefix_error (&failure, "%s: ", role);
  rb_verdict_set (self->verdict, "service", role, failure);
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
is_fresh (RbWorkflow *self, const RbMetadata *metadata, GError **error)
{
  g_autofree char *when = rb_moment_to_text (metadata->expires);
  return self->options.now < metadata->expires
         || deny (error, RB_REASON_EXPIRED, "version %" G_GINT64_FORMAT " expired at %s", metadata->version, when);
}

static gboolean
is_signed_by_root (const RbMetadata *root, RbMetadata *metadata, const char *role, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (RbMetadataRole) keys = rb_metadata_root_role (root, role, &failure);
  if (keys == NULL && failure == NULL)
    return deny (error, RB_REASON_MALFORMED, "the root names no keys for this role");
  if (keys != NULL)
    return rb_metadata_verify (metadata, keys, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
rb_workflow_init (const char *folder, GBytes *root, GError **error)
{
  g_autoptr (RbMetadata) parsed = rb_metadata_parse (root, RB_METADATA_ROOT, MAX_ROOT, error);
  g_autoptr (RbAccepted) accepted = rb_accepted_new (folder, FALSE);
  return parsed != NULL && is_signed_by_root (parsed, parsed, "root", error) && rb_files_make_folder (folder, error)
         && rb_accepted_put (accepted, "root", root, error);
}

static gsize
max_of (const RbWorkflow *self, RbMetadataType type)
{
  const gsize limits[][2] = {
    [RB_METADATA_ROOT] = { self->options.max_root, MAX_ROOT },
    [RB_METADATA_TIMESTAMP] = { self->options.max_timestamp, MAX_TIMESTAMP },
    [RB_METADATA_SNAPSHOT] = { self->options.max_snapshot, MAX_SNAPSHOT },
    [RB_METADATA_TARGETS] = { self->options.max_targets, MAX_TARGETS },
  };
  return limits[type][0] > 0 ? limits[type][0] : limits[type][1];
}

/* What an earlier run stored cannot be used: it is fetched again, as the reference client does, unless it is to be
 * remembered. */
static gboolean
damaged (RbWorkflow *self, const char *role, const GError *failure, GError **error)
{
  g_debug ("stored %s: %s", role, failure->message);
  return !self->options.strict || deny (error, RB_REASON_STORE_DAMAGED, "the stored file: %s", failure->message);
}

/* What an earlier run stored: TRUE with *metadata NULL when nothing is there. */
static gboolean
load (RbWorkflow *self, const char *role, RbMetadataType type, RbMetadata **metadata, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) failure = NULL;
  *metadata = NULL;
  bytes = rb_accepted_get (self->accepted, role, max_of (self, type), &failure);
  if (bytes != NULL)
    *metadata = rb_metadata_parse (bytes, type, max_of (self, type), &failure);
  return failure == NULL || damaged (self, role, failure, error);
}

/* The same of a role that the root names, and whose keys are what they were: forget_changed() has taken the others
 * away. */
static gboolean
load_signed (RbWorkflow *self, const char *role, RbMetadataType type, RbMetadata **metadata, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!load (self, role, type, metadata, error))
    return FALSE;
  if (*metadata == NULL || is_signed_by_root (trusted (self, "root"), *metadata, role, &failure))
    return TRUE;
  g_clear_pointer (metadata, rb_metadata_free);
  return damaged (self, role, failure, error);
}

static RbWorkflow *
new_workflow (RbAccepted *accepted, RbSource *source, const RbWorkflowOptions *options, RbVerdict *verdict)
{
  RbWorkflow *self = g_new0 (RbWorkflow, 1);
  self->accepted = accepted;
  self->source = source;
  self->options = *options;
  self->verdict = verdict;
  self->trusted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_metadata_free);
  return self;
}

/* Takes self; NULL unless its root is there and signed by itself. */
static RbWorkflow *
begin (RbWorkflow *self, GError **error)
{
  GError *failure = NULL;
  g_autoptr (RbMetadata) root = NULL;
  if (load (self, "root", RB_METADATA_ROOT, &root, &failure) && root == NULL)
    deny (&failure, RB_REASON_NO_TRUST_ANCHOR, "the metadata folder holds no usable root.json; begin with init");
  if (failure != NULL || !is_signed_by_root (root, root, "root", &failure)) {
    refused (self, "root", failure, error);
    rb_workflow_free (self);
    return NULL;
  }
  trust (self, "root", g_steal_pointer (&root));
  return self;
}

RbWorkflow *
rb_workflow_new (const char *folder, RbSource *source, const RbWorkflowOptions *options, RbVerdict *verdict,
                 GError **error)
{
  return begin (new_workflow (rb_accepted_new (folder, FALSE), source, options, verdict), error);
}

RbWorkflow *
rb_workflow_new_in_memory (const char *folder, GBytes *root, RbSource *source, const RbWorkflowOptions *options,
                           RbVerdict *verdict, GError **error)
{
  RbAccepted *accepted = rb_accepted_new (folder, TRUE);
  if (!rb_accepted_has (accepted, "root"))
    rb_accepted_hold (accepted, "root", root);
  return begin (new_workflow (accepted, source, options, verdict), error);
}

void
rb_workflow_free (RbWorkflow *self)
{
  g_clear_pointer (&self->trusted, g_hash_table_unref);
  rb_accepted_free (self->accepted);
  g_free (self);
}

static RbMetadata *
fetch (RbWorkflow *self, const char *name, RbMetadataType type, gsize max, GError **error)
{
  g_autoptr (GBytes) bytes = rb_source_fetch (self->source, name, max, error);
  return bytes == NULL ? NULL : rb_metadata_read (bytes, type, max, error);
}

static gboolean
has_other_keys (const RbMetadata *before, const RbMetadata *after, const char *role)
{
  g_autoptr (RbMetadataRole) old_keys = rb_metadata_root_role (before, role, NULL);
  g_autoptr (RbMetadataRole) new_keys = rb_metadata_root_role (after, role, NULL);
  return old_keys == NULL || new_keys == NULL || !rb_metadata_role_same_keys (old_keys, new_keys)
         || new_keys->threshold > old_keys->threshold; /* more must have signed than have */
}

/* §5.3.11, fast-forward recovery: timestamp and snapshot fall together. Targets fall too, stricter than the text. */
static gboolean
forget_changed (RbWorkflow *self, const RbMetadata *before, const RbMetadata *after, GError **error)
{
  gboolean announced = has_other_keys (before, after, "timestamp") || has_other_keys (before, after, "snapshot");
  return (!announced
          || (rb_accepted_drop (self->accepted, "timestamp", error)
              && rb_accepted_drop (self->accepted, "snapshot", error)))
         && (!has_other_keys (before, after, "targets") || rb_accepted_drop (self->accepted, "targets", error));
}

/* §5.3.4–5.3.8 */
static gboolean
accept_root (RbWorkflow *self, RbMetadata *next, GError **error)
{
  const RbMetadata *root = trusted (self, "root");
  if (!is_signed_by_root (root, next, "root", error) || !is_signed_by_root (next, next, "root", error))
    return FALSE;
  if (next->version != root->version + 1)
    return deny (error, RB_REASON_ROOT_VERSION, "version is %" G_GINT64_FORMAT ", after %" G_GINT64_FORMAT,
                 next->version, root->version);
  return forget_changed (self, root, next, error) && rb_accepted_put (self->accepted, "root", next->bytes, error);
}

/* §5.3: TRUE with *done when there is no further root. */
static gboolean
next_root (RbWorkflow *self, gboolean *done, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", trusted (self, "root")->version + 1);
  g_autoptr (RbMetadata) next = fetch (self, name, RB_METADATA_ROOT, max_of (self, RB_METADATA_ROOT), &failure);
  if (next == NULL && rb_reason_of (failure) == RB_REASON_MISSING) {
    *done = TRUE;
    return rb_source_has_no_root_above (self->source, trusted (self, "root")->version + 1, error);
  }
  if (next == NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (!accept_root (self, next, error))
    return FALSE;
  trust (self, "root", g_steal_pointer (&next));
  return TRUE;
}

static gboolean
update_root (RbWorkflow *self, GError **error)
{
  guint limit = self->options.max_roots > 0 ? self->options.max_roots : MAX_ROOTS;
  gboolean done = FALSE;
  for (guint i = 0; i < limit && !done; i++)
    if (!next_root (self, &done, error))
      return FALSE;
  return is_fresh (self, trusted (self, "root"), error);
}

static gboolean
listed_snapshot (const RbMetadata *timestamp, RbListed *listed, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (rb_listed_read (timestamp, "snapshot", listed, &failure))
    return TRUE;
  if (failure == NULL)
    return deny (error, RB_REASON_MALFORMED, "it lists no snapshot");
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* §5.4.3: neither the timestamp nor the snapshot it lists may go back. */
static gboolean
follows (const RbMetadata *before, const RbMetadata *next, GError **error)
{
  RbListed old = { 0 }, new = { 0 };
  if (next->version < before->version)
    return deny (error, RB_REASON_ROLLBACK, "version is %" G_GINT64_FORMAT ", accepted before was %" G_GINT64_FORMAT,
                 next->version, before->version);
  if (!listed_snapshot (before, &old, error) || !listed_snapshot (next, &new, error))
    return FALSE;
  if (new.version < old.version)
    return deny (error, RB_REASON_ROLLBACK,
                 "it lists snapshot %" G_GINT64_FORMAT ", before it listed %" G_GINT64_FORMAT, new.version,
                 old.version);
  return TRUE;
}

/* Of strict: what has the version of the file before is that file, and nothing is older. */
static gboolean
is_successor (RbWorkflow *self, const RbMetadata *before, const RbMetadata *next, GError **error)
{
  if (!self->options.strict || before == NULL || next->version > before->version
      || g_bytes_equal (next->bytes, before->bytes))
    return TRUE;
  if (next->version < before->version)
    return deny (error, RB_REASON_ROLLBACK, "version is %" G_GINT64_FORMAT ", accepted before was %" G_GINT64_FORMAT,
                 next->version, before->version);
  return deny (error, RB_REASON_ROLLBACK, "other bytes were accepted before under the same version %" G_GINT64_FORMAT,
               next->version);
}

static gboolean
update_timestamp (RbWorkflow *self, GError **error)
{
  const RbMetadata *root = trusted (self, "root");
  g_autoptr (RbMetadata) before = NULL;
  if (!load_signed (self, "timestamp", RB_METADATA_TIMESTAMP, &before, error))
    return FALSE;
  g_autoptr (RbMetadata) next
    = fetch (self, "timestamp.json", RB_METADATA_TIMESTAMP, max_of (self, RB_METADATA_TIMESTAMP), error);
  RbListed listed = { 0 };
  if (next == NULL || !is_signed_by_root (root, next, "timestamp", error) || !listed_snapshot (next, &listed, error)
      || !is_successor (self, before, next, error))
    return FALSE;
  if (before != NULL && next->version == before->version) { /* §5.4.3.1: not news, and no error */
    if (!is_fresh (self, before, error))
      return FALSE;
    trust (self, "timestamp", g_steal_pointer (&before));
    return TRUE;
  }
  if ((before != NULL && !follows (before, next, error)) || !is_fresh (self, next, error)
      || !rb_accepted_put (self->accepted, "timestamp", next->bytes, error))
    return FALSE;
  trust (self, "timestamp", g_steal_pointer (&next));
  return TRUE;
}

static gboolean
has_version (const RbMetadata *metadata, const RbListed *listed, GError **error)
{
  return metadata->version == listed->version
         || deny (error, RB_REASON_VERSION_MISMATCH, "version is %" G_GINT64_FORMAT ", listed is %" G_GINT64_FORMAT,
                  metadata->version, listed->version);
}

/* Fetches VERSION.ROLE.json or ROLE.json, bounded by the length that is listed. */
static RbMetadata *
fetch_listed (RbWorkflow *self, const char *role, RbMetadataType type, const RbListed *listed, GError **error)
{
  g_autofree char *plain = rb_accepted_file_name (role);
  g_autofree char *name = rb_workflow_is_consistent (self)
                            ? g_strdup_printf ("%" G_GINT64_FORMAT ".%s", listed->version, plain)
                            : g_strdup (plain);
  gsize own = max_of (self, type), bound = rb_listed_bound (listed, own, FALSE);
  GError *failure = NULL;
  g_autoptr (GBytes) bytes = rb_source_fetch (self->source, name, bound, &failure);
  if (bytes == NULL)
    rb_listed_fail (listed, bound, own, failure, error);
  return bytes == NULL ? NULL : rb_metadata_read (bytes, type, own, error);
}

typedef struct {
  const RbMetadata *next;
  GError **error;
} Successor;

/* (RbMetadataEntryFunc) §5.5.5: no listed file may vanish or go back. */
static gboolean
still_listed (const char *name, const json_t *entry, gpointer data)
{
  const Successor *successor = data;
  const json_t *now = rb_metadata_entry (successor->next, name);
  RbListed before = { 0 }, after = { 0 };
  if (now == NULL)
    return deny (successor->error, RB_REASON_ROLLBACK, "%s was listed before and is not any more", name);
  if (!rb_listed_read_entry (entry, name, &before, successor->error)
      || !rb_listed_read_entry (now, name, &after, successor->error))
    return FALSE;
  return after.version >= before.version
         || deny (successor->error, RB_REASON_ROLLBACK,
                  "%s: listed is version %" G_GINT64_FORMAT ", before it was %" G_GINT64_FORMAT, name, after.version,
                  before.version);
}

static gboolean
check_snapshot (RbWorkflow *self, RbMetadata *next, const RbMetadata *before, const RbListed *listed, GError **error)
{
  Successor successor = { next, error };
  return rb_listed_check (listed, next, FALSE, error)
         && is_signed_by_root (trusted (self, "root"), next, "snapshot", error) && rb_listed_check_all (next, error)
         && has_version (next, listed, error)
         && (before == NULL || rb_metadata_each_entry (before, still_listed, &successor))
         && is_fresh (self, next, error);
}

static gboolean
update_snapshot (RbWorkflow *self, GError **error)
{
  RbListed listed = { 0 };
  g_autoptr (RbMetadata) before = NULL;
  if (!listed_snapshot (trusted (self, "timestamp"), &listed, error)
      || !load_signed (self, "snapshot", RB_METADATA_SNAPSHOT, &before, error))
    return FALSE;
  if (!self->options.strict && before != NULL && check_snapshot (self, before, NULL, &listed, NULL)) {
    trust (self, "snapshot", g_steal_pointer (&before));
    return TRUE;
  }
  g_autoptr (RbMetadata) next = fetch_listed (self, "snapshot", RB_METADATA_SNAPSHOT, &listed, error);
  if (next == NULL || !check_snapshot (self, next, before, &listed, error) || !is_successor (self, before, next, error)
      || !rb_accepted_put (self->accepted, "snapshot", next->bytes, error))
    return FALSE;
  trust (self, "snapshot", g_steal_pointer (&next));
  return TRUE;
}

static gboolean
check_targets (RbWorkflow *self, RbMetadata *targets, const RbMetadataRole *keys, const RbListed *listed,
               GError **error)
{
  return rb_listed_check (listed, targets, FALSE, error) && rb_metadata_verify (targets, keys, error)
         && has_version (targets, listed, error) && is_fresh (self, targets, error);
}

/* The stored file of a targets role. What other keys have signed does not bind. */
static gboolean
load_targets (RbWorkflow *self, const char *role, const RbMetadataRole *keys, RbMetadata **metadata, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!load (self, role, RB_METADATA_TARGETS, metadata, error))
    return FALSE;
  if (*metadata == NULL || rb_metadata_verify (*metadata, keys, &failure))
    return TRUE;
  g_clear_pointer (metadata, rb_metadata_free);
  return rb_reason_of (failure) != RB_REASON_BAD_SIGNATURE || damaged (self, role, failure, error);
}

/* §5.6: the top-level or a delegated targets role, which keys are to have signed. */
static gboolean
update_targets (RbWorkflow *self, const char *role, const RbMetadataRole *keys, GError **error)
{
  RbListed listed = { 0 };
  g_autoptr (GError) failure = NULL;
  gboolean delegated = strcmp (role, "targets") != 0;
  if (!rb_listed_read (trusted (self, "snapshot"), role, &listed, &failure)) {
    if (failure == NULL)
      return deny (error, delegated ? RB_REASON_DELEGATION_MISSING : RB_REASON_MISSING,
                   "the snapshot does not list it");
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  g_autoptr (RbMetadata) before = NULL;
  if (!load_targets (self, role, keys, &before, error))
    return FALSE;
  if (!self->options.strict && before != NULL && check_targets (self, before, keys, &listed, NULL)) {
    trust (self, role, g_steal_pointer (&before));
    return TRUE;
  }
  g_autoptr (RbMetadata) next = fetch_listed (self, role, RB_METADATA_TARGETS, &listed, error);
  if (next == NULL || !check_targets (self, next, keys, &listed, error) || !is_successor (self, before, next, error)
      || !rb_accepted_put (self->accepted, role, next->bytes, error))
    return FALSE;
  trust (self, role, g_steal_pointer (&next));
  return TRUE;
}

static gboolean
update_top_targets (RbWorkflow *self, GError **error)
{
  g_autoptr (RbMetadataRole) keys = rb_metadata_root_role (trusted (self, "root"), "targets", error);
  if (keys == NULL && error != NULL && *error == NULL)
    deny (error, RB_REASON_MALFORMED, "the root names no keys for this role");
  return keys != NULL && update_targets (self, "targets", keys, error);
}

gboolean
rb_workflow_refresh (RbWorkflow *self, GError **error)
{
  static const struct {
    const char *role;
    gboolean (*update) (RbWorkflow *self, GError **error);
  } steps[] = { { "root", update_root },
                { "timestamp", update_timestamp },
                { "snapshot", update_snapshot },
                { "targets", update_top_targets } };
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    GError *failure = NULL;
    if (!steps[i].update (self, &failure))
      return refused (self, steps[i].role, failure, error);
  }
  return TRUE;
}

/* A delegation still to be visited. */
typedef struct {
  const RbMetadata *parent; /* borrowed */
  char *role;
  json_t *entry; /* its keyids and threshold */
} Visit;

static void
visit_free (Visit *self)
{
  g_free (self->role);
  json_decref (self->entry);
  g_free (self);
}

static Visit *
visit_new (const RbMetadata *parent, const char *role, json_t *entry)
{
  Visit *visit = g_new0 (Visit, 1);
  *visit = (Visit){ parent, g_strdup (role), json_incref (entry) };
  return visit;
}

/* Those of parent's delegations that speak for path, in order, up to and with the first terminating one. */
static gboolean
matching (const RbMetadata *parent, const char *path, GPtrArray *visits, gboolean *terminating, GError **error)
{
  json_t *delegations = json_object_get (parent->signed_part, "delegations");
  json_t *succinct = json_object_get (delegations, "succinct_roles");
  json_t *list = json_object_get (delegations, "roles");
  if (succinct != NULL) {
    g_autofree char *role = rb_delegation_bin (succinct, path, error);
    if (role == NULL)
      return FALSE;
    g_ptr_array_add (visits, visit_new (parent, role, succinct));
    *terminating = TRUE;
  }
  for (gsize i = 0; i < json_array_size (list) && !*terminating; i++) {
    json_t *entry = json_array_get (list, i);
    if (!rb_delegation_matches (entry, path, NULL))
      continue;
    g_ptr_array_add (visits, visit_new (parent, rb_json_string_or (entry, "name", ""), entry));
    *terminating = rb_json_boolean_or (entry, "terminating", FALSE);
  }
  return TRUE;
}

/* Puts parent's matching delegations before what is left, or in its place when one is terminating. */
static gboolean
expand (GPtrArray *stack, const RbMetadata *parent, const char *path, GError **error)
{
  g_autoptr (GPtrArray) visits = g_ptr_array_new_with_free_func ((GDestroyNotify) visit_free);
  gboolean terminating = FALSE;
  if (!matching (parent, path, visits, &terminating, error))
    return FALSE;
  if (terminating)
    g_ptr_array_set_size (stack, 0);
  while (visits->len > 0)
    g_ptr_array_add (stack, g_ptr_array_steal_index (visits, visits->len - 1));
  return TRUE;
}

/* A role that is loaded already is verified again, by the delegation that leads to it now. */
static gboolean
load_delegated (RbWorkflow *self, const Visit *visit, GError **error)
{
  const json_t *all_keys = json_object_get (json_object_get (visit->parent->signed_part, "delegations"), "keys");
  g_autoptr (RbMetadataRole) keys = rb_metadata_role_new (all_keys, visit->entry, error);
  RbMetadata *known = trusted (self, visit->role);
  if (keys == NULL)
    return FALSE;
  return known != NULL ? rb_metadata_verify (known, keys, error) : update_targets (self, visit->role, keys, error);
}

/* One role of the search. TRUE: go on with the stack; *found when the role lists the target. */
static gboolean
search_role (RbWorkflow *self, const char *path, const char *role, GPtrArray *stack, RbTarget **found, GError **error)
{
  const RbMetadata *targets = trusted (self, role);
  const json_t *entry = rb_metadata_entry (targets, path);
  if (entry == NULL)
    return expand (stack, targets, path, error);
  *found = rb_target_from_json (path, entry, error);
  return *found != NULL;
}

RbTarget *
rb_workflow_target (RbWorkflow *self, const char *path, GError **error)
{
  guint limit = self->options.max_delegations > 0 ? self->options.max_delegations : MAX_DELEGATIONS;
  g_autoptr (GPtrArray) stack = g_ptr_array_new_with_free_func ((GDestroyNotify) visit_free);
  g_autoptr (GHashTable) visited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *role = g_strdup ("targets");
  RbTarget *found = NULL;
  GError *failure = NULL;
  gboolean good = search_role (self, path, role, stack, &found, &failure);
  while (good && found == NULL && stack->len > 0 && g_hash_table_size (visited) < limit) {
    Visit *visit = g_ptr_array_steal_index (stack, stack->len - 1);
    /* §5.6.7.1: a role that was visited is skipped, by any delegation */
    if (g_hash_table_add (visited, g_strdup (visit->role))) {
      g_free (role);
      role = g_strdup (visit->role);
      good = load_delegated (self, visit, &failure) && search_role (self, path, role, stack, &found, &failure);
    }
    visit_free (visit);
  }
  if (found != NULL)
    return found;
  if (failure == NULL)
    deny (&failure, RB_REASON_TARGET_MISSING, "no role vouches for “%s”", path);
  refused (self, role, failure, error);
  return NULL;
}

gboolean
rb_workflow_is_consistent (RbWorkflow *self)
{
  return rb_json_boolean_or (trusted (self, "root")->signed_part, "consistent_snapshot", FALSE);
}

/* §5.7.3 */
char *
rb_workflow_file_of (RbWorkflow *self, const RbTarget *target)
{
  const char *slash = strrchr (target->path, '/');
  const char *base = slash == NULL ? target->path : &slash[1];
  g_autofree char *folder = slash == NULL ? g_strdup ("") : g_strndup (target->path, (gsize) (base - target->path));
  if (!rb_workflow_is_consistent (self))
    return g_strdup (target->path);
  return g_strdup_printf ("%s%s.%s", folder, target->sha256 != NULL ? target->sha256 : target->sha512, base);
}

static gboolean
is_there (const RbTarget *target, const char *path)
{
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_map (path, MAX_TARGET, NULL) : NULL;
  return bytes != NULL && rb_vehicle_check_image (target, bytes, NULL);
}

gboolean
rb_workflow_download (RbWorkflow *self, const RbTarget *target, RbSource *source, const char *folder, gboolean *fetched,
                      GError **error)
{
  g_autofree char *name = g_uri_escape_string (target->path, NULL, FALSE);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *remote = rb_workflow_file_of (self, target);
  g_autofree char *escaped
    = rb_source_is_remote (source) ? g_uri_escape_string (remote, "/", FALSE) : g_strdup (remote);
  gboolean there = is_there (target, path);
  if (fetched != NULL)
    *fetched = !there;
  if (there)
    return TRUE;
  g_autoptr (GBytes) bytes = rb_source_fetch (source, escaped, (gsize) MIN (target->length, MAX_TARGET), error);
  return bytes != NULL && rb_vehicle_check_image (target, bytes, error) && rb_files_make_folder (folder, error)
         && rb_files_write_output (path, bytes, 0644, error);
}

GBytes *
rb_workflow_read (RbWorkflow *self, const RbTarget *target, RbSource *source, gsize max, GError **error)
{
  g_autofree char *remote = rb_workflow_file_of (self, target);
  if (target->length > max) {
    deny (error, RB_REASON_TOO_LARGE, "%s: %" G_GUINT64_FORMAT " bytes, allowed are %" G_GSIZE_FORMAT, target->path,
          target->length, max);
    return NULL;
  }
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = rb_source_fetch (source, remote, (gsize) target->length, &failure);
  if (bytes == NULL && rb_reason_of (failure) == RB_REASON_TOO_LARGE) {
    deny (error, RB_REASON_LENGTH_MISMATCH, "%s: longer than the listed %" G_GUINT64_FORMAT " bytes", target->path,
          target->length);
    return NULL;
  }
  if (bytes == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return bytes != NULL && rb_vehicle_check_image (target, bytes, error) ? g_steal_pointer (&bytes) : NULL;
}

const RbMetadata *
rb_workflow_metadata (RbWorkflow *self, const char *role)
{
  return trusted (self, role);
}

RbMetadata *
rb_workflow_stored_targets (RbWorkflow *self, GError **error)
{
  RbMetadata *targets = NULL;
  return load_signed (self, "targets", RB_METADATA_TARGETS, &targets, error) ? targets : NULL;
}

gint64
rb_workflow_version (RbWorkflow *self, const char *role)
{
  const RbMetadata *metadata = trusted (self, role);
  return metadata == NULL ? 0 : metadata->version;
}
