/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "keystore/identity.h"
#include "link/channel.h"
#include "recovery/error.h"
#include "recovery/event.h"
#include "recovery/visit.h"

#include <jansson.h>

/*
 * One campaign on one vehicle at one workstation, from the first look to its signed record. Screens and recallctl call
 * the phases in this order, from one worker thread at a time; every call blocks, and stops soon after its
 * cancellable is cancelled:
 *
 *   open → connect → inspect (answers) → plan → run → sign
 *
 * Nothing is written to the vehicle before run, and run refuses unless the inspection is passed and everything is
 * verified from the workstation's trust anchor down. Resuming is the same: open again, connect again; the vehicle
 * is observed anew and only what does not hold is done.
 *
 * Events come through `watch` in a thread of the recovery's own, all before the call that they are of returns; an event
 * and its strings are valid only during the call. `watch` must not call back into the recovery.
 */
typedef struct {
  const char *data_dir;
  const char *campaign; /* id */
  const char *link; /* URI */
  const char *vehicle_ca; /* for doips://, as vehicle-link.h; may be NULL */
  const char *vin; /* as on the plate; NULL or "" : vin-missing */
  const char *repair_order; /* may be NULL */
  gint64 odometer_km; /* -1: not known */
  const char *evidence; /* folder outside this workstation, for what another one needs when this one is lost
                           (recovery/evidence.h); NULL: none */
  gint64 link_timeout_s; /* a lost link is retried so long; 0: 20, negative: not at all */
  RbIdentitySet *technician; /* borrowed for the recovery's life; may be NULL until run and sign */
  RbIdentitySet *workstation;
  RbIdentitySet *second; /* may be NULL */
  RbVisit *visit; /* that this campaign is part of; borrowed for the recovery's life. NULL: it has to be the next one of
                     its vehicle */
  gint64 now; /* 0: the wall clock */
  RbRecoveryWatch watch; /* may be NULL */
  RbRecoveryConfirm confirm; /* NULL: recovery recipes are not followed */
  gpointer confirm_data;
  gpointer user_data;
} RbRecoveryOptions;

/* Opens and verifies the campaign, checks the VIN against its scope, finds an earlier run in the journal. Errors:
 * campaign-unknown, vin-missing, vin-invalid, not-in-scope, campaign-expired, database, those of rb_authority_check(),
 * signer-not-trusted (of those who are known already), words for metadata. */
RbRecovery *rb_recovery_open (const RbRecoveryOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_recovery_free (RbRecovery *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRecovery, rb_recovery_free)
const RbCampaign *rb_recovery_campaign (RbRecovery *self);
/* For screens that ask who signs only now. Borrowed. */
void rb_recovery_set_identities (RbRecovery *self, RbIdentitySet *technician, RbIdentitySet *workstation,
                                 RbIdentitySet *second);

/* Evaluates who is known by now against the OEM's trust list, opens the link, reads the VIN from the vehicle (on two
 * ECUs where there are two) and the state of every ECU. Errors: vin-mismatch, link-refused, ecu-missing, no-answer,
 * ecu-replaced, … */
gboolean rb_recovery_connect (RbRecovery *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ECUs that answered at connect and that the vehicle model does not have, by address. Borrowed; NULL before connect.
 * (element-type utf8) */
GPtrArray *rb_recovery_unexpected (RbRecovery *self);

/* ECUs that were exchanged for a part that the VIN pack does not name, as recovery/swapped.h lists them; connect fails
 * for them. (transfer full) */
json_t *rb_recovery_replaced (RbRecovery *self);

/* One measured item of the checklist, now. *good: within its limits. */
gboolean rb_recovery_measure (RbRecovery *self, const RbChecklistItem *item, gint64 *value, gboolean *good,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A person's answer to a manual item; note may be NULL. */
void rb_recovery_answer (RbRecovery *self, const char *item, gboolean passed, const char *note);
/* Is it answered: now, or by an earlier run of this recovery whose answer lasts? */
gboolean rb_recovery_is_answered (RbRecovery *self, const char *item);
/* Measures what is measured, takes the answers given, and says whether the inspection is passed. Errors:
 * inspection-missing (an item without answer), inspection-failed, voltage-low, voltage-high, ignition, moving. */
gboolean rb_recovery_inspect (RbRecovery *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Found and desired state, one row an ECU, in the order of work. Valid until the next connect or run; borrowed. */
typedef struct {
  const char *serial, *name, *hardware_id;
  const char *software; /* found */
  const char *target; /* image path wanted */
  gboolean image_differs, director_root_differs, image_root_differs, metadata_differs;
  gboolean new_key; /* a key will be made */
  gboolean abort_recoverable;
  guint64 image_bytes; /* to write */
  gint64 director_root_found, director_root_wanted, image_root_found,
    image_root_wanted; /* image: 0 where the ECU keeps none */
  RbEcuState state;
  RbReason reason; /* of parked */
} RbPlanRow;
gboolean rb_recovery_plan (RbRecovery *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
guint rb_recovery_n_rows (RbRecovery *self);
void rb_recovery_row (RbRecovery *self, guint i, RbPlanRow *row);

/* Whether run would begin: inspection passed, and all signers are known, different, and have a valid certificate. */
gboolean rb_recovery_may_run (RbRecovery *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does the work and proves it. TRUE: every ECU is done. FALSE with error: cancelled, link-lost, not-complete (some ECU
 * is parked: see rows), or a reason found before anything was written (inspection-missing, …). */
gboolean rb_recovery_run (RbRecovery *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stops the run that is under way at the next safe place: every ECU that is being worked on is brought to its end, no
 * other is begun, and run fails with cancelled. From any thread. Cancelling instead leaves an ECU where it is, which is
 * for when waiting for it is hopeless. */
void rb_recovery_stop (RbRecovery *self);
/* Steps that wrote to the vehicle in this run. */
guint rb_recovery_writes (RbRecovery *self);
/* Has this or an earlier run of this recovery written to the vehicle? */
gboolean rb_recovery_was_touched (RbRecovery *self);

/* Makes, signs and stores the record. (transfer full) its digest. *result: "completed", "incomplete", "aborted",
 * static. */
char *rb_recovery_sign (RbRecovery *self, const char **result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
