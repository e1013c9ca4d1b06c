/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "keystore/identity.h"
#include "model/profile.h"
#include "uds/uds-client.h"
#include "vehicle/ownership.h"

/*
 * Unlocks the ECU behind a client, in its session: 0x29 with an identity of purpose RB_PURPOSE_ECU_AUTHENTICATION, or
 * 0x27, as the profile says. Errors of uds/ pass through; RB_VEHICLE_ERROR: unsupported, wrong-answer.
 */
gboolean rb_unlock_ecu (RbUdsClient *client, const RbProfile *profile, RbIdentity *identity,
                        const RbOwnership *ownership, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
