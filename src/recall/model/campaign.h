/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign-ecu.h"
#include "model/vin-index.h"

/* One recall as data. JSON: data/schemas/campaign.json. Immutable. */
typedef enum {
  RB_SCENARIO_DIRECTOR,
  RB_SCENARIO_IMAGE_SUPPLIER,
  RB_SCENARIO_IMAGE_OEM,
  RB_SCENARIO_ECU_KEYS
} RbScenario;
const char *rb_campaign_scenario_name (RbScenario scenario);
gboolean rb_campaign_scenario_from_name (const char *name, RbScenario *scenario) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  gint64 version;
  char *sha256; /* of the root file's bytes */
  gboolean pinned; /* the chain is broken: the root is overwritten, not walked to */
} RbCampaignRoot;

typedef enum { RB_ITEM_MANUAL, RB_ITEM_MEASURED } RbItemKind;
typedef struct {
  char *id; /* "parking-brake" */
  char *text; /* the question */
  char *help; /* may be NULL */
  RbItemKind kind;
  char *measure; /* "voltage" (mV), "ignition", "speed" (0.01 km/h); NULL for manual */
  gint64 low, high; /* allowed, both included */
  char *unit; /* "mV" */
  gint64 wait_s; /* the value must hold so long; 0 */
  gboolean may_be_na; /* a manual item that may be answered “not applicable” */
  gboolean lasting; /* a manual item whose answer holds for the whole recovery: another shift or workstation does not
                       ask again */
} RbChecklistItem;

typedef struct {
  char *id; /* "R-2026-07" */
  gint64 version;
  char *title;
  char *oem; /* OEM's name */
  char *oem_number;
  char *nhtsa_number; /* may be NULL */
  RbScenario scenario;
  gint64 issued, expires;
  char *market;
  guint8 nonce[32]; /* ikm of the per-ECU nonces */
  GStrv vins; /* scope, sorted; NULL: by scope_table, or all vehicles */
  char *scope_table; /* target path of the scope: "scopes/ID.table"; NULL: it has none */
  char *scope_sha256; /* of that table */
  RbVinIndex *scope; /* NULL until rb_campaign_take_scope() */
  char *vehicle_model; /* target path: "models/ID.json" */
  RbCampaignRoot director_root, image_root;
  GPtrArray *ecus; /* of RbCampaignEcu */
  char *checklist_id;
  gint64 checklist_version;
  GPtrArray *checklist; /* of RbChecklistItem */
  gboolean second_person; /* the record needs a second person's signature */
  GStrv organisations; /* who signed the pinning of a broken chain; NULL else */
  char *remedy, *labour_operation; /* may be NULL */
  GStrv after; /* ids of campaigns that are done before it on the same vehicle; NULL: none */
  GStrv supersedes; /* ids of campaigns that it takes the place of; NULL: none */
} RbCampaign;
RbCampaign *rb_campaign_parse (GBytes *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_campaign_free (RbCampaign *self);
/* Takes the index of a campaign with a scope_table. Errors: hash-mismatch. */
gboolean rb_campaign_take_scope (RbCampaign *self, RbVinIndex *scope, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* not-in-scope, or why it cannot be told: missing (the scope is not at hand), hash-mismatch, those of
 * rb_vin_index_find(). */
gboolean rb_campaign_check_vin (const RbCampaign *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const RbCampaignEcu *rb_campaign_ecu (const RbCampaign *self, const char *hardware_id);
/* 32 bytes: HKDF-SHA256(campaign nonce, no salt, info VIN ‖ serial). (transfer full) */
GBytes *rb_campaign_ecu_nonce (const RbCampaign *self, const char *vin, const char *serial);
/* The message that an ECU signs to prove possession of a new key: PAE("recallbay-pop-v1", fields…), as in
 * data/vectors/proof-of-possession.json. (transfer full) */
GBytes *rb_campaign_pop_message (const RbCampaign *self, const char *vin, const char *serial, GBytes *spki,
                                 GBytes *challenge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCampaign, rb_campaign_free)

/* VIN: 17 characters of A–Z0–9 without I, O, Q. */
gboolean rb_campaign_vin_is_valid (const char *vin);
/* SHA-256 over a segment container equals the image digest; checks that the bytes are one: (u32 address, u32 length,
 * data)*. */
gboolean rb_campaign_container_is_valid (GBytes *image);
