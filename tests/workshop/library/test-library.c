/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/bundle.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "fixture.h"
#include "library/authority.h"
#include "library/import.h"
#include "library/trust.h"

#include <glib/gstdio.h>
#include <string.h>

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
  self->folder = g_dir_make_tmp ("library-XXXXXX", &error);
  g_assert_no_error (error);
  self->data = g_build_filename (self->folder, "data", NULL);
  self->library = rb_library_new (self->data);
  g_autoptr (GBytes) root = fixture_anchor (&self->oem);
  g_autoptr (RbAnchor) anchor = rb_trust_add (self->data, "Fixture", root, NULL, FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpint (anchor->version, ==, 1);
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

static char *
write_bundle (Place *self, const FixtureBundle *bundle)
{
  char *path = g_strdup_printf ("%s/bundle-%u", self->folder, self->bundles++);
  fixture_write (&self->oem, bundle, path);
  return path;
}

static void
describe (const char *path, const char *inner, GString *out)
{
  g_auto (GStrv) names = rb_files_list (path, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *file = g_build_filename (path, names[i], NULL);
    g_autofree char *name = g_build_filename (inner, names[i], NULL);
    g_autoptr (GBytes) bytes = rb_files_is_folder (file) ? NULL : rb_files_read (file, G_MAXSIZE, NULL);
    if (bytes == NULL) {
      describe (file, name, out);
      continue;
    }
    g_autofree char *digest = rb_digest_sha256_hex_of (bytes);
    g_string_append_printf (out, "%s %s\n", name, digest);
  }
}

/* Every file of the data dir with its digest. */
static char *
stored (Place *self)
{
  GString *out = g_string_new (NULL);
  describe (self->data, ".", out);
  return g_string_free (out, FALSE);
}

static void
import_at (Place *self, const FixtureBundle *bundle, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_bundle (self, bundle);
  g_autoptr (RbContents) contents = rb_import_bundle (self->library, path, FALSE, now, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_contents_campaign (contents)->id, ==, bundle->id);
}

/* Import and verify refuse it for that reason, and nothing is stored. */
static void
refuse_at (Place *self, const FixtureBundle *bundle, gint64 now, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) same = NULL;
  g_autofree char *path = write_bundle (self, bundle);
  g_autofree char *before = stored (self);
  g_autoptr (RbContents) contents = rb_import_bundle (self->library, path, FALSE, now, NULL, NULL, &error);
  g_autofree char *after = stored (self);
  g_assert_null (contents);
  g_test_message ("%s", error->message);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  g_assert_cmpstr (after, ==, before);
  g_autoptr (RbContents) verified = rb_import_verify (self->library, path, now, NULL, NULL, &same);
  g_assert_null (verified);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (same)), ==, rb_reason_word (reason));
}

static void
test_good (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle good = fixture_good ();
  const RbVehicleEcu ecus[] = { { "SN-1", "hw-primary" }, { "SN-2", "hw-door" } };
  import_at (self, &good, FIXTURE_NOW + 1);
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW + 1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_contents_anchor (contents), ==, "Fixture");
  g_assert_cmpint (rb_contents_valid_until (contents), ==, good.service_expires);
  gint64 floor = 0;
  g_assert_true (rb_library_time_floor (self->library, &floor, NULL));
  g_assert_cmpint (floor, ==, FIXTURE_NOW);
  g_assert_cmpstr (rb_contents_profile (contents, "hw-door")->id, ==, "any");
  g_assert_null (rb_contents_profile (contents, "hw-roof"));
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, FIXTURE_VIN, FIXTURE_NOW + 1, ecus, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (assignments->len, ==, 2);
  const RbAssignment *first = assignments->pdata[0];
  g_autoptr (GBytes) image = rb_contents_image (contents, first->target->sha256, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (image), ==, first->target->length);
}

static void
test_files (Place *self, gconstpointer data)
{
  static const char *const expected[]
    = { "service/1.root.json", "service/targets.json", "campaign.json", "anchor/image.root.json" };
  g_autoptr (GError) error = NULL;
  const FixtureBundle good = fixture_good ();
  import_at (self, &good, FIXTURE_NOW);
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_autoptr (GPtrArray) roots = rb_contents_roots (contents, RB_CONTENTS_DIRECTOR, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (roots->len, ==, 1);
  const RbContentsFile *root = roots->pdata[0];
  g_assert_cmpstr (root->path, ==, "director/2.root.json");
  g_assert_cmpint (root->version, ==, 2);
  g_assert_cmpstr (root->sha256, ==, rb_contents_campaign (contents)->director_root.sha256);
  g_autoptr (GPtrArray) roles = rb_contents_roles (contents, RB_CONTENTS_DIRECTOR, FIXTURE_VIN, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (roles->len, ==, 3);
  g_assert_cmpstr (((RbContentsFile *) roles->pdata[2])->path, ==, "director/targets.json");
  g_assert_cmpint (((RbContentsFile *) roles->pdata[2])->version, ==, 3);
  g_autoptr (GPtrArray) anchor = rb_contents_anchor_files (contents, RB_CONTENTS_IMAGE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (anchor->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < anchor->len; i++)
    g_assert_cmpstr (((RbContentsFile *) anchor->pdata[i])->path, ==, expected[i]);
}

/* What is wrong in a bundle that its OEM has signed. */
static void
test_refused (Place *self, gconstpointer data)
{
  const FixtureBundle good = fixture_good ();
  FixtureBundle bad;
  bad = good, bad.wrong_root = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_PIN_MISMATCH);
  bad = good, bad.extra_root = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_PIN_MISMATCH);
  bad = good, bad.other_image = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_TARGET_MISMATCH);
  bad = good, bad.unknown_ecu = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_HARDWARE_MISMATCH);
  bad = good, bad.no_primary = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_TARGET_MISSING);
  bad = good, bad.unknown_hardware = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_HARDWARE_MISMATCH);
  bad = good, bad.campaign_file = "R-2";
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_MALFORMED);
  bad = good, bad.second_campaign = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_MALFORMED);
  bad = good, bad.no_campaign = TRUE;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_MISSING);
  bad = good, bad.pack_claims = "";
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_VIN_MISMATCH);
  bad = good, bad.pack_claims = FIXTURE_OTHER_VIN;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_VIN_MISMATCH);
  bad = good, bad.scope = FIXTURE_OTHER_VIN;
  refuse_at (self, &bad, FIXTURE_NOW, RB_REASON_NOT_IN_SCOPE);
}

static void
test_times (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle good = fixture_good ();
  FixtureBundle bad;
  refuse_at (self, &good, FIXTURE_NOW - 1, RB_REASON_CLOCK);
  refuse_at (self, &good, good.service_expires, RB_REASON_EXPIRED);
  refuse_at (self, &good, good.expires, RB_REASON_CAMPAIGN_EXPIRED);
  bad = good, bad.service_expires = FIXTURE_NOW + 90 * FIXTURE_DAY;
  refuse_at (self, &bad, good.expires, RB_REASON_CAMPAIGN_EXPIRED);
  bad = good, bad.pack_expires = FIXTURE_NOW + 10;
  refuse_at (self, &bad, FIXTURE_NOW + 10, RB_REASON_EXPIRED);
  import_at (self, &good, good.service_expires - 1);
  g_autoptr (RbContents) started = rb_library_open (self->library, "R-1", FIXTURE_NOW + 5, &error);
  g_assert_no_error (error);
  g_assert_true (rb_contents_may_start (started, good.service_expires - 1, &error));
  g_assert_false (rb_contents_may_start (started, good.service_expires, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_EXPIRED);
  g_clear_error (&error);
  g_assert_false (rb_contents_may_start (started, good.expires, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_EXPIRED);
  g_clear_error (&error);
  g_assert_false (rb_contents_may_start (started, FIXTURE_NOW - 1, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CLOCK);
}

/* A vehicle was started under version 1; meanwhile version 2 has come. */
static void
test_issued_anew (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.version = 2;
  bundle.issued = FIXTURE_NOW + 10 * FIXTURE_DAY;
  import_at (self, &bundle, bundle.issued);
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW + 5, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, FIXTURE_VIN, FIXTURE_NOW + 5, NULL, 0, &error);
  g_assert_no_error (error);
}

static void
test_time_floor (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  import_at (self, &bundle, FIXTURE_NOW + 100);
  bundle.id = "R-2";
  bundle.issued = FIXTURE_NOW + 1000;
  import_at (self, &bundle, FIXTURE_NOW + 1000);
  g_assert_false (rb_library_check_clock (self->library, FIXTURE_NOW + 999, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CLOCK);
  bundle = fixture_good ();
  refuse_at (self, &bundle, FIXTURE_NOW + 100, RB_REASON_CLOCK);
  import_at (self, &bundle, FIXTURE_NOW + 1000);
}

static void
test_rollback (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  bundle.version = 3;
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.version = 2;
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
  bundle.version = 3;
  bundle.title = "Another recall under the same number";
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
  g_assert_true (rb_library_remove (self->library, "R-1", NULL, NULL, &error));
  bundle = fixture_good ();
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
  bundle.version = 4;
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.service_expires += FIXTURE_DAY;
  import_at (self, &bundle, FIXTURE_NOW);
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpint (rb_contents_valid_until (contents), ==, bundle.service_expires);
}

static void
test_pinned_root (Place *self, gconstpointer data)
{
  FixtureBundle bundle = fixture_good ();
  bundle.image_pinned = TRUE;
  bundle.pack_vin = NULL;
  g_autofree char *path = write_bundle (self, &bundle);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbContents) refused = rb_import_verify (self->library, path, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_null (refused);
  g_assert_true (rb_reason_of (error) == RB_REASON_THRESHOLD_UNMET || rb_reason_of (error) == RB_REASON_BAD_SIGNATURE
                 || rb_reason_of (error) == RB_REASON_BAD_KEY_ID);
  bundle = fixture_good ();
  bundle.image_pinned = bundle.says_pinned = TRUE;
  import_at (self, &bundle, FIXTURE_NOW);
}

static void
test_service_rotation (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle before = fixture_good ();
  FixtureBundle after = before;
  after.service_rotated = TRUE;
  after.version = 2;
  import_at (self, &before, FIXTURE_NOW);
  import_at (self, &after, FIXTURE_NOW);
  g_autoptr (GPtrArray) anchors = rb_trust_list (self->data, &error);
  g_assert_no_error (error);
  g_assert_cmpint (((RbAnchor *) anchors->pdata[0])->version, ==, 2);
  /* what the old key signs counts no longer */
  FixtureBundle old = before;
  old.version = 3;
  g_autofree char *path = write_bundle (self, &old);
  g_autoptr (RbContents) refused = rb_import_verify (self->library, path, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_null (refused);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), !=, "internal");
  g_test_message ("%s", error->message);
}

/* A vehicle that was started goes on by its bundle, whatever root of its OEM has come since; a new one does not begin
 * by it. */
static void
test_rotation_while_open (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle before = fixture_good ();
  FixtureBundle after = before;
  after.service_rotated = TRUE;
  after.id = "R-2";
  import_at (self, &before, FIXTURE_NOW);
  import_at (self, &after, FIXTURE_NOW);
  g_autoptr (RbContents) begun = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_null (begun);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "threshold-unmet");
  g_clear_error (&error);
  g_autoptr (RbContents) started = rb_library_open_started (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (started, FIXTURE_VIN, FIXTURE_NOW, NULL, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (assignments->len, ==, 2);
}

static void
test_trust_update (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  bundle.service_rotated = TRUE;
  g_autofree char *path = write_bundle (self, &bundle);
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
  g_autofree char *path = write_bundle (self, &bundle);
  bundle.list_version = 2;
  bundle.withdrawn = "R-1";
  bundle.wmi = FIXTURE_WMI;
  g_autofree char *newer = write_bundle (self, &bundle);
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
  g_autofree char *late = write_bundle (self, &bundle);
  g_assert_true (rb_import_trust (self->data, late, FIXTURE_NOW + 2 * FIXTURE_DAY, &third, &error));
  g_autoptr (RbAuthority) after = rb_authority_load (self->data, "Fixture", &error);
  g_assert_cmpint (after->list->version, ==, 2);
}

static void
test_vins (Place *self, gconstpointer data)
{
  static const struct {
    const char *vin;
    RbReason reason;
  } bad[] = { { NULL, RB_REASON_VIN_MISSING },
              { "", RB_REASON_VIN_MISSING },
              { "../../etc/passwd", RB_REASON_VIN_INVALID },
              { FIXTURE_OTHER_VIN, RB_REASON_NOT_IN_SCOPE } };
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  import_at (self, &bundle, FIXTURE_NOW);
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) problem = NULL;
    g_assert_null (rb_contents_assignments (contents, bad[i].vin, FIXTURE_NOW, NULL, 0, &problem));
    g_assert_cmpstr (rb_reason_word (rb_reason_of (problem)), ==, rb_reason_word (bad[i].reason));
  }
  const RbVehicleEcu fewer[] = { { "SN-1", "hw-primary" } };
  g_assert_null (rb_contents_assignments (contents, FIXTURE_VIN, FIXTURE_NOW, fewer, 1, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "ecu-unknown");
  g_clear_error (&error);
  bundle.id = "R-2";
  bundle.scope = NULL;
  bundle.pack_vin = NULL;
  import_at (self, &bundle, FIXTURE_NOW);
  g_autoptr (RbContents) open_to_all = rb_library_open (self->library, "R-2", FIXTURE_NOW, &error);
  g_assert_null (rb_contents_assignments (open_to_all, FIXTURE_VIN, FIXTURE_NOW, NULL, 0, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_VIN_PACK_MISSING);
}

/* how the vehicle is built, by its pack: what is wrong with the list, and what follows from a right one */
static void
test_as_built (Place *self, gconstpointer data)
{
  static const struct {
    const char *custom;
    RbReason reason;
  } bad[] = {
    { "[]", RB_REASON_MALFORMED },
    { "{\"asBuilt\":{}}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":null}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":[]}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":[1]}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":[{\"serial\":\"SN-1\"}]}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":[{\"serial\":\"\",\"hardware_id\":\"hw-primary\"}]}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-primary\",\"optional\":true}]}", RB_REASON_MALFORMED },
    { "{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-primary\"},{\"serial\":\"SN-1\",\"hardware_id\":\"hw-door\"}]}",
      RB_REASON_MALFORMED },
    { "{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-primary\"}]}", RB_REASON_ECU_UNKNOWN },
    { "{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-primary\"},{\"serial\":\"SN-2\",\"hardware_id\":\"hw-roof\"}]}",
      RB_REASON_HARDWARE_MISMATCH },
  };
  FixtureBundle bundle = fixture_good ();
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    bundle.custom = bad[i].custom;
    refuse_at (self, &bundle, FIXTURE_NOW, bad[i].reason);
  }
  bundle.custom
    = "{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-primary\"},{\"serial\":\"SN-2\",\"hardware_id\":\"hw-door\"},"
      "{\"serial\":\"SN-3\",\"hardware_id\":\"hw-roof\"}]}";
  import_at (self, &bundle, FIXTURE_NOW);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_autoptr (GPtrArray) ecus = rb_contents_completeness (contents, FIXTURE_VIN, FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ecus->len, ==, 3);
  g_assert_false (rb_completeness_is_directed (ecus, rb_contents_model (contents), &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "ecu-not-directed");
}

static void
test_for_vin (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  FixtureBundle bundle = fixture_good ();
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.id = "R-2", bundle.scope = bundle.pack_vin = FIXTURE_OTHER_VIN;
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.id = "R-3", bundle.service_expires = FIXTURE_NOW + 10, bundle.scope = bundle.pack_vin = FIXTURE_VIN;
  import_at (self, &bundle, FIXTURE_NOW);
  g_autoptr (GPtrArray) found = rb_library_for_vin (self->library, FIXTURE_VIN, FIXTURE_NOW + 20, &problems, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (rb_contents_campaign (found->pdata[0])->id, ==, "R-1");
  g_assert_cmpuint (problems->len, ==, 1);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (problems->pdata[0])), ==, "expired");
  g_assert_null (rb_library_for_vin (self->library, "NOT-A-VIN", FIXTURE_NOW, NULL, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_VIN_INVALID);
}

static gboolean
in_use (const char *anchor, const char *id, gpointer data)
{
  g_assert_cmpstr (anchor, ==, "Fixture");
  return g_strcmp0 (id, data) == 0;
}

static void
test_remove (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.id = "R-2";
  import_at (self, &bundle, FIXTURE_NOW);
  g_autofree char *before = stored (self);
  g_assert_false (rb_library_remove (self->library, "R-1", in_use, (gpointer) "R-1", &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_RECOVERY_OPEN);
  g_clear_error (&error);
  g_autofree char *after = stored (self);
  g_assert_cmpstr (after, ==, before);
  g_assert_true (rb_library_remove (self->library, "R-1", in_use, (gpointer) "R-2", &error));
  g_autoptr (RbContents) other = rb_library_open (self->library, "R-2", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (self->oem.door_image);
  g_autoptr (GBytes) image = rb_contents_image (other, sha256, &error);
  g_assert_no_error (error);
  g_assert_true (rb_library_remove (self->library, "R-2", NULL, NULL, &error));
  g_autoptr (GBytes) gone = rb_contents_image (other, sha256, &error);
  g_assert_null (gone);
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IMAGE_MISSING);
  g_clear_error (&error);
  g_assert_false (rb_library_remove (self->library, "R-2", NULL, NULL, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_UNKNOWN);
}

static void
test_in_place (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle bundle = fixture_good ();
  g_autofree char *path = write_bundle (self, &bundle);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (self->oem.door_image);
  g_autofree char *file = g_build_filename (path, "image", "targets", "parts", "door.bin", NULL);
  g_autoptr (RbContents) contents = rb_import_bundle (self->library, path, TRUE, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) image = rb_contents_image (contents, sha256, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (image, self->oem.door_image));
  g_assert_true (rb_files_write (file, self->oem.primary_image, &error));
  g_autoptr (GBytes) bent = rb_contents_image (contents, sha256, &error);
  g_assert_null (bent);
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_HASH_MISMATCH);
  g_clear_error (&error);
  g_assert_true (rb_files_remove_tree (path, &error));
  g_autoptr (GBytes) unplugged = rb_contents_image (contents, sha256, &error);
  g_assert_null (unplugged);
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IMAGE_MISSING);
}

/* A bundle with fewer packs does not take away those that are there. */
static void
test_packs_stay (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  bundle.scope = NULL;
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.pack_vin = FIXTURE_OTHER_VIN;
  import_at (self, &bundle, FIXTURE_NOW);
  g_autoptr (RbContents) contents = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_auto (GStrv) vins = rb_contents_vins (contents);
  g_assert_cmpuint (g_strv_length (vins), ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, vins[i], FIXTURE_NOW, NULL, 0, &error);
    g_assert_no_error (error);
  }
}

/* A VIN's Director metadata does not go back either, in whatever bundle it comes. */
static void
test_pack_rollback (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  bundle.pack_version = 5;
  import_at (self, &bundle, FIXTURE_NOW);
  import_at (self, &bundle, FIXTURE_NOW);
  bundle.pack_version = 4;
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.pack_version = 5;
  bundle.pack_expires -= 60;
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.pack_version = 6;
  import_at (self, &bundle, FIXTURE_NOW);
  g_assert_true (rb_library_remove (self->library, "R-1", NULL, NULL, &error));
  bundle.pack_version = 5;
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.id = "R-2";
  refuse_at (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.scope = bundle.pack_vin = FIXTURE_OTHER_VIN;
  import_at (self, &bundle, FIXTURE_NOW);
}

static void
write_pins (Place *self, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (self->data, "pins.json", NULL);
  g_assert_true (rb_files_write_text (path, text, &error));
}

/* What was imported before is not forgotten because it cannot be read. */
static void
test_damaged_pins (Place *self, gconstpointer data)
{
#define PINS(campaign, packs, floor) \
  "{\"format\":\"recallbay-pins-1\",\"campaigns\":{\"Fixture\":{\"R-1\":" campaign "}}," packs "\"floor\":" floor "}"
#define SHA "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""
  static const char *const bad[] = {
    "",
    "{",
    "[]",
    "{}",
    "{\"format\":\"recallbay-pins-1\",\"campaigns\":[]}",
    "{\"format\":\"recallbay-pins-1\",\"campaigns\":{\"Fixture\":7}}",
    "{\"format\":\"recallbay-pins-2\",\"campaigns\":{}}",
    PINS ("7", "", "1"),
    PINS ("{\"version\":\"3\",\"sha256\":" SHA "}", "", "1"),
    PINS ("{\"sha256\":" SHA "}", "", "1"),
    PINS ("{\"version\":3}", "", "1"),
    PINS ("{\"version\":3,\"sha256\":\"aa\"}", "", "1"),
    PINS ("{\"version\":3,\"sha256\":" SHA "}", "", "\"1800000000\""),
    PINS ("{\"version\":3,\"sha256\":" SHA "}", "", "null"),
    PINS ("{\"version\":3,\"sha256\":" SHA "}", "\"packs\":[],", "1"),
    PINS ("{\"version\":3,\"sha256\":" SHA "}", "\"packs\":{\"Fixture\":{\"V\":{\"R\":{\"targets\":5}}}},", "1"),
  };
  const FixtureBundle good = fixture_good ();
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    write_pins (self, bad[i]);
    refuse_at (self, &good, FIXTURE_NOW, RB_REASON_STORE_DAMAGED);
    g_assert_false (rb_library_check_clock (self->library, FIXTURE_NOW, &error));
    g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "store-damaged");
    g_clear_error (&error);
    gint64 floor = 0;
    g_assert_false (rb_library_time_floor (self->library, &floor, &error));
    g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "store-damaged");
  }
  write_pins (self, PINS ("{\"version\":3,\"sha256\":" SHA "}", "", "1"));
  refuse_at (self, &good, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
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
  import_at (self, &bundle, FIXTURE_NOW);
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
  import_at (self, &old, FIXTURE_NOW);
  g_autoptr (RbContents) before = rb_library_open (self->library, "R-1", FIXTURE_NOW, &error);
  g_assert_no_error (error);
  import_at (self, &new, FIXTURE_NOW);
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
  import_at (self, &bundle, FIXTURE_NOW);
  refuse_at (self, &other, FIXTURE_NOW, RB_REASON_ROLLBACK);
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
  import_at (self, &bundle, FIXTURE_NOW);
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

static void
test_for_auditors (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle bundle = fixture_good ();
  g_autofree char *path = write_bundle (self, &bundle);
  g_autoptr (GBytes) root = fixture_anchor (&self->oem);
  g_autoptr (RbContents) anchored = rb_bundle_open (path, root, &error);
  g_assert_no_error (error);
  g_assert_nonnull (rb_contents_anchor (anchored));
  g_autoptr (RbContents) as_given = rb_bundle_open (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (rb_contents_anchor (as_given));
  g_autofree char *sha256 = rb_digest_sha256_hex_of (self->oem.door_image);
  g_autoptr (GBytes) image = rb_contents_image (as_given, sha256, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (as_given, FIXTURE_VIN, -1, NULL, 0, &error);
  g_assert_no_error (error);
  Fixture other;
  fixture_init (&other);
  g_autoptr (GBytes) wrong = fixture_anchor (&other);
  g_autoptr (RbContents) refused = rb_bundle_open (path, wrong, &error);
  g_assert_null (refused);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "wrong-oem");
  fixture_clear (&other);
}

#define ADD(name, function) g_test_add (name, Place, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/library/good", test_good);
  ADD ("/library/files", test_files);
  ADD ("/library/refused", test_refused);
  ADD ("/library/times", test_times);
  ADD ("/library/issued-anew", test_issued_anew);
  ADD ("/library/time-floor", test_time_floor);
  ADD ("/library/rollback", test_rollback);
  ADD ("/library/pinned-root", test_pinned_root);
  ADD ("/library/service-rotation", test_service_rotation);
  ADD ("/library/rotation-while-open", test_rotation_while_open);
  ADD ("/library/trust-update", test_trust_update);
  ADD ("/library/trust-update-list", test_trust_update_list);
  ADD ("/library/vins", test_vins);
  ADD ("/library/as-built", test_as_built);
  ADD ("/library/for-vin", test_for_vin);
  ADD ("/library/remove", test_remove);
  ADD ("/library/in-place", test_in_place);
  ADD ("/library/packs-stay", test_packs_stay);
  ADD ("/library/pack-rollback", test_pack_rollback);
  ADD ("/library/damaged-pins", test_damaged_pins);
  ADD ("/library/two-oems", test_two_oems);
  ADD ("/library/newest-trust-list", test_newest_trust_list);
  ADD ("/library/same-version-other-list", test_same_version_other_list);
  ADD ("/library/altered-anchor-files", test_altered_anchor_files);
  ADD ("/library/for-auditors", test_for_auditors);
  return g_test_run ();
}
