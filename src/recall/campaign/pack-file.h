/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/archive.h"
#include "campaign/library.h"

/*
 * A VIN pack on its own, beside a bundle: a tar file of pack.json ({"format": "recallbay-vin-pack-1", "campaign", "campaign_sha256", "vin"})
 * and vins/VIN/ as a bundle has it. pack.json only says whose it is; what is in the pack is verified by the campaign in the library.
 */
/* (transfer full) */
GBytes *rb_pack_file_new (const char *campaign, const char *campaign_sha256, const char *vin);
/* Is that file or folder such a pack? */
gboolean rb_pack_file_is (const char *path);
/* Did the pack in a VIN's folder of the library come so? */
gboolean rb_pack_file_was (const char *vin_folder);
/* Takes a pack into the library's campaign: all or nothing, never an older one than was seen. Errors: campaign-unknown, rollback,
 * malformed, path, too-large, in-use, io, those of rb_contents_assignments. The campaign with it. (transfer full) */
RbContents *rb_pack_file_import (RbLibrary *library, const char *path, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
