/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "oem/publisher.h"

/*
 * The OEM's folder: what it needs to make a VIN pack at any time.
 *
 *   oem.json                    {"format": "recallbay-oem-1", "name", "wmi", "approvers": [key id], "passphrase_file"}
 *   keys/NAME.pem               private keys, encrypted: director-timestamp-1, director-snapshot-1, director-targets-1,
 * approver-1 key-agreement.pem           of the workstations that SHE updates are encrypted to campaigns/ID.json the
 * campaign as published campaigns/ID.table, .pieces its scope (model/vin-index.h), where it is in a table
 *   campaigns/ID.director.json  what the Director directs by it: {"format": "recallbay-director-plan-1", "version",
 *                               "targets": {HARDWARE ID: {"path", "entry", "releaseCounter"}}}
 *   vehicles.jsonl              a vehicle a line, as built: {"vin", "ecus": [{"serial", "hardware_id"}], "she":
 * [update]} parts.jsonl                 a spare part a line: {"serial", "hardware_id", "part_number", "she": update or
 * null} packs.jsonl                 a VIN pack a line, appended before it is given out: {"vin", "campaign", "version",
 * "at", "replaced": [{"old", "serial", "hardware_id", "approvedBy", "signature"}]}
 */
typedef struct _RbOffice RbOffice;

/* folder, or its subfolder oem. Errors: not-found, malformed. */
RbOffice *rb_office_open (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_office_free (RbOffice *self);
const char *rb_office_folder (RbOffice *self);
/* Of the keys that are at hand for online roles; NULL: to be asked for. Borrowed. */
const char *rb_office_passphrase_file (RbOffice *self);
/* name: in keys/, or a file. Errors: not-found, passphrase, malformed. */
RbPrivateKey *rb_office_key (RbOffice *self, const char *name, const char *passphrase, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* May that key approve that a part takes an ECU's place? Error signer-not-trusted. */
gboolean rb_office_check_approver (RbOffice *self, RbPublicKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The Director with its online keys; it can publish, and make no root. (transfer full) */
RbPublisher *rb_office_director (RbOffice *self, const char *passphrase, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The published bytes, and the same parsed. Error campaign-unknown. (transfer full) */
GBytes *rb_office_campaign (RbOffice *self, const char *id, RbCampaign **campaign, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
json_t *rb_office_plan (RbOffice *self, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Error not-found. (transfer full) */
json_t *rb_office_vehicle (RbOffice *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL: not in the register of parts. (transfer full) */
json_t *rb_office_part (RbOffice *self, const char *serial);
/* Of one VIN, oldest first: array. (transfer full) */
json_t *rb_office_packs (RbOffice *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_office_note_pack (RbOffice *self, const json_t *line, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbOffice, rb_office_free)
