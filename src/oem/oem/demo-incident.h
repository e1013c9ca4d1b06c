/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "oem/fleet.h"
#include "oem/publisher.h"

/*
 * The incident of the demo OEM: its genuine publications, those of the attacker with the stolen keys, and the OEM's
 * answer. Only metadata; vehicles decide by their own verification what they accept.
 */
typedef struct {
  GHashTable *director, *image; /* file name → GBytes, roots included */
  GPtrArray *software; /* what the Director targets assign, by ECU; borrowed RbFleetSoftware */
} RbDemoPublication;

typedef struct {
  RbScenario scenario;
  gint64 now;
  gint64 expires; /* of the campaign and all metadata made for it */
  gboolean second_person; /* the campaign asks for a second signature; FALSE unless the caller sets it */
  char *scope_sha256; /* of the table with the scope; NULL: the campaign lists it. Set by the caller */
  RbFleet *fleet;
  RbPublisher *director, *image, *service; /* as they stand after the answer */
  GPtrArray *genuine, *attacker, *good; /* of RbFleetSoftware, by ECU */
  GPtrArray *past; /* of RbDemoPublication: what vehicle 1 was offered, in order */
  RbDemoPublication *attack; /* the attacker's newest; NULL where no repository key was taken */
  GPtrArray *next; /* of RbFleetSoftware: of the second campaign; NULL: there is none */
  GHashTable *next_image_files;
  GHashTable *image_files; /* the Image repository's publication for the campaign */
} RbDemoIncident;

/* Takes fleet. */
RbDemoIncident *rb_demo_incident_new (RbScenario scenario, RbFleet *fleet, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_demo_incident_free (RbDemoIncident *self);
/* Is it one of the two ECUs that run the attacker's image when the vehicle comes in? */
gboolean rb_demo_incident_is_compromised (const RbDemoIncident *self, const RbFleetEcu *ecu);
gboolean rb_demo_incident_in_scope (const RbDemoIncident *self, guint number);
/* The campaign's Director metadata of one vehicle: timestamp.json, snapshot.json, targets.json. (transfer full) */
GHashTable *rb_demo_incident_director_files (const RbDemoIncident *self, guint number, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gint64 rb_demo_incident_director_version (void); /* of that metadata */
/* A second campaign, with newer software and the same keys: makes next and next_image_files. */
gboolean rb_demo_incident_go_on (RbDemoIncident *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of the second campaign. (transfer full) */
GHashTable *rb_demo_incident_next_director_files (const RbDemoIncident *self, guint number, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDemoIncident, rb_demo_incident_free)
