/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/bytes.h"
#include "vehicle/ecu-session.h"
#include "vehicle/ecu-client.h"

/* Inside vehicle/: what ecu-client.c and ecu-claims.c share. */
struct _RbEcuClient {
  const RbModelEcu *model;
  const RbProfile *profile;
  RbChannel *channel;
  RbUdsClient *client; /* in use by the caller */
  RbUdsClient *usual; /* for all but the wait for a start */
  GMutex lock; /* of session */
  RbEcuSession session;
  RbEcuClientWait wait; /* may be NULL */
  gpointer wait_data;
  gboolean waiting; /* as it was told */
  gint pending; /* atomic; 0x78 to the request that is outstanding */
};

/* After every exchange but 0x10: what it tells of the session, and the ECU's name before an error. Gives good back. */
gboolean rb_ecu_client_prefixed (RbEcuClient *self, gboolean good, GError **error);
/* FALSE with that error. */
gboolean rb_ecu_client_fail (RbEcuClient *self, GError **error, RbReason reason, const char *text);
/* The same as the first, with the DID. */
gboolean rb_ecu_client_prefixed_did (RbEcuClient *self, guint16 did, gboolean good, GError **error);
/* Did the ECU reject it, other than as busy? */
gboolean rb_ecu_client_was_rejected (RbEcuClient *self, const GError *failure);
/* The digest at the reader, as hex. */
void rb_ecu_client_take_digest (RbReader *reader, char hex[65]);
