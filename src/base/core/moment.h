/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * Points in time: seconds since 1970-01-01 UTC, as gint64. Text is RFC 3339 with Z,
 * "2026-11-23T07:00:00Z". A caller that needs the wall clock calls rb_moment_now() once at the edge of the
 * program and passes it down, so that tests can be at any time.
 */
gint64 rb_moment_now (void);
/* (transfer full) */
char *rb_moment_to_text (gint64 moment);
/* Accepts fractional seconds (cut off) and nothing but Z as zone; FALSE when it is not a time. */
gboolean rb_moment_from_text (const char *text, gint64 *moment) G_GNUC_WARN_UNUSED_RESULT;
/* Waits; FALSE with G_IO_ERROR_CANCELLED when cancellable (may be NULL) was cancelled meanwhile. */
gboolean rb_moment_pause (gint64 milliseconds, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define RB_MOMENT_DAY (24 * 60 * 60)
