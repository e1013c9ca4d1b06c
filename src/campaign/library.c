/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/library.h"

#include "campaign/pins.h"
#include "campaign/service.h"
#include "campaign/trust.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "model/member.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MAX_FILE (16 * 1024 * 1024)

struct _RbLibrary {
  char *data_dir;
  char *folder;
  char *store;
};

struct _RbLibraryLock {
  int fd;
};

RbLibrary *
rb_library_new (const char *data_dir)
{
  RbLibrary *self = g_new0 (RbLibrary, 1);
  self->data_dir = g_strdup (data_dir);
  self->folder = g_build_filename (data_dir, "library", NULL);
  self->store = g_build_filename (data_dir, "store", "sha256", NULL);
  return self;
}

void
rb_library_free (RbLibrary *self)
{
  if (self == NULL)
    return;
  g_free (self->data_dir);
  g_free (self->folder);
  g_free (self->store);
  g_free (self);
}

const char *
rb_library_data_dir (RbLibrary *self)
{
  return self->data_dir;
}

const char *
rb_library_folder (RbLibrary *self)
{
  return self->folder;
}

const char *
rb_library_store (RbLibrary *self)
{
  return self->store;
}

void
rb_library_entry_free (RbLibraryEntry *self)
{
  if (self == NULL)
    return;
  g_free (self->id);
  g_free (self->title);
  g_free (self->oem);
  g_free (self->scenario);
  g_free (self->anchor);
  g_free (self->in_place);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLibraryEntry, rb_library_entry_free)

static gboolean
refuse (GError **error, RbReason reason, const char *id, const char *text)
{
  g_set_error (error, RB_CAMPAIGN_ERROR, (int) reason, "campaign %s: %s", id, text);
  return FALSE;
}

RbLibraryLock *
rb_library_lock (RbLibrary *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, ".lock", NULL);
  if (!rb_files_make_folder (self->folder, error))
    return NULL;
  int fd = open (path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  while (fd >= 0 && flock (fd, LOCK_EX) != 0)
    if (errno != EINTR) {
      close (fd);
      fd = -1;
    }
  if (fd < 0) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IO, "%s: %s", path, g_strerror (errno));
    return NULL;
  }
  RbLibraryLock *lock = g_new0 (RbLibraryLock, 1);
  lock->fd = fd;
  return lock;
}

void
rb_library_unlock (RbLibraryLock *lock)
{
  if (lock == NULL)
    return;
  close (lock->fd);
  g_free (lock);
}

static char *
campaign_folder (RbLibrary *self, const char *id)
{
  return g_build_filename (self->folder, id, NULL);
}

/* The campaign in a folder of the library, as it claims to be. */
static RbCampaign *
read_claimed (RbLibrary *self, const char *id, GError **error)
{
  g_autofree char *folder = campaign_folder (self, id);
  g_autoptr (GBytes) bytes = rb_service_claimed (folder, error);
  return bytes == NULL ? NULL : rb_campaign_parse (bytes, error);
}

static json_t *
read_import (RbLibrary *self, const char *id, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, id, "import.json", NULL);
  return rb_json_load (path, MAX_FILE, error);
}

static RbLibraryEntry *
read_entry (RbLibrary *self, const char *id)
{
  g_autoptr (RbLibraryEntry) entry = g_new0 (RbLibraryEntry, 1);
  g_autoptr (RbCampaign) campaign = read_claimed (self, id, NULL);
  g_autoptr (json_t) import = read_import (self, id, NULL);
  g_autofree char *folder = campaign_folder (self, id);
  g_auto (GStrv) vins = rb_vin_pack_list (folder, NULL);
  entry->id = g_strdup (id);
  entry->damaged = campaign == NULL || vins == NULL || !rb_json_moment (import, "imported", &entry->imported, "import", NULL)
                   || !rb_json_moment (import, "valid_until", &entry->valid_until, "import", NULL);
  if (entry->damaged)
    return g_steal_pointer (&entry);
  entry->version = campaign->version;
  entry->title = g_strdup (campaign->title);
  entry->oem = g_strdup (campaign->oem);
  entry->scenario = g_strdup (rb_campaign_scenario_name (campaign->scenario));
  entry->issued = campaign->issued;
  entry->expires = campaign->expires;
  entry->anchor = g_strdup (rb_json_string_or (import, "anchor", ""));
  entry->in_place = g_strdup (rb_json_string_or (import, "in_place", NULL));
  entry->n_packs = g_strv_length (vins);
  return g_steal_pointer (&entry);
}

GPtrArray *
rb_library_list (RbLibrary *self, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_library_entry_free);
  if (!rb_files_exists (self->folder))
    return g_steal_pointer (&entries);
  g_auto (GStrv) names = rb_files_list (self->folder, error);
  if (names == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++)
    if (rb_member_id_is_valid (names[i]))
      g_ptr_array_add (entries, read_entry (self, names[i]));
  return g_steal_pointer (&entries);
}

static gboolean
check_known (RbLibrary *self, const char *id, GError **error)
{
  g_autofree char *folder = campaign_folder (self, id);
  if (rb_member_id_is_valid (id) && rb_files_is_folder (folder))
    return TRUE;
  return refuse (error, RB_REASON_CAMPAIGN_UNKNOWN, id, "not in the library; import its bundle first");
}

RbContents *
rb_library_open (RbLibrary *self, const char *id, gint64 moment, GError **error)
{
  if (!check_known (self, id, error))
    return NULL;
  g_autofree char *folder = campaign_folder (self, id);
  g_autoptr (json_t) import = read_import (self, id, error);
  g_autoptr (GPtrArray) anchors = import == NULL ? NULL : rb_trust_list (self->data_dir, error);
  if (anchors == NULL)
    return NULL;
  const RbContentsSource source = { .folder = folder, .store = self->store, .anchors = anchors,
                                    .in_place = rb_json_string_or (import, "in_place", NULL), .moment = moment };
  g_autoptr (RbContents) contents = rb_contents_verify (&source, NULL, error);
  if (contents == NULL) {
    g_prefix_error (error, "campaign %s: ", id);
    return NULL;
  }
  if (strcmp (rb_contents_campaign (contents)->id, id) == 0)
    return g_steal_pointer (&contents);
  refuse (error, RB_REASON_MALFORMED, id, "another campaign lies in its place");
  return NULL;
}

/* FALSE with error: no folder can be read, or the VIN is none. */
static gboolean
add_for_vin (RbLibrary *self, const char *id, const char *vin, gint64 now, GPtrArray *found, GPtrArray *problems)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RbContents) contents = rb_library_open (self, id, now, &problem);
  if (contents != NULL && !rb_campaign_has_vin (rb_contents_campaign (contents), vin))
    return TRUE;
  if (contents != NULL && rb_contents_may_start (contents, now, &problem)) {
    g_ptr_array_add (found, g_steal_pointer (&contents));
    return TRUE;
  }
  g_ptr_array_add (problems, g_steal_pointer (&problem));
  return TRUE;
}

GPtrArray *
rb_library_for_vin (RbLibrary *self, const char *vin, gint64 now, GPtrArray **problems, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_contents_unref);
  g_autoptr (GPtrArray) failed = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  g_autoptr (GPtrArray) entries = rb_library_list (self, error);
  if (entries == NULL || !rb_library_check_clock (self, now, error))
    return NULL;
  if (!rb_campaign_vin_is_valid (vin)) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_VIN_INVALID, "“%s” is not a VIN (17 letters and digits, without I, O and Q)", vin);
    return NULL;
  }
  for (guint i = 0; i < entries->len; i++) {
    const RbLibraryEntry *entry = entries->pdata[i];
    add_for_vin (self, entry->id, vin, now, found, failed);
  }
  if (problems != NULL)
    *problems = g_steal_pointer (&failed);
  return g_steal_pointer (&found);
}

static gboolean
sync_folder (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0;
  if (!ok)
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IO, "%s: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

gboolean
rb_library_place (RbLibrary *self, const char *id, const char *folder, GError **error)
{
  g_autofree char *place = campaign_folder (self, id);
  gboolean there = rb_files_exists (place);
  /* what was there ends in the scratch folder, which goes with it */
  int failed = renameat2 (AT_FDCWD, folder, AT_FDCWD, place, there ? RENAME_EXCHANGE : RENAME_NOREPLACE);
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    if (there && !rb_files_remove_tree (place, error))
      return FALSE;
    failed = g_rename (folder, place);
  }
  if (failed != 0)
    return refuse (error, RB_REASON_IO, id, g_strerror (errno));
  return sync_folder (self->folder, error);
}

/* Digests that campaigns in the library name; NULL when one cannot be read. */
static GHashTable *
named_images (RbLibrary *self)
{
  g_autoptr (GHashTable) named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) ids = rb_files_list (self->folder, NULL);
  for (guint i = 0; ids != NULL && ids[i] != NULL; i++) {
    if (!rb_member_id_is_valid (ids[i]))
      continue;
    g_autoptr (RbCampaign) campaign = read_claimed (self, ids[i], NULL);
    if (campaign == NULL)
      return NULL;
    for (guint j = 0; j < campaign->ecus->len; j++) {
      const RbCampaignEcu *ecu = campaign->ecus->pdata[j];
      g_hash_table_add (named, g_strdup (ecu->image_sha256));
    }
  }
  return ids == NULL ? NULL : g_steal_pointer (&named);
}

void
rb_library_collect (RbLibrary *self)
{
  rb_scratch_sweep (self->folder);
  g_autoptr (GHashTable) named = named_images (self);
  g_auto (GStrv) names = named == NULL ? NULL : rb_files_list (self->store, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (self->store, names[i], NULL);
    if (!g_hash_table_contains (named, names[i]) && g_unlink (path) != 0)
      g_warning ("%s: %s", path, g_strerror (errno));
  }
}

gboolean
rb_library_remove (RbLibrary *self, const char *id, RbLibraryInUse in_use, gpointer data, GError **error)
{
  g_autoptr (RbLibraryLock) lock = rb_library_lock (self, error);
  if (lock == NULL || !check_known (self, id, error))
    return FALSE;
  if (in_use != NULL && in_use (id, data))
    return refuse (error, RB_REASON_RECOVERY_OPEN, id, "a recovery of it is not finished");
  g_autoptr (RbScratch) scratch = rb_scratch_new (self->folder, error);
  if (scratch == NULL)
    return FALSE;
  g_autofree char *place = campaign_folder (self, id);
  g_autofree char *away = rb_scratch_file (scratch, "removed");
  if (g_rename (place, away) != 0)
    return refuse (error, RB_REASON_IO, id, g_strerror (errno));
  if (!sync_folder (self->folder, error))
    return FALSE;
  rb_library_collect (self);
  return TRUE;
}

gboolean
rb_library_check_clock (RbLibrary *self, gint64 now, GError **error)
{
  g_autoptr (RbPins) pins = rb_pins_load (self->data_dir, error);
  return pins != NULL && rb_pins_check_clock (pins, now, error);
}

gint64
rb_library_time_floor (RbLibrary *self)
{
  g_autoptr (RbPins) pins = rb_pins_load (self->data_dir, NULL);
  return pins == NULL ? 0 : rb_pins_floor (pins);
}
