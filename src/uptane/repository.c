/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/repository.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "uptane/delegation.h"

#include <string.h>

#define DEFAULT_ROOT (512 * 1024)
#define DEFAULT_TIMESTAMP (64 * 1024)
#define DEFAULT_SNAPSHOT (8 * 1024 * 1024)
#define DEFAULT_TARGETS (64 * 1024 * 1024)
#define MAX_VISITED 64

struct _RbRepository {
  RbStore *store;
  RbSource *source;
  RbRepositoryLimits limits;
  RbVerdict *verdict;
  GHashTable *held; /* role → RbMetadata */
};

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
  return self;
}

void
rb_repository_free (RbRepository *self)
{
  g_hash_table_unref (self->held);
  g_free (self);
}

/* Every way out of a step with an error goes through here, so that verdict and error say the same. */
static gboolean
refused (RbRepository *self, const char *role, GError **error, GError *failure)
{
  g_prefix_error (&failure, "%s repository, %s: ", self->limits.repo, role);
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

static gboolean
check_expiry (const RbMetadata *metadata, gint64 now, GError **failure)
{
  if (now < metadata->expires)
    return TRUE;
  g_autofree char *when = rb_moment_to_text (metadata->expires);
  g_set_error (failure, RB_UPTANE_ERROR, RB_REASON_EXPIRED, "version %" G_GINT64_FORMAT " expired at %s", metadata->version,
               when);
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

static gboolean
verify_by_root (RbRepository *self, const RbMetadata *metadata, const char *role, GError **failure)
{
  g_autoptr (RbMetadataRole) keys = rb_metadata_root_role (rb_store_root_metadata (self->store), role, failure);
  if (keys == NULL && *failure == NULL)
    return set_failure (failure, RB_REASON_THRESHOLD_UNMET, "the root names no keys for this role");
  return keys != NULL && rb_metadata_verify (metadata, keys, failure);
}

/* Which stored metadata falls because the new root changes a role's keys. Timestamp and snapshot fall together. */
static gboolean
drop_changed (RbRepository *self, const RbMetadata *before, const RbMetadata *after, GError **failure)
{
  static const char *const roles[] = { "timestamp", "snapshot", "targets" };
  gboolean changed[G_N_ELEMENTS (roles)] = { FALSE };
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    g_autoptr (RbMetadataRole) old_keys = rb_metadata_root_role (before, roles[i], NULL);
    g_autoptr (RbMetadataRole) new_keys = rb_metadata_root_role (after, roles[i], NULL);
    changed[i] = (old_keys == NULL) != (new_keys == NULL)
                 || (old_keys != NULL && !rb_metadata_role_same_keys (old_keys, new_keys));
  }
  changed[0] = changed[1] = changed[0] || changed[1];
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (changed[i] && !rb_store_drop (self->store, roles[i], failure))
      return FALSE;
  return TRUE;
}

static gboolean
accept_root (RbRepository *self, const RbMetadata *next, GError **failure)
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
  g_autoptr (RbMetadata) before = rb_metadata_parse (trusted->bytes, RB_METADATA_ROOT, self->limits.max_root, failure);
  return before != NULL && rb_store_add_root (self->store, next->bytes, failure) && drop_changed (self, before, next, failure);
}

/* TRUE with *done when there is no further root. */
static gboolean
next_root (RbRepository *self, gboolean *done, GError **failure)
{
  g_autoptr (GError) absent = NULL;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", rb_store_root_version (self->store) + 1);
  g_autoptr (GBytes) bytes = rb_source_fetch (self->source, name, self->limits.max_root, &absent);
  if (bytes == NULL) {
    *done = rb_reason_of (absent) == RB_REASON_MISSING;
    if (!*done)
      g_propagate_error (failure, g_steal_pointer (&absent));
    return *done;
  }
  g_autoptr (RbMetadata) next = rb_metadata_parse (bytes, RB_METADATA_ROOT, self->limits.max_root, failure);
  return next != NULL && accept_root (self, next, failure);
}

gboolean
rb_repository_update_root (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  gboolean done = FALSE;
  if (!rb_store_has_root (self->store)) {
    set_failure (&failure, RB_REASON_NO_TRUST_ANCHOR, "there is no trusted root");
    return refused (self, "root", error, failure);
  }
  while (!done)
    if (!next_root (self, &done, &failure))
      return refused (self, "root", error, failure);
  if (!check_expiry (rb_store_root_metadata (self->store), self->limits.now, &failure))
    return refused (self, "root", error, failure);
  return TRUE;
}

gboolean
rb_repository_has_role (RbRepository *self, const char *role)
{
  const RbMetadata *root = rb_store_root_metadata (self->store);
  return root != NULL && json_object_get (json_object_get (root->signed_part, "roles"), role) != NULL;
}

const RbMetadata *
rb_repository_metadata (RbRepository *self, const char *role)
{
  return g_hash_table_lookup (self->held, role);
}

const RbMetadata *
rb_repository_targets (RbRepository *self)
{
  return rb_repository_metadata (self, "targets");
}

static gboolean
consistent (RbRepository *self)
{
  return rb_json_boolean_or (rb_store_root_metadata (self->store)->signed_part, "consistent_snapshot", FALSE);
}

/* Entry {"version","length","hashes"} of a file in timestamp or snapshot, NULL when it is not listed. */
static const json_t *
listed (const RbMetadata *lister, const char *role)
{
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  return lister == NULL ? NULL : rb_metadata_entry (lister, name);
}

static char *
encoded_name (const char *role)
{
  return g_uri_escape_string (role, NULL, FALSE);
}

static GBytes *
fetch_role (RbRepository *self, const char *role, const json_t *entry, gsize max, GError **failure)
{
  g_autofree char *name = encoded_name (role);
  g_autofree char *plain = g_strdup_printf ("%s.json", name);
  if (!consistent (self) || entry == NULL)
    return rb_source_fetch (self->source, plain, max, failure);
  g_autofree char *versioned
    = g_strdup_printf ("%" G_GINT64_FORMAT ".%s.json", rb_json_integer_or (entry, "version", 0), name);
  return rb_source_fetch (self->source, versioned, max, failure);
}

/* The hash may be over the bytes (TUF) or over the canonical form (aktualizr); one known algorithm must be there. */
static gboolean
check_listed_hash (const RbMetadata *metadata, const json_t *entry, GError **failure)
{
  const char *wanted = rb_json_string_or (json_object_get (entry, "hashes"), "sha256", NULL);
  gint64 length = rb_json_integer_or (entry, "length", -1);
  if (wanted != NULL && g_ascii_strcasecmp (wanted, metadata->sha256) != 0) {
    g_autoptr (GBytes) whole = rb_metadata_canonical (metadata);
    g_autofree char *canonical = rb_digest_sha256_hex_of (whole);
    if (g_ascii_strcasecmp (wanted, canonical) != 0)
      return set_failure (failure, RB_REASON_HASH_MISMATCH, "its hash is not the one that was announced");
  }
  if (length < 0 || g_bytes_get_size (metadata->bytes) <= (gsize) length)
    return TRUE;
  g_autoptr (GBytes) canonical = rb_metadata_canonical (metadata);
  return g_bytes_get_size (canonical) <= (gsize) length
         || set_failure (failure, RB_REASON_LENGTH_MISMATCH, "it is longer than was announced");
}

static gboolean
check_entry (const RbMetadata *metadata, const json_t *entry, GError **failure)
{
  return check_listed_hash (metadata, entry, failure)
         && check_version (metadata->version, rb_json_integer_or (entry, "version", -1), RB_REASON_VERSION_MISMATCH, failure);
}

static void
hold (RbRepository *self, const char *role, RbMetadata *metadata)
{
  g_hash_table_insert (self->held, g_strdup (role), metadata);
}

/* A newer timestamp may not announce an older snapshot. */
static gboolean
check_announced_snapshot (RbRepository *self, const RbMetadata *timestamp, GError **failure)
{
  const json_t *entry = listed (timestamp, "snapshot");
  gint64 announced = rb_json_integer_or (entry, "version", -1);
  GBytes *stored = rb_store_file (self->store, "timestamp");
  if (announced < 0)
    return set_failure (failure, RB_REASON_MALFORMED, "it announces no snapshot");
  if (stored == NULL)
    return TRUE;
  g_autoptr (RbMetadata) before = rb_metadata_parse (stored, RB_METADATA_TIMESTAMP, self->limits.max_timestamp, failure);
  return before != NULL
         && check_version (announced, rb_json_integer_or (listed (before, "snapshot"), "version", 0), RB_REASON_ROLLBACK, failure);
}

/* TUF 5.4.3.1: the same version again is not news, the stored file stays. The uptane dialect's vectors take its content. */
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
  g_autoptr (RbMetadata) fetched
    = bytes == NULL ? NULL : rb_metadata_parse (bytes, RB_METADATA_TIMESTAMP, self->limits.max_timestamp, failure);
  if (fetched == NULL || !verify_by_root (self, fetched, "timestamp", failure)
      || !check_version (fetched->version, rb_store_version (self->store, "timestamp", NULL), RB_REASON_ROLLBACK, failure))
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
  const json_t *now = rb_metadata_entry (successor->snapshot, name);
  if (now == NULL)
    return set_failure (successor->failure, RB_REASON_ROLLBACK, "a targets file that was listed before is gone");
  return check_version (rb_json_integer_or (now, "version", -1), rb_json_integer_or (before, "version", 0), RB_REASON_ROLLBACK,
                        successor->failure);
}

static gboolean
check_listed_versions (RbRepository *self, const RbMetadata *snapshot, GError **failure)
{
  GBytes *stored = rb_store_file (self->store, "snapshot");
  Successor successor = { snapshot, failure };
  if (stored == NULL)
    return TRUE;
  g_autoptr (RbMetadata) before = rb_metadata_parse (stored, RB_METADATA_SNAPSHOT, self->limits.max_snapshot, failure);
  return before != NULL && rb_metadata_each_entry (before, check_listed_version, &successor);
}

static RbMetadata *
checked_snapshot (RbRepository *self, GError **failure)
{
  const json_t *entry = listed (rb_repository_metadata (self, "timestamp"), "snapshot");
  g_autoptr (GBytes) bytes = fetch_role (self, "snapshot", entry, self->limits.max_snapshot, failure);
  g_autoptr (RbMetadata) snapshot
    = bytes == NULL ? NULL : rb_metadata_parse (bytes, RB_METADATA_SNAPSHOT, self->limits.max_snapshot, failure);
  if (snapshot == NULL || (entry != NULL && !check_listed_hash (snapshot, entry, failure))
      || !verify_by_root (self, snapshot, "snapshot", failure)
      || (entry != NULL && !check_entry (snapshot, entry, failure))
      || !check_version (snapshot->version, rb_store_version (self->store, "snapshot", NULL), RB_REASON_ROLLBACK, failure)
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

/* A targets file, top-level or delegated, but for its signatures. */
static RbMetadata *
load_targets (RbRepository *self, const char *role, const RbMetadataRole *keys, GError **failure)
{
  const RbMetadata *snapshot = rb_repository_metadata (self, "snapshot");
  const json_t *entry = listed (snapshot, role);
  gboolean delegated = strcmp (role, "targets") != 0;
  if (snapshot != NULL && entry == NULL) {
    set_failure (failure, delegated ? RB_REASON_DELEGATION_MISSING : RB_REASON_MISSING, "the snapshot does not list it");
    return NULL;
  }
  g_autoptr (GBytes) bytes = fetch_role (self, role, entry, self->limits.max_targets, failure);
  if (bytes == NULL && delegated && rb_reason_of (*failure) == RB_REASON_MISSING)
    (*failure)->code = RB_REASON_DELEGATION_MISSING;
  g_autoptr (RbMetadata) targets
    = bytes == NULL ? NULL : rb_metadata_parse (bytes, RB_METADATA_TARGETS, self->limits.max_targets, failure);
  if (targets == NULL || (entry != NULL && !check_listed_hash (targets, entry, failure))
      || !rb_metadata_verify (targets, keys, failure) || (entry != NULL && !check_entry (targets, entry, failure))
      || !check_version (targets->version, rb_store_version (self->store, role, NULL), RB_REASON_ROLLBACK, failure)
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
  RbMetadata *targets = keys == NULL ? NULL : load_targets (self, "targets", keys, &failure);
  if (targets == NULL)
    return refused (self, "targets", error, failure);
  hold (self, "targets", targets);
  return TRUE;
}

typedef struct {
  RbRepository *self;
  const char *path;
  const char *hardware_id;
  GHashTable *visited; /* "parent\nrole" */
  gboolean stopped;    /* by a terminating delegation */
  char *role;          /* where the search failed or ended */
} Search;

static RbTarget *search_role (Search *search, const RbMetadata *targets, const char *role, GError **failure);

/* A delegated file is verified against the role that delegates to it, each time; another parent's word does not count. */
static RbTarget *
search_delegation (Search *search, const RbMetadata *parent, const char *parent_name, const json_t *delegation, GError **failure)
{
  const char *name = rb_json_string_or (delegation, "name", "");
  g_autofree char *edge = g_strdup_printf ("%s\n%s", parent_name, name);
  if (!rb_delegation_matches (delegation, search->path, search->hardware_id)
      || g_hash_table_size (search->visited) >= MAX_VISITED || g_hash_table_contains (search->visited, edge))
    return NULL;
  g_hash_table_add (search->visited, g_steal_pointer (&edge));
  g_free (search->role);
  search->role = g_strdup (name);
  const json_t *all_keys = json_object_get (json_object_get (parent->signed_part, "delegations"), "keys");
  g_autoptr (RbMetadataRole) keys = rb_metadata_role_new (all_keys, delegation, failure);
  RbMetadata *targets = keys == NULL ? NULL : load_targets (search->self, name, keys, failure);
  if (targets == NULL)
    return NULL;
  hold (search->self, name, targets);
  RbTarget *found = search_role (search, targets, name, failure);
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
    RbTarget *found = search_delegation (search, targets, role, json_array_get (list, i), failure);
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
  Search search = { .self = self, .path = path, .hardware_id = hardware_id, .visited = visited, .role = g_strdup ("targets") };
  RbTarget *found = search_role (&search, rb_repository_targets (self), "targets", &failure);
  if (found == NULL) {
    if (failure == NULL)
      g_set_error (&failure, RB_UPTANE_ERROR, RB_REASON_TARGET_MISSING, "nobody vouches for “%s”", path);
    refused (self, search.role, error, failure);
  }
  g_free (search.role);
  return found;
}

gboolean
rb_repository_commit (RbRepository *self, GError **error)
{
  GHashTableIter iter;
  gpointer role, metadata;
  g_hash_table_iter_init (&iter, self->held);
  while (g_hash_table_iter_next (&iter, &role, &metadata))
    if (!rb_store_accept (self->store, role, metadata, error))
      return FALSE;
  return TRUE;
}
