/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <gio/gio.h>
#include "frame/doip.h"
#include "sim-ecu/error.h"

/*
 * The UDP half of a DoIP entity (ISO 13400-2): it announces itself three times when it starts, answers identification
 * requests (all, by EID, by VIN), entity status and power mode, and says what it does not understand.
 */
typedef struct _RbDoipDiscovery RbDoipDiscovery;

/* Appends the entity status. */
typedef void (*RbDoipStatus) (gpointer data, GByteArray *out);

/* At address. data must live as long. Errors of GIO. */
RbDoipDiscovery *rb_doip_discovery_new (const RbDoipAnnouncement *announcement, GInetSocketAddress *address,
                                        RbDoipStatus status, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_doip_discovery_free (RbDoipDiscovery *self);
/* Appends the power mode: ready. */
void rb_doip_discovery_power (GByteArray *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDoipDiscovery, rb_doip_discovery_free)
