/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/error.h"

#include <jansson.h>

/*
 * One visit of a vehicle to the workshop: its open campaigns in the order that they say (library/order.h), with one
 * inspection. Each has a recovery and a record of its own, and the records name the other campaigns. What this data
 * dir's journal shows to be completed is not done again while others are open.
 */
typedef struct _RbVisit RbVisit;

typedef struct {
  const char *data_dir, *vin; /* a VIN */
  const char *campaign; /* id or name: it and what comes before it; NULL: all open campaigns */
  gint64 now; /* 0: the wall clock */
} RbVisitOptions;

/* Errors: campaign-unknown (nothing is open), campaigns-conflict, campaign-superseded (not of a recovery that is
 * started), those of rb_library_for_vin(). A campaign that cannot be used is left to rb_recovery_open() to refuse. */
RbVisit *rb_visit_plan (const RbVisitOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_visit_free (RbVisit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVisit, rb_visit_free)

/* The name of the campaign that is to be worked on now; NULL: none is left. Borrowed. */
const char *rb_visit_campaign (RbVisit *self);
/* Is it the last one? */
gboolean rb_visit_is_last (RbVisit *self);
/* The present one is completed with that record: goes to the next. */
void rb_visit_complete (RbVisit *self, const char *record);

/* The beginning of the visit, 0: none yet; begins it. */
gint64 rb_visit_begin (RbVisit *self, gint64 now);
/* The inspection of an earlier campaign of the visit, NULL: none. Borrowed. */
const json_t *rb_visit_inspection (RbVisit *self);
void rb_visit_keep_inspection (RbVisit *self, const json_t *whole);

/* For a record: {"campaigns": [{"id", "campaignSha256", "record" (null: not completed)}]}; NULL: there is one campaign
 * only. (transfer full) */
json_t *rb_visit_json (RbVisit *self);
