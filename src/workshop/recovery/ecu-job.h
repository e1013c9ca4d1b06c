/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "keystore/identity.h"
#include "recovery/event.h"
#include "recovery/journal.h"
#include "vehicle/ecu-claims.h"

#include <jansson.h>

/*
 * The work on one ECU: its state, and what was found and proved (recovery/observe.h, recovery/ecu-steps.h). State of an
 * earlier run comes only from the journal.
 */
typedef struct _RbEcuJob RbEcuJob;
/* Waits until the vehicle may be written to (voltage, ignition, standstill); called before every step that may write.
 */
typedef gboolean (*RbEcuJobSafePoint) (RbEcuJob *job, GCancellable *cancellable, gpointer user_data, GError **error);

typedef struct {
  RbContents *contents; /* borrowed, as everything here */
  RbJournal *journal;
  gint64 recovery; /* number in the journal */
  const char *vin;
  const char *person; /* the technician who works, by pseudonym; NULL until one is known */
  RbIdentity *authentication; /* for 0x29 */
  GPtrArray *jobs; /* of RbEcuJob: all of this vehicle */
  json_t *she; /* she.json, NULL when there is none */
  GBytes *fingerprint; /* for ECUs that require one before an erasure; NULL before a run */
  GCancellable *cancellable;
  gboolean needs_network; /* nothing is written before the vehicle's network is prepared, and it is not */
  gboolean needs_evidence; /* no ECU is erased before a record outside this workstation has its coding */
  RbEcuJobSafePoint safe_point;
  gpointer safe_point_data;
  RbRecoveryWatch watch;
  gpointer user_data;
} RbEcuJobContext;

/* One value of coding or adaptation (recovery/coding.h). */
typedef struct {
  const RbProfileCoding *profile;
  GBytes *wanted; /* NULL: nothing is known of it */
  gboolean from_campaign; /* else it came from the vehicle */
  GBytes *now; /* at the last observation; NULL: the ECU is not coded, or in its bootloader */
} RbCodingValue;

#define RB_ECU_JOB_LOOK "look" /* the stage of an observation */

struct _RbEcuJob {
  const RbModelEcu *model;
  const RbProfile *profile;
  const RbCampaignEcu *wanted;
  RbAssignment *assignment; /* NULL: no image is assigned to it */
  RbEcuClient *unit; /* NULL while there is no connection */
  RbEcuClaims *before, *now; /* claims at first sight of this run, and newest */
  RbEcuState state;
  RbReason reason;
  char *text; /* what went wrong */
  char *part_number; /* of an ECU that stands in another one's place; NULL: not known */
  char *replaces; /* serial number of the ECU in whose place the OEM directs this one; NULL: none */
  const char *stage; /* what was being done, static: "look" or a step of the profile */
  guint8 nrc; /* NRC of the ECU's rejection, 0 */
  /* what does not hold, by observation */
  gboolean need_director_root, need_image_root, need_metadata, need_image, need_coding, need_key;
  guint doubt, doubted; /* steps to be made again, and those that were in this run (recovery/doubt.h), as bits */
  guint held; /* steps that the plan of this attempt says hold, as bits */
  guint observing; /* step whose observation failed, 0 none */
  guint at; /* step in the profile's order */
  gboolean written; /* since the last reset */
  gboolean roots_read_back; /* in this run, of an image that carries them, once it was written and started */
  gboolean wants_network; /* it has something to write, and the network is not prepared */
  gboolean wants_evidence; /* it is to be erased, and its coding is in no such record */
  guint8 session; /* that it was unlocked in last */
  guint writes;
  gint64 row; /* of the step that is written, in the journal */
  gsize block_limit; /* blocks that are not too long, learned in this run; 0: not known */
  GPtrArray *recipe_steps; /* of char *: steps of the recipe that were done in this run; NULL: it was not begun */
  gboolean reset_for_download; /* in this run */
  guint silent; /* responses lost or wrong since the last success */
  guint silent_in_all; /* in this run */
  guint needs; /* what did not hold at the last observation, as bits */
  guint lost; /* times the link went away under it */
  gint64 started, finished;
  char *performed_by; /* who last wrote to it in this recovery, by the journal; NULL: nothing was written */
  GBytes *dtcs_before, *dtcs_after; /* recovery/dtc.h; NULL: not known */
  GBytes *fingerprint; /* that was written in this run; NULL: none */
  GPtrArray *coding; /* of RbCodingValue, one for each of the profile's at the newest observation */
  json_t *conditions; /* of the campaign, that were evaluated: [{kind, did, value}] */
  /* proofs, of the newest observation */
  GBytes *image_nonce;
  char *image_digest;
  char *image_record; /* record that shows that this campaign wrote it; "" the journal; NULL nothing */
  GBytes *key_challenge, *key_spki, *key_proof;
  char *key_id;
  char *key_record; /* record that shows its creation; "" the journal; NULL nothing, or the campaign's SHE update */
  GBytes *she_proof; /* M4‖M5 */
  gint64 she_counter;
  GBytes *report_challenge, *report;
  gboolean report_deferred;
};

RbEcuJob *rb_ecu_job_new (const RbModelEcu *model, const RbProfile *profile, const RbCampaignEcu *wanted);
void rb_ecu_job_free (RbEcuJob *self);
const char *rb_ecu_job_serial (const RbEcuJob *self); /* assigned serial, else the one found, else "" */
/* By the last observation. */
gboolean rb_ecu_job_any_has_needs (GPtrArray *jobs); /* of those that could be observed */
void rb_ecu_job_set_state (RbEcuJob *self, const RbEcuJobContext *context, RbEcuState state, RbReason reason,
                           const char *text);
/* The same for what failed, with the NRC when it is the ECU's rejection. */
void rb_ecu_job_fail (RbEcuJob *self, const RbEcuJobContext *context, RbEcuState state, const GError *failure);
/* Tells the event with the ECU's name and state. */
void rb_ecu_job_emit (const RbEcuJob *self, const RbEcuJobContext *context, RbRecoveryEvent event);
/* FALSE with that error, its text after the ECU's name. */
gboolean rb_ecu_job_error (const RbEcuJob *self, GError **error, RbReason reason, const char *text);
/* Of she.json; NULL: the campaign has none for this ECU. Borrowed. */
const json_t *rb_ecu_job_she_update (const RbEcuJob *self, const RbEcuJobContext *context);
