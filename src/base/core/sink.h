/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * A file that a person named, written piece by piece; by the rule of rb_files_write_output(): a regular file is
 * replaced when all of it is there, and what is not one is written to. Errors: no-space, io.
 */
typedef struct _RbSink RbSink;
RbSink *rb_sink_open (const char *path, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Without rb_sink_finish() an existing file stays as it was. */
void rb_sink_free (RbSink *self);
gboolean rb_sink_write (RbSink *self, gconstpointer data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_sink_finish (RbSink *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSink, rb_sink_free)
