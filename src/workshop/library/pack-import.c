/* SPDX-License-Identifier: Apache-2.0 */
#include "library/pack-import.h"

#include "campaign/pack-file.h"
#include "campaign/service.h"
#include "campaign/shape.h"
#include "core/files.h"
#include "core/json.h"
#include "library/rollback-state.h"
#include "library/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static gboolean
is_campaign (const RbLibraryEntry *entry, const json_t *head)
{
  g_autoptr (GBytes) claimed = entry->damaged ? NULL : rb_service_claimed (entry->folder, NULL);
  g_autofree char *sha256 = claimed == NULL ? NULL : rb_digest_sha256_hex_of (claimed);
  return strcmp (entry->id, rb_json_string_or (head, "campaign", "")) == 0
         && g_strcmp0 (sha256, rb_json_string_or (head, "campaign_sha256", "")) == 0;
}

/* The campaign that the pack is for. Borrowed from entries. */
static const RbLibraryEntry *
find_campaign (GPtrArray *entries, const json_t *head, GError **error)
{
  for (guint i = 0; i < entries->len; i++)
    if (is_campaign (entries->pdata[i], head))
      return entries->pdata[i];
  rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_UNKNOWN,
                  "campaign %s: not in the library as the pack knows it; import its bundle first",
                  rb_json_string_or (head, "campaign", ""));
  return NULL;
}

/* The files of a folder that is not changed: links, or copies where the file system has none. */
static gboolean
link_files (const char *campaign, const char *folder, const char *inner, GError **error)
{
  g_autofree char *from = g_build_filename (campaign, inner, NULL);
  g_autofree char *to = g_build_filename (folder, inner, NULL);
  if (!rb_files_is_folder (from))
    return TRUE;
  g_auto (GStrv) names = rb_files_list (from, error);
  if (names == NULL || !rb_files_make_folder (to, error))
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *old = g_build_filename (from, names[i], NULL);
    g_autofree char *new = g_build_filename (to, names[i], NULL);
    if (link (old, new) != 0 && !rb_files_copy_tree (old, new, error))
      return FALSE;
  }
  return TRUE;
}

/* A folder like the campaign's in the library, with this pack alone. */
static gboolean
assemble (const char *pack, const char *campaign, const char *folder, GError **error)
{
  static const char *const parts[] = { "service", "director", "image" };
  g_autofree char *from = g_build_filename (pack, "vins", NULL);
  g_autofree char *to = g_build_filename (folder, "vins", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree char *old = g_build_filename (campaign, parts[i], NULL);
    g_autofree char *copy = g_build_filename (folder, parts[i], NULL);
    if (!rb_files_copy_tree (old, copy, error))
      return FALSE;
  }
  return rb_files_copy_tree (from, to, error) && link_files (campaign, folder, "scopes", error)
         && link_files (campaign, folder, "vins/regions", error);
}

static RbContents *
verify (RbLibrary *library, const RbLibraryEntry *entry, const char *folder, const char *vin, gint64 now,
        GError **error)
{
  g_autoptr (GPtrArray) anchors = rb_trust_list (rb_library_data_dir (library), error);
  for (guint i = anchors == NULL ? 0 : anchors->len; i > 0; i--)
    if (g_strcmp0 (((RbAnchor *) anchors->pdata[i - 1])->name, entry->anchor) != 0)
      g_ptr_array_remove_index (anchors, i - 1);
  const RbContentsSource source
    = { .folder = folder, .store = rb_library_store (library), .anchors = anchors, .started = TRUE, .moment = now };
  g_autoptr (RbContents) contents = anchors == NULL ? NULL : rb_contents_verify (&source, NULL, error);
  return contents != NULL && rb_contents_verify_pack (contents, vin, now, error) ? g_steal_pointer (&contents) : NULL;
}

static gboolean
sync_all (const char *folder, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && syncfs (fd) == 0;
  if (!ok)
    rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_IO, "%s: %s", folder, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

/* Gives the pack its place by one rename. A pack that stood there is exchanged, so that it goes with the scratch
 * folder. */
static gboolean
place (const char *fresh, const char *campaign, const char *vin, GError **error)
{
  g_autofree char *vins = g_build_filename (campaign, "vins", NULL);
  g_autofree char *to = g_build_filename (vins, vin, NULL);
  if (!rb_files_make_folder (vins, error) || !sync_all (fresh, error))
    return FALSE;
  if (renameat2 (AT_FDCWD, fresh, AT_FDCWD, to, rb_files_exists (to) ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0)
    return sync_all (vins, error);
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_IO, "%s: %s", to, g_strerror (errno));
}

static gboolean
take (RbLibrary *library, const char *pack, const RbLibraryEntry *entry, const char *vin, RbScratch *scratch,
      gint64 now, GError **error)
{
  g_autofree char *folder = rb_scratch_file (scratch, "checked");
  g_autofree char *fresh = g_build_filename (folder, "vins", vin, NULL);
  g_autofree char *head = g_build_filename (pack, RB_PACK_FILE, NULL);
  g_autofree char *mark = g_build_filename (fresh, RB_PACK_FILE, NULL);
  if (!rb_files_make_folder (folder, error) || !assemble (pack, entry->folder, folder, error)
      || !rb_files_copy_tree (head, mark, error))
    return FALSE;
  g_autoptr (RbContents) contents = verify (library, entry, folder, vin, now, error);
  g_autoptr (RbRollbackState) pins
    = contents == NULL ? NULL : rb_rollback_state_load (rb_library_data_dir (library), error);
  return pins != NULL && rb_rollback_state_check_clock (pins, now, error)
         && rb_rollback_state_check (pins, contents, error) && rb_rollback_state_check_packs (pins, contents, error)
         && rb_rollback_state_remember (pins, contents, error) && place (fresh, entry->folder, vin, error);
}

static RbContents *
take_from (RbLibrary *library, RbScratch *scratch, const char *path, gint64 now, GError **error)
{
  g_autofree char *folder = rb_scratch_file (scratch, "pack");
  g_autoptr (json_t) head = rb_pack_file_unpack (path, folder, error);
  g_autoptr (GPtrArray) entries = head == NULL ? NULL : rb_library_list (library, error);
  const RbLibraryEntry *entry = entries == NULL ? NULL : find_campaign (entries, head, error);
  if (entry == NULL || !take (library, folder, entry, rb_json_string_or (head, "vin", ""), scratch, now, error))
    return NULL;
  g_autofree char *name = g_strdup_printf ("%s/%s", entry->anchor, entry->id);
  return rb_library_open_started (library, name, now, error);
}

RbContents *
rb_pack_import_file (RbLibrary *library, const char *path, gint64 now, GError **error)
{
  g_autoptr (RbLock) lock = rb_library_lock (library, error);
  g_autoptr (RbScratch) scratch = lock == NULL ? NULL : rb_scratch_new (rb_library_folder (library), error);
  RbContents *contents = scratch == NULL ? NULL : take_from (library, scratch, path, now, error);
  if (contents == NULL)
    g_prefix_error (error, "%s: ", path);
  return contents;
}
