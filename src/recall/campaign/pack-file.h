/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/archive.h"
#include <jansson.h>

/*
 * A VIN pack on its own, beside a bundle: a tar file of pack.json ({"format": "recallbay-vin-pack-1", "campaign",
 * "campaign_sha256", "vin"}) and vins/VIN/ as a bundle has it. pack.json only says whose it is; what is in the pack is
 * verified by the campaign in the library.
 */
/* (transfer full) */
GBytes *rb_pack_file_new (const char *campaign, const char *campaign_sha256, const char *vin);
/* Is that file or folder such a pack? */
gboolean rb_pack_file_is (const char *path);
/* Did the pack in a VIN's folder of the library come so? */
gboolean rb_pack_file_was (const char *vin_folder);
/* Unpacks it into folder; its head. Errors: malformed, path, too-large, io. (transfer full) */
json_t *rb_pack_file_unpack (const char *path, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
