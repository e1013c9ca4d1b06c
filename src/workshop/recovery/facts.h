/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/visit.h"
#include "recovery/ecu-job.h"

/* What a recovery knows, as the members of a record's predicate that its maker gives (record/statement.h). */
typedef struct {
  const char *vin;
  const char *repair_order; /* may be NULL */
  gint64 odometer_km; /* -1: not known */
  RbLink *link; /* may be NULL: gone */
  const char *link_uri;
  json_t *vin_sources; /* borrowed */
  json_t *inspection; /* borrowed; NULL: none */
  GPtrArray *jobs; /* of RbEcuJob */
  GPtrArray *complete; /* of RbCompletenessEcu; NULL: not known */
  const RbVehicleModel *model; /* where complete is known */
  GPtrArray *unexpected; /* of char *: addresses of ECUs that the model does not have; NULL: none */
  RbVisit *visit; /* NULL: not known */
  GBytes *director_targets; /* by which the OEM directs parts in the place of other ECUs; NULL: none */
  json_t *hand_over, *exception; /* borrowed; NULL: not such a record (record/ending.h) */
  GBytes *manifest_before, *manifest_after; /* may be NULL */
  gint64 now, started,
    first_write; /* started ≤ now, and no time in the record lies outside; first_write 0: nothing was written */
  gint64 not_before;
  const char *not_before_source;
} RbFacts;
json_t *rb_facts_build (const RbFacts *facts, const RbCampaign *campaign);
