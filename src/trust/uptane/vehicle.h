/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/source.h"
#include "uptane/store.h"
#include "uptane/target.h"
#include "uptane/rejection.h"

#include <jansson.h>

/*
 * Verification of a vehicle's metadata by the Uptane Standard 2.1: full (5.4.4.2, both repositories) and partial
 * (5.4.4.1, Director targets only). Used by the workstation for a whole vehicle and by simulated ECUs for
 * themselves. The stores must hold roots. Results and verdicts are complete facts; GErrors are for people.
 */
typedef struct {
  const char *serial;
  const char *hardware_id;
} RbVehicleEcu;

typedef struct {
  gint64 now;
  const char *vin; /* opaque; compared when Director targets carry one, as those that direct nothing must */
  gboolean vin_needed; /* Director targets must carry it in any case */
  const RbVehicleEcu *ecus; /* of the vehicle: an ECU not listed here in Director targets is ecu-unknown */
  guint n_ecus; /* 0: a Secondary checking for itself, ECU ids are not verified but its own */
  const char *own_serial; /* a Secondary's own; NULL for a Primary or workstation */
  gsize max_director_targets, max_image_targets, max_snapshot; /* bytes of a file, 0: default */
  RbSource *images; /* where the images are; NULL: they are not verified */
  json_t **director_signed; /* full verification: where the signed part of the accepted Director targets goes (transfer
                               full); NULL */
  gboolean keep_time; /* an accepted run stores now as a moment that later ones may not precede */
  gboolean any_layout; /* the sources are folders in whatever layout: see RbPolicy */
} RbVehicleRequest;

/* One Director assignment, agreed by the Image repository where that was checked. */
typedef struct {
  char *serial;
  char *hardware_id;
  RbTarget *target; /* the Director's, with the higher of both release counters */
  gint64 director_counter; /* the Director's own, -1: none */
  RbTarget *image; /* the Image repository's entry; NULL: not looked up */
  gboolean image_seen; /* its bytes were there, and are these */
} RbAssignment;
void rb_vehicle_assignment_free (RbAssignment *self);

/* Full verification. On success *assignments is (element-type RbAssignment) (transfer full). */
gboolean rb_vehicle_verify_full (RbStore *director_store, RbSource *director, RbStore *image_store, RbSource *image,
                                 const RbVehicleRequest *request, GPtrArray **assignments, RbRejection *verdict,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Partial verification: Director targets against the Director root in store; the root chain is NOT walked (a partial
 * verification Secondary cannot). own_serial's assignment only. */
gboolean rb_vehicle_verify_partial (RbStore *director_store, RbSource *director, const RbVehicleRequest *request,
                                    GPtrArray **assignments, RbRejection *verdict, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Only the root chain: from the store's root to the newest in source. */
gboolean rb_vehicle_update_root (RbStore *store, RbSource *source, gint64 now, const char *repo, RbRejection *verdict,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An image by its name, or by HASH.NAME of consistent snapshots, not yet verified. NULL without error: it is not there.
 * (transfer full) */
GBytes *rb_vehicle_fetch_image (RbSource *source, const RbTarget *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbAssignment, rb_vehicle_assignment_free)
