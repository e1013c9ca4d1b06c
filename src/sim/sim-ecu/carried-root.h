/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/*
 * An ECU whose Director root is a segment of its image (member "root_address" of the model's "simulation"): no request
 * overwrites the root. The bootloader takes it from flash when it makes a new image valid, and drops the metadata that
 * were stored under another one.
 */
gboolean rb_carried_root_is (const RbEcu *self);
/* What the bootloader checks of the image in flash before it makes it valid; takes over the root. Not stored. FALSE: it
 * carries no root. */
gboolean rb_carried_root_take (RbEcu *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After accepted metadata: the image in flash has the name and the version that the targets give it. */
gboolean rb_carried_root_name_image (RbEcu *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
