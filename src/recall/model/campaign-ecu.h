/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include <jansson.h>

/* One kind of ECU in a campaign. */

/* A value of coding or adaptation that the campaign sets; it wins over what the vehicle had. */
typedef struct {
  guint16 did;
  GBytes *value;
} RbCampaignCoding;

/* Conditions on an ECU besides its hardware id, checked before anything is written to the vehicle. */
typedef enum { RB_CONDITION_HARDWARE_VERSION, RB_CONDITION_SOFTWARE, RB_CONDITION_CODING_CLASS } RbConditionKind;
typedef struct {
  RbConditionKind kind;
  guint16 did;
  GStrv values; /* one of them: the text of the DID; of a coding class, its first bytes in lower-case hex */
} RbCampaignCondition;

typedef struct {
  char *hardware_id;
  char *profile; /* target path of the profile: "profiles/ID.json" */
  char *image; /* target path in the Image repository */
  char *image_sha256;
  gboolean new_key;
  GPtrArray *coding; /* of RbCampaignCoding; may be empty */
  GPtrArray *conditions; /* of RbCampaignCondition; may be empty */
} RbCampaignEcu;

/* The members “coding” and “conditions” of one ECU of a campaign, both optional. Errors: malformed. */
gboolean rb_campaign_ecu_read (RbCampaignEcu *self, const json_t *json, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* NULL: the campaign sets no such value. Borrowed. */
GBytes *rb_campaign_ecu_coding (const RbCampaignEcu *self, guint16 did);
const char *rb_campaign_ecu_condition_word (RbConditionKind kind); /* "hardware-version" */
/* value: the text, or all bytes of the DID in lower-case hex. */
gboolean rb_campaign_ecu_condition_holds (const RbCampaignCondition *condition, const char *value);
