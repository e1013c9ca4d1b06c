/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"

#define RB_PACK_FILE "pack.json" /* of a VIN pack on its own (campaign/pack-file.h) */

/*
 * The files of a bundle one after the other, out of a tar or a folder of the same shape, metadata before
 * images. Only plain files with safe names come through. Not thread safe.
 */
typedef struct _RbArchive RbArchive;
typedef struct {
  const char *path; /* in the bundle; until the next entry */
  guint64 size;
} RbArchiveEntry;

RbArchive *rb_archive_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_archive_free (RbArchive *self);
/* entry->path is NULL after the last one. Errors: bundle-truncated, malformed, path, io. */
gboolean rb_archive_next (RbArchive *self, RbArchiveEntry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Bytes of the present entry, 0 at its end, -1 with error. */
gssize rb_archive_read (RbArchive *self, gpointer buffer, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_archive_is_compressed (RbArchive *self);
guint64 rb_archive_position (RbArchive *self); /* bytes read so far */
guint64 rb_archive_size (RbArchive *self); /* bytes in total */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbArchive, rb_archive_free)
