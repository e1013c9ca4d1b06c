/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "record/error.h"

#include <jansson.h>

/*
 * What a record's contents amount to. Deny unless shown: nothing that a reader ignores can turn an incomplete
 * vehicle into a complete one. Used by the builder and, independently of what the record says, by every verifier.
 */

/* The campaign as a record quotes it: the desired state that the result is measured against. (transfer full) */
json_t *rb_result_quote (const RbCampaign *campaign, const char *campaign_sha256);

/* Members, types and integers of a predicate: record-malformed. */
gboolean rb_result_is_well_formed (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when a well formed predicate's contents show a complete vehicle; else the error says what is missing:
 * inspection-missing, inspection-failed, ecu-missing, ecu-not-directed, image-not-proven, root-not-proven,
 * key-not-proven, report-not-proven, not-complete. Signatures inside are not verified here. */
gboolean rb_result_is_complete (const json_t *predicate, GError **error);

/* Do the contents of an entry show that its ECU is done? */
gboolean rb_result_ecu_is_done (const json_t *ecu, const json_t *campaign, GError **error);
