/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "model/campaign.h"

#include <string.h>

#define ZERO64 "0000000000000000000000000000000000000000000000000000000000000000"

static const char template[]
  = "{\"format\":\"recallbay-campaign-1\",\"id\":\"%s\",\"version\":1,\"title\":\"t\",\"oem\":\"o\",\"oem_number\":\"n\","
    "\"scenario\":\"director\",\"issued\":\"2026-11-23T00:00:00Z\",\"expires\":\"2026-12-23T00:00:00Z\",\"market\":\"DE\","
    "\"nonce\":\"%s\",\"scope\":%s,\"vehicle_model\":\"models/m.json\","
    "\"roots\":{\"director\":{\"version\":2,\"sha256\":\"" ZERO64 "\",\"pinned\":false},"
    "\"image\":{\"version\":1,\"sha256\":\"" ZERO64 "\",\"pinned\":false}},"
    "\"ecus\":[{\"hardware_id\":\"hw-1\",\"profile\":\"profiles/p.json\",\"image\":\"a/b.bin\",\"image_sha256\":\"" ZERO64
    "\",\"new_key\":true}],"
    "\"checklist\":{\"id\":\"c\",\"version\":1,\"items\":[{\"id\":\"i\",\"text\":\"?\",\"kind\":\"manual\"}]},\"second_person\":false}";

static RbCampaign *
make (const char *id, const char *nonce, const char *scope)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf (template, id, nonce, scope);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  RbCampaign *campaign = rb_campaign_parse (bytes, &error);
  g_assert_no_error (error);
  return campaign;
}

static void
test_proof_of_possession (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) vector = rb_json_load (g_getenv ("RB_VECTOR"), 65536, &error);
  g_assert_no_error (error);
  const char *vin = rb_json_string_or (vector, "vin", NULL);
  const char *serial = rb_json_string_or (vector, "serial", NULL);
  g_autoptr (RbCampaign) campaign = make (rb_json_string_or (vector, "campaign", NULL),
                                          rb_json_string_or (vector, "campaignNonce", NULL), "{\"all\":true}");
  g_autoptr (GBytes) spki = rb_bytes_from_base64 (rb_json_string_or (vector, "spki", NULL));
  g_autoptr (GBytes) challenge = rb_bytes_from_hex (rb_json_string_or (vector, "challenge", NULL));
  g_autoptr (GBytes) signature = rb_bytes_from_hex (rb_json_string_or (vector, "signature", NULL));

  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, vin, serial);
  g_autofree char *nonce_hex = rb_bytes_hex (nonce);
  g_assert_cmpstr (nonce_hex, ==, rb_json_string_or (vector, "nonce", NULL));

  g_autoptr (GBytes) message = rb_campaign_pop_message (campaign, vin, serial, spki, challenge);
  g_autofree char *hex = rb_bytes_hex (message);
  g_assert_cmpstr (hex, ==, rb_json_string_or (vector, "message", NULL));

  g_autoptr (RbPublicKey) key = rb_key_public_from_spki (spki, &error);
  g_assert_no_error (error);
  g_assert_true (rb_key_verify (key, RB_SCHEME_ED25519, g_bytes_get_data (message, NULL), g_bytes_get_size (message),
                                g_bytes_get_data (signature, NULL), g_bytes_get_size (signature)));
  g_autoptr (GBytes) elsewhere = rb_campaign_pop_message (campaign, "1RBDM7AA2TA000002", serial, spki, challenge);
  g_assert_false (rb_key_verify (key, RB_SCHEME_ED25519, g_bytes_get_data (elsewhere, NULL),
                                 g_bytes_get_size (elsewhere), g_bytes_get_data (signature, NULL),
                                 g_bytes_get_size (signature)));
}

static void
test_scope (void)
{
  g_autoptr (RbCampaign) some = make ("R-1", ZERO64, "{\"vins\":[\"1RBDM7AA2TA000002\",\"1RBDM7AA2TA000001\"]}");
  g_assert_cmpstr (some->vins[0], ==, "1RBDM7AA2TA000001");
  g_assert_true (rb_campaign_check_vin (some, "1RBDM7AA2TA000002", NULL));
  g_assert_false (rb_campaign_check_vin (some, "1RBDM7AA2TA000003", NULL));
  g_assert_false (rb_campaign_check_vin (some, NULL, NULL));
  g_autoptr (RbCampaign) table = make ("R-1", ZERO64, "{\"table\":\"scopes/R-1.table\",\"sha256\":\"" ZERO64 "\"}");
  g_autoptr (GError) error = NULL;
  g_assert_cmpstr (table->scope_table, ==, "scopes/R-1.table");
  g_assert_false (rb_campaign_check_vin (table, "1RBDM7AA2TA000001", &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "missing");
  g_autoptr (RbCampaign) all = make ("R-1", ZERO64, "{\"all\":true}");
  g_assert_true (rb_campaign_check_vin (all, "1RBDM7AA2TA000003", NULL));
  g_assert_false (rb_campaign_check_vin (all, "not a vin", NULL));
}

static void
test_vin (void)
{
  static const char *const bad[] = { NULL,
                                     "",
                                     "1RBDM7AA2TA00000",
                                     "1RBDM7AA2TA0000011",
                                     "1rbdm7aa2ta000001",
                                     "1RBDM7AA2TA00000O",
                                     "1RBDM7AA2TA00000I",
                                     "1RBDM7AA2TA00000Q",
                                     "1RBDM7AA2TA 00001",
                                     "1RBDM7AA2TA00000\n" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (rb_campaign_vin_is_valid (bad[i]));
  g_assert_true (rb_campaign_vin_is_valid ("1RBDM7AA2TA000001"));
  g_assert_true (rb_campaign_vin_is_valid ("WVWZZZ1JZ3W386752"));
}

static gboolean
container (const char *hex)
{
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (hex);
  return rb_campaign_container_is_valid (bytes);
}

static void
test_container (void)
{
  g_assert_true (container ("00001000"
                            "00000002"
                            "aabb"));
  g_assert_true (container ("00001000"
                            "00000002"
                            "aabb"
                            "00001002"
                            "00000001"
                            "cc"));
  g_assert_true (container ("ffffffff"
                            "00000001"
                            "aa"));
  g_assert_false (container (""));
  g_assert_false (container ("00001000"));
  g_assert_false (container ("00001000"
                             "00000000"));
  g_assert_false (container ("00001000"
                             "00000003"
                             "aabb"));
  g_assert_false (container ("00001000"
                             "00000002"
                             "aabb"
                             "00"));
  g_assert_false (container ("00001000"
                             "00000002"
                             "aabb"
                             "00001001"
                             "00000001"
                             "cc"));
  g_assert_false (container ("00001000"
                             "00000002"
                             "aabb"
                             "00000800"
                             "00000001"
                             "cc"));
  g_assert_false (container ("ffffffff"
                             "00000002"
                             "aabb"));
  g_assert_false (container ("00001000"
                             "ffffffff"
                             "aabb"));
}

static void
test_scenarios (void)
{
  static const char *const names[] = { "director", "image-supplier", "image-oem", "ecu-keys" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    RbScenario scenario = RB_SCENARIO_DIRECTOR;
    g_assert_true (rb_campaign_scenario_from_name (names[i], &scenario));
    g_assert_cmpstr (rb_campaign_scenario_name (scenario), ==, names[i]);
  }
  RbScenario scenario;
  g_assert_false (rb_campaign_scenario_from_name ("weather", &scenario));
  g_assert_false (rb_campaign_scenario_from_name (NULL, &scenario));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/campaign/proof-of-possession", test_proof_of_possession);
  g_test_add_func ("/campaign/scope", test_scope);
  g_test_add_func ("/campaign/vin", test_vin);
  g_test_add_func ("/campaign/container", test_container);
  g_test_add_func ("/campaign/scenarios", test_scenarios);
  return g_test_run ();
}
