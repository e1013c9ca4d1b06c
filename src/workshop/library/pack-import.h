/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "library/library.h"

/* Takes a pack into the library's campaign: all or nothing, never an older one than was seen. Errors: campaign-unknown,
 * rollback, malformed, path, too-large, in-use, io, those of rb_contents_assignments. The campaign with it. (transfer
 * full) */
RbContents *rb_pack_import_file (RbLibrary *library, const char *path, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
