/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/error.h"

#include <jansson.h>

/*
 * What was last read from a vehicle, DATA/found/VIN.json: {"format": "recallbay-found-1", "vin", "at", "ecus":
 * [{"name", "serial", "hardware_id", …}, or {"name", "serial": null, …, "reason"}]}. A request to the OEM quotes it;
 * nothing is decided by it.
 */
/* Borrows ecus. */
gboolean rb_findings_save (const char *data_dir, const char *vin, json_t *ecus, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* NULL without error: nothing was read. (transfer full) */
json_t *rb_findings_load (const char *data_dir, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
