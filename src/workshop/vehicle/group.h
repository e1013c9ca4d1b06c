/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/channel.h"
#include "model/vehicle-model.h"

/*
 * Functional addressing: one request to every ECU at once. By DoIP that is the model's functional group address; by CAN
 * its functional identifier (7DF) for 11 bit addresses, 18DB33F1 for normal fixed and 18CD33F1 for mixed ones, as far
 * as the buses have such ECUs. Requests are single frames and nothing is received here: an ECU responds on its own
 * address. One thread at a time.
 */
typedef struct _RbGroup RbGroup;
/* buses: names of the buses concerned (element-type utf8). Errors: those of rb_channel_open(). */
RbGroup *rb_group_new (RbLink *link, const RbVehicleModel *model, GPtrArray *buses, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_group_free (RbGroup *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbGroup, rb_group_free)
/* Errors: those of rb_channel_send(). */
gboolean rb_group_send (RbGroup *self, const guint8 *request, gsize length, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
