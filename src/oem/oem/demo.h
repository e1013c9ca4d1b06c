/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "oem/demo-incident.h"

/* Writes a demonstration into a folder, which is empty or not there yet. Takes fleet. */
gboolean rb_demo_write (RbScenario scenario, RbFleet *fleet, gboolean second_person, const char *folder, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* recall-oem demo */
extern const RbCliVerb rb_demo_verbs[];
