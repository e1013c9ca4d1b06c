/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/trust.h"

#include "campaign/roots.h"
#include "campaign/scratch.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define FORMAT "recallbay-anchor-1"

void
rb_trust_anchor_free (RbTrustAnchor *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->sha256);
  g_clear_pointer (&self->roots, g_ptr_array_unref);
  g_free (self->folder);
  g_free (self);
}

static gboolean
refuse (GError **error, RbReason reason, const char *name, const char *text)
{
  g_set_error (error, RB_CAMPAIGN_ERROR, (int) reason, "trust anchor “%s”: %s", name, text);
  return FALSE;
}

static gboolean
name_is_allowed (const char *name)
{
  return rb_files_name_is_safe (name) && name[0] != '.' && strlen (name) <= 64 && g_utf8_validate (name, -1, NULL);
}

static gboolean
read_roots (RbTrustAnchor *self, GError **error)
{
  gint64 first = 0;
  if ((self->roots = rb_roots_read_from (self->folder, &first, error)) == NULL)
    return FALSE;
  self->version = first + self->roots->len - 1;
  self->sha256 = rb_digest_sha256_hex_of (self->roots->pdata[self->roots->len - 1]);
  return TRUE;
}

static RbTrustAnchor *
load (const char *data_dir, const char *name, GError **error)
{
  g_autoptr (RbTrustAnchor) self = g_new0 (RbTrustAnchor, 1);
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
  g_autoptr (GPtrArray) anchors = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_trust_anchor_free);
  if (!rb_files_exists (folder))
    return g_steal_pointer (&anchors);
  g_auto (GStrv) names = rb_files_list (folder, error);
  if (names == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++) {
    if (names[i][0] == '.')
      continue;
    RbTrustAnchor *anchor = load (data_dir, names[i], error);
    if (anchor == NULL)
      return NULL;
    g_ptr_array_add (anchors, anchor);
  }
  return g_steal_pointer (&anchors);
}

static gboolean
anchor_has_root (const RbTrustAnchor *anchor, GBytes *root)
{
  for (guint i = 0; i < anchor->roots->len; i++)
    if (g_bytes_equal (anchor->roots->pdata[i], root))
      return TRUE;
  return FALSE;
}

/* TRUE with *same set when that very root stands under that name already. */
static gboolean
check_present (const char *data_dir, const char *name, GBytes *root, gboolean *same, GError **error)
{
  g_autoptr (GPtrArray) anchors = rb_trust_list (data_dir, error);
  if (anchors == NULL)
    return FALSE;
  for (guint i = 0; i < anchors->len; i++) {
    const RbTrustAnchor *anchor = anchors->pdata[i];
    gboolean has_root = anchor_has_root (anchor, root);
    gboolean has_name = strcmp (anchor->name, name) == 0;
    *same = *same || (has_root && has_name);
    if (has_name && !has_root)
      return refuse (error, RB_REASON_EXISTS, name, "another root stands under that name; two people replace it with “trust replace”");
    if (has_root && !has_name)
      return refuse (error, RB_REASON_EXISTS, anchor->name, "that root is already trusted under this name");
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
  return rb_files_write_text (json_path, text, error);
}

/* Made whole beside its place, then put there. */
static gboolean
install (const char *data_dir, const char *name, GBytes *root, gint64 now, GError **error)
{
  g_autofree char *parent = g_build_filename (data_dir, "trust", NULL);
  g_autofree char *place = g_build_filename (parent, name, NULL);
  rb_scratch_sweep (parent);
  g_autoptr (RbScratch) scratch = rb_scratch_new (parent, error);
  if (scratch == NULL)
    return FALSE;
  g_autofree char *folder = rb_scratch_file (scratch, "anchor");
  if (!write_anchor (folder, name, root, now, error))
    return FALSE;
  if (g_rename (folder, place) == 0)
    return TRUE;
  return refuse (error, RB_REASON_IO, name, g_strerror (errno));
}

RbTrustAnchor *
rb_trust_add (const char *data_dir, const char *name, GBytes *root, gint64 now, GError **error)
{
  gboolean same = FALSE;
  if (!name_is_allowed (name)) {
    refuse (error, RB_REASON_USAGE, name, "a name has 1 to 64 letters, no slash, and does not begin with a dot");
    return NULL;
  }
  if (!check_present (data_dir, name, root, &same, error))
    return NULL;
  if (!same && !install (data_dir, name, root, now, error)) {
    g_prefix_error (error, "trust anchor “%s”: ", name);
    return NULL;
  }
  return load (data_dir, name, error);
}
