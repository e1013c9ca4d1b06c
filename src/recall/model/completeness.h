/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "model/vehicle-model.h"

/*
 * When is a vehicle complete? The one rule, which plan and run of a recovery, the maker of its record, every verifier
 * of records and so the audit ask: every ECU of the vehicle as built is directed, every ECU that is directed is done,
 * and none is in the vehicle that is not directed.
 *
 * As built is what the OEM signs for the VIN: `custom.asBuilt` in its Director targets, a list of {"serial",
 * "hardware_id"}. ECUs and other verifiers pass over it. Where it is not there, the vehicle as built is what vehicle
 * model and campaign share, without the ECUs that the model calls optional: such a one is fitted when it is directed,
 * or found; otherwise it is not-fitted.
 *
 * A part that was put in an ECU's place is what `custom.replaced` says there, a list of {"old", "serial",
 * "hardware_id", "approvedBy"}: the OEM directs to the part, and who approved that.
 */
typedef struct {
  char *serial; /* NULL: not known */
  char *hardware_id;
  char *replaces; /* serial number of the ECU that it was exchanged for; NULL: none */
  gboolean built; /* of the vehicle as built */
  gboolean directed; /* the Director assigns an image to it */
  /* for the caller to set */
  gboolean found; /* it answers, or an earlier answer is recorded */
  gboolean done;
} RbCompletenessEcu;

typedef enum {
  RB_COMPLETENESS_DONE,
  RB_COMPLETENESS_NOT_FITTED, /* not in this vehicle, which it does not hold back */
  RB_COMPLETENESS_NOT_DIRECTED, /* holds the vehicle back before anything is written */
  RB_COMPLETENESS_OPEN, /* directed, and not done */
} RbCompletenessVerdict;
RbCompletenessVerdict rb_completeness_judge (const RbCompletenessEcu *ecu);

/* The list of a VIN: serial → hardware id. part: the signed part of its Director targets. NULL without error: there is
 * none. Error malformed: it is there and not such a list, or names an ECU twice. (transfer full) */
GHashTable *rb_completeness_as_built (const json_t *part, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Parts of a VIN: serial → serial number of the ECU that it replaces; assigned: serial → hardware id. Empty where the
 * OEM names none. Error malformed: the list is not such a list, names an ECU twice, or a part that nothing is assigned
 * to. (transfer full) */
GHashTable *rb_completeness_replaced (const json_t *part, GHashTable *assigned, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Every ECU that counts for this vehicle, not found and not done. assigned, as_built: serial → hardware id; replaced:
 * serial → old serial; both may be NULL. (element-type RbCompletenessEcu) (transfer full) */
GPtrArray *rb_completeness_list (const RbCampaign *campaign, const RbVehicleModel *model, GHashTable *assigned,
                                 GHashTable *as_built, GHashTable *replaced);
/* Is every ECU of it directed that has to be? Error ecu-not-directed. */
gboolean rb_completeness_is_directed (GPtrArray *ecus, const RbVehicleModel *model, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
