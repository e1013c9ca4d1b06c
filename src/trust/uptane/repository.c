/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/repository.h"

#include "core/json.h"
#include "core/moment.h"
#include "uptane/form.h"
#include "uptane/listed.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_UPTANE_ERROR, reason, __VA_ARGS__)

struct _RbRepository {
  RbTrusted *trusted;
  RbSource *source;
  RbPolicy policy;
  RbRejection *verdict;
  GHashTable *held; /* top-level role → RbMetadata */
  GHashTable *delegated_files; /* delegated role → RbMetadata; never replaced, a search may be standing in them */
  GPtrArray *delegated; /* of RbDelegated: those files by each delegation that was followed */
  char *culprit; /* role to name instead of the file that was refused */
};

RbRepository *
rb_repository_new (RbTrusted *trusted, RbSource *source, const RbPolicy *policy, RbRejection *verdict)
{
  RbRepository *self = g_new0 (RbRepository, 1);
  self->trusted = trusted;
  self->source = source;
  self->policy = *policy;
  self->verdict = verdict;
  self->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_metadata_free);
  self->delegated_files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_metadata_free);
  self->delegated = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_search_delegated_free);
  return self;
}

RbRepository *
rb_repository_new_for_store (RbStore *store, RbSource *source, const RbPolicy *policy, RbRejection *verdict)
{
  return rb_repository_new (rb_trusted_new_for_store (store), source, policy, verdict);
}

void
rb_repository_free (RbRepository *self)
{
  rb_trusted_free (self->trusted);
  g_hash_table_unref (self->held);
  g_ptr_array_unref (self->delegated);
  g_hash_table_unref (self->delegated_files);
  g_free (self->culprit);
  g_free (self);
}

/* Every way out of a step with an error goes through here, so that verdict and error say the same. */
static gboolean
reject_file (RbRepository *self, const char *file, GError **error, GError *failure)
{
  const char *repo = self->policy.repo;
  g_prefix_error (&failure, "%s%s%s: ", repo, repo[0] == '\0' ? "" : " repository, ", file);
  rb_rejection_set (self->verdict, repo, self->culprit == NULL ? file : self->culprit, failure);
  g_propagate_error (error, failure);
  return FALSE;
}

static void
set_culprit (RbRepository *self, char *role)
{
  g_free (self->culprit);
  self->culprit = role;
}

static RbMetadata *
read_file (RbRepository *self, GBytes *bytes, RbMetadataType type, GError **failure)
{
  RbMetadata *metadata
    = bytes == NULL ? NULL : rb_metadata_read (bytes, type, rb_policy_max (&self->policy, type), failure);
  if (bytes != NULL && metadata == NULL && rb_reason_of (*failure) == RB_REASON_ILLEGAL_THRESHOLD)
    set_culprit (self, rb_metadata_illegal_role (bytes));
  return metadata;
}

/* Of a large file, thresholds are known only when it is authentic. */
static gboolean
verify (RbRepository *self, RbMetadata *metadata, const RbMetadataRole *keys, GError **failure)
{
  gboolean good = rb_metadata_verify (metadata, keys, failure);
  if (!good && rb_reason_of (*failure) == RB_REASON_ILLEGAL_THRESHOLD)
    set_culprit (self, rb_form_illegal_role (metadata->signed_part));
  return good;
}

static gboolean
check_expiry (const RbMetadata *metadata, gint64 now, GError **failure)
{
  if (now < metadata->expires)
    return TRUE;
  g_autofree char *when = rb_moment_to_text (metadata->expires);
  return deny (failure, RB_REASON_EXPIRED, "version %" G_GINT64_FORMAT " expired at %s", metadata->version, when);
}

static gboolean
check_version (gint64 version, gint64 wanted, RbReason reason, GError **failure)
{
  gboolean good = reason == RB_REASON_ROLLBACK ? version >= wanted : version == wanted;
  return good
         || deny (failure, reason, "version is %" G_GINT64_FORMAT ", %s %" G_GINT64_FORMAT, version,
                  reason == RB_REASON_ROLLBACK ? "accepted before was" : "it should be", wanted);
}

/* Roots */

static gboolean
keys_changed (const RbRepository *self, const RbMetadata *before, const RbMetadata *after, const char *role)
{
  g_autoptr (RbMetadataRole) old_keys = rb_metadata_root_role (before, role, NULL);
  g_autoptr (RbMetadataRole) new_keys = rb_metadata_root_role (after, role, NULL);
  if (old_keys == NULL || new_keys == NULL)
    return old_keys != new_keys || self->policy.verifies_stored;
  return !rb_metadata_role_same_keys (old_keys, new_keys)
         || (self->policy.verifies_stored && new_keys->threshold > old_keys->threshold);
}

/* Fast-forward recovery (TUF 5.3.11): roles whose stored metadata falls because the new root changes their keys.
 * Timestamp and snapshot fall together; targets fall too, stricter than the text. */
static GStrv
changed_roles (const RbRepository *self, const RbMetadata *before, const RbMetadata *after)
{
  g_autoptr (GStrvBuilder) roles = g_strv_builder_new ();
  if (keys_changed (self, before, after, "timestamp") || keys_changed (self, before, after, "snapshot"))
    g_strv_builder_add_many (roles, "timestamp", "snapshot", NULL);
  if (keys_changed (self, before, after, "targets"))
    g_strv_builder_add (roles, "targets");
  return g_strv_builder_end (roles);
}

/* (transfer full) next */
static gboolean
accept_root (RbRepository *self, RbMetadata *next, GError **failure)
{
  g_autoptr (RbMetadata) root = next;
  const RbMetadata *trusted = rb_trusted_root (self->trusted);
  if (!rb_metadata_verify_by_root (root, trusted, "root", failure)
      || !rb_metadata_verify_by_root (root, root, "root", failure)
      || !check_version (root->version, trusted->version + 1, RB_REASON_ROOT_VERSION, failure))
    return FALSE;
  g_auto (GStrv) dropped = changed_roles (self, trusted, root);
  if (!rb_trusted_add_root (self->trusted, root, (const char *const *) dropped, failure))
    return FALSE;
  root = NULL;
  return TRUE;
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

static RbMetadata *
fetch_root (RbRepository *self, const char *name, GError **failure)
{
  g_autoptr (GBytes) bytes = fetch_if_there (self, name, self->policy.max_root, failure);
  return read_file (self, bytes, RB_METADATA_ROOT, failure);
}

/* Nothing is named as the next root: root.json may be it, and a newer one than the next shows a gap in the chain. */
static gboolean
unnumbered_root (RbRepository *self, gint64 version, gboolean *done, GError **failure)
{
  g_autoptr (RbMetadata) root = fetch_root (self, "root.json", failure);
  if (*failure != NULL)
    return FALSE;
  *done = root == NULL || root->version < version;
  if (*done)
    return TRUE;
  if (root->version == version)
    return accept_root (self, g_steal_pointer (&root), failure);
  return deny (failure, RB_REASON_ROOT_GAP,
               "version %" G_GINT64_FORMAT " is missing, root.json is version %" G_GINT64_FORMAT, version,
               root->version);
}

/* TRUE with *done when there is no further root. */
static gboolean
next_root (RbRepository *self, gboolean *done, GError **failure)
{
  gint64 version = rb_trusted_root (self->trusted)->version + 1;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", version);
  RbMetadata *next = fetch_root (self, name, failure);
  if (next != NULL)
    return accept_root (self, next, failure);
  *done = *failure == NULL && !self->policy.any_layout;
  return *failure == NULL && rb_source_has_no_root_above (self->source, version, failure)
         && (*done || unnumbered_root (self, version, done, failure));
}

gboolean
rb_repository_walk_roots (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  gboolean done = FALSE;
  if (rb_trusted_root (self->trusted) == NULL) {
    deny (&failure, RB_REASON_NO_TRUST_ANCHOR, "there is no trusted root");
    return reject_file (self, "root", error, failure);
  }
  for (guint i = 0; !done && failure == NULL && (self->policy.max_roots == 0 || i < self->policy.max_roots); i++)
    if (!next_root (self, &done, &failure))
      done = TRUE;
  if (!rb_trusted_save (self->trusted, failure == NULL ? &failure : NULL) || failure != NULL)
    return reject_file (self, "root", error, failure);
  return TRUE;
}

gboolean
rb_repository_update_root (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  if (!rb_repository_walk_roots (self, error))
    return FALSE;
  return check_expiry (rb_trusted_root (self->trusted), self->policy.now, &failure)
         || reject_file (self, "root", error, failure);
}

gboolean
rb_repository_has_role (RbRepository *self, const char *role)
{
  const RbMetadata *root = rb_trusted_root (self->trusted);
  return root != NULL && json_object_get (json_object_get (root->signed_part, "roles"), role) != NULL;
}

gboolean
rb_repository_is_consistent (RbRepository *self)
{
  return rb_json_boolean_or (rb_trusted_root (self->trusted)->signed_part, "consistent_snapshot", FALSE);
}

static RbMetadataRole *
keys_of_role (RbRepository *self, const char *role, GError **failure)
{
  return rb_metadata_root_role (rb_trusted_root (self->trusted), role, failure);
}

const RbMetadata *
rb_repository_metadata (RbRepository *self, const char *role)
{
  const RbMetadata *held = g_hash_table_lookup (self->held, role);
  if (strcmp (role, "root") == 0)
    return rb_trusted_root (self->trusted);
  return held != NULL ? held : g_hash_table_lookup (self->delegated_files, role);
}

static gboolean
load_before (RbRepository *self, const char *role, RbMetadataType type, const RbMetadataRole *keys,
             RbTrustedBefore *before, GError **failure)
{
  return rb_trusted_load (self->trusted, &self->policy, role, type, keys, before, failure);
}

RbMetadata *
rb_repository_stored_targets (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  g_autoptr (RbMetadataRole) keys = keys_of_role (self, "targets", &failure);
  g_auto (RbTrustedBefore) before = { 0 };
  if (keys != NULL && load_before (self, "targets", RB_METADATA_TARGETS, keys, &before, &failure))
    return g_steal_pointer (&before.file);
  reject_file (self, "targets", error, failure);
  return NULL;
}

/* What has the version of the file before is that file, and nothing is older. */
static gboolean
check_succession (const RbRepository *self, const RbTrustedBefore *before, const RbMetadata *next, GError **failure)
{
  if (self->policy.succession == RB_SUCCESSION_LISTED)
    return TRUE;
  return check_version (next->version, before->version, RB_REASON_ROLLBACK, failure)
         && (self->policy.succession != RB_SUCCESSION_BYTES || before->file == NULL || next->version > before->version
             || g_bytes_equal (next->bytes, before->file->bytes)
             || deny (failure, RB_REASON_ROLLBACK,
                      "other bytes were accepted before under the same version %" G_GINT64_FORMAT, next->version));
}

/* Timestamp */

static gboolean
read_snapshot_entry (RbRepository *self, const RbMetadata *timestamp, RbListed *listed, GError **failure)
{
  if (!rb_listed_read (timestamp, "snapshot", listed, failure))
    return *failure == NULL ? deny (failure, RB_REASON_MALFORMED, "it lists no snapshot") : FALSE;
  return listed->has_hashes || !self->policy.snapshot_hashes
         || deny (failure, RB_REASON_MALFORMED, "it lists no hashes of the snapshot");
}

/* TUF 5.4.3: neither the timestamp nor the snapshot that it lists may go back. */
static gboolean
check_listed_snapshot (RbRepository *self, const RbTrustedBefore *before, const RbListed *listed, GError **failure)
{
  RbListed then = { 0 };
  if (before->file == NULL) /* never, or damaged */
    then.version = rb_trusted_version (self->trusted, "snapshot");
  else if (!rb_listed_read (before->file, "snapshot", &then, failure) && *failure != NULL)
    return FALSE;
  return check_version (listed->version, then.version, RB_REASON_ROLLBACK, failure);
}

/* TUF 5.4.3.1: the same version again is not news, the stored file stays. The uptane dialect's vectors take its
 * content. */
static gboolean
is_no_news (const RbTrustedBefore *before, const RbMetadata *next)
{
  return !next->uptane_dialect && before->file != NULL && before->version == next->version;
}

static gboolean
check_timestamp (RbRepository *self, const RbTrustedBefore *before, RbMetadata *next, const RbMetadataRole *keys,
                 GError **failure)
{
  RbListed listed = { 0 };
  return next != NULL && verify (self, next, keys, failure) && read_snapshot_entry (self, next, &listed, failure)
         && check_version (next->version, before->version, RB_REASON_ROLLBACK, failure)
         && check_succession (self, before, next, failure)
         && (is_no_news (before, next) || check_listed_snapshot (self, before, &listed, failure));
}

static RbMetadata *
take_timestamp (RbRepository *self, GError **failure)
{
  g_autoptr (RbMetadataRole) keys = keys_of_role (self, "timestamp", failure);
  g_auto (RbTrustedBefore) before = { 0 };
  if (keys == NULL || !load_before (self, "timestamp", RB_METADATA_TIMESTAMP, keys, &before, failure))
    return NULL;
  g_autoptr (GBytes) bytes = rb_source_fetch (self->source, "timestamp.json", self->policy.max_timestamp, failure);
  g_autoptr (RbMetadata) next = read_file (self, bytes, RB_METADATA_TIMESTAMP, failure);
  if (!check_timestamp (self, &before, next, keys, failure))
    return NULL;
  gboolean stays = is_no_news (&before, next);
  g_autoptr (RbMetadata) taken = stays ? g_steal_pointer (&before.file) : g_steal_pointer (&next);
  if (!check_expiry (taken, self->policy.now, failure)
      || (!stays && !rb_trusted_accept (self->trusted, "timestamp", taken, failure)))
    return NULL;
  return g_steal_pointer (&taken);
}

/* What a timestamp or snapshot file lists */

/* With its version or without, bounded by the length that is listed. listed NULL: nothing lists it. */
static GBytes *
fetch_listed (RbRepository *self, const char *role, RbMetadataType type, const RbListed *listed, GError **failure)
{
  g_autofree char *plain = rb_accepted_file_name (role);
  g_autofree char *versioned = g_strdup_printf ("%" G_GINT64_FORMAT ".%s", listed == NULL ? 0 : listed->version, plain);
  gboolean versions = listed != NULL && rb_repository_is_consistent (self);
  gsize own = rb_policy_max (&self->policy, type), bound = rb_listed_bound (listed, own, self->policy.any_form);
  GError *problem = NULL;
  GBytes *bytes = NULL;
  if (self->policy.any_layout && listed != NULL) {
    bytes = fetch_if_there (self, versions ? versioned : plain, bound, &problem);
    versions = !versions;
  }
  if (bytes == NULL && problem == NULL)
    bytes = rb_source_fetch (self->source, versions ? versioned : plain, bound, &problem);
  if (problem != NULL)
    rb_listed_fail (listed, bound, own, problem, failure);
  return bytes;
}

typedef struct {
  RbRepository *self;
  const RbMetadata *snapshot;
  GError **failure;
} Successor;

/* (RbMetadataEntryFunc) TUF 5.5.5: no listed targets file may vanish or go back. "root.json" is listed by old files and
 * means nothing. */
static gboolean
check_still_listed (const char *name, const json_t *before, gpointer data)
{
  const Successor *successor = data;
  RbRepository *self = successor->self;
  const json_t *entry = rb_metadata_entry (successor->snapshot, name);
  RbListed now = { 0 }, then = { 0 };
  if (strcmp (name, "root.json") == 0)
    return TRUE;
  if (entry == NULL)
    return deny (successor->failure, RB_REASON_ROLLBACK, "%s was listed before and is not any more", name);
  if (!rb_listed_read_entry (before, name, &then, successor->failure)
      || !rb_listed_read_entry (entry, name, &now, successor->failure))
    return FALSE;
  /* its keys have changed: what was accepted under the old ones has been dropped, and does not bind */
  if (self->policy.dropped_targets_unbound && strcmp (name, "targets.json") == 0
      && rb_trusted_version (self->trusted, "targets") == 0)
    return TRUE;
  return check_version (now.version, then.version, RB_REASON_ROLLBACK, successor->failure);
}

/* Of a snapshot file that is damaged, the versions of targets roles are known. */
static gboolean
check_known_versions (RbRepository *self, const RbMetadata *snapshot, GError **failure)
{
  g_auto (GStrv) roles = rb_trusted_roles (self->trusted);
  for (guint i = 0; roles[i] != NULL; i++) {
    RbListed now = { .version = -1 };
    if (strcmp (roles[i], "timestamp") == 0 || strcmp (roles[i], "snapshot") == 0)
      continue;
    if ((!rb_listed_read (snapshot, roles[i], &now, failure) && *failure != NULL)
        || !check_version (now.version, rb_trusted_version (self->trusted, roles[i]), RB_REASON_ROLLBACK, failure))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_listed_versions (RbRepository *self, const RbTrustedBefore *before, const RbMetadata *snapshot, GError **failure)
{
  Successor successor = { self, snapshot, failure };
  if (before->file == NULL)
    return before->version == 0 || check_known_versions (self, snapshot, failure);
  return rb_metadata_each_entry (before->file, check_still_listed, &successor);
}

/* before NULL: the file is the one accepted before. */
static gboolean
check_file (RbRepository *self, RbMetadata *file, const RbMetadataRole *keys, const RbListed *listed,
            const RbTrustedBefore *before, GError **failure)
{
  gboolean lists = file->type == RB_METADATA_SNAPSHOT;
  return (listed == NULL || rb_listed_check (listed, file, self->policy.any_form, failure))
         && verify (self, file, keys, failure) && (!lists || rb_listed_check_all (file, failure))
         && (listed == NULL || check_version (file->version, listed->version, RB_REASON_VERSION_MISMATCH, failure))
         && (before == NULL || check_succession (self, before, file, failure))
         && (before == NULL || !lists || check_listed_versions (self, before, file, failure))
         && check_expiry (file, self->policy.now, failure);
}

/* A file that another one lists: the stored one where it may stand, else a fetched one. */
static RbMetadata *
take_file (RbRepository *self, const char *role, RbMetadataType type, const RbMetadataRole *keys,
           const RbListed *listed, RbTrustedBefore *before, GError **failure)
{
  g_autoptr (GError) stale = NULL;
  if (self->policy.reuses_stored && before->file != NULL && check_file (self, before->file, keys, listed, NULL, &stale))
    return g_steal_pointer (&before->file);
  g_autoptr (GBytes) bytes = fetch_listed (self, role, type, listed, failure);
  g_autoptr (RbMetadata) next = read_file (self, bytes, type, failure);
  gboolean good = next != NULL && check_file (self, next, keys, listed, before, failure)
                  && rb_trusted_accept (self->trusted, role, next, failure);
  return good ? g_steal_pointer (&next) : NULL;
}

static RbMetadata *
take_snapshot (RbRepository *self, GError **failure)
{
  RbListed listed = { 0 };
  g_autoptr (RbMetadataRole) keys = keys_of_role (self, "snapshot", failure);
  g_auto (RbTrustedBefore) before = { 0 };
  if (keys == NULL || !read_snapshot_entry (self, rb_repository_metadata (self, "timestamp"), &listed, failure)
      || !load_before (self, "snapshot", RB_METADATA_SNAPSHOT, keys, &before, failure))
    return NULL;
  return take_file (self, "snapshot", RB_METADATA_SNAPSHOT, keys, &listed, &before, failure);
}

static gboolean
is_not_listed (const RbRepository *self, const char *role, GError **failure)
{
  RbReason reason = self->policy.aktualizr_reasons ? RB_REASON_VERSION_MISMATCH
                    : rb_form_is_top_level (role)  ? RB_REASON_MISSING
                                                   : RB_REASON_DELEGATION_MISSING;
  return deny (failure, reason, "the snapshot does not list it");
}

/* A targets file, top-level or delegated. A repository without a snapshot lists none. */
static RbMetadata *
take_targets (RbRepository *self, const char *role, const RbMetadataRole *keys, RbTrustedBefore *before,
              GError **failure)
{
  const RbMetadata *snapshot = rb_repository_metadata (self, "snapshot");
  RbListed entry = { 0 };
  const RbListed *listed = rb_listed_read (snapshot, role, &entry, failure) ? &entry : NULL;
  if (*failure != NULL || (snapshot != NULL && listed == NULL && !is_not_listed (self, role, failure)))
    return NULL;
  return take_file (self, role, RB_METADATA_TARGETS, keys, listed, before, failure);
}

static RbMetadata *
take_top_targets (RbRepository *self, GError **failure)
{
  g_autoptr (RbMetadataRole) keys = keys_of_role (self, "targets", failure);
  g_auto (RbTrustedBefore) before = { 0 };
  if (keys == NULL || !load_before (self, "targets", RB_METADATA_TARGETS, keys, &before, failure))
    return NULL;
  return take_targets (self, "targets", keys, &before, failure);
}

static gboolean
update (RbRepository *self, const char *role, RbMetadata *(*take) (RbRepository *, GError **), GError **error)
{
  GError *failure = NULL;
  RbMetadata *metadata = take (self, &failure);
  if (metadata == NULL)
    return reject_file (self, role, error, failure);
  g_hash_table_insert (self->held, g_strdup (role), metadata);
  return TRUE;
}

gboolean
rb_repository_update_timestamp (RbRepository *self, GError **error)
{
  return update (self, "timestamp", take_timestamp, error);
}

gboolean
rb_repository_update_snapshot (RbRepository *self, GError **error)
{
  return update (self, "snapshot", take_snapshot, error);
}

gboolean
rb_repository_update_targets (RbRepository *self, GError **error)
{
  return update (self, "targets", take_top_targets, error);
}

/* Delegations */

static const RbDelegated *
delegated_at (RbRepository *self, const char *place)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    const RbDelegated *delegated = self->delegated->pdata[i];
    if (strcmp (delegated->place, place) == 0)
      return delegated;
  }
  return NULL;
}

/* The file of a delegated role. One that another delegation led to is verified again by this one. */
static const RbMetadata *
take_delegated (RbRepository *self, const RbDelegated *delegated, const RbMetadataRole *keys, GError **failure)
{
  g_auto (RbTrustedBefore) before = { 0 };
  RbMetadata *known = g_hash_table_lookup (self->delegated_files, delegated->role);
  if (known == NULL && !load_before (self, delegated->role, RB_METADATA_TARGETS, keys, &before, failure))
    return NULL;
  if (before.file == NULL)
    before.version = rb_trusted_delegated_version (self->trusted, delegated->parent, delegated->role, delegated->keys);
  if (known != NULL)
    return verify (self, known, keys, failure) && check_succession (self, &before, known, failure) ? known : NULL;
  RbMetadata *file = take_targets (self, delegated->role, keys, &before, failure);
  if (file != NULL)
    g_hash_table_insert (self->delegated_files, g_strdup (delegated->role), file);
  return file;
}

/* To aktualizr's vectors, what has expired lists nothing. */
static void
translate (const RbRepository *self, GError *failure)
{
  RbReason reason = rb_reason_of (failure);
  if (self->policy.aktualizr_reasons && reason == RB_REASON_MISSING)
    failure->code = RB_REASON_DELEGATION_MISSING;
  if (self->policy.aktualizr_reasons && reason == RB_REASON_EXPIRED)
    failure->code = RB_REASON_TARGET_MISSING;
}

/* (RbSearchLoadFunc) A delegated file is verified by the very delegation that leads to it; another parent's word does
 * not count. */
static const RbDelegated *
load_delegated (const RbSearchDelegation *delegation, gpointer data, GError **error)
{
  RbRepository *self = data;
  g_autofree char *place = rb_search_place (delegation);
  const RbDelegated *known = delegated_at (self, place);
  const json_t *all_keys = json_object_get (json_object_get (delegation->file->signed_part, "delegations"), "keys");
  g_autoptr (RbMetadataRole) keys = known != NULL ? NULL : rb_metadata_role_new (all_keys, delegation->entry, error);
  if (keys == NULL)
    return known;
  GError *failure = NULL;
  RbDelegated *delegated = g_new0 (RbDelegated, 1);
  delegated->place = g_steal_pointer (&place);
  delegated->role = g_strdup (delegation->role);
  delegated->parent = g_strdup (delegation->parent);
  delegated->carrier = rb_store_delegation (delegation->parent, delegation->role);
  delegated->keys = rb_metadata_role_fingerprint (keys);
  delegated->metadata = take_delegated (self, delegated, keys, &failure);
  if (delegated->metadata != NULL) {
    g_ptr_array_add (self->delegated, delegated);
    return delegated;
  }
  rb_search_delegated_free (delegated);
  translate (self, failure);
  g_propagate_error (error, failure);
  return NULL;
}

RbTarget *
rb_repository_find (RbRepository *self, const char *path, const char *hardware_id, GError **error)
{
  GError *failure = NULL;
  g_autofree char *role = NULL;
  RbTarget *found = rb_search_target (rb_repository_metadata (self, "targets"), path, hardware_id, &self->policy,
                                      load_delegated, self, &role, &failure);
  if (found != NULL)
    return found;
  if (failure == NULL)
    deny (&failure, RB_REASON_TARGET_MISSING, "no role lists “%s”", path);
  reject_file (self, role, error, failure);
  return NULL;
}

gboolean
rb_repository_load_delegations (RbRepository *self, GError **error)
{
  GError *failure = NULL;
  g_autofree char *role = NULL;
  return rb_search_all (rb_repository_metadata (self, "targets"), load_delegated, self, &role, &failure)
         || reject_file (self, role, error, failure);
}

void
rb_repository_each_delegated (RbRepository *self, RbRepositoryDelegatedFunc func, gpointer data)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    const RbDelegated *delegated = self->delegated->pdata[i];
    func (delegated->role, delegated->metadata, data);
  }
}

/* What a store keeps of an accepted run */

/* Keys that sign for a carrier of release counters now. (transfer full) */
static char *
keys_of_carrier (RbRepository *self, const char *carrier)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    const RbDelegated *delegated = self->delegated->pdata[i];
    if (strcmp (delegated->carrier, carrier) == 0)
      return g_strdup (delegated->keys);
  }
  if (strcmp (carrier, "targets") != 0)
    return g_strdup (rb_store_carrier_keys (self->trusted->store, carrier));
  g_autoptr (RbMetadataRole) targets = keys_of_role (self, "targets", NULL);
  return targets == NULL ? NULL : rb_metadata_role_fingerprint (targets);
}

gint64
rb_repository_counter (RbRepository *self, const char *serial)
{
  const char *carrier = NULL, *keys = NULL;
  gint64 counter = rb_store_counter (self->trusted->store, serial, &carrier, &keys);
  g_autofree char *now = carrier == NULL ? NULL : keys_of_carrier (self, carrier);
  return now != NULL && g_strcmp0 (keys, now) != 0 ? -1 : counter;
}

void
rb_repository_set_counter (RbRepository *self, const char *serial, const RbTarget *target)
{
  const char *carrier = target->carrier == NULL ? "targets" : target->carrier;
  g_autofree char *keys = target->carrier == NULL ? keys_of_carrier (self, "targets") : g_strdup (target->carrier_keys);
  if (target->release_counter >= 0)
    rb_store_set_counter (self->trusted->store, serial, target->release_counter, carrier, keys);
}

gboolean
rb_repository_commit (RbRepository *self, GError **error)
{
  GHashTableIter iter;
  gpointer role, metadata;
  g_hash_table_iter_init (&iter, self->held);
  while (g_hash_table_iter_next (&iter, &role, &metadata))
    rb_store_accept (self->trusted->store, role, metadata);
  for (guint i = 0; i < self->delegated->len; i++) {
    const RbDelegated *delegated = self->delegated->pdata[i];
    rb_store_accept_delegated (self->trusted->store, delegated->parent, delegated->role, delegated->keys,
                               delegated->metadata);
  }
  return rb_store_save (self->trusted->store, error);
}
