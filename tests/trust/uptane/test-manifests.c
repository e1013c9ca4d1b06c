/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/key.h"
#include "uptane/report.h"

/* Manifests and reports of others, as they were published: test-manifests FOLDER. */
static const char *folder;

static GBytes *
read_file (const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  gsize length = 0;
  g_file_get_contents (path, &text, &length, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (text, length);
}

static json_t *
read_json (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = read_file (name);
  json_t *parsed = rb_json_parse (bytes, 1 << 20, name, &error);
  g_assert_no_error (error);
  return parsed;
}

static gboolean
holds (json_t *envelope, RbPublicKey *key)
{
  g_autoptr (GBytes) message = rb_json_to_bytes (json_object_get (envelope, "signed"));
  const json_t *entry = json_array_get (json_object_get (envelope, "signatures"), 0);
  g_autoptr (GBytes) signature = rb_bytes_from_base64 (rb_json_string_or (entry, "sig", ""));
  g_assert_nonnull (signature);
  return rb_key_verify (key, rb_key_public_scheme (key), g_bytes_get_data (message, NULL), g_bytes_get_size (message),
                        g_bytes_get_data (signature, NULL), g_bytes_get_size (signature));
}

/* A Director's three versions of the vehicle manifest: their RSASSA-PSS signatures are over our canonical form, of the
 * whole and of each report in it. */
static void
test_director (void)
{
  for (guint version = 1; version <= 3; version++) {
    g_autofree char *name = g_strdup_printf ("director-manifests/v%u/manifest.json", version);
    g_autofree char *key_name = g_strdup_printf ("director-manifests/v%u/rsa-key.pem", version);
    g_autoptr (json_t) manifest = read_json (name);
    g_autoptr (GBytes) pem = read_file (key_name);
    g_autofree char *text = g_strndup (g_bytes_get_data (pem, NULL), g_bytes_get_size (pem));
    g_autoptr (GError) error = NULL;
    g_autoptr (RbPublicKey) key = rb_key_public_from_pem (text, &error);
    g_assert_no_error (error);
    g_assert_true (holds (manifest, key));
    json_object_set_new (json_object_get (manifest, "signed"), "primary_ecu_serial", json_string ("another"));
    g_assert_false (holds (manifest, key));
  }
}

/* Reports of the reference implementation: read for what they say; of another ECU's key nothing is believed. */
static void
test_reference (void)
{
  static const struct {
    const char *name, *serial;
  } reports[] = { { "reference-implementation/sample_ecu_manifest_TCUdemocar.json", "TCUdemocar" },
                  { "reference-implementation/sample_ecu_manifest_ecu11111.json", "ecu11111" } };
  for (guint i = 0; i < G_N_ELEMENTS (reports); i++) {
    g_autoptr (GError) error = NULL, wrong = NULL, unsigned_error = NULL;
    g_autoptr (GBytes) report = read_file (reports[i].name);
    g_autoptr (json_t) part = rb_report_verify (report, NULL, reports[i].serial, &error);
    g_assert_no_error (error);
    const json_t *image = json_object_get (part, "installed_image");
    g_assert_cmpint (rb_json_string_or (image, "filepath", "")[0], ==, '/');
    g_autoptr (json_t) other = rb_report_verify (report, NULL, "SN-OTHER", &wrong);
    g_assert_null (other);
    g_assert_cmpstr (rb_reason_word (rb_reason_of (wrong)), ==, "ecu-unknown");
    g_autofree guint8 *zero = g_malloc0 (32);
    zero[0] = 0x58;
    memset (&zero[1], 0x66, 31); /* the base point: a key that is not theirs */
    g_autoptr (RbPublicKey) key = rb_key_public_from_ed25519 (zero, 32, &unsigned_error);
    g_autoptr (json_t) judged = rb_report_verify (report, key, reports[i].serial, &unsigned_error);
    g_assert_null (judged);
    g_assert_cmpstr (rb_reason_word (rb_reason_of (unsigned_error)), ==, "bad-signature");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  folder = argv[1];
  g_test_add_func ("/manifests/director", test_director);
  g_test_add_func ("/manifests/reference", test_reference);
  return g_test_run ();
}
