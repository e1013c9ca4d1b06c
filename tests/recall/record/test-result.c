/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/json.h"
#include "record/ending.h"
#include "record/result.h"

/* What a record's contents amount to: each thing short of completeness has its own word. */

typedef struct {
  Fixture fixture;
  json_t *predicate;
} Case;

static void
set_up (Case *self, gconstpointer data)
{
  fixture_set_up (&self->fixture);
  self->predicate = fixture_facts (&self->fixture, FIXTURE_VIN);
  rb_json_set (self->predicate, "campaign", rb_result_quote (self->fixture.campaign, self->fixture.campaign_sha256));
}

static void
tear_down (Case *self, gconstpointer data)
{
  json_decref (self->predicate);
  fixture_tear_down (&self->fixture);
}

static void
expect (const json_t *predicate, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  gboolean complete = rb_result_is_complete (predicate, &error);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  g_assert_true (complete == (reason == RB_REASON_NONE));
}

static void
test_complete (Case *self, gconstpointer data)
{
  expect (self->predicate, RB_REASON_NONE);
}

static json_t *
member (json_t *object, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, ".", -1);
  for (guint i = 0; names[i] != NULL; i++)
    object = json_is_array (object) ? json_array_get (object, (size_t) g_ascii_strtoull (names[i], NULL, 10))
                                    : json_object_get (object, names[i]);
  return object;
}

/* At path, the member is taken away, or set to a text. ecus: 0 Primary, 1 brake, 2 the SHE one. */
static const struct {
  const char *path, *name, *value;
  RbReason reason;
} changes[] = {
  { "inspection", "items", NULL, RB_REASON_INSPECTION_MISSING },
  { "inspection", "completedAt", "2026-11-17T10:06:01Z", RB_REASON_INSPECTION_MISSING },
  { "inspection", "outcome", "fail", RB_REASON_INSPECTION_FAILED },
  { "inspection", "outcome", NULL, RB_REASON_INSPECTION_FAILED },
  { "inspection.items.1", "result", "fail", RB_REASON_INSPECTION_FAILED },
  { "inspection.items.1", "result", "perhaps", RB_REASON_INSPECTION_FAILED },
  { "preflight", "ecusExpected", NULL, RB_REASON_ECU_MISSING },
  { "ecus.1", "ecuSerial", "SN-OTHER-0001", RB_REASON_ECU_MISSING },
  { "ecus.1", "hardwareId", "hw-other-1", RB_REASON_ECU_UNEXPECTED },
  { "ecus.1", "outcome", "failed", RB_REASON_NOT_COMPLETE },
  { "ecus.1", "outcome", "safe-state", RB_REASON_NOT_COMPLETE },
  { "ecus.1", "outcome", "restored", RB_REASON_NOT_COMPLETE },
  { "ecus.1", "outcome", "", RB_REASON_NOT_COMPLETE },
  { "ecus.1", "after", NULL, RB_REASON_NOT_COMPLETE },
  { "ecus.1.after", "boot", "bootloader", RB_REASON_NOT_COMPLETE },
  { "ecus.1.after", "boot", NULL, RB_REASON_NOT_COMPLETE },
  { "ecus.1", "image", NULL, RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.image", "target", "other.img", RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.image", "sha256", "00", RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.image", "nonce", "0011", RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.image", "digestOverNonce", NULL, RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.image", "method", NULL, RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.after", "imageSha256", "00", RB_REASON_IMAGE_NOT_PROVEN },
  { "ecus.1.after.directorRoot", "sha256", "00", RB_REASON_ROOT_NOT_PROVEN },
  { "ecus.1.after", "directorRoot", NULL, RB_REASON_ROOT_NOT_PROVEN },
  { "ecus.0.after.imageRoot", "sha256", "00", RB_REASON_ROOT_NOT_PROVEN },
  { "ecus.0.after", "imageRoot", NULL, RB_REASON_ROOT_NOT_PROVEN },
  { "ecus.1", "verification", "full", RB_REASON_ROOT_NOT_PROVEN },
  { "ecus.1", "verification", "other", RB_REASON_ROOT_NOT_PROVEN },
  { "ecus.1", "key", NULL, RB_REASON_KEY_NOT_PROVEN },
  { "ecus.1.key", "kind", "none", RB_REASON_KEY_NOT_PROVEN },
  { "ecus.1.key", "verified", "deferred", RB_REASON_KEY_NOT_PROVEN },
  { "ecus.1.key", "nonce", "00", RB_REASON_KEY_NOT_PROVEN },
  { "ecus.1.key", "challenge", NULL, RB_REASON_KEY_NOT_PROVEN },
  { "ecus.1.key", "createdBy", NULL, RB_REASON_KEY_NOT_PROVEN },
  { "ecus.2.key", "m4", NULL, RB_REASON_KEY_NOT_PROVEN },
  { "ecus.2.key", "m5", "00", RB_REASON_KEY_NOT_PROVEN },
  { "ecus.2.key", "counter", "2", RB_REASON_KEY_NOT_PROVEN },
  { "ecus.2.key", "verified", "no", RB_REASON_KEY_NOT_PROVEN },
  { "ecus.1", "report", NULL, RB_REASON_REPORT_NOT_PROVEN },
  { "ecus.1.report", "verified", "deferred", RB_REASON_REPORT_NOT_PROVEN },
  { "ecus.1.report", "verified", "no", RB_REASON_REPORT_NOT_PROVEN },
  { "ecus.1.report", "envelope", NULL, RB_REASON_REPORT_NOT_PROVEN },
  { "ecus.2.report", "verified", "no", RB_REASON_REPORT_NOT_PROVEN },
  { "vehicleManifest", "after", "", RB_REASON_REPORT_NOT_PROVEN },
  { "vehicleManifest", "after", NULL, RB_REASON_REPORT_NOT_PROVEN },
};

static void
test_short_of_complete (Case *self, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autoptr (json_t) predicate = json_deep_copy (self->predicate);
    json_t *object = member (predicate, changes[i].path);
    g_test_message ("%s.%s", changes[i].path, changes[i].name);
    g_assert_nonnull (json_object_get (object, changes[i].name));
    if (changes[i].value == NULL)
      json_object_del (object, changes[i].name);
    else
      rb_json_set_string (object, changes[i].name, changes[i].value);
    expect (predicate, changes[i].reason);
  }
}

/* What may be otherwise without harm. */
static void
test_still_complete (Case *self, gconstpointer data)
{
  rb_json_set_string (member (self->predicate, "inspection.items.0"), "result", "na");
  rb_json_set_string (member (self->predicate, "inspection"), "completedAt", "2026-11-17T10:06:00Z");
  rb_json_set_string (member (self->predicate, "ecus.1"), "outcome", "already-good");
  rb_json_set_string (member (self->predicate, "ecus.2"), "outcome", "hardware-replaced");
  rb_json_set (member (self->predicate, "ecus.1.key"), "createdBy",
               json_pack ("{s:s}", "record", self->fixture.campaign_sha256));
  expect (self->predicate, RB_REASON_NONE);
}

static void
test_nothing_written (Case *self, gconstpointer data)
{
  rb_json_set (self->predicate, "firstWriteAt", json_null ());
  expect (self->predicate, RB_REASON_INSPECTION_MISSING);
  for (guint i = 0; i < 3; i++)
    rb_json_set_integer (json_array_get (member (self->predicate, "ecus"), i), "writes", 0);
  expect (self->predicate, RB_REASON_NONE);
}

/* A campaign that asks for no new key on an ECU gets none; its report by the old one is the OEM's to verify. */
static void
test_no_key_asked (Case *self, gconstpointer data)
{
  rb_json_set_boolean (member (self->predicate, "campaign.ecus.1"), "newKey", FALSE);
  rb_json_set (member (self->predicate, "ecus.1"), "key", json_pack ("{s:s}", "kind", "none"));
  rb_json_set_string (member (self->predicate, "ecus.1.report"), "verified", "deferred");
  expect (self->predicate, RB_REASON_NONE);
  rb_json_set_boolean (member (self->predicate, "campaign.ecus.1"), "newKey", TRUE);
  expect (self->predicate, RB_REASON_KEY_NOT_PROVEN);
}

static void
test_second_person (Case *self, gconstpointer data)
{
  rb_json_set_boolean (member (self->predicate, "campaign"), "secondPerson", TRUE);
  expect (self->predicate, RB_REASON_SECOND_PERSON_MISSING);
  rb_json_set (self->predicate, "secondPerson", json_object ());
  expect (self->predicate, RB_REASON_NONE);
}

static const char *
result_of (const char *type, gboolean complete)
{
  g_autoptr (json_t) predicate = json_pack ("{s:s}", "type", type);
  return rb_ending_result (predicate, complete);
}

static void
test_types (Case *self, gconstpointer data)
{
  g_assert_cmpstr (result_of ("completion", TRUE), ==, "completed");
  g_assert_cmpstr (result_of ("completion", FALSE), ==, NULL);
  g_assert_cmpstr (result_of ("partial", FALSE), ==, "incomplete");
  g_assert_cmpstr (result_of ("partial", TRUE), ==, NULL);
  g_assert_cmpstr (result_of ("aborted", FALSE), ==, "aborted");
  g_assert_cmpstr (result_of ("declined", FALSE), ==, "declined");
  g_assert_cmpstr (result_of ("no-work-needed", FALSE), ==, "no-work-needed");
  g_assert_cmpstr (result_of ("other", FALSE), ==, NULL);
}

#define ADD(path, function) g_test_add ("/result/" path, Case, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("complete", test_complete);
  ADD ("short-of-complete", test_short_of_complete);
  ADD ("still-complete", test_still_complete);
  ADD ("nothing-written", test_nothing_written);
  ADD ("no-key-asked", test_no_key_asked);
  ADD ("second-person", test_second_person);
  ADD ("types", test_types);
  return g_test_run ();
}
