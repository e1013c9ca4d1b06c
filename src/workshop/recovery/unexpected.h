/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/channel.h"
#include "model/vehicle-model.h"
#include "recovery/error.h"

/* ECUs that answer a functional TesterPresent (vehicle/search.h says which addresses) and that the vehicle model does
 * not have, by their address. No channel of the link may be open on these addresses. (element-type utf8) (transfer
 * full) Errors: those that make the link useless. */
GPtrArray *rb_unexpected_search (RbLink *link, const RbVehicleModel *model, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
