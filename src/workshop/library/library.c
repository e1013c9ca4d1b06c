/* SPDX-License-Identifier: Apache-2.0 */
#include "library/library.h"

#include "campaign/service-client.h"
#include "campaign/service.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "library/authority.h"
#include "library/rollback-state.h"
#include "library/trust.h"
#include "model/member.h"
#include "model/wmi.h"

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

RbLibrary *
rb_library_new (const char *data_dir)
{
  RbLibrary *self = g_new0 (RbLibrary, 1);
  self->data_dir = g_strdup (data_dir);
  self->folder = g_build_filename (data_dir, "library", NULL);
  self->store = g_build_filename (data_dir, "store", "sha256", NULL);
  g_autoptr (GError) problem = NULL;
  if (rb_files_is_folder (data_dir) && !rb_files_keep_private (data_dir, &problem))
    g_warning ("%s", problem->message);
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

static void
entry_free (RbLibraryEntry *self)
{
  if (self == NULL)
    return;
  g_free (self->id);
  g_free (self->name);
  g_free (self->folder);
  g_free (self->title);
  g_free (self->oem);
  g_free (self->scenario);
  g_free (self->anchor);
  g_free (self->in_place);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLibraryEntry, entry_free)

static gboolean
library_error (GError **error, RbReason reason, const char *id, const char *text)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "campaign %s: %s", id, text);
}

RbLock *
rb_library_lock (RbLibrary *self, GError **error)
{
  return rb_lock_folder (self->folder, "the library", error);
}

/* Where a campaign lies: DATA/library/ANCHOR/ID, or DATA/library/ID as earlier builds placed it. */
typedef struct {
  char *anchor; /* NULL: an earlier build's, and it cannot be read whose */
  char *id;
  char *folder;
} Place;

static void
place_free (gpointer data)
{
  Place *self = data;
  g_free (self->anchor);
  g_free (self->id);
  g_free (self->folder);
  g_free (self);
}

static void
add_place (GPtrArray *places, const char *anchor, const char *id, const char *folder)
{
  Place *place = g_new0 (Place, 1);
  *place = (Place){ g_strdup (anchor), g_strdup (id), g_strdup (folder) };
  g_ptr_array_add (places, place);
}

static json_t *
read_import (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "import.json", NULL);
  return rb_json_load (path, MAX_FILE, error);
}

/* The campaign in a folder of the library, as it claims to be. */
static RbCampaign *
read_claimed (const char *folder, GError **error)
{
  g_autoptr (GBytes) bytes = rb_service_claimed (folder, error);
  return bytes == NULL ? NULL : rb_campaign_parse (bytes, error);
}

/* Names in a folder; none when it is not there, but an error when it cannot be read. */
static GStrv
list_if_there (const char *path, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GStrv names = rb_files_list (path, &failure);
  if (names == NULL && rb_reason_of (failure) == RB_REASON_NOT_FOUND)
    return g_new0 (char *, 1);
  if (names == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return names;
}

static gboolean
add_places_of (GPtrArray *places, const char *anchor, const char *folder, GError **error)
{
  g_auto (GStrv) ids = rb_files_list (folder, error);
  for (guint i = 0; ids != NULL && ids[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, ids[i], NULL);
    if (rb_member_id_is_valid (ids[i]))
      add_place (places, anchor, ids[i], path);
  }
  return ids != NULL;
}

static gboolean
add_places (GPtrArray *places, const char *name, const char *path, GError **error)
{
  g_autofree char *import_path = g_build_filename (path, "import.json", NULL);
  if (!g_file_test (import_path, G_FILE_TEST_IS_REGULAR))
    return !rb_files_is_folder (path) || add_places_of (places, name, path, error);
  g_autoptr (json_t) import = read_import (path, NULL);
  add_place (places, rb_json_string_or (import, "anchor", NULL), name, path);
  return TRUE;
}

/* Every campaign in the library: (element-type Place) */
static GPtrArray *
list_places (RbLibrary *self, GError **error)
{
  g_autoptr (GPtrArray) places = g_ptr_array_new_with_free_func (place_free);
  g_auto (GStrv) names = list_if_there (self->folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (self->folder, names[i], NULL);
    if (names[i][0] != '.' && !add_places (places, names[i], path, error))
      return NULL;
  }
  return names == NULL ? NULL : g_steal_pointer (&places);
}

static guint
count_id (GPtrArray *places, const char *id)
{
  guint n = 0;
  for (guint i = 0; i < places->len; i++)
    n += strcmp (((Place *) places->pdata[i])->id, id) == 0;
  return n;
}

static char *
address_of (GPtrArray *places, const Place *place)
{
  return count_id (places, place->id) > 1 && place->anchor != NULL ? g_strdup_printf ("%s/%s", place->anchor, place->id)
                                                                   : g_strdup (place->id);
}

/* VIN packs, those of regions included; -1: cannot be read. */
static gint64
count_packs (const char *folder)
{
  g_auto (GStrv) vins = rb_vin_pack_list (folder, NULL);
  gint64 packs = vins == NULL ? -1 : (gint64) g_strv_length (vins);
  return packs < 0 ? packs : packs + rb_service_claimed_packs (folder);
}

static RbLibraryEntry *
read_entry (GPtrArray *places, const Place *place)
{
  g_autoptr (RbLibraryEntry) entry = g_new0 (RbLibraryEntry, 1);
  g_autoptr (RbCampaign) campaign = read_claimed (place->folder, NULL);
  g_autoptr (json_t) import = read_import (place->folder, NULL);
  gint64 packs = count_packs (place->folder);
  entry->id = g_strdup (place->id);
  entry->name = address_of (places, place);
  entry->folder = g_strdup (place->folder);
  entry->anchor = g_strdup (place->anchor);
  entry->damaged = campaign == NULL || packs < 0 || place->anchor == NULL
                   || !rb_json_moment (import, "imported", &entry->imported, "import", NULL)
                   || !rb_json_moment (import, "valid_until", &entry->valid_until, "import", NULL);
  if (entry->damaged)
    return g_steal_pointer (&entry);
  entry->version = campaign->version;
  entry->title = g_strdup (campaign->title);
  entry->oem = g_strdup (campaign->oem);
  entry->scenario = g_strdup (rb_campaign_scenario_name (campaign->scenario));
  entry->issued = campaign->issued;
  entry->expires = campaign->expires;
  entry->in_place = g_strdup (rb_json_string_or (import, "in_place", NULL));
  entry->n_packs = (guint64) packs;
  return g_steal_pointer (&entry);
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const RbLibraryEntry *one = *(RbLibraryEntry *const *) a, *two = *(RbLibraryEntry *const *) b;
  int order = strcmp (one->id, two->id);
  return order != 0 ? order : g_strcmp0 (one->anchor, two->anchor);
}

GPtrArray *
rb_library_list (RbLibrary *self, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  g_autoptr (GPtrArray) places = list_places (self, error);
  if (places == NULL)
    return NULL;
  for (guint i = 0; i < places->len; i++)
    g_ptr_array_add (entries, read_entry (places, places->pdata[i]));
  g_ptr_array_sort (entries, compare_entries);
  return g_steal_pointer (&entries);
}

const char *
rb_library_id (const char *name)
{
  const char *slash = strrchr (name, '/');
  return slash == NULL ? name : &slash[1];
}

static gboolean
is_named (const Place *place, const char *name)
{
  const char *id = rb_library_id (name);
  g_autofree char *anchor = id == name ? NULL : g_strndup (name, (gsize) (id - name) - 1);
  return strcmp (place->id, id) == 0 && (anchor == NULL || g_strcmp0 (place->anchor, anchor) == 0);
}

static gboolean
refuse_ambiguous (GPtrArray *places, const char *name, GError **error)
{
  g_autoptr (GString) owners = g_string_new (NULL);
  for (guint i = 0; i < places->len; i++) {
    const Place *place = places->pdata[i];
    if (is_named (place, name))
      g_string_append_printf (owners, "%s“%s”", owners->len == 0 ? "" : ", ",
                              place->anchor == NULL ? "?" : place->anchor);
  }
  g_autofree char *text = g_strdup_printf ("several trust anchors have one of that name: %s", owners->str);
  return library_error (error, RB_REASON_CAMPAIGN_AMBIGUOUS, name, text);
}

/* The campaign of that name, "ID" or "ANCHOR/ID"; NULL with campaign-unknown or campaign-ambiguous. Borrowed from
 * places. */
static const Place *
find (GPtrArray *places, const char *name, GError **error)
{
  const Place *found = NULL;
  for (guint i = 0; i < places->len; i++) {
    if (!is_named (places->pdata[i], name))
      continue;
    if (found != NULL && !refuse_ambiguous (places, name, error))
      return NULL;
    found = places->pdata[i];
  }
  if (found == NULL)
    library_error (error, RB_REASON_CAMPAIGN_UNKNOWN, name, "not in the library; import its bundle first");
  return found;
}

/* (RbContentsCheckRoles) */
static gboolean
check_roles (RbContents *contents, const char *vin, GHashTable *roles, const char *data_dir, GError **error)
{
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (data_dir, error);
  return pins != NULL && rb_rollback_state_check_roles (pins, contents, vin, roles, error);
}

/* The anchor of that name alone: a campaign is verified by no other. */
static GPtrArray *
anchors_named (RbLibrary *self, const char *name, GError **error)
{
  g_autoptr (GPtrArray) anchors = rb_trust_list (self->data_dir, error);
  for (guint i = anchors == NULL ? 0 : anchors->len; i > 0; i--)
    if (strcmp (((RbAnchor *) anchors->pdata[i - 1])->name, name) != 0)
      g_ptr_array_remove_index (anchors, i - 1);
  return g_steal_pointer (&anchors);
}

static RbContents *
open_place (RbLibrary *self, const Place *place, gint64 moment, gboolean started, GError **error)
{
  g_autoptr (json_t) import = read_import (place->folder, error);
  if (import == NULL)
    return NULL;
  const char *anchor = rb_json_string (import, "anchor", "import", error);
  const char *in_place = NULL;
  if (anchor == NULL
      || (!json_is_null (json_object_get (import, "in_place"))
          && (in_place = rb_json_string (import, "in_place", "import", error)) == NULL))
    return NULL;
  if (g_strcmp0 (anchor, place->anchor) != 0) {
    library_error (error, RB_REASON_MALFORMED, place->id, "another trust anchor’s campaign lies in its place");
    return NULL;
  }
  g_autoptr (GPtrArray) anchors = anchors_named (self, anchor, error);
  if (anchors == NULL)
    return NULL;
  const RbContentsSource source = { .folder = place->folder,
                                    .store = self->store,
                                    .anchors = anchors,
                                    .in_place = in_place,
                                    .moment = moment,
                                    .started = started,
                                    .check_roles = check_roles,
                                    .data_dir = self->data_dir };
  g_autoptr (RbContents) contents = rb_contents_verify (&source, NULL, error);
  if (contents == NULL) {
    g_prefix_error (error, "campaign %s: ", place->id);
    return NULL;
  }
  if (strcmp (rb_contents_campaign (contents)->id, place->id) == 0)
    return g_steal_pointer (&contents);
  library_error (error, RB_REASON_MALFORMED, place->id, "another campaign lies in its place");
  return NULL;
}

static RbContents *
open_named (RbLibrary *self, const char *name, gint64 moment, gboolean started, GError **error)
{
  g_autoptr (GPtrArray) places = list_places (self, error);
  const Place *place = places == NULL ? NULL : find (places, name, error);
  return place == NULL ? NULL : open_place (self, place, moment, started, error);
}

RbContents *
rb_library_open (RbLibrary *self, const char *name, gint64 moment, GError **error)
{
  return open_named (self, name, moment, FALSE, error);
}

RbContents *
rb_library_open_started (RbLibrary *self, const char *name, gint64 moment, GError **error)
{
  return open_named (self, name, moment, TRUE, error);
}

char *
rb_library_name (RbLibrary *self, RbContents *contents, GError **error)
{
  g_autoptr (GPtrArray) places = list_places (self, error);
  const Place place = { (char *) rb_contents_anchor (contents), rb_contents_campaign (contents)->id, NULL };
  return places == NULL ? NULL : address_of (places, &place);
}

static gboolean
check_authority (RbLibrary *self, RbContents *contents, const char *vin, gint64 now, GError **error)
{
  g_autoptr (RbAuthority) authority = rb_authority_of (self->data_dir, contents, error);
  return authority != NULL && rb_authority_check (authority, rb_contents_campaign (contents), vin, now, FALSE, error);
}

/* An anchor is asked about its own vehicles only. The state of its campaigns does not matter for others. */
static gboolean
is_of_others (RbLibrary *self, const Place *place, const char *vin)
{
  g_autoptr (RbAuthority) authority
    = place->anchor == NULL ? NULL : rb_authority_load (self->data_dir, place->anchor, NULL);
  return authority != NULL && authority->list != NULL && !rb_wmi_holds ((const char *const *) authority->wmis, vin);
}

static gboolean
is_not_in_scope (const RbCampaign *campaign, const char *vin)
{
  g_autoptr (GError) outside = NULL;
  return !rb_campaign_check_vin (campaign, vin, &outside) && rb_reason_of (outside) == RB_REASON_NOT_IN_SCOPE;
}

/* Is the VIN outside the scope of a campaign that cannot be verified? Its scope is known while its bytes are those
 * imported. */
static gboolean
is_outside (RbRollbackState *pins, const Place *place, const char *vin)
{
  g_autoptr (GBytes) json = rb_service_claimed (place->folder, NULL);
  g_autoptr (RbCampaign) campaign = json == NULL ? NULL : rb_service_claimed_campaign (place->folder, NULL);
  g_autofree char *sha256 = json == NULL ? NULL : rb_digest_sha256_hex_of (json);
  return campaign != NULL && place->anchor != NULL
         && g_strcmp0 (sha256, rb_rollback_state_campaign_sha256 (pins, place->anchor, place->id)) == 0
         && is_not_in_scope (campaign, vin);
}

/* Does the anchor's newest metadata no longer name the campaign? */
static gboolean
has_ended (RbLibrary *self, const Place *place)
{
  g_autoptr (GPtrArray) anchors = place->anchor == NULL ? NULL : anchors_named (self, place->anchor, NULL);
  return anchors != NULL && anchors->len == 1 && rb_service_client_has_ended (anchors->pdata[0], place->id);
}

/* May work on that vehicle start by it? */
static gboolean
may_start (RbLibrary *self, RbContents *contents, const char *vin, gint64 now, GError **error)
{
  return rb_campaign_check_vin (rb_contents_campaign (contents), vin, error)
         && check_authority (self, contents, vin, now, error) && rb_contents_may_start (contents, now, error);
}

static void
add_for_vin (RbLibrary *self, RbRollbackState *pins, const Place *place, const char *vin, gint64 now, GPtrArray *found,
             GPtrArray *problems)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RbContents) contents = open_place (self, place, now, FALSE, &problem);
  if (contents != NULL && is_not_in_scope (rb_contents_campaign (contents), vin))
    return;
  if (contents != NULL && may_start (self, contents, vin, now, &problem))
    g_ptr_array_add (found, g_steal_pointer (&contents));
  else if (!is_of_others (self, place, vin) && !is_outside (pins, place, vin) && !has_ended (self, place))
    g_ptr_array_add (problems, g_steal_pointer (&problem));
}

GPtrArray *
rb_library_for_vin (RbLibrary *self, const char *vin, gint64 now, GPtrArray **problems, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_contents_unref);
  g_autoptr (GPtrArray) failed = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (self->data_dir, error);
  g_autoptr (GPtrArray) places = pins == NULL ? NULL : list_places (self, error);
  if (places == NULL || !rb_rollback_state_check_clock (pins, now, error))
    return NULL;
  if (!rb_campaign_vin_is_valid (vin)) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_VIN_INVALID,
                 "“%s” is not a VIN (17 letters and digits, without I, O and Q)", vin);
    return NULL;
  }
  for (guint i = 0; i < places->len; i++)
    add_for_vin (self, pins, places->pdata[i], vin, now, found, failed);
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

static char *
folder_of (RbLibrary *self, const char *anchor, const char *id)
{
  return g_build_filename (self->folder, anchor, id, NULL);
}

/* Where that anchor's campaign lies now; NULL without error: nowhere. */
static char *
present_folder (GPtrArray *places, const char *anchor, const char *id)
{
  for (guint i = 0; i < places->len; i++) {
    const Place *place = places->pdata[i];
    if (strcmp (place->id, id) == 0 && g_strcmp0 (place->anchor, anchor) == 0)
      return g_strdup (place->folder);
  }
  return NULL;
}

gboolean
rb_library_present (RbLibrary *self, const char *anchor, const char *id, char **folder, GError **error)
{
  g_autoptr (GPtrArray) places = list_places (self, error);
  *folder = places == NULL ? NULL : present_folder (places, anchor, id);
  return places != NULL;
}

/* Puts folder in place; what was there ends in its place, in the scratch folder, and goes with that. */
static gboolean
exchange (const char *folder, const char *place, const char *id, GError **error)
{
  gboolean there = rb_files_exists (place);
  int failed = renameat2 (AT_FDCWD, folder, AT_FDCWD, place, there ? RENAME_EXCHANGE : RENAME_NOREPLACE);
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    if (there && !rb_files_remove_tree (place, error))
      return FALSE;
    failed = g_rename (folder, place);
  }
  return failed == 0 || library_error (error, RB_REASON_IO, id, g_strerror (errno));
}

gboolean
rb_library_place (RbLibrary *self, const char *anchor, const char *id, const char *folder, GError **error)
{
  g_autofree char *before = NULL;
  g_autofree char *owner = g_build_filename (self->folder, anchor, NULL);
  g_autofree char *place = folder_of (self, anchor, id);
  if (!rb_library_present (self, anchor, id, &before, error) || !rb_files_make_folder (owner, error)
      || !exchange (folder, place, id, error) || !sync_folder (owner, error))
    return FALSE;
  /* where an earlier build had it */
  return before == NULL || strcmp (before, place) == 0 || rb_files_remove_tree (before, error);
}

/* Digests that campaigns in the library name; NULL when one cannot be read. */
static GHashTable *
named_images (RbLibrary *self)
{
  g_autoptr (GHashTable) named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) places = list_places (self, NULL);
  for (guint i = 0; places != NULL && i < places->len; i++) {
    g_autoptr (RbCampaign) campaign = read_claimed (((Place *) places->pdata[i])->folder, NULL);
    if (campaign == NULL)
      return NULL;
    for (guint j = 0; j < campaign->ecus->len; j++) {
      const RbCampaignEcu *ecu = campaign->ecus->pdata[j];
      g_hash_table_add (named, g_strdup (ecu->image_sha256));
    }
  }
  return places == NULL ? NULL : g_steal_pointer (&named);
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

static gboolean
take_away (RbLibrary *self, const Place *place, GError **error)
{
  g_autoptr (RbScratch) scratch = rb_scratch_new (self->folder, error);
  if (scratch == NULL)
    return FALSE;
  g_autofree char *owner = g_path_get_dirname (place->folder);
  g_autofree char *away = rb_scratch_file (scratch, "removed");
  if (g_rename (place->folder, away) != 0)
    return library_error (error, RB_REASON_IO, place->id, g_strerror (errno));
  if (!sync_folder (owner, error))
    return FALSE;
  if (strcmp (owner, self->folder) != 0 && g_rmdir (owner) != 0 && errno != ENOTEMPTY && errno != EEXIST)
    g_warning ("%s: %s", owner, g_strerror (errno));
  return TRUE;
}

gboolean
rb_library_remove (RbLibrary *self, const char *name, RbLibraryInUse in_use, gpointer data, GError **error)
{
  g_autoptr (RbLock) lock = rb_library_lock (self, error);
  g_autoptr (GPtrArray) places = lock == NULL ? NULL : list_places (self, error);
  const Place *place = places == NULL ? NULL : find (places, name, error);
  if (place == NULL)
    return FALSE;
  if (in_use != NULL && in_use (place->anchor, place->id, data))
    return library_error (error, RB_REASON_RECOVERY_OPEN, name, "a recovery of it is not finished");
  if (!take_away (self, place, error))
    return FALSE;
  rb_library_collect (self);
  return TRUE;
}

gboolean
rb_library_check_clock (RbLibrary *self, gint64 now, GError **error)
{
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (self->data_dir, error);
  return pins != NULL && rb_rollback_state_check_clock (pins, now, error);
}

gboolean
rb_library_time_floor (RbLibrary *self, gint64 *floor, GError **error)
{
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (self->data_dir, error);
  *floor = pins == NULL ? 0 : rb_rollback_state_floor (pins);
  return pins != NULL;
}

gboolean
rb_library_begin (RbLibrary *self, RbContents *contents, const char *vin, GError **error)
{
  g_autofree char *folder = NULL;
  const char *id = rb_contents_campaign (contents)->id;
  if (!rb_library_present (self, rb_contents_anchor (contents), id, &folder, error))
    return FALSE;
  if (folder == NULL)
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_UNKNOWN,
                           "campaign %s: removed from the library meanwhile", id);
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (self->data_dir, error);
  return pins != NULL && rb_rollback_state_remember_pack (pins, contents, vin, error);
}
