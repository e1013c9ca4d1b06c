/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"
#include "link/link-entry.h"

/* A connection to a vehicle: what it is and how it fails, link/channel.h tells. */

/* URIs: doip://HOST[:PORT] doips:// can:IFACE canfd:IFACE usb:[SERIAL] bus:PATH. options may be NULL; a link ignores
 * what it does not need. Errors besides those of link/channel.h: link-confirmation, and of doips:// identity,
 * tls-required, tls-refused, vehicle-certificate. */
RbLink *rb_link_open_with (const char *uri, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
RbLink *rb_link_ref (RbLink *self);
/* Closes when the last reference (channels hold one) goes. */
void rb_link_unref (RbLink *self);
/* As it was opened; with the serial number of the adapter where the URI named none. */
const char *rb_link_uri (RbLink *self);
const RbLinkInfo *rb_link_info (RbLink *self); /* borrowed */
/* Is the link still up, by what it last saw and a heartbeat where the link has one? */
gboolean rb_link_is_alive (RbLink *self);
/*
 * On CAN: from now on a frame counts that has one of these request ids (bit 31: 29 bit), 7DF or an id of ISO 15765-4
 * from an external tester, and that is not ours. n 0 ends it. Another kind of link has nothing to watch. Errors:
 * link-lost.
 */
gboolean rb_link_watch_testers (RbLink *self, const guint32 *ids, guint n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *id: of the first such frame, 0 when there was none. Errors: link-lost. */
gboolean rb_link_heard_tester (RbLink *self, guint32 *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adapters that are plugged in, and vehicles that respond; (element-type RbLinkEntry) (transfer full). */
GPtrArray *rb_link_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLink, rb_link_unref)
