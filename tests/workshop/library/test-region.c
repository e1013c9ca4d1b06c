/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "fixture.h"
#include "library/import.h"
#include "library/trust.h"

#include <glib/gstdio.h>
#include <string.h>

/* VIN packs out of a region's file, and a scope in a table. */
typedef struct {
  Fixture oem;
  char *folder, *data;
  guint bundles;
  RbLibrary *library;
} Place;

static void
set_up (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture_init (&self->oem);
  self->folder = g_dir_make_tmp ("region-XXXXXX", &error);
  g_assert_no_error (error);
  self->data = g_build_filename (self->folder, "data", NULL);
  self->library = rb_library_new (self->data);
  g_autoptr (GBytes) root = fixture_anchor (&self->oem);
  g_autoptr (RbAnchor) anchor = rb_trust_add (self->data, "Fixture", root, NULL, FIXTURE_NOW, &error);
  g_assert_no_error (error);
}

static void
tear_down (Place *self, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  rb_library_free (self->library);
  fixture_clear (&self->oem);
  g_free (self->folder);
  g_free (self->data);
}

static RbContents *
import (Place *self, const FixtureBundle *bundle, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%s/bundle-%u", self->folder, self->bundles++);
  fixture_write (&self->oem, bundle, path);
  RbContents *contents = rb_import_bundle (self->library, path, FALSE, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_cmpstr (error == NULL ? "ok" : rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  return contents;
}

static FixtureBundle
in_region (const char *region, const char *vin, gint64 version)
{
  FixtureBundle bundle = fixture_good ();
  bundle.scope = NULL;
  bundle.region = region;
  bundle.pack_vin = vin;
  bundle.pack_version = version;
  return bundle;
}

/* The version of the Director targets by which that vehicle would be worked on; the reason for which there are none. */
static gint64
version_of (RbContents *contents, const char *vin, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) same = NULL;
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, vin, FIXTURE_NOW, NULL, 0, &error);
  g_autoptr (GPtrArray) roles = rb_contents_roles (contents, RB_CONTENTS_DIRECTOR, vin, &same);
  g_assert_cmpstr (error == NULL ? "ok" : rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  if (assignments == NULL)
    return 0;
  g_assert_cmpuint (assignments->len, ==, 2);
  g_assert_no_error (same);
  const RbContentsFile *targets = roles->pdata[2];
  g_assert_cmpstr (targets->path, ==, "director/targets.json");
  return targets->version;
}

static void
test_pack (Place *self, gconstpointer data)
{
  const FixtureBundle bundle = in_region ("north", FIXTURE_VIN, 7);
  g_autoptr (RbContents) contents = import (self, &bundle, RB_REASON_NONE);
  g_auto (GStrv) alone = rb_contents_vins (contents);
  g_assert_cmpuint (g_strv_length (alone), ==, 0);
  g_assert_cmpuint (rb_contents_packs (contents), ==, 1);
  g_assert_cmpint (version_of (contents, FIXTURE_VIN, RB_REASON_NONE), ==, 7);
  version_of (contents, FIXTURE_OTHER_VIN, RB_REASON_VIN_PACK_MISSING);
}

static void
check_names (RbContents *contents, RbContentsRepo repo, const char *const paths[3])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files = rb_contents_roles (contents, repo, FIXTURE_VIN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (files->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (((RbContentsFile *) files->pdata[i])->path, ==, paths[i]);
}

/* An ECU is given the same names whatever the repository calls its files. */
static void
test_consistent_snapshots (Place *self, gconstpointer data)
{
  static const char *const director[]
    = { "director/timestamp.json", "director/snapshot.json", "director/targets.json" };
  static const char *const image[] = { "image/timestamp.json", "image/snapshot.json", "image/targets.json" };
  FixtureBundle alone = in_region (NULL, FIXTURE_VIN, 10);
  alone.consistent = TRUE;
  g_autoptr (RbContents) contents = import (self, &alone, RB_REASON_NONE);
  g_assert_cmpint (version_of (contents, FIXTURE_VIN, RB_REASON_NONE), ==, 10);
  check_names (contents, RB_CONTENTS_DIRECTOR, director);
  check_names (contents, RB_CONTENTS_IMAGE, image);
  FixtureBundle region = in_region ("north", FIXTURE_VIN, 11);
  region.consistent = TRUE;
  g_autoptr (RbContents) other = import (self, &region, RB_REASON_NONE);
  g_assert_cmpint (version_of (other, FIXTURE_VIN, RB_REASON_NONE), ==, 11);
  check_names (other, RB_CONTENTS_DIRECTOR, director);
}

/* A pack is verified when it is used: the table vouches for bytes alone. */
static void
test_pack_that_lies (Place *self, gconstpointer data)
{
  FixtureBundle bundle = in_region ("north", FIXTURE_VIN, 7);
  bundle.pack_claims = FIXTURE_OTHER_VIN;
  g_autoptr (RbContents) of_other = import (self, &bundle, RB_REASON_NONE);
  version_of (of_other, FIXTURE_VIN, RB_REASON_VIN_MISMATCH);
  bundle = in_region ("north", FIXTURE_VIN, 8);
  bundle.other_image = TRUE;
  g_autoptr (RbContents) mixed = import (self, &bundle, RB_REASON_NONE);
  version_of (mixed, FIXTURE_VIN, RB_REASON_TARGET_MISMATCH);
}

/* While the OEM's newest targets name its table. */
static void
test_regions_stay (Place *self, gconstpointer data)
{
  const FixtureBundle north = in_region ("north", FIXTURE_VIN, 7);
  FixtureBundle south = in_region ("south", FIXTURE_OTHER_VIN, 8);
  south.also_region = "north";
  g_autoptr (RbContents) one = import (self, &north, RB_REASON_NONE);
  g_autoptr (RbContents) both = import (self, &south, RB_REASON_NONE);
  g_assert_cmpuint (rb_contents_packs (both), ==, 2);
  g_assert_cmpint (version_of (both, FIXTURE_VIN, RB_REASON_NONE), ==, 7);
  g_assert_cmpint (version_of (both, FIXTURE_OTHER_VIN, RB_REASON_NONE), ==, 8);
  south.also_region = NULL;
  south.pack_version = 9;
  g_autoptr (RbContents) rest = import (self, &south, RB_REASON_NONE);
  g_assert_cmpuint (rb_contents_packs (rest), ==, 1);
  version_of (rest, FIXTURE_VIN, RB_REASON_VIN_PACK_MISSING);
  g_assert_cmpint (version_of (rest, FIXTURE_OTHER_VIN, RB_REASON_NONE), ==, 9);
}

/* A pack alone is verified by itself, whatever a region has for that vehicle, which may come later in the bundle. */
static void
test_alone_beside_a_region (Place *self, gconstpointer data)
{
  FixtureBundle both = in_region ("north", FIXTURE_VIN, 7);
  both.pack_stays = TRUE;
  g_autoptr (RbContents) contents = import (self, &both, RB_REASON_NONE);
  g_assert_cmpuint (rb_contents_packs (contents), ==, 2);
  g_assert_cmpint (version_of (contents, FIXTURE_VIN, RB_REASON_NONE), ==, 7);
  both.other_image = TRUE;
  both.pack_version = 8;
  g_assert_null (import (self, &both, RB_REASON_TARGET_MISMATCH));
}

/* A region that is damaged in the library is not kept, and keeps no bundle out. */
static void
test_damaged_region (Place *self, gconstpointer data)
{
  static const char *const files[] = { "service/targets/regions/north.table", "vins/regions/north.pieces" };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    const FixtureBundle north = in_region ("north", FIXTURE_VIN, 7 + 2 * (gint64) i);
    FixtureBundle south = in_region ("south", FIXTURE_OTHER_VIN, 8 + 2 * (gint64) i);
    south.also_region = "north";
    g_autofree char *path = g_build_filename (self->data, "library", "Fixture", "R-1", files[i], NULL);
    g_autoptr (RbContents) one = import (self, &north, RB_REASON_NONE);
    g_assert_cmpint (g_unlink (path), ==, 0);
    g_autoptr (RbContents) rest = import (self, &south, RB_REASON_NONE);
    g_assert_cmpuint (rb_contents_packs (rest), ==, 1);
    version_of (rest, FIXTURE_VIN, RB_REASON_VIN_PACK_MISSING);
  }
}

static void
test_newest (Place *self, gconstpointer data)
{
  FixtureBundle alone = in_region (NULL, FIXTURE_VIN, 10);
  FixtureBundle region = in_region ("north", FIXTURE_VIN, 20);
  g_autoptr (RbContents) first = import (self, &alone, RB_REASON_NONE);
  g_autoptr (RbContents) second = import (self, &region, RB_REASON_NONE);
  g_assert_cmpint (version_of (second, FIXTURE_VIN, RB_REASON_NONE), ==, 20);
  region.pack_version = 5;
  g_autoptr (RbContents) third = import (self, &region, RB_REASON_NONE);
  g_assert_cmpint (version_of (third, FIXTURE_VIN, RB_REASON_NONE), ==, 10);
}

/* Nothing older than what was imported alone, or than what work on a vehicle began by. */
static void
test_rollback (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle alone = in_region (NULL, FIXTURE_VIN, 10);
  FixtureBundle region = in_region ("north", FIXTURE_VIN, 5);
  g_autoptr (RbContents) first = import (self, &alone, RB_REASON_NONE);
  region.version = 2;
  g_autoptr (RbContents) older = import (self, &region, RB_REASON_NONE);
  version_of (older, FIXTURE_VIN, RB_REASON_ROLLBACK);
  region.version = 3;
  region.pack_version = 20;
  g_autoptr (RbContents) newer = import (self, &region, RB_REASON_NONE);
  g_assert_cmpint (version_of (newer, FIXTURE_VIN, RB_REASON_NONE), ==, 20);
  g_autoptr (RbLock) lock = rb_library_lock (self->library, &error);
  g_assert_true (rb_library_begin (self->library, newer, FIXTURE_VIN, &error));
  g_clear_pointer (&lock, rb_lock_free);
  region.version = 4;
  region.pack_version = 15;
  g_autoptr (RbContents) between = import (self, &region, RB_REASON_NONE);
  version_of (between, FIXTURE_VIN, RB_REASON_ROLLBACK);
}

static guint
count_for (Place *self, const char *vin, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  g_autoptr (GPtrArray) found = rb_library_for_vin (self->library, vin, FIXTURE_NOW, &problems, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (problems->len, ==, reason == RB_REASON_NONE ? 0 : 1);
  if (reason != RB_REASON_NONE)
    g_assert_cmpstr (rb_reason_word (rb_reason_of (problems->pdata[0])), ==, rb_reason_word (reason));
  return found->len;
}

static void
test_scope (Place *self, gconstpointer data)
{
  FixtureBundle bundle = fixture_good ();
  bundle.scope_in_table = TRUE;
  bundle.other_scope = TRUE;
  g_assert_null (import (self, &bundle, RB_REASON_HASH_MISMATCH));
  bundle.other_scope = FALSE;
  g_autoptr (RbContents) contents = import (self, &bundle, RB_REASON_NONE);
  g_assert_cmpint (version_of (contents, FIXTURE_VIN, RB_REASON_NONE), >, 0);
  version_of (contents, FIXTURE_OTHER_VIN, RB_REASON_NOT_IN_SCOPE);
  g_assert_cmpuint (count_for (self, FIXTURE_VIN, RB_REASON_NONE), ==, 1);
  g_assert_cmpuint (count_for (self, FIXTURE_OTHER_VIN, RB_REASON_NONE), ==, 0);
}

/* A campaign that cannot be judged any more holds those vehicles that may be in it, and its scope is known by its
 * digest. */
static void
test_scope_of_a_damaged_campaign (Place *self, gconstpointer data)
{
  FixtureBundle bundle = fixture_good ();
  bundle.scope_in_table = TRUE;
  g_autoptr (RbContents) contents = import (self, &bundle, RB_REASON_NONE);
  g_autofree char *place = g_build_filename (self->data, "library", "Fixture", "R-1", NULL);
  g_autofree char *timestamp = g_build_filename (place, "service", "metadata", "timestamp.json", NULL);
  g_autofree char *table = g_build_filename (place, "service", "targets", "scopes", "R-1.table", NULL);
  g_assert_true (rb_files_write_text (timestamp, "{}", NULL));
  g_assert_cmpuint (count_for (self, FIXTURE_OTHER_VIN, RB_REASON_NONE), ==, 0);
  g_assert_cmpuint (count_for (self, FIXTURE_VIN, RB_REASON_MALFORMED), ==, 0);
  g_assert_true (rb_files_write_text (table, "not the table", NULL));
  g_assert_cmpuint (count_for (self, FIXTURE_OTHER_VIN, RB_REASON_MALFORMED), ==, 0);
}

#define ADD(name, function) g_test_add (name, Place, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/region/pack", test_pack);
  ADD ("/region/consistent-snapshots", test_consistent_snapshots);
  ADD ("/region/pack-that-lies", test_pack_that_lies);
  ADD ("/region/regions-stay", test_regions_stay);
  ADD ("/region/alone-beside-a-region", test_alone_beside_a_region);
  ADD ("/region/damaged-region", test_damaged_region);
  ADD ("/region/newest", test_newest);
  ADD ("/region/rollback", test_rollback);
  ADD ("/region/scope", test_scope);
  ADD ("/region/scope-of-a-damaged-campaign", test_scope_of_a_damaged_campaign);
  return g_test_run ();
}
