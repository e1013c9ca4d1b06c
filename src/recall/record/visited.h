/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/outcome.h"

/*
 * Several campaigns of one vehicle in one visit: the member visit of a record, {"campaigns": [{"id", "campaignSha256",
 * "record"}]}, names all of them in their order, its own without a record, and those that were completed before it with
 * theirs.
 */

/* Is the member, where it is there, such a list with the record's own campaign in it? Errors: record-malformed,
 * record-campaign. */
gboolean rb_visited_check (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Looks for the records that records name so among those given: outcomes of RbVerifyOutcome, changed: denied
 * (record-campaign) where one given is not a completed one of that vehicle and campaign. */
void rb_visited_check_records (GPtrArray *outcomes);
