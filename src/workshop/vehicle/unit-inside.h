/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/bytes.h"
#include "vehicle/ecu-session.h"
#include "vehicle/unit.h"

/* Inside vehicle/: what unit.c and unit-claims.c share. */
struct _RbUnit {
  const RbModelEcu *model;
  const RbProfile *profile;
  RbChannel *channel;
  RbClient *client; /* in use by the caller */
  RbClient *usual; /* for all but the wait for a start */
  GMutex lock; /* of session */
  RbEcuSession session;
  RbUnitWait wait; /* may be NULL */
  gpointer wait_data;
  gboolean waiting; /* as it was told */
  gint pending; /* atomic; 0x78 to the request that is outstanding */
};

/* After every exchange but 0x10: what it tells of the session, and the ECU's name before an error. Gives good back. */
gboolean rb_unit_prefixed (RbUnit *self, gboolean good, GError **error);
/* FALSE with that error. */
gboolean rb_unit_fail (RbUnit *self, GError **error, RbReason reason, const char *text);
/* The same as the first, with the DID. */
gboolean rb_unit_prefixed_did (RbUnit *self, guint16 did, gboolean good, GError **error);
/* Did the ECU reject it, other than as busy? */
gboolean rb_unit_was_rejected (RbUnit *self, const GError *failure);
/* The digest at the reader, as hex. */
void rb_unit_take_digest (RbReader *reader, char hex[65]);
