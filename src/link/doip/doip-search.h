/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/doip.h"
#include "link/address.h"

/*
 * Inside link/ only: the UDP half of DoIP (ISO 13400-2) on the client's side: vehicle identification and entity status.
 */

/* The discover slot: asks every network of this computer and takes announcements made unasked. The state of an entry is
 * "ready", "not-ready" (its power mode; the ignition is off) or "in-use" (it takes no more connections). */
gboolean rb_doip_search_discover (GPtrArray *list, gint64 timeout_ms, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Entity status of the entity at address; FALSE when it does not respond in time. */
gboolean rb_doip_search_status (GSocketAddress *address, guint8 version, RbDoipStatusInfo *status, gint64 timeout_ms,
                                GCancellable *cancellable) G_GNUC_WARN_UNUSED_RESULT;
