/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/error.h"
#include <jansson.h>

/* The symmetric key of one ECU and the one that replaces it. Only the OEM and the ECU know these. */
typedef struct _RbShePlan RbShePlan;
RbShePlan *rb_she_plan_new (const char *vin, const char *serial);
void rb_she_plan_free (RbShePlan *self);
/* {"uid","slot","counter","key","master"}: what is in the ECU before. (transfer full) */
json_t *rb_she_plan_stored (RbShePlan *self);
/* {"serial","slot","counter","m1","m2","m3","m4","m5"}: what the workstation relays and compares. (transfer full) */
json_t *rb_she_plan_update (RbShePlan *self);
/* {"vin","serial","slot","counter","key"}: what the intake checks the report's MAC with. (transfer full) */
json_t *rb_she_plan_secret (RbShePlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbShePlan, rb_she_plan_free)
