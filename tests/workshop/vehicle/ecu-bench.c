/* SPDX-License-Identifier: Apache-2.0 */
#include "ecu-bench.h"

#include "core/bytes.h"

#include <string.h>

const RbModelEcu unit_bench_model
  = { .name = "brake", .label = "Brake control", .hardware_id = "hw-brake-1", .logical = 0x1004, .can_extension = -1 };

const RbProfile unit_bench_profile = {
  .id = "test",
  .p2_ms = 50,
  .p2_star_ms = 1000,
  .boot_ms = 20,
  .erase_ms = 1000,
  .max_pending = 5,
  .unlock = RB_UNLOCK_AUTHENTICATION,
  .did_vin = 0xf190,
  .did_serial = 0xf18c,
  .did_hardware_id = 0xf191,
  .did_software = 0xf195,
  .did_boot = 0xfd00,
  .did_director_root = 0xfd01,
  .did_image_root = 0xfd02,
  .did_key_id = 0xfd03,
  .did_stored_metadata = 0xfd04,
  .did_she_counter = 0xfd05,
  .routine_erase = 0xff00,
  .routine_digest = 0x0210,
  .routine_dependencies = 0xff01,
  .digest_by_bootloader = TRUE,
  .routine_install = 0x0220,
  .routine_anchor = 0x0221,
  .routine_drop = 0x0222,
  .key_kind = RB_KEY_KIND_ASYMMETRIC,
  .routine_make_key = 0x0230,
  .routine_prove_key = 0x0231,
  .routine_she_load = 0x0250,
  .routine_report = 0x0240,
  .routine_manifest = 0x0241,
};

void
unit_bench_open_with (UnitBench *bench, const FakeStep *steps, const RbProfile *used)
{
  *bench = (UnitBench){ 0 };
  g_autoptr (RbLink) link = NULL;
  bench->fake = fake_new (steps, &link);
  bench->unit = rb_ecu_client_new (link, &unit_bench_model, used, &bench->error);
  g_assert_no_error (bench->error);
}

void
unit_bench_open (UnitBench *bench, const FakeStep *steps)
{
  unit_bench_open_with (bench, steps, &unit_bench_profile);
}

void
unit_bench_close (UnitBench *bench)
{
  rb_ecu_client_free (bench->unit);
  g_clear_error (&bench->error);
}

void
unit_assert_reason (UnitBench *bench, RbReason reason)
{
  g_assert_cmpstr (rb_reason_word (rb_reason_of (bench->error)), ==, rb_reason_word (reason));
  if (bench->error == NULL)
    return;
  g_assert_true (g_str_has_prefix (bench->error->message, "Brake control: "));
  g_assert_null (strstr (strchr (bench->error->message, ':'), unit_bench_model.label)); /* once */
}

GBytes *
unit_unhex (const char *hex)
{
  GBytes *bytes = rb_bytes_from_hex (hex);
  g_assert_nonnull (bytes);
  return bytes;
}
