/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "sim-ecu/host.h"

/*
 * What a person does to the running vehicle: fuses and ignition, as files in its state folder that the verbs below
 * write and the vehicle reads at each request.
 */

/* Has the ECU no supply? A fuse that was out since the last request has cost it what power costs. */
gboolean rb_fuses_is_out (RbEcu *self);
/* TRUE: a person has turned the ignition to *position. */
gboolean rb_fuses_ignition (RbSimulated *self, gint64 *position);

extern const RbCliVerb rb_fuses_verbs[];
