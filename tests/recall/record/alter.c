/* SPDX-License-Identifier: Apache-2.0 */
#include "alter.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/dsse.h"
#include "outbox/outbox.h"

#include <string.h>

#define OTHER_VIN "WAURAB0RA1LL00022"
#define OTHER_DIGEST "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static Fixture *fixture; /* for changes that sign what an ECU signs */

static json_t *
ecu_with (json_t *predicate, const char *member, const char *value)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (ecu, member, ""), value) == 0)
      return ecu;
  g_assert_not_reached ();
}

static json_t *
secondary (json_t *predicate)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (ecu, "role", ""), "secondary") == 0
        && strcmp (rb_json_string_or (json_object_get (ecu, "key"), "kind", ""), "asymmetric") == 0)
      return ecu;
  g_assert_not_reached ();
}

static const char *
serial_of (const json_t *ecu)
{
  return rb_json_string_or (ecu, "ecuSerial", "");
}

/* record-key-kind */

/* A report that only the OEM can verify: its signature is replaced, and the entry defers it. */
static void
defer_report (json_t *ecu, const char *key_id)
{
  g_autoptr (GError) error = NULL;
  json_t *entry = json_object_get (ecu, "report");
  g_autoptr (GBytes) bytes = rb_bytes_from_base64 (rb_json_string_or (entry, "envelope", ""));
  g_autoptr (json_t) envelope = rb_json_parse (bytes, RB_STATEMENT_MAX_BYTES, "report", &error);
  json_t *signature = json_array_get (json_object_get (envelope, "signatures"), 0);
  rb_json_set_string (signature, "keyid", key_id);
  rb_json_set_string (signature, "method", "aes-cmac");
  rb_json_set_string (signature, "sig", "AAAAAAAAAAAAAAAAAAAAAA==");
  rb_json_set_string (json_object_get (envelope, "signed"), "key_id", key_id);
  g_autoptr (GBytes) changed = rb_json_to_bytes (envelope);
  g_autofree char *text = rb_bytes_to_base64 (changed);
  rb_json_set_string (entry, "envelope", text);
  rb_json_set_string (entry, "verified", "deferred");
}

static void
call_it_she (json_t *ecu)
{
  g_autofree char *m4 = g_strnfill (64, '0');
  g_autofree char *m5 = g_strnfill (32, '0');
  json_t *old = json_object_get (json_object_get (ecu, "before"), "keyId");
  rb_json_set (ecu, "key",
               json_pack ("{s:s, s:O, s:s, s:s, s:s, s:s, s:i, s:{s:b}}", "kind", "she", "oldKeyId", old, "newKeyId",
                          "she:4:2", "verified", "deferred", "m4", m4, "m5", m5, "counter", 2, "createdBy", "journal",
                          1));
  rb_json_set_string (json_object_get (ecu, "after"), "keyId", "she:4:2");
  defer_report (ecu, "she:4:2");
}

static void
she_everywhere (json_t *predicate)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (ecu, "role", ""), "secondary") == 0)
      call_it_she (ecu);
  fixture_manifest_again (fixture, predicate);
}

static void
she_once (json_t *predicate)
{
  call_it_she (secondary (predicate));
  fixture_manifest_again (fixture, predicate);
}

/* record-time */

static void
move (json_t *object, const char *member, gint64 seconds)
{
  gint64 moment = 0;
  g_assert_true (rb_moment_from_text (rb_json_string_or (object, member, ""), &moment));
  rb_json_set_moment (object, member, moment + seconds);
}

static void
start_after_the_campaign (json_t *predicate)
{
  static const char *const members[] = { "startedAt", "finishedAt", "firstWriteAt" };
  json_t *inspection = json_object_get (predicate, "inspection"), *entry;
  gint64 later = 61 * RB_MOMENT_DAY;
  size_t i;
  for (guint n = 0; n < G_N_ELEMENTS (members); n++)
    move (predicate, members[n], later);
  move (json_object_get (predicate, "time"), "claimed", later);
  move (inspection, "completedAt", later);
  json_array_foreach (json_object_get (inspection, "items"), i, entry)
    move (entry, "at", later);
  json_array_foreach (json_object_get (predicate, "ecus"), i, entry) {
    move (entry, "startedAt", later);
    move (entry, "finishedAt", later);
  }
}

static void
claim_before_the_start (json_t *predicate)
{
  json_t *time = json_object_get (predicate, "time");
  rb_json_set (time, "claimed", json_incref (json_object_get (predicate, "startedAt")));
  move (time, "claimed", -1);
}

static void
claim_before_the_end (json_t *predicate)
{
  json_object_set (json_object_get (predicate, "time"), "claimed", json_object_get (predicate, "startedAt"));
}

static void
ecu_before_the_start (json_t *predicate)
{
  move (secondary (predicate), "startedAt", -RB_MOMENT_DAY);
}

static void
ecu_after_the_end (json_t *predicate)
{
  move (secondary (predicate), "finishedAt", RB_MOMENT_DAY);
}

static void
ecu_backwards (json_t *predicate)
{
  json_t *ecu = secondary (predicate);
  json_object_set (ecu, "finishedAt", json_object_get (predicate, "startedAt"));
}

static void
inspect_before_the_start (json_t *predicate)
{
  move (json_array_get (json_object_get (json_object_get (predicate, "inspection"), "items"), 0), "at", -RB_MOMENT_DAY);
}

static void
inspect_after_completion (json_t *predicate)
{
  json_t *inspection = json_object_get (predicate, "inspection");
  json_object_set (json_array_get (json_object_get (inspection, "items"), 0), "at",
                   json_object_get (inspection, "completedAt"));
  move (json_array_get (json_object_get (inspection, "items"), 0), "at", 1);
}

static void
write_before_the_start (json_t *predicate)
{
  move (json_object_get (predicate, "inspection"), "completedAt", -2 * RB_MOMENT_DAY);
  move (predicate, "firstWriteAt", -RB_MOMENT_DAY);
}

static void
bend_the_floor (json_t *predicate)
{
  move (json_object_get (predicate, "time"), "notBefore", -RB_MOMENT_DAY);
}

/* record-vin */

static json_t *
vin_sources (json_t *predicate)
{
  return json_object_get (json_object_get (predicate, "vehicle"), "vinSources");
}

static void
read_another_vin (json_t *predicate)
{
  rb_json_set_string (json_array_get (vin_sources (predicate), 1), "value", OTHER_VIN);
}

static void
read_no_vin (json_t *predicate)
{
  json_array_clear (vin_sources (predicate));
}

static void
read_one_vin (json_t *predicate)
{
  json_array_remove (vin_sources (predicate), 1);
}

static void
read_one_vin_twice (json_t *predicate)
{
  json_array_set (vin_sources (predicate), 1, json_array_get (vin_sources (predicate), 0));
}

static void
read_no_primary (json_t *predicate)
{
  const char *primary = serial_of (ecu_with (predicate, "role", "primary"));
  size_t i;
  json_t *ecu, *source;
  json_array_foreach (vin_sources (predicate), i, source)
    if (strcmp (rb_json_string_or (source, "ecu", ""), primary) == 0)
      break;
  json_array_remove (vin_sources (predicate), i);
  source = json_array_get (vin_sources (predicate), 0);
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (strcmp (serial_of (ecu), primary) != 0
        && strcmp (serial_of (ecu), rb_json_string_or (source, "ecu", "")) != 0) {
      json_array_append_new (vin_sources (predicate), json_pack ("{s:s,s:s,s:O}", "ecu", serial_of (ecu), "did", "F190",
                                                                 "value", json_object_get (source, "value")));
      return;
    }
}

static void
read_from_a_stranger (json_t *predicate)
{
  rb_json_set_string (json_array_get (vin_sources (predicate), 1), "ecu", "SN-STRANGER-1");
}

/* record-preflight */

static json_t *
preflight (json_t *predicate, const char *member)
{
  return json_object_get (json_object_get (predicate, "preflight"), member);
}

static void
find_nothing (json_t *predicate)
{
  json_array_clear (preflight (predicate, "ecusFound"));
}

static void
find_one_less (json_t *predicate)
{
  json_array_remove (preflight (predicate, "ecusFound"), 0);
}

static void
find_a_stranger (json_t *predicate)
{
  json_array_append_new (preflight (predicate, "ecusFound"), json_string ("SN-STRANGER-1"));
}

static void
find_another_serial (json_t *predicate)
{
  json_t *ecu = secondary (predicate);
  size_t i;
  json_t *name;
  json_array_foreach (preflight (predicate, "ecusFound"), i, name)
    if (strcmp (json_string_value (name), serial_of (ecu)) == 0)
      json_array_set_new (preflight (predicate, "ecusFound"), i, json_string ("SN-STRANGER-1"));
  rb_json_set_string (json_object_get (ecu, "before"), "ecuSerial", "SN-STRANGER-1");
}

static void
expect_too_few (json_t *predicate)
{
  json_array_remove (preflight (predicate, "ecusExpected"), 0);
}

static void
see_nothing_first (json_t *predicate)
{
  rb_json_set (secondary (predicate), "before", json_null ());
}

/* record-failures */

static void
name_a_failure (json_t *predicate)
{
  json_array_append_new (
    json_object_get (predicate, "failures"),
    json_pack ("{s:s,s:s,s:s}", "ecu", serial_of (secondary (predicate)), "reason", "refused", "text", ""));
}

static void
name_a_failure_of_the_vehicle (json_t *predicate)
{
  json_array_append_new (json_object_get (predicate, "failures"),
                         json_pack ("{s:s,s:s}", "reason", "link-lost", "text", ""));
}

static void
name_an_unknown_failure (json_t *predicate)
{
  json_array_append_new (json_object_get (predicate, "failures"),
                         json_pack ("{s:s,s:s}", "reason", "made-up", "text", ""));
}

/* record-method */

static void
invent_a_method (json_t *predicate)
{
  rb_json_set_string (json_object_get (secondary (predicate), "image"), "method", "seen-by-eye");
}

static void
take_the_applications_word (json_t *predicate)
{
  json_t *image = json_object_get (secondary (predicate), "image");
  gboolean bootloader = strcmp (rb_json_string_or (image, "method", ""), "bootloader-digest") == 0;
  rb_json_set_string (image, "method", bootloader ? "application-digest" : "bootloader-digest");
  rb_json_set (image, "writtenBy", json_pack ("{s:b}", "journal", 1));
}

static void
set_roots_method (json_t *predicate, const char *method)
{
  rb_json_set (secondary (predicate), "roots", json_pack ("{s:s}", "method", method));
}

static void
invent_a_method_of_roots (json_t *predicate)
{
  set_roots_method (predicate, "by-hand");
}

static void
take_roots_from_the_image (json_t *predicate)
{
  set_roots_method (predicate, "image-embedded");
}

/* record-report, record-manifest: what the ECU really signed, and the record does not say */

static void
sign_otherwise (json_t *predicate, json_t *object, const char *member, const char *value, gboolean manifest)
{
  json_t *ecu = secondary (predicate), *kept = json_incref (json_object_get (object, member));
  rb_json_set_string (object, member, value);
  fixture_report_again (fixture, predicate, serial_of (ecu));
  if (manifest)
    fixture_manifest_again (fixture, predicate);
  rb_json_set (object, member, kept);
  if (manifest)
    fixture_report_again (fixture, predicate, serial_of (ecu));
}

static void
report_of_another_vehicle (json_t *predicate)
{
  sign_otherwise (predicate, json_object_get (predicate, "vehicle"), "vin", OTHER_VIN, FALSE);
}

static void
report_of_another_image (json_t *predicate)
{
  sign_otherwise (predicate, json_object_get (secondary (predicate), "after"), "imageSha256", OTHER_DIGEST, FALSE);
}

static void
report_of_another_key (json_t *predicate)
{
  sign_otherwise (predicate, json_object_get (secondary (predicate), "after"), "keyId", OTHER_DIGEST, FALSE);
}

static void
report_of_another_root (json_t *predicate)
{
  json_t *root = json_object_get (json_object_get (secondary (predicate), "after"), "directorRoot");
  sign_otherwise (predicate, root, "sha256", OTHER_DIGEST, FALSE);
}

static void
report_of_other_hardware (json_t *predicate)
{
  sign_otherwise (predicate, secondary (predicate), "hardwareId", "hw-other-1", FALSE);
}

static void
junk_mac (json_t *predicate)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (json_object_get (ecu, "key"), "kind", ""), "she") == 0)
      defer_report (ecu, "she:4:99");
  fixture_manifest_again (fixture, predicate);
}

/* Of another load than the OEM's: M4 and M5 are of the right length, and the counter is right. */
static void
another_she_answer (json_t *predicate)
{
  size_t i;
  json_t *ecu;
  g_autofree char *m5 = g_strnfill (32, '5');
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (json_object_get (ecu, "key"), "kind", ""), "she") == 0)
      rb_json_set_string (json_object_get (ecu, "key"), "m5", m5);
}

static void
manifest_of_another_vehicle (json_t *predicate)
{
  sign_otherwise (predicate, json_object_get (predicate, "vehicle"), "vin", OTHER_VIN, TRUE);
}

static void
manifest_of_another_image (json_t *predicate)
{
  sign_otherwise (predicate, json_object_get (secondary (predicate), "after"), "imageSha256", OTHER_DIGEST, TRUE);
}

static void
manifest_of_another_key (json_t *predicate)
{
  sign_otherwise (predicate, json_object_get (secondary (predicate), "after"), "keyId", OTHER_DIGEST, TRUE);
}

static void
manifest_without_an_ecu (json_t *predicate)
{
  json_t *ecus = json_object_get (predicate, "ecus"), *ecu = secondary (predicate);
  g_autoptr (json_t) all = json_copy (ecus);
  size_t i;
  json_t *entry;
  json_array_foreach (all, i, entry)
    if (entry == ecu)
      json_array_remove (ecus, i);
  fixture_manifest_again (fixture, predicate);
  json_array_clear (ecus);
  json_array_extend (ecus, all);
}

/* record-nonce, record-result */

static void
report_with_another_nonce (json_t *predicate)
{
  json_t *ecu = secondary (predicate);
  g_autofree char *serial = g_strdup (serial_of (ecu));
  fixture->report_nonce = OTHER_DIGEST;
  fixture_report_again (fixture, predicate, serial);
  fixture->report_nonce = NULL;
}

static void
good_and_written (json_t *predicate)
{
  rb_json_set_string (secondary (predicate), "outcome", "already-good");
}

static void
replaced_by_nothing (json_t *predicate)
{
  rb_json_set_integer (secondary (predicate), "writes", 0);
}

/* record-certificate */

static void
be_another_dealer (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "dealer"), "code", "US-99999");
}

static void
be_in_another_country (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "dealer"), "country", "DE");
}

static void
be_no_dealer (json_t *predicate)
{
  json_object_del (json_object_get (predicate, "dealer"), "code");
}

static const Alteration alterations[] = {
  { "record-key-kind", "she-everywhere", she_everywhere },
  { "record-key-kind", "she-once", she_once },
  { "key-not-proven", "she-answer", another_she_answer },
  { "record-time", "start-after-the-campaign", start_after_the_campaign },
  { "record-time", "claim-before-the-end", claim_before_the_end },
  { "record-time", "claim-before-the-start", claim_before_the_start },
  { "record-time", "ecu-before-the-start", ecu_before_the_start },
  { "record-time", "ecu-after-the-end", ecu_after_the_end },
  { "record-time", "ecu-backwards", ecu_backwards },
  { "record-time", "inspect-before-the-start", inspect_before_the_start },
  { "record-time", "inspect-after-completion", inspect_after_completion },
  { "record-time", "write-before-the-start", write_before_the_start },
  { "record-time", "bend-the-floor", bend_the_floor },
  { "record-vin", "another", read_another_vin },
  { "record-vin", "none", read_no_vin },
  { "record-vin", "one", read_one_vin },
  { "record-vin", "one-twice", read_one_vin_twice },
  { "record-vin", "no-primary", read_no_primary },
  { "record-vin", "from-a-stranger", read_from_a_stranger },
  { "record-preflight", "find-nothing", find_nothing },
  { "record-preflight", "find-one-less", find_one_less },
  { "record-preflight", "find-a-stranger", find_a_stranger },
  { "record-preflight", "find-another-serial", find_another_serial },
  { "record-preflight", "expect-too-few", expect_too_few },
  { "record-preflight", "see-nothing-first", see_nothing_first },
  { "record-failures", "of-an-ecu", name_a_failure },
  { "record-failures", "of-the-vehicle", name_a_failure_of_the_vehicle },
  { "record-failures", "unknown", name_an_unknown_failure },
  { "record-method", "invented", invent_a_method },
  { "record-method", "not-the-profiles", take_the_applications_word },
  { "record-method", "invented-of-roots", invent_a_method_of_roots },
  { "record-method", "not-the-profiles-of-roots", take_roots_from_the_image },
  { "record-report", "another-vehicle", report_of_another_vehicle },
  { "record-report", "another-image", report_of_another_image },
  { "record-report", "another-key", report_of_another_key },
  { "record-report", "another-root", report_of_another_root },
  { "record-report", "other-hardware", report_of_other_hardware },
  { "record-report", "junk-mac", junk_mac },
  { "record-manifest", "another-vehicle", manifest_of_another_vehicle },
  { "record-manifest", "another-image", manifest_of_another_image },
  { "record-manifest", "another-key", manifest_of_another_key },
  { "record-manifest", "without-an-ecu", manifest_without_an_ecu },
  { "record-nonce", "report", report_with_another_nonce },
  { "record-certificate", "another-dealer", be_another_dealer },
  { "record-certificate", "another-country", be_in_another_country },
  { "record-certificate", "no-dealer", be_no_dealer },
  { "record-result", "good-and-written", good_and_written },
  { "record-result", "replaced-by-nothing", replaced_by_nothing },
};

static void
write_bytes (const char *folder, const char *sub, const char *name, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *into = g_build_filename (folder, sub, NULL);
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  g_autofree char *path = g_build_filename (into, file, NULL);
  g_assert_true (rb_files_make_folder (into, &error) && rb_files_write (path, bytes, &error));
}

/* One byte more after certificate of chain. */
static void
lengthen (const char *folder, const RbStatementRecord *record, guint chain, guint certificate)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) envelope = rb_json_parse (record->envelope, RB_STATEMENT_MAX_BYTES, "envelope", &error);
  json_t *list = json_array_get (json_object_get (json_object_get (envelope, "verification"), "x5c"), chain);
  g_autoptr (GBytes) der = rb_bytes_from_base64 (json_string_value (json_array_get (list, certificate)));
  g_autoptr (GByteArray) longer = g_byte_array_new ();
  rb_writer_bytes (longer, der);
  rb_writer_u8 (longer, 0);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&longer));
  g_autofree char *text = rb_bytes_to_base64 (bytes);
  g_autofree char *name = g_strdup_printf ("record-certificate-bytes.chain-%u-certificate-%u", chain, certificate);
  json_array_set_new (list, certificate, json_string (text));
  g_autoptr (GBytes) changed = rb_json_to_bytes (envelope);
  write_bytes (folder, "altered", name, changed);
}

/* key creation */

static char *cited; /* digest of the record that is named */

static void
cite (json_t *predicate)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    rb_json_set (json_object_get (ecu, "key"), "createdBy", json_pack ("{s:s}", "record", cited));
    rb_json_set (json_object_get (ecu, "image"), "writtenBy", json_pack ("{s:s}", "record", cited));
  }
}

/* An image that is not the one of the record that is named. */
static void
cite_for_another_image (RbOutbox *outbox, const char *folder, const char *vin)
{
  g_autoptr (json_t) facts = fixture_facts (fixture, vin);
  json_t *ecu = secondary (facts);
  fixture_fail_ecu (facts, serial_of (ecu), "refused");
  rb_json_set_string (json_object_get (ecu, "image"), "sha256", OTHER_DIGEST);
  rb_json_set (json_object_get (ecu, "image"), "writtenBy", json_pack ("{s:s}", "record", cited));
  g_autoptr (RbStatementRecord) record = fixture_make (fixture, outbox, facts);
  write_bytes (folder, "creation", "another-image", record->envelope);
}

static void
write_citing (RbOutbox *outbox, const char *folder, const char *vin, const char *name)
{
  g_autoptr (json_t) facts = fixture_facts (fixture, vin);
  cite (facts);
  g_autoptr (RbStatementRecord) record = fixture_make (fixture, outbox, facts);
  write_bytes (folder, "creation", name, record->envelope);
}

static void
write_creation (const char *folder, const char *vin)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_build_filename (folder, "creation-data", NULL);
  g_autoptr (RbOutbox) outbox = rb_outbox_open (data, &error);
  g_autoptr (json_t) facts = fixture_facts (fixture, vin);
  g_autoptr (RbStatementRecord) first = fixture_make (fixture, outbox, facts);
  cited = first->digest;
  write_bytes (folder, "creation", "first", first->envelope);
  write_citing (outbox, folder, vin, "good");
  cite_for_another_image (outbox, folder, vin);
  g_hash_table_remove (fixture->keys, serial_of (secondary (facts)));
  write_citing (outbox, folder, vin, "another-key");
}

static void
write_altered (const char *folder, const RbStatementRecord *whole, const Alteration *list, gsize length)
{
  for (guint i = 0; i < length; i++) {
    g_autofree char *name = g_strdup_printf ("%s.%s", list[i].reason, list[i].what);
    g_autoptr (GBytes) forged = fixture_forge (fixture, whole, list[i].change);
    write_bytes (folder, "altered", name, forged);
  }
}

void
alter_write (Fixture *with, const char *folder, const char *vin)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_build_filename (folder, "altered-data", NULL);
  fixture = with;
  g_autoptr (RbOutbox) outbox = rb_outbox_open (data, &error);
  g_autoptr (json_t) facts = fixture_facts (fixture, vin);
  g_autoptr (RbStatementRecord) whole = fixture_make (fixture, outbox, facts);
  write_bytes (folder, ".", "whole", whole->envelope);
  write_altered (folder, whole, alterations, G_N_ELEMENTS (alterations));
  write_altered (folder, whole, alter_inspection, alter_inspection_length);
  lengthen (folder, whole, 0, 0);
  lengthen (folder, whole, 1, 1);
  write_creation (folder, vin);
}
