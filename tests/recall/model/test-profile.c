/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "model/profile.h"

#include <string.h>

static RbProfile *
load (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("RB_GOOD"), name, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, 65536, &error);
  g_assert_no_error (error);
  RbProfile *profile = rb_profile_parse (bytes, &error);
  g_assert_no_error (error);
  return profile;
}

static void
assert_order (const RbProfile *profile, const char *expected)
{
  g_autoptr (GString) order = g_string_new (NULL);
  for (guint i = 0; i < profile->n_order; i++)
    g_string_append_printf (order, "%s%s", i == 0 ? "" : " ", rb_profile_step_name (profile->order[i]));
  g_assert_cmpstr (order->str, ==, expected);
}

/* Every value of the file is where its name says. */
static void
test_partial_she (void)
{
  g_autoptr (RbProfile) profile = load ("profile-partial-she.json");
  g_assert_cmpstr (profile->id, ==, "partial-she");
  g_assert_cmpint (profile->p2_ms, ==, 50);
  g_assert_cmpint (profile->p2_star_ms, ==, 5000);
  g_assert_cmpint (profile->s3_ms, ==, 5000);
  g_assert_cmpint (profile->erase_ms, ==, 60000);
  g_assert_cmpint (profile->boot_ms, ==, 10000);
  g_assert_cmpuint (profile->max_pending, ==, 60);
  g_assert_cmpint (profile->p2_max_ms, ==, 0);
  g_assert_cmpint (profile->security_delay_ms, ==, 0);
  g_assert_cmpuint (profile->lost_responses, ==, 2);
  g_assert_cmpint (profile->unlock, ==, RB_UNLOCK_AUTHENTICATION);
  g_assert_cmphex (profile->did_vin, ==, 0xF190);
  g_assert_cmphex (profile->did_serial, ==, 0xF18C);
  g_assert_cmphex (profile->did_hardware_id, ==, 0xF191);
  g_assert_cmphex (profile->did_software, ==, 0xF195);
  g_assert_cmphex (profile->did_boot, ==, 0xFD00);
  g_assert_cmphex (profile->did_director_root, ==, 0xFD01);
  g_assert_cmphex (profile->did_image_root, ==, 0);
  g_assert_cmphex (profile->did_key_id, ==, 0xFD03);
  g_assert_cmphex (profile->did_stored_metadata, ==, 0xFD04);
  g_assert_cmphex (profile->did_she_counter, ==, 0xFD05);
  g_assert_cmphex (profile->did_voltage, ==, 0);
  g_assert_cmphex (profile->routine_erase, ==, 0xFF00);
  g_assert_cmphex (profile->routine_digest, ==, 0x0210);
  g_assert_cmphex (profile->routine_dependencies, ==, 0xFF01);
  g_assert_true (profile->digest_by_bootloader);
  g_assert_cmpuint (profile->max_block, ==, 0);
  g_assert_cmphex (profile->routine_install, ==, 0x0220);
  g_assert_cmphex (profile->routine_anchor, ==, 0x0221);
  g_assert_cmphex (profile->routine_drop, ==, 0x0222);
  g_assert_false (profile->root_in_image);
  g_assert_cmpint (profile->key_kind, ==, RB_KEY_KIND_SHE);
  g_assert_cmphex (profile->routine_she_load, ==, 0x0250);
  g_assert_cmpuint (profile->she_slot, ==, 4);
  g_assert_cmphex (profile->routine_make_key, ==, 0);
  g_assert_cmphex (profile->routine_report, ==, 0x0240);
  g_assert_cmphex (profile->routine_manifest, ==, 0);
  g_assert_true (profile->abort_recoverable);
  assert_order (profile, "unlock roots drop metadata image reset key reset report");
}

static void
test_primary (void)
{
  g_autoptr (RbProfile) profile = load ("profile-primary-asymmetric.json");
  g_assert_cmpint (profile->key_kind, ==, RB_KEY_KIND_ASYMMETRIC);
  g_assert_cmphex (profile->routine_make_key, ==, 0x0230);
  g_assert_cmphex (profile->routine_prove_key, ==, 0x0231);
  g_assert_cmphex (profile->routine_manifest, ==, 0x0241);
  g_assert_cmphex (profile->did_image_root, ==, 0xFD02);
  g_assert_cmphex (profile->did_voltage, ==, 0xFD10);
  g_assert_cmphex (profile->did_ignition, ==, 0xFD11);
  g_assert_cmphex (profile->did_speed, ==, 0xFD12);
}

static void
test_security_access_and_root_in_image (void)
{
  static const char text[]
    = "{\"format\":\"recallbay-profile-1\",\"id\":\"old\",\"name\":\"Old\",\"timing\":{\"p2_ms\":1,\"p2_star_ms\":2,\"s3_ms\":3,"
      "\"erase_ms\":4,\"boot_ms\":5,\"max_pending\":6,\"p2_max_ms\":7,\"p2_star_max_ms\":8,"
      "\"busy_ms\":9,\"security_delay_ms\":10,\"lost_responses\":11},\"unlock\":{\"method\":\"security-access\",\"level\":17,"
      "\"algorithm\":\"xor-a5a5a5a5\"},\"identification\":{\"vin\":\"F190\",\"serial\":\"F18C\",\"hardware_id\":\"F191\","
      "\"software\":\"F195\",\"boot\":\"FD00\",\"director_root\":\"FD01\",\"key_id\":\"FD03\",\"stored_metadata\":\"fd04\"},"
      "\"flash\":{\"erase\":\"FF00\",\"digest\":\"0210\",\"dependencies\":\"FF01\",\"digest_by\":\"application\",\"max_block\":256},"
      "\"metadata\":{\"root_in_image\":true},\"key\":{\"kind\":\"none\"},\"report\":{\"routine\":\"0240\"},"
      "\"order\":[\"unlock\",\"image\",\"reset\",\"report\"],\"abort_recoverable\":false}";
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (RbProfile) profile = rb_profile_parse (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (profile->p2_ms, ==, 1);
  g_assert_cmpint (profile->p2_star_ms, ==, 2);
  g_assert_cmpint (profile->s3_ms, ==, 3);
  g_assert_cmpint (profile->erase_ms, ==, 4);
  g_assert_cmpint (profile->boot_ms, ==, 5);
  g_assert_cmpuint (profile->max_pending, ==, 6);
  g_assert_cmpint (profile->p2_max_ms, ==, 7);
  g_assert_cmpint (profile->p2_star_max_ms, ==, 8);
  g_assert_cmpint (profile->busy_ms, ==, 9);
  g_assert_cmpint (profile->security_delay_ms, ==, 10);
  g_assert_cmpuint (profile->lost_responses, ==, 11);
  g_assert_cmpint (profile->unlock, ==, RB_UNLOCK_SECURITY_ACCESS);
  g_assert_cmpuint (profile->security_level, ==, 17);
  g_assert_cmpstr (profile->security_algorithm, ==, "xor-a5a5a5a5");
  g_assert_false (profile->digest_by_bootloader);
  g_assert_cmpuint (profile->max_block, ==, 256);
  g_assert_true (profile->root_in_image);
  g_assert_cmphex (profile->routine_install, ==, 0);
  g_assert_cmpint (profile->key_kind, ==, RB_KEY_KIND_NONE);
  g_assert_false (profile->abort_recoverable);
  assert_order (profile, "unlock image reset report");
}

static void
assert_proof (const char *unlock, gboolean bare)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("RB_GOOD"), "profile-full-asymmetric.json", NULL);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, &error));
  g_auto (GStrv) parts = g_strsplit (text, "\"method\": \"authentication\"", -1);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_autofree char *changed = g_strjoinv (unlock, parts);
  g_autoptr (GBytes) bytes = g_bytes_new (changed, strlen (changed));
  g_autoptr (RbProfile) profile = rb_profile_parse (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (profile->bare_challenge, ==, bare);
}

/* only a profile that says so gives a signature that can be relayed */
static void
test_proof (void)
{
  assert_proof ("\"method\": \"authentication\"", FALSE);
  assert_proof ("\"method\": \"authentication\", \"proof\": \"recallbay-0x29-v2\"", FALSE);
  assert_proof ("\"method\": \"authentication\", \"proof\": \"bare-challenge\"", TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/profile/partial-she", test_partial_she);
  g_test_add_func ("/profile/primary", test_primary);
  g_test_add_func ("/profile/security-access", test_security_access_and_root_in_image);
  g_test_add_func ("/profile/proof", test_proof);
  return g_test_run ();
}
