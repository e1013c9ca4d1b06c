/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "core/lock.h"

/*
 * The bundles imported into a data dir: DATA/library/ANCHOR/CAMPAIGN/ (metadata and packs as files),
 * DATA/store/sha256/HEX (images), DATA/pins.json (highest campaign versions seen, time floor). Nothing in there is
 * believed without verifying it again from DATA/trust/. Usable from several processes at once.
 */
typedef struct _RbLibrary RbLibrary;
RbLibrary *rb_library_new (const char *data_dir);
void rb_library_free (RbLibrary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLibrary, rb_library_free)

/* One line of `bundle list`, read without verifying. */
typedef struct {
  char *id;
  char *name; /* by which the functions below find it: the id, "ANCHOR/ID" where several anchors have it */
  char *folder;
  gint64 version;
  char *title;
  char *oem;
  char *scenario;
  char *anchor; /* name of the trust anchor whose campaign it is; NULL: cannot be read */
  gint64 issued, expires, valid_until, imported;
  guint64 n_packs; /* VIN packs, those of regions included */
  char *in_place; /* where images are read from, NULL: the store */
  gboolean damaged; /* cannot be read; id is the folder's name */
} RbLibraryEntry;
/* (element-type RbLibraryEntry) (transfer full), sorted by id and anchor; an empty library is fine */
GPtrArray *rb_library_list (RbLibrary *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A campaign's name is its id, or "ANCHOR/ID": needed where several anchors have that id, else campaign-ambiguous. */

/* The id in a campaign's name; borrowed from it. */
const char *rb_library_id (const char *name);
/* Opens and verifies. Expiry is evaluated at moment: now to start a vehicle, the recovery's first start to go on with
 * one (at the issue of a campaign that has been issued anew since). Errors: campaign-unknown, campaign-ambiguous,
 * no-trust-anchor, wrong-oem, campaign-expired, words for metadata. (transfer full) */
RbContents *rb_library_open (RbLibrary *self, const char *name, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same for a started vehicle: a newer root does not stop work that the OEM's keys allowed at its start. */
RbContents *rb_library_open_started (RbLibrary *self, const char *name, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The name of a campaign of the library. (transfer full) */
char *rb_library_name (RbLibrary *self, RbContents *contents, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Verified campaigns whose scope holds the VIN, for starting work now; problems (may be NULL) receives (element-type
 * GError) of those whose scope holds it or may hold it and by which nothing can be started, unless newer metadata shows
 * that they have ended. (element-type RbContents) (transfer full) */
GPtrArray *rb_library_for_vin (RbLibrary *self, const char *vin, gint64 now, GPtrArray **problems, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Is a recovery of that anchor's campaign open? recovery-open stops the removal then. anchor NULL: it cannot be read
 * whose it is. */
typedef gboolean (*RbLibraryInUse) (const char *anchor, const char *id, gpointer data);
gboolean rb_library_remove (RbLibrary *self, const char *name, RbLibraryInUse in_use, gpointer data, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* clock when now is before the time floor: then nothing is started. */
gboolean rb_library_check_clock (RbLibrary *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The latest time an OEM has signed, of all campaigns ever imported; 0 when there is none. Error store-damaged: it is
 * not known. */
gboolean rb_library_time_floor (RbLibrary *self, gint64 *floor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Work on that vehicle begins: the campaign is in the library still, and no older pack of the vehicle is taken from now
 * on. Holding the lock. Errors: campaign-unknown. */
gboolean rb_library_begin (RbLibrary *self, RbContents *contents, const char *vin, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* For bundle.c. */
/* Held while the library or pins.json is read, changed and written. Errors: in-use, io. */
RbLock *rb_library_lock (RbLibrary *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *rb_library_data_dir (RbLibrary *self);
const char *rb_library_folder (RbLibrary *self); /* DATA/library */
const char *rb_library_store (RbLibrary *self); /* DATA/store/sha256 */
/* Where that anchor's campaign lies, NULL: nowhere. (transfer full) */
gboolean rb_library_present (RbLibrary *self, const char *anchor, const char *id, char **folder, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Puts a finished folder in the place of that campaign, whatever is there. Holding the lock. */
gboolean rb_library_place (RbLibrary *self, const char *anchor, const char *id, const char *folder, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Removes images that no campaign names and what dead processes left. Holding the lock. */
void rb_library_collect (RbLibrary *self);
