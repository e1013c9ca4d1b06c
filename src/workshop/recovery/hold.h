/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/channel.h"
#include "recovery/error.h"

/*
 * One program at a time on a link and on a vehicle, for all users and data directories: abstract sockets
 * "recallbay/link/NAME" (link/link-name.h) and "recallbay/vehicle/VIN". Held until freed, over lost links too.
 * Errors: in-use with the holder in its text, io.
 */
typedef struct _RbHold RbHold;
/* vin may be NULL: the link only; uri may be NULL: the vehicle only. Called before anything is read from the vehicle or
 * the journal. */
RbHold *rb_hold_take (const char *uri, const char *vin, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Adds what is known of the link only once it is open: the serial number of a "usb:" adapter. */
gboolean rb_hold_add_link (RbHold *self, RbLink *link, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_hold_free (RbHold *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbHold, rb_hold_free)
