/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdio.h>

/* Text on the standard streams: UTF-8 inside, the encoding of the locale outside. */

/* Makes a write to a closed pipe an error instead of a signal and keeps files from taking the place of closed standard
 * streams. Call once, first. */
void rb_output_prepare (void);
/* Writes and flushes. Returns 0 or the errno. */
int rb_output_write (FILE *stream, const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* The same for bytes that are UTF-8 in every locale: JSON. */
int rb_output_write_raw (FILE *stream, const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* Text for people on standard error, where a failed write has no other way to be reported. */
void rb_output_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Whether the file behind standard output took what was written, as far as it tells by closing. Returns 0 or the errno.
 */
int rb_output_check (void) G_GNUC_WARN_UNUSED_RESULT;
/* Valid UTF-8 without control characters, which text from a vehicle or a file may hold and which drive a terminal.
 * (transfer full) */
char *rb_output_printable (const char *text);
