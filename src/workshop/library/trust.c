/* SPDX-License-Identifier: Apache-2.0 */
#include "library/trust.h"

#include "campaign/roots.h"
#include "campaign/scratch.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "library/anchor-scope.h"
#include "uptane/vehicle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "recallbay-anchor-1"
#define STATEMENT_TYPE "application/vnd.recallbay.trust-replacement+json"

static gboolean
trust_error (GError **error, RbReason reason, const char *name, const char *text)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "trust anchor “%s”: %s", name, text);
}

static gboolean
name_is_allowed (const char *name)
{
  return rb_files_name_is_safe (name) && name[0] != '.' && strlen (name) <= 64 && g_utf8_validate (name, -1, NULL);
}

static gboolean
read_roots (RbAnchor *self, GError **error)
{
  gint64 first = 0;
  if ((self->roots = rb_roots_read_from (self->folder, &first, error)) == NULL)
    return FALSE;
  self->version = first + self->roots->len - 1;
  self->sha256 = rb_digest_sha256_hex_of (self->roots->pdata[self->roots->len - 1]);
  return TRUE;
}

static RbAnchor *
load (const char *data_dir, const char *name, GError **error)
{
  g_autoptr (RbAnchor) self = g_new0 (RbAnchor, 1);
  g_autofree char *path = g_build_filename (data_dir, "trust", name, "anchor.json", NULL);
  g_autoptr (json_t) json = rb_json_load (path, 65536, error);
  self->name = g_strdup (name);
  self->folder = g_build_filename (data_dir, "trust", name, "service", NULL);
  if (json == NULL || !rb_json_moment (json, "added", &self->added, path, error) || !read_roots (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

GPtrArray *
rb_trust_list (const char *data_dir, GError **error)
{
  g_autofree char *folder = g_build_filename (data_dir, "trust", NULL);
  if (rb_files_is_folder (data_dir) && !rb_files_keep_private (data_dir, error))
    return NULL;
  g_autoptr (GPtrArray) anchors = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_anchor_free);
  if (!rb_files_exists (folder))
    return g_steal_pointer (&anchors);
  g_auto (GStrv) names = rb_files_list (folder, error);
  if (names == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++) {
    if (names[i][0] == '.')
      continue;
    RbAnchor *anchor = load (data_dir, names[i], error);
    if (anchor == NULL)
      return NULL;
    g_ptr_array_add (anchors, anchor);
  }
  return g_steal_pointer (&anchors);
}

RbLock *
rb_trust_lock (const char *data_dir, GError **error)
{
  g_autofree char *folder = g_build_filename (data_dir, "trust", NULL);
  return rb_lock_folder (folder, "the trust anchors", error);
}

/* TRUE with *same set when that very root stands under that name already. */
static gboolean
check_present (const char *data_dir, const char *name, GBytes *root, gboolean *same, GError **error)
{
  g_autoptr (GPtrArray) anchors = rb_trust_list (data_dir, error);
  if (anchors == NULL)
    return FALSE;
  for (guint i = 0; i < anchors->len; i++) {
    const RbAnchor *anchor = anchors->pdata[i];
    gboolean has_root = rb_anchor_has (anchor, root);
    gboolean has_name = strcmp (anchor->name, name) == 0;
    *same = *same || (has_root && has_name);
    if (has_name && !has_root)
      return trust_error (error, RB_REASON_EXISTS, name,
                          "another root stands under that name; two people replace it with “trust replace”");
    if (has_root && !has_name)
      return trust_error (error, RB_REASON_EXISTS, anchor->name, "that root is already trusted under this name");
  }
  return TRUE;
}

static gboolean
write_anchor (const char *folder, const char *name, GBytes *root, gint64 now, GError **error)
{
  g_autofree char *store_path = g_build_filename (folder, "service", NULL);
  g_autofree char *json_path = g_build_filename (folder, "anchor.json", NULL);
  if (!rb_files_make_folder (store_path, error))
    return FALSE;
  g_autoptr (RbStore) store = rb_store_open (store_path, error);
  if (store == NULL || !rb_store_anchor (store, root, error))
    return FALSE;
  g_autoptr (json_t) json = json_object ();
  rb_json_set_string (json, "format", FORMAT);
  rb_json_set_string (json, "name", name);
  rb_json_set_moment (json, "added", now);
  rb_json_set_integer (json, "version", rb_store_root_version (store));
  rb_json_set_string (json, "sha256", rb_store_root_sha256 (store));
  g_autofree char *text = rb_json_to_pretty (json);
  return rb_files_write_private_text (json_path, text, error);
}

/* Made whole beside its place, then put there; what was there before goes with the scratch folder. */
static gboolean
put_in_place (const char *data_dir, const char *name, const char *folder, gboolean replace, GError **error)
{
  g_autofree char *place = g_build_filename (data_dir, "trust", name, NULL);
  if (renameat2 (AT_FDCWD, folder, AT_FDCWD, place, replace ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0)
    return TRUE;
  return trust_error (error, errno == EEXIST ? RB_REASON_EXISTS : RB_REASON_IO, name, g_strerror (errno));
}

static RbScratch *
new_scratch (const char *data_dir, GError **error)
{
  g_autofree char *parent = g_build_filename (data_dir, "trust", NULL);
  rb_scratch_sweep (parent);
  return rb_scratch_new (parent, error);
}

static gboolean
install (const char *data_dir, const char *name, GBytes *root, const char *const *wmis, gint64 now, GError **error)
{
  g_autoptr (RbScratch) scratch = new_scratch (data_dir, error);
  if (scratch == NULL)
    return FALSE;
  g_autofree char *folder = rb_scratch_file (scratch, "anchor");
  return write_anchor (folder, name, root, now, error) && (wmis == NULL || rb_anchor_scope_write (folder, wmis, error))
         && put_in_place (data_dir, name, folder, FALSE, error);
}

/* The bound of an anchor that stands is set once; two people widen it. */
static gboolean
bind (const char *data_dir, const char *name, const char *const *wmis, GError **error)
{
  g_autofree char *folder = g_build_filename (data_dir, "trust", name, NULL);
  g_auto (GStrv) before = NULL;
  if (wmis == NULL)
    return TRUE;
  if (!rb_anchor_scope_read (folder, &before, error))
    return FALSE;
  if (before == NULL)
    return rb_anchor_scope_write (folder, wmis, error);
  return g_strv_equal ((const char *const *) before, wmis)
         || trust_error (error, RB_REASON_EXISTS, name, "another scope is set; two people widen it with “trust scope”");
}

RbAnchor *
rb_trust_add (const char *data_dir, const char *name, GBytes *root, const char *const *wmis, gint64 now, GError **error)
{
  gboolean same = FALSE;
  if (!name_is_allowed (name)) {
    trust_error (error, RB_REASON_USAGE, name, "a name has 1 to 64 letters, no slash, and does not begin with a dot");
    return NULL;
  }
  g_autoptr (RbLock) lock = rb_trust_lock (data_dir, error);
  if (lock == NULL || !check_present (data_dir, name, root, &same, error))
    return NULL;
  if (!(same ? bind (data_dir, name, wmis, error) : install (data_dir, name, root, wmis, now, error))) {
    g_prefix_error (error, "trust anchor “%s”: ", name);
    return NULL;
  }
  return load (data_dir, name, error);
}

static RbAnchor *
advance (const char *data_dir, const RbAnchor *anchor, RbSource *source, gint64 now, GError **error)
{
  g_autoptr (RbStore) store = rb_store_open (anchor->folder, error);
  if (store == NULL || !rb_vehicle_update_root (store, source, now, "service", NULL, error)) {
    g_prefix_error (error, "trust anchor “%s”: ", anchor->name);
    return NULL;
  }
  return load (data_dir, anchor->name, error);
}

RbAnchor *
rb_trust_update_one (const char *data_dir, const char *name, RbSource *source, gint64 now, GError **error)
{
  g_autoptr (RbLock) lock = rb_trust_lock (data_dir, error);
  g_autoptr (RbAnchor) anchor = lock == NULL ? NULL : load (data_dir, name, error);
  return anchor == NULL ? NULL : advance (data_dir, anchor, source, now, error);
}

GPtrArray *
rb_trust_update_held (const char *data_dir, const char *folder, gint64 now, GError **error)
{
  g_autoptr (GPtrArray) advanced = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_anchor_free);
  g_autoptr (GPtrArray) anchors = rb_trust_list (data_dir, error);
  g_autoptr (GPtrArray) roots = anchors == NULL ? NULL : rb_roots_read (folder, error);
  g_autoptr (RbSource) source = rb_source_folder (folder);
  if (roots == NULL)
    return NULL;
  for (guint i = 0; i < anchors->len; i++) {
    if (!rb_anchor_knows (anchors->pdata[i], roots))
      continue;
    RbAnchor *anchor = advance (data_dir, anchors->pdata[i], source, now, error);
    if (anchor == NULL)
      return NULL;
    g_ptr_array_add (advanced, anchor);
  }
  if (advanced->len > 0)
    return g_steal_pointer (&advanced);
  g_set_error (error, RB_CAMPAIGN_ERROR, anchors->len == 0 ? RB_REASON_NO_TRUST_ANCHOR : RB_REASON_WRONG_OEM,
               "%s: no trust anchor here shares a root with it", folder);
  return NULL;
}

GPtrArray *
rb_trust_update (const char *data_dir, const char *folder, gint64 now, GError **error)
{
  g_autoptr (RbLock) lock = rb_trust_lock (data_dir, error);
  return lock == NULL ? NULL : rb_trust_update_held (data_dir, folder, now, error);
}

/* Without a trust list: two technicians under one authority, whichever it is. */
static gboolean
are_under_one_authority (RbIdentity *first, RbIdentity *second, gint64 now, GError **error)
{
  GPtrArray *chain = rb_identity_chain (first);
  g_autoptr (GPtrArray) authority = g_ptr_array_new ();
  g_ptr_array_add (authority, chain->pdata[chain->len - 1]);
  if (chain->len < 2)
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CERTIFICATE,
                           "the first person’s file holds no authority’s certificate");
  return rb_certificate_verify (chain, authority, RB_PURPOSE_TECHNICIAN, now, error)
         && rb_certificate_verify (rb_identity_chain (second), authority, RB_PURPOSE_TECHNICIAN, now, error);
}

/* Two people, technicians of the OEM whose anchor is replaced where it has said who they are. */
static gboolean
check_people (const char *place, RbIdentity *first, RbIdentity *second, gint64 now, GError **error)
{
  RbCertificate *one = rb_identity_certificate (first), *two = rb_identity_certificate (second);
  g_autoptr (RbTrustList) list = NULL;
  g_autoptr (GBytes) json = NULL;
  if (rb_certificate_same_holder (one, two))
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_SAME_PERSON, "both certificates are %s’s",
                           rb_certificate_common_name (one));
  if (!rb_anchor_scope_read_list (place, &list, &json, error))
    return FALSE;
  if (list == NULL)
    return are_under_one_authority (first, second, now, error);
  return rb_trust_list_check_clock (list, now, error)
         && rb_trust_list_check_signer (list, rb_identity_chain (first), RB_PURPOSE_TECHNICIAN, now, error)
         && rb_trust_list_check_signer (list, rb_identity_chain (second), RB_PURPOSE_TECHNICIAN, now, error);
}

static json_t *
version_and_digest (gint64 version, const char *sha256)
{
  return json_pack ("{s:I,s:s}", "version", (json_int_t) version, "sha256", sha256);
}

static gboolean
write_statement (const char *folder, const RbAnchor *before, GBytes *root, RbIdentity *first, RbIdentity *second,
                 gint64 now, GError **error)
{
  g_autofree char *sha256 = rb_digest_sha256_hex_of (root);
  g_autofree char *name = g_strdup_printf ("replaced-%" G_GINT64_FORMAT "-%.16s.json", now, before->sha256);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (json_t) statement = json_object ();
  rb_json_set_string (statement, "format", "recallbay-trust-replacement-1");
  rb_json_set_string (statement, "name", before->name);
  rb_json_set (statement, "before", version_and_digest (before->version, before->sha256));
  rb_json_set_string (statement, "after", sha256);
  rb_json_set_moment (statement, "at", now);
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (RbDsse) envelope = rb_dsse_new (STATEMENT_TYPE, payload);
  if (!rb_identity_sign_envelope (first, envelope, error) || !rb_identity_sign_envelope (second, envelope, error))
    return FALSE;
  g_autoptr (GBytes) json = rb_dsse_to_json (envelope);
  return rb_files_write_private (path, json, error);
}

/* Earlier statements stay beside the anchor, and its scope; its trust list goes with the root. */
static gboolean
copy_statements (const char *from, const char *to, GError **error)
{
  g_auto (GStrv) names = rb_files_list (from, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *old = g_build_filename (from, names[i], NULL);
    g_autofree char *new = g_build_filename (to, names[i], NULL);
    if ((g_str_has_prefix (names[i], "replaced-") || g_str_has_prefix (names[i], "scope"))
        && !rb_files_copy_tree (old, new, error))
      return FALSE;
  }
  return names != NULL;
}

static gboolean
replace (const char *data_dir, const RbAnchor *before, GBytes *root, RbIdentity *first, RbIdentity *second, gint64 now,
         GError **error)
{
  g_autofree char *place = g_build_filename (data_dir, "trust", before->name, NULL);
  g_autoptr (RbScratch) scratch = new_scratch (data_dir, error);
  if (scratch == NULL)
    return FALSE;
  g_autofree char *folder = rb_scratch_file (scratch, "anchor");
  return write_anchor (folder, before->name, root, now, error) && copy_statements (place, folder, error)
         && write_statement (folder, before, root, first, second, now, error)
         && put_in_place (data_dir, before->name, folder, TRUE, error);
}

RbAnchor *
rb_trust_replace (const char *data_dir, const char *name, GBytes *root, RbIdentity *first, RbIdentity *second,
                  gint64 now, GError **error)
{
  g_autofree char *place = g_build_filename (data_dir, "trust", name, NULL);
  if (!name_is_allowed (name) || !rb_files_is_folder (place)) {
    trust_error (error, RB_REASON_NOT_FOUND, name, "there is none of that name");
    return NULL;
  }
  g_autoptr (RbLock) lock = rb_trust_lock (data_dir, error);
  g_autoptr (RbAnchor) before = lock == NULL ? NULL : load (data_dir, name, error);
  if (before == NULL || !check_people (place, first, second, now, error)
      || !replace (data_dir, before, root, first, second, now, error)) {
    g_prefix_error (error, "replacing trust anchor “%s”: ", name);
    return NULL;
  }
  return load (data_dir, name, error);
}
