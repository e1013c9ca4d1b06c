/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"

#include <jansson.h>

/* The members “coding” and “conditions” of one ECU of a campaign, both optional. Errors: malformed. */
gboolean rb_campaign_ecu_read (RbCampaignEcu *self, const json_t *json, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* NULL: the campaign sets no such value. Borrowed. */
GBytes *rb_campaign_ecu_coding (const RbCampaignEcu *self, guint16 did);
const char *rb_campaign_ecu_condition_word (RbConditionKind kind); /* "hardware-version" */
/* value: the text, or all bytes of the DID in lower-case hex. */
gboolean rb_campaign_ecu_condition_holds (const RbCampaignCondition *condition, const char *value);
