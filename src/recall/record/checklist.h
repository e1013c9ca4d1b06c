/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "record/error.h"

#include <jansson.h>

/* The checklist as a record's campaign quotes it: id, version, items [{id, kind, mayBeNa, low?, high?, unit?}].
 * (transfer full) */
json_t *rb_checklist_quote (const RbCampaign *campaign);

/* Members and types of a quoted checklist: record-malformed. */
gboolean rb_checklist_is_well_formed (const json_t *checklist, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The inspection of a well formed predicate (null: none, nothing to check) against the checklist that the predicate
 * quotes: every item is one of the checklist's, has an outcome its kind allows, and the inspection's outcome follows
 * from the items: record-inspection. */
gboolean rb_checklist_check (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
