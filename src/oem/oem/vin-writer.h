/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/error.h"

/* Writes the pieces of a table of VINs (model/vin-index.h). VINs come in any order; what belongs to them waits in a
 * file without a name. */
typedef struct _RbVinWriter RbVinWriter;
/* folder: where there is room for it. Draws the salt. */
RbVinWriter *rb_vin_writer_new (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_vin_writer_free (RbVinWriter *self);
/* contents may be NULL: the VIN alone. */
gboolean rb_vin_writer_add (RbVinWriter *self, const char *vin, GBytes *contents, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Writes the file of pieces. The table is (transfer full). Errors: exists (a VIN was added twice), too-large, no-space,
 * io. */
GBytes *rb_vin_writer_finish (RbVinWriter *self, const char *pieces, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVinWriter, rb_vin_writer_free)
