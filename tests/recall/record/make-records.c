/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-records FOLDER [DEMO]: what a workshop leaves, for tests of the command lines: data/ (a data dir with three
 * records: completed, one ECU failed, completed), forked/ (a copy of it in which the third record is another one),
 * forged/ (a lie signed with the real keys), dealer-ca.pem, other-ca.pem. With DEMO, a folder made by recall-oem demo:
 * only data/, of that campaign and its vehicle, and what alter.h says.
 */
#include "alter.h"

#include "campaign/reference-bundle.h"
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "outbox/outbox.h"

static void
write_pem (const char *folder, const char *name, RbCertificate *certificate)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = rb_bytes_to_base64 (rb_certificate_der (certificate));
  g_autoptr (GString) pem = g_string_new ("-----BEGIN CERTIFICATE-----\n");
  for (gsize i = 0; text[i] != '\0'; i++) {
    g_string_append_c (pem, text[i]);
    if (i % 64 == 63)
      g_string_append_c (pem, '\n');
  }
  g_string_append (pem, "\n-----END CERTIFICATE-----\n");
  g_assert_true (rb_files_write_text (path, pem->str, &error));
}

static RbOutbox *
open_outbox (const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  RbOutbox *outbox = rb_outbox_open (path, &error);
  g_assert_no_error (error);
  return outbox;
}

static void
copy_tree (const char *folder, const char *from, const char *to)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = g_build_filename (folder, from, NULL);
  g_autofree char *target = g_build_filename (folder, to, NULL);
  g_assert_true (rb_files_copy_tree (source, target, &error));
}

static void
add_record (Fixture *fixture, const char *folder, const char *name, const char *vin, gboolean good)
{
  g_autoptr (RbOutbox) outbox = open_outbox (folder, name);
  g_autoptr (json_t) facts = fixture_facts (fixture, vin);
  if (!good)
    fixture_fail_ecu (facts, rb_json_string_or (json_array_get (json_object_get (facts, "ecus"), 1), "ecuSerial", ""),
                      "refused");
  g_autoptr (RbStatementRecord) record = fixture_make (fixture, outbox, facts);
}

static void
call_it_completed (json_t *predicate)
{
  rb_json_set_string (predicate, "type", "completion");
  rb_json_set_string (predicate, "result", "completed");
}

static void
write_forged (Fixture *fixture, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbOutbox) outbox = open_outbox (folder, "data");
  g_autoptr (GPtrArray) records = rb_outbox_rows (outbox, &error);
  g_autoptr (GBytes) forged = fixture_forge (fixture, records->pdata[1], call_it_completed);
  g_autofree char *path = g_build_filename (folder, "forged", NULL);
  g_autofree char *file = g_build_filename (path, "2-forged.json", NULL);
  g_assert_true (rb_files_make_folder (path, &error) && rb_files_write (file, forged, &error));
}

static void
make_of_fixture (const char *folder)
{
  Fixture fixture;
  g_autoptr (RbPrivateKey) key = NULL;
  g_autoptr (RbCertificate) other = fixture_other_ca (&key);
  fixture_set_up (&fixture);
  add_record (&fixture, folder, "data", FIXTURE_VIN, TRUE);
  add_record (&fixture, folder, "data", FIXTURE_VIN, FALSE);
  copy_tree (folder, "data", "forked");
  add_record (&fixture, folder, "data", FIXTURE_VIN, TRUE);
  add_record (&fixture, folder, "forked", FIXTURE_VIN, TRUE);
  write_forged (&fixture, folder);
  write_pem (folder, "dealer-ca.pem", fixture.dealer_ca);
  write_pem (folder, "other-ca.pem", other);
  fixture_tear_down (&fixture);
}

static void
make_of_demo (const char *folder, const char *demo)
{
  Fixture fixture;
  g_autoptr (GError) error = NULL;
  g_autofree char *bundle = g_build_filename (demo, "campaign.recall", NULL);
  g_autofree char *root = g_build_filename (demo, "service-root.json", NULL);
  g_autofree char *vin_path = g_build_filename (demo, "vin.txt", NULL);
  g_autofree char *vin = NULL;
  g_autoptr (RbReferenceBundle) testimony = rb_reference_bundle_open (bundle, root, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (vin_path, &vin, NULL, NULL));
  fixture_set_up_demo (&fixture, demo, rb_reference_bundle_values (testimony));
  g_strchomp (vin);
  add_record (&fixture, folder, "data", vin, TRUE);
  add_record (&fixture, folder, "data", vin, FALSE);
  add_record (&fixture, folder, "data", vin, TRUE);
  alter_write (&fixture, folder, vin);
  fixture_tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  if (argc == 2)
    make_of_fixture (argv[1]);
  else if (argc == 3)
    make_of_demo (argv[1], argv[2]);
  return argc == 2 || argc == 3 ? 0 : 2;
}
