/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "keymaker/keygen.h"
#include "uptane/report.h"

#include <string.h>

static RbPrivateKey *
make_key (void)
{
  g_autoptr (GError) error = NULL;
  RbPrivateKey *key = rb_keygen_new (RB_KEY_ED25519, &error);
  g_assert_no_error (error);
  return key;
}

static GBytes *
make_report (RbPrivateKey *key, const char *serial)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) part = json_pack ("{s:s,s:s}", "ecu_serial", serial, "nonce", "00ff");
  GBytes *report = rb_report_sign (part, key, &error);
  g_assert_no_error (error);
  return report;
}

static void
assert_refused (GBytes *report, RbPublicKey *key, const char *serial, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) part = rb_report_verify (report, key, serial, &error);
  g_assert_null (part);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
}

static GBytes *
replaced (GBytes *report, const char *from, const char *to)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (report, NULL), g_bytes_get_size (report));
  GString *changed = g_string_new (text);
  g_assert_cmpuint (g_string_replace (changed, from, to, 1), ==, 1);
  return g_string_free_to_bytes (changed);
}

static void
test_good (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPrivateKey) key = make_key ();
  g_autoptr (GBytes) report = make_report (key, "SN-1");
  g_autoptr (json_t) part = rb_report_verify (report, rb_key_private_public (key), "SN-1", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_json_string_or (part, "nonce", ""), ==, "00ff");
}

static void
test_refused (void)
{
  g_autoptr (RbPrivateKey) key = make_key ();
  g_autoptr (RbPrivateKey) other = make_key ();
  RbPublicKey *public = rb_key_private_public (key);
  g_autoptr (GBytes) report = make_report (key, "SN-1");
  g_autoptr (GBytes) changed = replaced (report, "00ff", "00fe");
  g_autoptr (GBytes) method = replaced (report, "\"method\":\"ed25519\"", "\"method\":\"aes-cmac\"");
  g_autoptr (GBytes) unsigned_one = replaced (report, "\"signatures\":[{", "\"signatures\":[],\"x\":[{");
  g_autoptr (GBytes) twice = replaced (report, "\"signatures\":[{", "\"signatures\":[{},{");
  g_autoptr (GBytes) no_json = g_bytes_new_static ("{", 1);
  assert_refused (report, rb_key_private_public (other), "SN-1", RB_REASON_BAD_SIGNATURE);
  assert_refused (report, public, "SN-2", RB_REASON_ECU_UNKNOWN);
  assert_refused (changed, public, "SN-1", RB_REASON_BAD_SIGNATURE);
  assert_refused (method, public, "SN-1", RB_REASON_BAD_SIGNATURE);
  assert_refused (unsigned_one, public, "SN-1", RB_REASON_MALFORMED);
  assert_refused (twice, NULL, "SN-1", RB_REASON_MALFORMED);
  assert_refused (no_json, NULL, "SN-1", RB_REASON_MALFORMED);
}

static void
test_deferred (void)
{
  static const guint8 key[16] = { 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) part = json_pack ("{s:s}", "ecu_serial", "SN-1");
  g_autoptr (GBytes) report = rb_report_mac (part, key, "she:4:2");
  g_autoptr (json_t) read = rb_report_verify (report, NULL, "SN-1", &error);
  g_assert_no_error (error);
  g_assert_true (json_equal (part, read));
}

static void
test_manifest (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPrivateKey) primary = make_key ();
  g_autoptr (RbPrivateKey) secondary = make_key ();
  g_autoptr (GHashTable) reports
    = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_bytes_unref);
  g_hash_table_insert (reports, "SN-1", make_report (primary, "SN-1"));
  g_hash_table_insert (reports, "SN-2", make_report (secondary, "SN-2"));
  g_autoptr (GBytes) manifest = rb_report_manifest ("VIN", "SN-1", "00ff", reports, primary, &error);
  g_assert_no_error (error);
  g_autoptr (json_t) part = rb_report_verify (manifest, rb_key_private_public (primary), "SN-1", &error);
  g_assert_no_error (error);
  json_t *inner = json_object_get (json_object_get (part, "ecu_version_manifests"), "SN-2");
  g_autoptr (GBytes) bytes = rb_json_to_bytes (inner);
  g_autoptr (json_t) report = rb_report_verify (bytes, rb_key_private_public (secondary), "SN-2", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_json_string_or (report, "ecu_serial", ""), ==, "SN-2");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/good", test_good);
  g_test_add_func ("/report/refused", test_refused);
  g_test_add_func ("/report/deferred", test_deferred);
  g_test_add_func ("/report/manifest", test_manifest);
  return g_test_run ();
}
