/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/demo-incident.h"

/* The campaign that responds to an incident, and what a workshop needs for it. All (transfer full). */
#define RB_DEMO_CAMPAIGN_OEM "Aurora Motors"
const char *rb_demo_campaign_id (RbScenario scenario);
json_t *rb_demo_campaign_json (const RbDemoIncident *incident);
/* The target with its scope, where incident->scope_sha256 is set. */
char *rb_demo_campaign_scope_table (RbScenario scenario);
/* answers.json of vehicle 1 */
json_t *rb_demo_campaign_answers (void);
/* expected.json of vehicle 1, with that software */
json_t *rb_demo_campaign_expected (const RbDemoIncident *incident, GPtrArray *software);
/* A second campaign: another one of the same vehicles, with the software of incident->next. relation: "after" or
 * "supersedes" the first, or anything else: unordered. */
#define RB_DEMO_CAMPAIGN_NEXT_ID "R-2026-11"
json_t *rb_demo_campaign_next_json (const RbDemoIncident *incident, const char *relation);
/* vehicles.json: which VINs come in and which do not */
json_t *rb_demo_campaign_vehicles (const RbDemoIncident *incident);
