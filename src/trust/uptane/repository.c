/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/repository.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "uptane/delegation.h"
#include "uptane/form.h"
#include "uptane/listed.h"

#include <string.h>

#define DEFAULT_ROOT (512 * 1024)
#define DEFAULT_TIMESTAMP (64 * 1024)
#define DEFAULT_SNAPSHOT (8 * 1024 * 1024)
#define DEFAULT_TARGETS (64 * 1024 * 1024)
#define MAX_VISITED 64

/* A delegated targets file, verified by one delegation. */
typedef struct {
  char *place; /* digest of the delegating file, and where in it the delegation stands */
  char *parent;
  char *role;
  char *fingerprint; /* of the delegation's keys */
  RbMetadata *metadata;
} Delegated;

struct _RbRepository {
  RbStore *store;
  RbSource *source;
  RbRepositoryLimits limits;
  RbVerdict *verdict;
  GHashTable *held; /* top-level role → RbMetadata */
  GPtrArray *delegated; /* of Delegated; never replaced, a search may be standing in them */
  char *culprit; /* role to name instead of the file that was refused */
};

static void
delegated_free (gpointer data)
{
  Delegated *self = data;
  g_free (self->place);
  g_free (self->role);
  g_free (self->parent);
  g_free (self->fingerprint);
  g_clear_pointer (&self->metadata, rb_metadata_free);
  g_free (self);
}

RbRepository *
rb_repository_new (RbStore *store, RbSource *source, const RbRepositoryLimits *limits, RbVerdict *verdict)
{
  RbRepository *self = g_new0 (RbRepository, 1);
  RbRepositoryLimits *mine = &self->limits;
  self->store = store;
  self->source = source;
  self->verdict = verdict;
  *mine = *limits;
  mine->max_root = mine->max_root > 0 ? mine->max_root : DEFAULT_ROOT;
  mine->max_timestamp = mine->max_timestamp > 0 ? mine->max_timestamp : DEFAULT_TIMESTAMP;
  mine->max_snapshot = mine->max_snapshot > 0 ? mine->max_snapshot : DEFAULT_SNAPSHOT;
  mine->max_targets = mine->max_targets > 0 ? mine->max_targets : DEFAULT_TARGETS;
  self->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_metadata_free);
  self->delegated = g_ptr_array_new_with_free_func (delegated_free);
  return self;
}

void
rb_repository_free (RbRepository *self)
{
  g_hash_table_unref (self->held);
  g_ptr_array_unref (self->delegated);
  g_free (self->culprit);
  g_free (self);
}

/* Every way out of a step with an error goes through here, so that verdict and error say the same. */
static gboolean
refused (RbRepository *self, const char *file, GError **error, GError *failure)
{
  const char *role = self->culprit == NULL ? file : self->culprit;
  g_prefix_error (&failure, "%s repository, %s: ", self->limits.repo, file);
  rb_verdict_set (self->verdict, self->limits.repo, role, failure);
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
set_failure (GError **failure, RbReason reason, const char *text)
{
  g_set_error_literal (failure, RB_UPTANE_ERROR, (int) reason, text);
  return FALSE;
}

static RbMetadata *
parse (RbRepository *self, GBytes *bytes, RbMetadataType type, gsize max, GError **failure)
{
  RbMetadata *metadata = bytes == NULL ? NULL : rb_metadata_read (bytes, type, max, failure);
  if (bytes != NULL && metadata == NULL && rb_reason_of (*failure) == RB_REASON_ILLEGAL_THRESHOLD) {
    g_free (self->culprit);
    self->culprit = rb_metadata_illegal_role (bytes);
  }
  return metadata;
}

static gboolean
check_expiry (const RbMetadata *metadata, gint64 now, GError **failure)
{
  if (now < metadata->expires)
    return TRUE;
  g_autofree char *when = rb_moment_to_text (metadata->expires);
  g_set_error (failure, RB_UPTANE_ERROR, RB_REASON_EXPIRED, "version %" G_GINT64_FORMAT " expired at %s",
               metadata->version, when);
  return FALSE;
}

static gboolean
check_version (gint64 version, gint64 wanted, RbReason reason, GError **failure)
{
  gboolean good = reason == RB_REASON_ROLLBACK ? version >= wanted : version == wanted;
  if (good)
    return TRUE;
  g_set_error (failure, RB_UPTANE_ERROR, (int) reason, "version is %" G_GINT64_FORMAT ", %s %" G_GINT64_FORMAT, version,
               reason == RB_REASON_ROLLBACK ? "accepted before was" : "it should be", wanted);
  return FALSE;
}

/* Of a large file, thresholds are known only when it is authentic. */
static gboolean
verify (RbRepository *self, RbMetadata *metadata, const RbMetadataRole *keys, GError **failure)
{
  gboolean good = rb_metadata_verify (metadata, keys, failure);
  if (!good && rb_reason_of (*failure) == RB_REASON_ILLEGAL_THRESHOLD) {
    g_free (self->culprit);
    self->culprit = rb_form_illegal_role (metadata->signed_part);
  }
  return good;
}

static gboolean
verify_by_root (RbRepository *self, RbMetadata *metadata, const char *role, GError **failure)
{
  g_autoptr (RbMetadataRole) keys = rb_metadata_root_role (rb_store_root_metadata (self->store), role, failure);
  if (keys == NULL && *failure == NULL)
    return set_failure (failure, RB_REASON_THRESHOLD_UNMET, "the root names no keys for this role");
  return keys != NULL && verify (self, metadata, keys, failure);
}

static gboolean
keys_changed (const RbMetadata *before, const RbMetadata *after, const char *role)
{
  g_autoptr (RbMetadataRole) old_keys = rb_metadata_root_role (before, role, NULL);
  g_autoptr (RbMetadataRole) new_keys = rb_metadata_root_role (after, role, NULL);
  return (old_keys == NULL) != (new_keys == NULL)
         || (old_keys != NULL && !rb_metadata_role_same_keys (old_keys, new_keys));
}

/* Roles whose stored metadata falls because the new root changes their keys. Timestamp and snapshot fall together. */
static GStrv
changed_roles (const RbMetadata *before, const RbMetadata *after)
{
  g_autoptr (GStrvBuilder) roles = g_strv_builder_new ();
  if (keys_changed (before, after, "timestamp") || keys_changed (before, after, "snapshot"))
    g_strv_builder_add_many (roles, "timestamp", "snapshot", NULL);
  if (keys_changed (before, after, "targets"))
    g_strv_builder_add (roles, "targets");
  return g_strv_builder_end (roles);
}

static gboolean
accept_root (RbRepository *self, RbMetadata *next, GError **failure)
{
  const RbMetadata *trusted = rb_store_root_metadata (self->store);
  g_autoptr (RbMetadataRole) own = NULL;
  if (!verify_by_root (self, next, "root", failure))
    return FALSE;
  own = rb_metadata_root_role (next, "root", failure);
  if (own == NULL)
    return *failure != NULL ? FALSE : set_failure (failure, RB_REASON_MALFORMED, "it names no root role");
  if (!rb_metadata_verify (next, own, failure)
      || !check_version (next->version, trusted->version + 1, RB_REASON_ROOT_VERSION, failure))
    return FALSE;
  g_auto (GStrv) dropped = changed_roles (trusted, next);
  return rb_store_add_root (self->store, next->bytes, (const char *const *) dropped, failure);
}

/* NULL without error when it is not there. */
static GBytes *
fetch_if_there (RbRepository *self, const char *name, gsize max, GError **failure)
{
  g_autoptr (GError) absent = NULL;
  GBytes *bytes = rb_source_fetch (self->source, name, max, &absent);
  if (bytes == NULL && rb_reason_of (absent) != RB_REASON_MISSING)
    g_propagate_error (failure, g_steal_pointer (&absent));
  return bytes;
}

static GBytes *
fetch_root (RbRepository *self, gint64 version, GError **failure)
{
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", version);
  return fetch_if_there (self, name, self->limits.max_root, failure);
}

/* Nothing is named as the next root: root.json may be it, and a newer one than the next shows a gap in the chain. */
static gboolean
unnumbered_root (RbRepository *self, gint64 version, gboolean *done, GError **failure)
{
  g_autoptr (GBytes) latest = fetch_if_there (self, "root.json", self->limits.max_root, failure);
  g_autoptr (RbMetadata) root = parse (self, latest, RB_METADATA_ROOT, self->limits.max_root, failure);
  if (*failure != NULL)
    return FALSE;
  *done = root == NULL || root->version < version;
  if (*done)
    return TRUE;
  if (root->version == version)
    return accept_root (self, root, failure);
  g_set_error (failure, RB_UPTANE_ERROR, RB_REASON_ROOT_GAP,
               "version %" G_GINT64_FORMAT " is missing, root.json is version %" G_GINT64_FORMAT, version,
               root->version);
  return FALSE;
}

/* TRUE with *done when there is no further root. */
static gboolean
next_root (RbRepository *self, gboolean *done, GError **failure)
{
  gint64 version = rb_store_root_version (self->store) + 1;
  g_autoptr (GBytes) bytes = fetch_root (self, version, failure);
  if (bytes == NULL && *failure == NULL) {
    *done = !self->limits.any_layout;
    return rb_source_has_no_root_above (self->source, version, failure)
           && (*done || unnumbered_root (self, version, done, failure));
  }
  g_autoptr (RbMetadata) next = parse (self, bytes, RB_METADATA_ROOT, self->limits.max_root, failure);
  return next != NULL && accept_root (self, next, failure);
}

gboolean
rb_repository_walk_roots (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  gboolean done = FALSE;
  if (!rb_store_has_root (self->store)) {
    set_failure (&failure, RB_REASON_NO_TRUST_ANCHOR, "there is no trusted root");
    return refused (self, "root", error, failure);
  }
  while (!done && failure == NULL)
    if (!next_root (self, &done, &failure))
      done = TRUE;
  if (!rb_store_save (self->store, failure == NULL ? &failure : NULL) || failure != NULL)
    return refused (self, "root", error, failure);
  return TRUE;
}

gboolean
rb_repository_update_root (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  if (!rb_repository_walk_roots (self, error))
    return FALSE;
  return check_expiry (rb_store_root_metadata (self->store), self->limits.now, &failure)
         || refused (self, "root", error, failure);
}

gboolean
rb_repository_has_role (RbRepository *self, const char *role)
{
  const RbMetadata *root = rb_store_root_metadata (self->store);
  return root != NULL && json_object_get (json_object_get (root->signed_part, "roles"), role) != NULL;
}

/* Held metadata of a role ("timestamp", "snapshot", "targets", delegated), else NULL; borrowed. */
static const RbMetadata *
accepted_metadata (RbRepository *self, const char *role)
{
  const RbMetadata *held = g_hash_table_lookup (self->held, role);
  for (guint i = 0; i < self->delegated->len && held == NULL; i++) {
    const Delegated *delegated = self->delegated->pdata[i];
    if (strcmp (delegated->role, role) == 0)
      held = delegated->metadata;
  }
  return held;
}

const RbMetadata *
rb_repository_targets (RbRepository *self)
{
  return accepted_metadata (self, "targets");
}

static gboolean
consistent (RbRepository *self)
{
  return rb_json_boolean_or (rb_store_root_metadata (self->store)->signed_part, "consistent_snapshot", FALSE);
}

static char *
encoded_name (const char *role)
{
  return g_uri_escape_string (role, NULL, FALSE);
}

static GBytes *
fetch_role (RbRepository *self, const char *role, const RbListed *listed, gsize max, GError **failure)
{
  g_autofree char *name = encoded_name (role);
  g_autofree char *plain = g_strdup_printf ("%s.json", name);
  g_autofree char *versioned
    = g_strdup_printf ("%" G_GINT64_FORMAT ".%s.json", listed == NULL ? 0 : listed->version, name);
  gboolean versions = listed != NULL && consistent (self);
  gsize bound = rb_listed_bound (listed, max, TRUE);
  GError *problem = NULL;
  GBytes *bytes = NULL;
  if (self->limits.any_layout && listed != NULL) {
    bytes = fetch_if_there (self, versions ? versioned : plain, bound, &problem);
    versions = !versions;
  }
  if (bytes == NULL && problem == NULL)
    bytes = rb_source_fetch (self->source, versions ? versioned : plain, bound, &problem);
  if (problem != NULL)
    rb_listed_fail (listed, bound, max, problem, failure);
  return bytes;
}

static gboolean
check_listed (const RbMetadata *metadata, const RbListed *listed, GError **failure)
{
  return check_version (metadata->version, listed->version, RB_REASON_VERSION_MISMATCH, failure);
}

static void
hold (RbRepository *self, const char *role, RbMetadata *metadata)
{
  g_hash_table_insert (self->held, g_strdup (role), metadata);
}

/* The Standard demands hashes of the snapshot (5.2.5); TUF does not. */
static gboolean
read_snapshot_entry (const RbMetadata *timestamp, RbListed *listed, GError **failure)
{
  if (!rb_listed_read (timestamp, "snapshot", listed, failure))
    return *failure == NULL ? set_failure (failure, RB_REASON_MALFORMED, "it lists no snapshot") : FALSE;
  return listed->has_hashes || set_failure (failure, RB_REASON_MALFORMED, "it lists no hashes of the snapshot");
}

/* A newer timestamp may not list an older snapshot. */
static gboolean
check_announced_snapshot (RbRepository *self, const RbMetadata *timestamp, GError **failure)
{
  RbListed now = { 0 }, then = { 0 };
  GBytes *stored = rb_store_file (self->store, "timestamp");
  if (!read_snapshot_entry (timestamp, &now, failure))
    return FALSE;
  if (stored == NULL) /* never, or damaged */
    return check_version (now.version, rb_store_version (self->store, "snapshot", NULL), RB_REASON_ROLLBACK, failure);
  g_autoptr (RbMetadata) before
    = rb_metadata_parse (stored, RB_METADATA_TIMESTAMP, self->limits.max_timestamp, failure);
  return before != NULL && (rb_listed_read (before, "snapshot", &then, failure) || *failure == NULL)
         && check_version (now.version, then.version, RB_REASON_ROLLBACK, failure);
}

/* TUF 5.4.3.1: the same version again is not news, the stored file stays. The uptane dialect's vectors take its
 * content. */
static gboolean
keeps_stored (RbRepository *self, const RbMetadata *fetched)
{
  return !fetched->uptane_dialect && rb_store_file (self->store, "timestamp") != NULL
         && rb_store_version (self->store, "timestamp", NULL) == fetched->version;
}

static RbMetadata *
checked_timestamp (RbRepository *self, GError **failure)
{
  g_autoptr (GBytes) bytes = rb_source_fetch (self->source, "timestamp.json", self->limits.max_timestamp, failure);
  g_autoptr (RbMetadata) fetched = parse (self, bytes, RB_METADATA_TIMESTAMP, self->limits.max_timestamp, failure);
  if (fetched == NULL || !verify_by_root (self, fetched, "timestamp", failure)
      || !check_version (fetched->version, rb_store_version (self->store, "timestamp", NULL), RB_REASON_ROLLBACK,
                         failure))
    return NULL;
  if (keeps_stored (self, fetched)) {
    RbMetadata *stored = rb_metadata_parse (rb_store_file (self->store, "timestamp"), RB_METADATA_TIMESTAMP,
                                            self->limits.max_timestamp, failure);
    if (stored == NULL)
      return NULL;
    rb_metadata_free (g_steal_pointer (&fetched));
    fetched = stored;
  }
  if (!check_announced_snapshot (self, fetched, failure) || !check_expiry (fetched, self->limits.now, failure))
    return NULL;
  return g_steal_pointer (&fetched);
}

gboolean
rb_repository_update_timestamp (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  RbMetadata *timestamp = checked_timestamp (self, &failure);
  if (timestamp == NULL)
    return refused (self, "timestamp", error, failure);
  hold (self, "timestamp", timestamp);
  return TRUE;
}

typedef struct {
  RbRepository *self;
  const RbMetadata *snapshot;
  GError **failure;
} Successor;

/* No listed targets file may vanish or go back. "root.json" is listed by old files and means nothing. */
static gboolean
check_listed_version (const char *name, const json_t *before, gpointer data)
{
  const Successor *successor = data;
  if (strcmp (name, "root.json") == 0)
    return TRUE;
  const json_t *entry = rb_metadata_entry (successor->snapshot, name);
  RbListed now = { 0 }, then = { 0 };
  if (entry == NULL)
    return set_failure (successor->failure, RB_REASON_ROLLBACK,
                        "a targets file that was listed before is not any more");
  if (!rb_listed_read_entry (before, name, &then, successor->failure)
      || !rb_listed_read_entry (entry, name, &now, successor->failure))
    return FALSE;
  /* its keys have changed: what was accepted under the old ones has been dropped, and does not bind */
  if (strcmp (name, "targets.json") == 0 && rb_store_version (successor->self->store, "targets", NULL) == 0)
    return TRUE;
  return check_version (now.version, then.version, RB_REASON_ROLLBACK, successor->failure);
}

/* Of a snapshot file that is damaged, the versions of targets roles are known. */
static gboolean
check_known_versions (RbRepository *self, const RbMetadata *snapshot, GError **failure)
{
  g_auto (GStrv) roles = rb_store_roles (self->store);
  for (guint i = 0; roles[i] != NULL; i++) {
    RbListed now = { .version = -1 };
    if (strcmp (roles[i], "timestamp") == 0 || strcmp (roles[i], "snapshot") == 0)
      continue;
    if ((!rb_listed_read (snapshot, roles[i], &now, failure) && *failure != NULL)
        || !check_version (now.version, rb_store_version (self->store, roles[i], NULL), RB_REASON_ROLLBACK, failure))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_listed_versions (RbRepository *self, const RbMetadata *snapshot, GError **failure)
{
  GBytes *stored = rb_store_file (self->store, "snapshot");
  Successor successor = { self, snapshot, failure };
  if (stored == NULL)
    return rb_store_version (self->store, "snapshot", NULL) == 0 || check_known_versions (self, snapshot, failure);
  g_autoptr (RbMetadata) before = rb_metadata_parse (stored, RB_METADATA_SNAPSHOT, self->limits.max_snapshot, failure);
  return before != NULL && rb_metadata_each_entry (before, check_listed_version, &successor);
}

static RbMetadata *
checked_snapshot (RbRepository *self, GError **failure)
{
  RbListed listed = { 0 };
  const RbListed *entry
    = rb_listed_read (accepted_metadata (self, "timestamp"), "snapshot", &listed, failure) ? &listed : NULL;
  g_autoptr (GBytes) bytes
    = *failure != NULL ? NULL : fetch_role (self, "snapshot", entry, self->limits.max_snapshot, failure);
  g_autoptr (RbMetadata) snapshot = parse (self, bytes, RB_METADATA_SNAPSHOT, self->limits.max_snapshot, failure);
  if (snapshot == NULL || (entry != NULL && !rb_listed_check (entry, snapshot, TRUE, failure))
      || !verify_by_root (self, snapshot, "snapshot", failure) || !rb_listed_check_all (snapshot, failure)
      || (entry != NULL && !check_listed (snapshot, entry, failure))
      || !check_version (snapshot->version, rb_store_version (self->store, "snapshot", NULL), RB_REASON_ROLLBACK,
                         failure)
      || !check_listed_versions (self, snapshot, failure) || !check_expiry (snapshot, self->limits.now, failure))
    return NULL;
  return g_steal_pointer (&snapshot);
}

gboolean
rb_repository_update_snapshot (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  RbMetadata *snapshot = checked_snapshot (self, &failure);
  if (snapshot == NULL)
    return refused (self, "snapshot", error, failure);
  hold (self, "snapshot", snapshot);
  return TRUE;
}

/* A targets file, top-level or delegated. below: it must not be older. */
static RbMetadata *
load_targets (RbRepository *self, const char *role, const RbMetadataRole *keys, gint64 below, GError **failure)
{
  const RbMetadata *snapshot = accepted_metadata (self, "snapshot");
  RbListed listed = { 0 };
  const RbListed *entry = rb_listed_read (snapshot, role, &listed, failure) ? &listed : NULL;
  if (*failure != NULL)
    return NULL;
  if (snapshot != NULL && entry == NULL) {
    set_failure (failure, RB_REASON_VERSION_MISMATCH, "the snapshot does not list it");
    return NULL;
  }
  g_autoptr (GBytes) bytes = fetch_role (self, role, entry, self->limits.max_targets, failure);
  g_autoptr (RbMetadata) targets = parse (self, bytes, RB_METADATA_TARGETS, self->limits.max_targets, failure);
  if (targets == NULL || (entry != NULL && !rb_listed_check (entry, targets, TRUE, failure))
      || !verify (self, targets, keys, failure) || (entry != NULL && !check_listed (targets, entry, failure))
      || !check_version (targets->version, below, RB_REASON_ROLLBACK, failure)
      || !check_expiry (targets, self->limits.now, failure))
    return NULL;
  return g_steal_pointer (&targets);
}

gboolean
rb_repository_update_targets (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  g_autoptr (RbMetadataRole) keys = rb_metadata_root_role (rb_store_root_metadata (self->store), "targets", &failure);
  if (keys == NULL && failure == NULL)
    set_failure (&failure, RB_REASON_MALFORMED, "the root names no keys for it");
  gint64 below = rb_store_version (self->store, "targets", NULL);
  RbMetadata *targets = keys == NULL ? NULL : load_targets (self, "targets", keys, below, &failure);
  if (targets == NULL)
    return refused (self, "targets", error, failure);
  hold (self, "targets", targets);
  return TRUE;
}

/* Where a delegation stands. */
typedef struct {
  const RbMetadata *file;
  const char *role; /* of that file */
  gsize index; /* in its list */
  gsize member; /* of a multi-role delegation */
} Place;

typedef struct {
  RbRepository *self;
  const char *path;
  const char *hardware_id;
  GHashTable *visited; /* places */
  gboolean stopped; /* by a terminating delegation */
  char *role; /* where the search failed or ended */
} Search;

static RbTarget *search_role (Search *search, const RbMetadata *targets, const char *role, GError **failure);

static char *
place_name (const Place *place)
{
  return g_strdup_printf ("%s %" G_GSIZE_FORMAT " %" G_GSIZE_FORMAT, place->file->sha256, place->index, place->member);
}

static const Delegated *
delegated_at (RbRepository *self, const char *place)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    const Delegated *delegated = self->delegated->pdata[i];
    if (strcmp (delegated->place, place) == 0)
      return delegated;
  }
  return NULL;
}

/* Metadata whose delegation has changed keys was dropped with them, and is not what the new must not be older than. */
static RbMetadata *
load_delegated (RbRepository *self, Delegated *delegated, const RbMetadataRole *keys, GError **failure)
{
  const char *known = NULL;
  gint64 below = rb_store_delegated (self->store, delegated->parent, delegated->role, &known);
  delegated->fingerprint = rb_metadata_role_fingerprint (keys);
  if (known != NULL && strcmp (known, delegated->fingerprint) != 0)
    below = 0;
  RbMetadata *metadata = load_targets (self, delegated->role, keys, below, failure);
  if (metadata == NULL && rb_reason_of (*failure) == RB_REASON_MISSING)
    (*failure)->code = RB_REASON_DELEGATION_MISSING;
  /* aktualizr's vectors: who has let their metadata expire vouches for nothing */
  if (metadata == NULL && rb_reason_of (*failure) == RB_REASON_EXPIRED)
    (*failure)->code = RB_REASON_TARGET_MISSING;
  return metadata;
}

/* A delegated file is verified by the very delegation that leads to it; another parent's word does not count. */
static const Delegated *
delegated_file (RbRepository *self, const Place *place, const json_t *entry, GError **failure)
{
  g_autofree char *name = place_name (place);
  const Delegated *known = delegated_at (self, name);
  if (known != NULL)
    return known;
  const json_t *all_keys = json_object_get (json_object_get (place->file->signed_part, "delegations"), "keys");
  g_autoptr (RbMetadataRole) keys = rb_metadata_role_new (all_keys, entry, failure);
  if (keys == NULL)
    return NULL;
  Delegated *delegated = g_new0 (Delegated, 1);
  delegated->place = g_steal_pointer (&name);
  delegated->role = g_strdup (rb_json_string_or (entry, "name", ""));
  delegated->parent = g_strdup (place->role);
  delegated->metadata = load_delegated (self, delegated, keys, failure);
  if (delegated->metadata == NULL) {
    delegated_free (delegated);
    return NULL;
  }
  g_ptr_array_add (self->delegated, delegated);
  return delegated;
}

/* entry: {"name","keyids","threshold"}. Each place is visited once, so that delegations in a circle end. */
static RbTarget *
search_delegated (Search *search, const Place *place, const json_t *entry, GError **failure)
{
  g_autofree char *name = place_name (place);
  if (g_hash_table_size (search->visited) >= MAX_VISITED
      || !g_hash_table_add (search->visited, g_steal_pointer (&name)))
    return NULL;
  g_free (search->role);
  search->role = g_strdup (rb_json_string_or (entry, "name", ""));
  const Delegated *delegated = delegated_file (search->self, place, entry, failure);
  RbTarget *found = delegated == NULL ? NULL : search_role (search, delegated->metadata, delegated->role, failure);
  if (found != NULL && found->carrier == NULL) {
    found->carrier = rb_store_delegation (delegated->parent, delegated->role);
    found->carrier_keys = g_strdup (delegated->fingerprint);
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
search_several (Search *search, const Place *place, const json_t *delegation, GError **failure)
{
  const json_t *roles = json_object_get (delegation, "roles");
  gsize needed = (gsize) rb_json_integer_or (delegation, "min_roles_in_agreement", (gint64) json_array_size (roles));
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_target_free);
  RbTarget *chosen = NULL;
  for (gsize i = 0; i < json_array_size (roles) && *failure == NULL; i++) {
    const Place member = { place->file, place->role, place->index, i };
    RbTarget *said = search_delegated (search, &member, json_array_get (roles, i), failure);
    if (said != NULL)
      g_ptr_array_add (found, said);
    search->stopped = FALSE;
  }
  for (guint i = 0; i < found->len && chosen == NULL && *failure == NULL; i++)
    if (agreeing (found, found->pdata[i]) >= needed)
      chosen = rb_target_copy (found->pdata[i]);
  if (found->len > 0 && chosen == NULL && *failure == NULL)
    set_failure (failure, RB_REASON_TARGET_MISMATCH, "too few of the roles that must agree say the same");
  return chosen;
}

static RbTarget *
search_delegation (Search *search, const Place *place, const json_t *delegation, GError **failure)
{
  RbTarget *found = json_is_array (json_object_get (delegation, "roles"))
                      ? search_several (search, place, delegation, failure)
                      : search_delegated (search, place, delegation, failure);
  search->stopped = search->stopped || rb_json_boolean_or (delegation, "terminating", FALSE);
  return found;
}

static RbTarget *
search_role (Search *search, const RbMetadata *targets, const char *role, GError **failure)
{
  const json_t *entry = rb_metadata_entry (targets, search->path);
  const json_t *list = json_object_get (json_object_get (targets->signed_part, "delegations"), "roles");
  if (entry != NULL)
    return rb_target_from_json (search->path, entry, failure);
  for (gsize i = 0; i < json_array_size (list) && !search->stopped; i++) {
    const Place place = { targets, role, i, 0 };
    if (!rb_delegation_matches (json_array_get (list, i), search->path, search->hardware_id))
      continue;
    RbTarget *found = search_delegation (search, &place, json_array_get (list, i), failure);
    if (found != NULL || *failure != NULL)
      return found;
  }
  return NULL;
}

RbTarget *
rb_repository_find (RbRepository *self, const char *path, const char *hardware_id, GError **error)
{
  GError *failure = NULL;
  g_autoptr (GHashTable) visited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Search search
    = { .self = self, .path = path, .hardware_id = hardware_id, .visited = visited, .role = g_strdup ("targets") };
  RbTarget *found = search_role (&search, rb_repository_targets (self), "targets", &failure);
  if (found == NULL) {
    if (failure == NULL)
      g_set_error (&failure, RB_UPTANE_ERROR, RB_REASON_TARGET_MISSING, "no role lists “%s”", path);
    refused (self, search.role, error, failure);
  }
  g_free (search.role);
  return found;
}

static gboolean load_below (RbRepository *self, const RbMetadata *targets, const char *role, GHashTable *visited,
                            GError **failure);

static gboolean
load_place (RbRepository *self, const Place *place, const json_t *entry, GHashTable *visited, GError **failure)
{
  g_autofree char *name = place_name (place);
  if (g_hash_table_size (visited) >= MAX_VISITED || !g_hash_table_add (visited, g_steal_pointer (&name)))
    return TRUE;
  const Delegated *delegated = delegated_file (self, place, entry, failure);
  if (delegated == NULL) {
    g_free (self->culprit);
    self->culprit = g_strdup (rb_json_string_or (entry, "name", ""));
    return FALSE;
  }
  return load_below (self, delegated->metadata, delegated->role, visited, failure);
}

static gboolean
load_below (RbRepository *self, const RbMetadata *targets, const char *role, GHashTable *visited, GError **failure)
{
  const json_t *list = json_object_get (json_object_get (targets->signed_part, "delegations"), "roles");
  for (gsize i = 0; i < json_array_size (list); i++) {
    const json_t *delegation = json_array_get (list, i);
    const json_t *several = json_object_get (delegation, "roles");
    gsize n = several == NULL ? 1 : json_array_size (several);
    for (gsize k = 0; k < n; k++) {
      const Place place = { targets, role, i, k };
      if (!load_place (self, &place, several == NULL ? delegation : json_array_get (several, k), visited, failure))
        return FALSE;
    }
  }
  return TRUE;
}

gboolean
rb_repository_load_delegations (RbRepository *self, GError **error)
{
  g_autoptr (GHashTable) visited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GError *failure = NULL;
  return load_below (self, rb_repository_targets (self), "targets", visited, &failure)
         || refused (self, "targets", error, failure);
}

void
rb_repository_each_delegated (RbRepository *self, RbRepositoryDelegatedFunc func, gpointer data)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    const Delegated *delegated = self->delegated->pdata[i];
    func (delegated->role, delegated->metadata, data);
  }
}

/* Keys that sign for a carrier of release counters now. (transfer full) */
static char *
keys_of (RbRepository *self, const char *carrier)
{
  g_autoptr (RbMetadataRole) targets = NULL;
  for (guint i = 0; i < self->delegated->len; i++) {
    const Delegated *delegated = self->delegated->pdata[i];
    g_autofree char *delegation = rb_store_delegation (delegated->parent, delegated->role);
    if (strcmp (delegation, carrier) == 0)
      return g_strdup (delegated->fingerprint);
  }
  if (strcmp (carrier, "targets") != 0)
    return g_strdup (rb_store_carrier_keys (self->store, carrier));
  targets = rb_metadata_root_role (rb_store_root_metadata (self->store), "targets", NULL);
  return targets == NULL ? NULL : rb_metadata_role_fingerprint (targets);
}

gint64
rb_repository_counter (RbRepository *self, const char *serial)
{
  const char *carrier = NULL, *keys = NULL;
  gint64 counter = rb_store_counter (self->store, serial, &carrier, &keys);
  g_autofree char *now = carrier == NULL ? NULL : keys_of (self, carrier);
  return now != NULL && g_strcmp0 (keys, now) != 0 ? -1 : counter;
}

void
rb_repository_set_counter (RbRepository *self, const char *serial, const RbTarget *target)
{
  const char *carrier = target->carrier == NULL ? "targets" : target->carrier;
  g_autofree char *keys = target->carrier == NULL ? keys_of (self, "targets") : g_strdup (target->carrier_keys);
  if (target->release_counter >= 0)
    rb_store_set_counter (self->store, serial, target->release_counter, carrier, keys);
}

gboolean
rb_repository_commit (RbRepository *self, GError **error)
{
  GHashTableIter iter;
  gpointer role, metadata;
  g_hash_table_iter_init (&iter, self->held);
  while (g_hash_table_iter_next (&iter, &role, &metadata))
    rb_store_accept (self->store, role, metadata);
  for (guint i = 0; i < self->delegated->len; i++) {
    const Delegated *delegated = self->delegated->pdata[i];
    rb_store_accept_delegated (self->store, delegated->parent, delegated->role, delegated->fingerprint,
                               delegated->metadata);
  }
  return rb_store_save (self->store, error);
}
