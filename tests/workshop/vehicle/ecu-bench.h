/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fake.h"

#include "vehicle/ecu-client.h"

/* One ECU of tests: a unit whose channel plays steps (tests/workshop/uds/fake.h). */
extern const RbModelEcu unit_bench_model;
extern const RbProfile unit_bench_profile;

typedef struct {
  Fake *fake;
  RbEcuClient *unit;
  GError *error; /* of the call that is judged */
} UnitBench;

void unit_bench_open (UnitBench *bench, const FakeStep *steps);
void unit_bench_open_with (UnitBench *bench, const FakeStep *steps, const RbProfile *profile);
void unit_bench_close (UnitBench *bench);
/* The error has that reason, and the ECU's name once. */
void unit_assert_reason (UnitBench *bench, RbReason reason);
GBytes *unit_unhex (const char *hex);
