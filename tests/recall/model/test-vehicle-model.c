/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "core/json.h"
#include "model/vehicle-model.h"

static RbVehicleModel *
parse (json_t *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = rb_json_to_bytes (json);
  RbVehicleModel *model = rb_vehicle_model_parse (bytes, &error);
  g_assert_no_error (error);
  return model;
}

static json_t *
load (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("RB_GOOD"), "vehicle-model.json", NULL);
  json_t *json = rb_json_load (path, 1 << 20, &error);
  g_assert_no_error (error);
  return json;
}

/* Every value of the file is where its name says. */
static void
test_values (void)
{
  g_autoptr (json_t) json = load ();
  g_autoptr (RbVehicleModel) model = parse (json);
  g_assert_cmpstr (model->id, ==, "aurora-compact");
  g_assert_cmphex (model->functional, ==, 0xE400);
  g_assert_cmphex (model->can_functional, ==, 0x7DF);
  g_assert_cmpuint (model->buses->len, ==, 3);
  const RbModelBus *drive = model->buses->pdata[1];
  g_assert_cmpstr (drive->name, ==, "can-drive");
  g_assert_cmpstr (drive->kind, ==, "can");
  g_assert_cmpint (drive->bitrate, ==, 500000);
  g_assert_cmpint (drive->data_bitrate, ==, 0);
  g_assert_cmpuint (model->ecus->len, ==, 7);
  const RbModelEcu *brake = rb_vehicle_model_by_name (model, "brake");
  g_assert_cmpstr (brake->label, ==, "Brake control");
  g_assert_cmpstr (brake->hardware_id, ==, "hw-brake-1");
  g_assert_cmpstr (brake->supplier, ==, "supplier-a");
  g_assert_cmpstr (brake->profile, ==, "partial-asymmetric");
  g_assert_false (brake->primary);
  g_assert_false (brake->full_verification);
  g_assert_cmpstr (brake->bus, ==, "can-drive");
  g_assert_cmpstr (brake->gateway, ==, "gateway");
  g_assert_cmphex (brake->logical, ==, 0x1004);
  g_assert_cmphex (brake->can_request, ==, 0x603);
  g_assert_cmphex (brake->can_response, ==, 0x683);
  g_assert_cmpint (brake->can_extension, ==, -1);
  g_assert_cmpint (brake->can_response_extension, ==, -1);
  const RbModelEcu *sensor = rb_vehicle_model_by_name (model, "sensor");
  g_assert_cmpint (sensor->can_extension, ==, 21);
  g_assert_cmpint (sensor->can_response_extension, ==, 241);
  g_assert_false (brake->can_fd);
  g_assert_cmpint (rb_json_integer_or (brake->simulation, "block", 0), ==, 1026);
}

static void
test_finding (void)
{
  g_autoptr (json_t) json = load ();
  g_autoptr (RbVehicleModel) model = parse (json);
  g_assert_cmpstr (rb_vehicle_model_primary (model)->name, ==, "telematics");
  g_assert_true (rb_vehicle_model_primary (model)->full_verification);
  g_assert_cmpstr (rb_vehicle_model_primary (model)->supplier, ==, "");
  g_assert_null (rb_vehicle_model_primary (model)->gateway);
  g_assert_cmpstr (rb_vehicle_model_by_hardware_id (model, "hw-door-1")->name, ==, "door");
  g_assert_null (rb_vehicle_model_by_hardware_id (model, "hw-roof-1"));
  g_assert_null (rb_vehicle_model_by_name (model, "hw-door-1"));
  g_assert_null (rb_vehicle_model_by_name (model, NULL));
}

static void
test_can (void)
{
  g_autoptr (json_t) json = load ();
  json_t *ecu = json_array_get (json_object_get (json, "ecus"), 3);
  rb_json_set (
    ecu, "can",
    json_pack ("{s:s,s:s,s:i,s:b}", "request", "0x18DA04F1", "response", "0x18daf104", "extension", 0, "fd", 1));
  rb_json_set_string (json, "can_functional", "0x18DB33F1");
  rb_json_set_string (json, "functional", "0xE401");
  g_autoptr (RbVehicleModel) model = parse (json);
  const RbModelEcu *brake = rb_vehicle_model_by_name (model, "brake");
  g_assert_cmphex (brake->can_request, ==, 0x98DA04F1);
  g_assert_cmphex (brake->can_response, ==, 0x98DAF104);
  g_assert_cmpint (brake->can_extension, ==, 0);
  g_assert_true (brake->can_fd);
  g_assert_cmphex (model->can_functional, ==, 0x98DB33F1);
  g_assert_cmphex (model->functional, ==, 0xE401);
  json_object_del (ecu, "can");
  g_autoptr (RbVehicleModel) without = parse (json);
  g_assert_cmphex (rb_vehicle_model_by_name (without, "brake")->can_request, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vehicle-model/values", test_values);
  g_test_add_func ("/vehicle-model/finding", test_finding);
  g_test_add_func ("/vehicle-model/can", test_can);
  return g_test_run ();
}
