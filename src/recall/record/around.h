/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "model/profile.h"
#include "record/error.h"

#include <jansson.h>

/*
 * What stands around an ECU's image in a record: its DTCs before and after (dtcBefore, dtcAfter: [{code, status}] or
 * null), its coding and adaptation (coding: [{did, value, origin, readBack}], origin “campaign” or “from-vehicle”), the
 * campaign's conditions that were evaluated (conditions: [{kind, did, value}]) and the fingerprint that was written
 * (fingerprint: {did, value}).
 */

/* Members of a record that quote the campaign's ECU: “coding” and “conditions”, where it has them. */
void rb_around_quote (json_t *quote, const RbCampaignEcu *ecu);
/* record-malformed. A member may be absent, but not of another type. */
gboolean rb_around_is_well_formed (const json_t *ecu, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "DTCs before: C10000, 911A13; after: none" of dtcBefore and dtcAfter, where both are known and their codes differ;
 * else NULL. (transfer full) */
char *rb_around_dtc_difference (const json_t *before, const json_t *after);
/* Of an ECU that is called done: every value known, read back and equal, the campaign's where it sets one (coding-lost,
 * coding-not-proven), and its conditions hold (not-compatible). wanted: the campaign's ECU as the record quotes it. */
gboolean rb_around_is_proven (const json_t *ecu, const json_t *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The fingerprint is the signing workstation's, of a day of the recovery. record-method. */
gboolean rb_around_check_fingerprint (const json_t *predicate, const json_t *ecu, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* An ECU that is called done has all values that its profile names, and no others. coding-not-proven. */
gboolean rb_around_check_profile (const json_t *ecu, const RbProfile *profile, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
