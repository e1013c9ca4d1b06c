/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/story.h"

/* The campaign that answers a story, and what a workshop needs for it. All (transfer full). */
#define RB_RECALL_OEM "Aurora Motors"
const char *rb_recall_id (RbScenario scenario);
json_t *rb_recall_campaign (const RbStory *story);
/* The target with its scope, where story->scope_sha256 is set. */
char *rb_recall_scope_table (RbScenario scenario);
/* answers.json of vehicle 1 */
json_t *rb_recall_answers (void);
/* expected.json of vehicle 1, with that software */
json_t *rb_recall_expected (const RbStory *story, GPtrArray *software);
/* A second campaign: another one of the same vehicles, with the software of story->next. relation: "after" or
 * "supersedes" the first, or anything else: unordered. */
#define RB_RECALL_NEXT_ID "R-2026-11"
json_t *rb_recall_next_campaign (const RbStory *story, const char *relation);
/* vehicles.json: which VINs come in and which do not */
json_t *rb_recall_vehicles (const RbStory *story);
