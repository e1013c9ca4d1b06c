/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-records FOLDER: what a workshop leaves, for tests of the command lines: data/ (a data dir with three records:
 * completed, one ECU failed, completed), forked/ (a copy of it in which the third record is another one), forged/ (a lie signed with the
 * real keys), dealer-ca.pem, other-ca.pem.
 */
#include "fixture.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"

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
add_record (Fixture *fixture, const char *folder, const char *name, gboolean good)
{
  g_autoptr (RbOutbox) outbox = open_outbox (folder, name);
  g_autoptr (json_t) facts = fixture_facts (fixture, FIXTURE_VIN);
  if (!good)
    rb_json_set_string (fixture_ecu (facts, "SN-BRAKE-0001"), "outcome", "failed");
  g_autoptr (RbOutboxRecord) record = fixture_make (fixture, outbox, facts);
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
  g_autoptr (GPtrArray) records = rb_outbox_list (outbox, NULL, NULL, &error);
  g_autoptr (GBytes) forged = fixture_forge (fixture, records->pdata[1], call_it_completed);
  g_autofree char *path = g_build_filename (folder, "forged", NULL);
  g_autofree char *file = g_build_filename (path, "2-forged.json", NULL);
  g_assert_true (rb_files_make_folder (path, &error) && rb_files_write (file, forged, &error));
}

int
main (int argc, char **argv)
{
  Fixture fixture;
  g_autoptr (RbPrivateKey) key = NULL;
  g_autoptr (RbCertificate) other = fixture_other_ca (&key);
  g_assert_cmpint (argc, ==, 2);
  fixture_set_up (&fixture);
  add_record (&fixture, argv[1], "data", TRUE);
  add_record (&fixture, argv[1], "data", FALSE);
  copy_tree (argv[1], "data", "forked");
  add_record (&fixture, argv[1], "data", TRUE);
  add_record (&fixture, argv[1], "forked", TRUE);
  write_forged (&fixture, argv[1]);
  write_pem (argv[1], "dealer-ca.pem", fixture.dealer_ca);
  write_pem (argv[1], "other-ca.pem", other);
  fixture_tear_down (&fixture);
  return 0;
}
