/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "campaign/bundle.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "library/authority.h"
#include "library/import.h"
#include "library/trust.h"

#include <glib/gstdio.h>
#include <string.h>

static void
test_good (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle good = fixture_good ();
  const RbVehicleEcu ecus[] = { { "SN-1", "hw-primary" }, { "SN-2", "hw-door" } };
  place_import (self, &good, FIXTURE_NOW + 1);
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
  place_import (self, &good, FIXTURE_NOW);
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
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_PIN_MISMATCH);
  bad = good, bad.extra_root = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_PIN_MISMATCH);
  bad = good, bad.other_image = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_TARGET_MISMATCH);
  bad = good, bad.unknown_ecu = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_HARDWARE_MISMATCH);
  bad = good, bad.no_primary = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_TARGET_MISSING);
  bad = good, bad.unknown_hardware = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_HARDWARE_MISMATCH);
  bad = good, bad.campaign_file = "R-2";
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_MALFORMED);
  bad = good, bad.second_campaign = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_MALFORMED);
  bad = good, bad.no_campaign = TRUE;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_MISSING);
  bad = good, bad.pack_claims = "";
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_VIN_MISMATCH);
  bad = good, bad.pack_claims = FIXTURE_OTHER_VIN;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_VIN_MISMATCH);
  bad = good, bad.scope = FIXTURE_OTHER_VIN;
  place_refuse (self, &bad, FIXTURE_NOW, RB_REASON_NOT_IN_SCOPE);
}

static void
test_times (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle good = fixture_good ();
  FixtureBundle bad;
  place_refuse (self, &good, FIXTURE_NOW - 1, RB_REASON_CLOCK);
  place_refuse (self, &good, good.service_expires, RB_REASON_EXPIRED);
  place_refuse (self, &good, good.expires, RB_REASON_CAMPAIGN_EXPIRED);
  bad = good, bad.service_expires = FIXTURE_NOW + 90 * FIXTURE_DAY;
  place_refuse (self, &bad, good.expires, RB_REASON_CAMPAIGN_EXPIRED);
  bad = good, bad.pack_expires = FIXTURE_NOW + 10;
  place_refuse (self, &bad, FIXTURE_NOW + 10, RB_REASON_EXPIRED);
  place_import (self, &good, good.service_expires - 1);
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
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.version = 2;
  bundle.issued = FIXTURE_NOW + 10 * FIXTURE_DAY;
  place_import (self, &bundle, bundle.issued);
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
  place_import (self, &bundle, FIXTURE_NOW + 100);
  bundle.id = "R-2";
  bundle.issued = FIXTURE_NOW + 1000;
  place_import (self, &bundle, FIXTURE_NOW + 1000);
  g_assert_false (rb_library_check_clock (self->library, FIXTURE_NOW + 999, &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CLOCK);
  bundle = fixture_good ();
  place_refuse (self, &bundle, FIXTURE_NOW + 100, RB_REASON_CLOCK);
  place_import (self, &bundle, FIXTURE_NOW + 1000);
}

static void
test_rollback (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FixtureBundle bundle = fixture_good ();
  bundle.version = 3;
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.version = 2;
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
  bundle.version = 3;
  bundle.title = "Another recall under the same number";
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
  g_assert_true (rb_library_remove (self->library, "R-1", NULL, NULL, &error));
  bundle = fixture_good ();
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
  bundle.version = 4;
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.service_expires += FIXTURE_DAY;
  place_import (self, &bundle, FIXTURE_NOW);
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
  g_autofree char *path = place_write_bundle (self, &bundle);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbContents) refused = rb_import_verify (self->library, path, FIXTURE_NOW, NULL, NULL, &error);
  g_assert_null (refused);
  g_assert_true (rb_reason_of (error) == RB_REASON_THRESHOLD_UNMET || rb_reason_of (error) == RB_REASON_BAD_SIGNATURE
                 || rb_reason_of (error) == RB_REASON_BAD_KEY_ID);
  bundle = fixture_good ();
  bundle.image_pinned = bundle.says_pinned = TRUE;
  place_import (self, &bundle, FIXTURE_NOW);
}

static void
test_service_rotation (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle before = fixture_good ();
  FixtureBundle after = before;
  after.service_rotated = TRUE;
  after.version = 2;
  place_import (self, &before, FIXTURE_NOW);
  place_import (self, &after, FIXTURE_NOW);
  g_autoptr (GPtrArray) anchors = rb_trust_list (self->data, &error);
  g_assert_no_error (error);
  g_assert_cmpint (((RbAnchor *) anchors->pdata[0])->version, ==, 2);
  /* what the old key signs counts no longer */
  FixtureBundle old = before;
  old.version = 3;
  g_autofree char *path = place_write_bundle (self, &old);
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
  place_import (self, &before, FIXTURE_NOW);
  place_import (self, &after, FIXTURE_NOW);
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
  place_import (self, &bundle, FIXTURE_NOW);
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
  place_import (self, &bundle, FIXTURE_NOW);
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
    place_refuse (self, &bundle, FIXTURE_NOW, bad[i].reason);
  }
  bundle.custom
    = "{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-primary\"},{\"serial\":\"SN-2\",\"hardware_id\":\"hw-door\"},"
      "{\"serial\":\"SN-3\",\"hardware_id\":\"hw-roof\"}]}";
  place_import (self, &bundle, FIXTURE_NOW);
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
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.id = "R-2", bundle.scope = bundle.pack_vin = FIXTURE_OTHER_VIN;
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.id = "R-3", bundle.service_expires = FIXTURE_NOW + 10, bundle.scope = bundle.pack_vin = FIXTURE_VIN;
  place_import (self, &bundle, FIXTURE_NOW);
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
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.id = "R-2";
  place_import (self, &bundle, FIXTURE_NOW);
  g_autofree char *before = place_stored (self);
  g_assert_false (rb_library_remove (self->library, "R-1", in_use, (gpointer) "R-1", &error));
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_RECOVERY_OPEN);
  g_clear_error (&error);
  g_autofree char *after = place_stored (self);
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
  g_autofree char *path = place_write_bundle (self, &bundle);
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
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.pack_vin = FIXTURE_OTHER_VIN;
  place_import (self, &bundle, FIXTURE_NOW);
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
  place_import (self, &bundle, FIXTURE_NOW);
  place_import (self, &bundle, FIXTURE_NOW);
  bundle.pack_version = 4;
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.pack_version = 5;
  bundle.pack_expires -= 60;
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.pack_version = 6;
  place_import (self, &bundle, FIXTURE_NOW);
  g_assert_true (rb_library_remove (self->library, "R-1", NULL, NULL, &error));
  bundle.pack_version = 5;
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.id = "R-2";
  place_refuse (self, &bundle, FIXTURE_NOW, RB_REASON_ROLLBACK);
  bundle.scope = bundle.pack_vin = FIXTURE_OTHER_VIN;
  place_import (self, &bundle, FIXTURE_NOW);
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
    place_refuse (self, &good, FIXTURE_NOW, RB_REASON_STORE_DAMAGED);
    g_assert_false (rb_library_check_clock (self->library, FIXTURE_NOW, &error));
    g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "store-damaged");
    g_clear_error (&error);
    gint64 floor = 0;
    g_assert_false (rb_library_time_floor (self->library, &floor, &error));
    g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "store-damaged");
  }
  write_pins (self, PINS ("{\"version\":3,\"sha256\":" SHA "}", "", "1"));
  place_refuse (self, &good, FIXTURE_NOW, RB_REASON_CAMPAIGN_ROLLBACK);
}

static void
test_for_auditors (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle bundle = fixture_good ();
  g_autofree char *path = place_write_bundle (self, &bundle);
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

#define ADD(name, function) g_test_add (name, Place, NULL, place_set_up, function, place_tear_down)

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
  ADD ("/library/vins", test_vins);
  ADD ("/library/as-built", test_as_built);
  ADD ("/library/for-vin", test_for_vin);
  ADD ("/library/remove", test_remove);
  ADD ("/library/in-place", test_in_place);
  ADD ("/library/packs-stay", test_packs_stay);
  ADD ("/library/pack-rollback", test_pack_rollback);
  ADD ("/library/damaged-pins", test_damaged_pins);
  ADD ("/library/for-auditors", test_for_auditors);
  return g_test_run ();
}
