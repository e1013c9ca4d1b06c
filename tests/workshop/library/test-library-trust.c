/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "library/authority.h"
#include "library/import.h"
#include "library/trust.h"

#include <string.h>

/* Trust anchors and trust lists of a library. */

static void
test_trust_update (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  bundle.service_rotated = TRUE;
  g_autofree char *path = place_write_bundle (self, &bundle);
  g_autofree char *metadata = g_build_filename (path, "service", "metadata", NULL);
  g_autofree char *newest = g_build_filename (metadata, "2.root.json", NULL);
  g_autoptr (GPtrArray) from_bundle = NULL;
  g_autoptr (GBytes) forged = fixture_anchor (&self->oem);
  g_autoptr (GBytes) good = rb_files_read (newest, 1 << 20, &error);
  g_assert_true (rb_files_write (newest, forged, &error));
  g_assert_false (rb_import_trust (self->data, path, FIXTURE_NOW, &from_bundle, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_true (rb_files_write (newest, good, &error));
  g_autoptr (GPtrArray) advanced = rb_trust_update (self->data, metadata, FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (advanced->len, ==, 1);
  g_assert_cmpint (((RbAnchor *) advanced->pdata[0])->version, ==, 2);
  g_assert_true (rb_import_trust (self->data, path, FIXTURE_NOW, &from_bundle, &error));
  g_assert_cmpint (((RbAnchor *) from_bundle->pdata[0])->version, ==, 2);
}

/* The list of a bundle that is not imported, with what it withdraws. */
static void
test_trust_update_list (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  g_autoptr (GPtrArray) first = NULL, second = NULL, third = NULL;
  g_autofree char *path = place_write_bundle (self, &bundle);
  bundle.list_version = 2;
  bundle.withdrawn = "R-1";
  bundle.wmi = FIXTURE_WMI;
  g_autofree char *newer = place_write_bundle (self, &bundle);
  g_assert_true (rb_import_trust (self->data, newer, FIXTURE_NOW, &first, &error));
  g_assert_no_error (error);
  g_autoptr (RbAuthority) authority = rb_authority_load (self->data, "Fixture", &error);
  g_assert_no_error (error);
  g_assert_cmpint (authority->list->version, ==, 2);
  g_assert_cmpstr (authority->wmis[0], ==, FIXTURE_WMI);
  /* nothing older is taken back, and nothing is kept of it */
  g_assert_false (rb_import_trust (self->data, path, FIXTURE_NOW, &second, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "rollback");
  g_clear_error (&error);
  bundle.list_version = 3;
  bundle.service_expires = FIXTURE_NOW + FIXTURE_DAY;
  g_autofree char *late = place_write_bundle (self, &bundle);
  g_assert_true (rb_import_trust (self->data, late, FIXTURE_NOW + 2 * FIXTURE_DAY, &third, &error));
  g_autoptr (RbAuthority) after = rb_authority_load (self->data, "Fixture", &error);
  g_assert_cmpint (after->list->version, ==, 2);
}

static void
test_two_oems (Place *self, gconstpointer data)
{
  static const char *const wmis[] = { FIXTURE_WMI, NULL };
  g_autoptr (GError) error = NULL;
  Fixture other;
  FixtureBundle bundle = fixture_good ();
  fixture_init (&other);
  g_autofree char *path = g_build_filename (self->folder, "other", NULL);
  fixture_write (&other, &bundle, path);
  g_autoptr (RbContents) unknown = rb_import_verify (self->library, path, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_null (unknown);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "wrong-oem");
  g_clear_error (&error);
  g_autoptr (GBytes) root = fixture_anchor (&other);
  place_import (self, &bundle, FIXTURE_NOW);
  g_autoptr (RbAnchor) anchor = rb_trust_add (self->data, "Other", root, wmis, FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_autoptr (RbContents) both = rb_import_bundle (self->library, path, FALSE, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_contents_anchor (both), ==, "Other");
  g_autoptr (RbContents) neither = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_null (neither);
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_AMBIGUOUS);
  g_clear_error (&error);
  g_autoptr (RbContents) first = rb_library_open (self->library, "Fixture/R-1", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_contents_anchor (first), ==, "Fixture");
  g_autofree char *name = rb_library_name (self->library, first, &error);
  g_assert_cmpstr (name, ==, "Fixture/R-1");
  g_assert_true (rb_library_remove (self->library, "Fixture/R-1", NULL, NULL, &error));
  g_autofree char *shorter = rb_library_name (self->library, both, &error);
  g_assert_cmpstr (shorter, ==, "R-1");
  g_autoptr (RbContents) second = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_contents_anchor (second), ==, "Other");
  fixture_clear (&other);
}

static RbAuthority *
authority (Place *self)
{
  g_autoptr (GError) error = NULL;
  RbAuthority *authority = rb_authority_load (self->data, "Fixture", &error);
  g_assert_no_error (error);
  return authority;
}

/* A campaign that was packed before does not bring back a list that was replaced, and its own list counts no more. */
static void
test_newest_trust_list (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle old = fixture_good (), new = fixture_good ();
  new.id = "R-2";
  new.list_version = 2;
  new.withdrawn = "R-1";
  place_import (self, &old, FIXTURE_NOW);
  g_autoptr (RbContents) before = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  place_import (self, &new, FIXTURE_NOW);
  g_autoptr (RbAuthority) newest = authority (self);
  g_assert_cmpint (newest->list->version, ==, 2);
  g_autoptr (RbAuthority) of_old = rb_authority_of (self->data, before, &error);
  g_assert_no_error (error);
  g_assert_cmpint (of_old->list->version, ==, 2);
  g_assert_false (rb_authority_check (of_old, rb_contents_campaign (before), FIXTURE_VIN, FIXTURE_NOW, FALSE, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "campaign-withdrawn");
  g_clear_error (&error);
  g_assert_true (rb_authority_check (of_old, rb_contents_campaign (before), FIXTURE_VIN, FIXTURE_NOW, TRUE, &error));
  /* a clock set back would undo revocations, also for a vehicle that was started */
  g_assert_false (
    rb_authority_check (of_old, rb_contents_campaign (before), FIXTURE_VIN, FIXTURE_NOW - 1, TRUE, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "clock");
  g_clear_error (&error);
  g_assert_true (rb_authority_check (of_old, rb_contents_campaign (before), FIXTURE_VIN, FIXTURE_NOW + 90 * FIXTURE_DAY,
                                     TRUE, &error));
  g_assert_false (
    rb_authority_check (of_old, rb_contents_campaign (before), FIXTURE_OTHER_WMI_VIN, FIXTURE_NOW, TRUE, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "not-in-anchor-scope");
  g_clear_error (&error);
  g_assert_true (rb_authority_remember (self->data, before, &error));
  g_autoptr (RbAuthority) still = authority (self);
  g_assert_cmpint (still->list->version, ==, 2);
}

/* Two lists of one version: one of them is not the OEM's last word. */
static void
test_same_version_other_list (Place *self, gconstpointer data)
{
  FixtureBundle bundle = fixture_good (), other = fixture_good ();
  other.id = "R-2";
  other.withdrawn = "R-1";
  place_import (self, &bundle, FIXTURE_NOW);
  place_refuse (self, &other, FIXTURE_NOW, RB_REASON_ROLLBACK);
}

/* What stands in the data dir is read as strictly as what comes in. */
static void
test_altered_anchor_files (Place *self, gconstpointer data)
{
  static const char *const files[][2]
    = { { "scope.json", "{}" },
        { "scope.json", "{\"format\": \"recallbay-anchor-scope-1\", \"wmis\": [\"1rb\"]}" },
        { "scope.json", "{\"format\": \"recallbay-anchor-scope-1\", \"wmis\": \"1RB\"}" },
        { "trust-list.json", "{}" } };
  const FixtureBundle bundle = fixture_good ();
  place_import (self, &bundle, FIXTURE_NOW);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_build_filename (self->data, "trust", "Fixture", files[i][0], NULL);
    g_autoptr (GBytes) good = rb_files_read (path, 1 << 20, &error);
    g_assert_no_error (error);
    g_assert_true (rb_files_write_text (path, files[i][1], NULL));
    g_autoptr (RbAuthority) broken = rb_authority_load (self->data, "Fixture", &error);
    g_assert_null (broken);
    g_assert_true (rb_reason_of (error) == RB_REASON_MALFORMED || rb_reason_of (error) == RB_REASON_MISSING);
    g_assert_true (rb_files_write (path, good, NULL));
  }
}

#define ADD(name, function) g_test_add (name, Place, NULL, place_set_up, function, place_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/library/trust-update", test_trust_update);
  ADD ("/library/trust-update-list", test_trust_update_list);
  ADD ("/library/two-oems", test_two_oems);
  ADD ("/library/newest-trust-list", test_newest_trust_list);
  ADD ("/library/same-version-other-list", test_same_version_other_list);
  ADD ("/library/altered-anchor-files", test_altered_anchor_files);
  return g_test_run ();
}
