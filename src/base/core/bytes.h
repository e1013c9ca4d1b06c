/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The one bounded reader and writer for bytes. A reader never goes past its end: a read that does not
 * fit fails, yields zero or NULL, and makes every later read fail, so a parser may check once at the
 * end with rb_reader_done() or rb_reader_ok(). Not thread safe.
 */
typedef struct {
  const guint8 *data; /* borrowed */
  gsize length;
  gsize offset;
  gboolean failed;
} RbReader;

RbReader rb_reader_new (gconstpointer data, gsize length);
RbReader rb_reader_from_bytes (GBytes *bytes);
guint8 rb_reader_u8 (RbReader *reader);
guint16 rb_reader_u16be (RbReader *reader);
guint32 rb_reader_u32be (RbReader *reader);
guint64 rb_reader_u64be (RbReader *reader);
guint32 rb_reader_u32le (RbReader *reader);
/* big endian number of size 1..8 bytes */
guint64 rb_reader_ube (RbReader *reader, guint size);
/* Borrowed view of the next length bytes, NULL when they are not there (never NULL for length 0). */
const guint8 *rb_reader_take (RbReader *reader, gsize length);
/* The next length bytes as GBytes (copied), NULL when they are not there. */
GBytes *rb_reader_take_bytes (RbReader *reader, gsize length);
gsize rb_reader_left (const RbReader *reader);
gboolean rb_reader_ok (const RbReader *reader);
/* ok and nothing left */
gboolean rb_reader_done (const RbReader *reader);

/* The writer grows a GByteArray; it cannot fail. */
void rb_writer_u8 (GByteArray *out, guint8 value);
void rb_writer_u16be (GByteArray *out, guint16 value);
void rb_writer_u32be (GByteArray *out, guint32 value);
void rb_writer_u64be (GByteArray *out, guint64 value);
void rb_writer_ube (GByteArray *out, guint64 value, guint size);
void rb_writer_data (GByteArray *out, gconstpointer data, gsize length);
void rb_writer_bytes (GByteArray *out, GBytes *bytes);
/* u16 big endian length, then the bytes; at most 65535 */
void rb_writer_field16 (GByteArray *out, gconstpointer data, gsize length);

/* Lower-case hex. (transfer full) */
char *rb_bytes_to_hex (gconstpointer data, gsize length);
char *rb_bytes_hex (GBytes *bytes);
/* Either case; NULL when it is not hex or of odd length. length_out may be NULL. (transfer full) */
GBytes *rb_bytes_from_hex (const char *hex);
/* Exactly length bytes into out, FALSE otherwise. */
gboolean rb_bytes_from_hex_exact (const char *hex, guint8 *out, gsize length);
char *rb_bytes_to_base64 (GBytes *bytes);
/* Both alphabets, padding optional, no white space, no bits left over; NULL when it is not base64. */
GBytes *rb_bytes_from_base64 (const char *text);
/* Constant-time comparison. */
gboolean rb_bytes_equal_secret (gconstpointer a, gconstpointer b, gsize length);
