/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/vin-writer.h"

#include "core/bytes.h"
#include "core/sink.h"
#include "model/vin-index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  guint8 digest[RB_SHA256_LENGTH];
  guint32 length;
  guint64 offset; /* in the spool */
} Entry;

struct _RbVinWriter {
  GBytes *salt;
  GArray *entries; /* of Entry */
  char *folder;
  int spool;
  guint64 spooled;
};

static gboolean
vin_writer_error (GError **error, RbReason reason, const char *what, const char *text)
{
  return rb_reason_deny (error, RB_OEM_ERROR, reason, "%s: %s", what, text);
}

RbVinWriter *
rb_vin_writer_new (const char *folder, GError **error)
{
  g_autoptr (RbVinWriter) self = g_new0 (RbVinWriter, 1);
  self->salt = rb_digest_random (RB_VIN_INDEX_SALT);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->folder = g_strdup (folder);
  self->spool = open (folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (self->spool >= 0)
    return g_steal_pointer (&self);
  vin_writer_error (error, RB_REASON_IO, folder, g_strerror (errno));
  return NULL;
}

void
rb_vin_writer_free (RbVinWriter *self)
{
  if (self == NULL)
    return;
  if (self->spool >= 0)
    close (self->spool);
  g_array_unref (self->entries);
  g_bytes_unref (self->salt);
  g_free (self->folder);
  g_free (self);
}

static gboolean
spool (RbVinWriter *self, GBytes *contents, GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (contents, &length);
  while (length > 0) {
    gssize wrote = pwrite (self->spool, data, length, (off_t) self->spooled);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return vin_writer_error (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, self->folder,
                               g_strerror (errno));
    data += wrote;
    length -= (gsize) wrote;
    self->spooled += (guint64) wrote;
  }
  return TRUE;
}

gboolean
rb_vin_writer_add (RbVinWriter *self, const char *vin, GBytes *contents, GError **error)
{
  Entry entry = { .offset = self->spooled };
  gsize length = contents == NULL ? 0 : g_bytes_get_size (contents);
  if (length > RB_VIN_INDEX_MAX_ENTRY)
    return vin_writer_error (error, RB_REASON_TOO_LARGE, vin, "more bytes than an entry of a table of VINs may have");
  entry.length = (guint32) length;
  rb_vin_index_digest (g_bytes_get_data (self->salt, NULL), vin, entry.digest);
  g_array_append_val (self->entries, entry);
  return contents == NULL || spool (self, contents, error);
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  return memcmp (((const Entry *) a)->digest, ((const Entry *) b)->digest, RB_SHA256_LENGTH);
}

static gboolean
append_contents (const RbVinWriter *self, const Entry *entry, GByteArray *piece, GError **error)
{
  guint done = piece->len;
  gssize got = 1;
  g_byte_array_set_size (piece, piece->len + entry->length);
  for (guint left = entry->length; left > 0 && got > 0; left -= (guint) got, done += (guint) got)
    got = pread (self->spool, &piece->data[done], left, (off_t) (entry->offset + entry->length - left));
  return got > 0 || vin_writer_error (error, RB_REASON_IO, self->folder, g_strerror (errno));
}

/* The piece that begins with entry *next, which is moved on. */
static gboolean
make_piece (const RbVinWriter *self, guint number, guint *next, GByteArray *piece, GError **error)
{
  g_byte_array_set_size (piece, 0);
  for (; *next < self->entries->len; (*next)++) {
    const Entry *entry = &g_array_index (self->entries, Entry, *next);
    if (rb_vin_index_piece (entry->digest) != number)
      break;
    if (*next > 0 && compare_entries (entry, &g_array_index (self->entries, Entry, *next - 1)) == 0)
      return vin_writer_error (error, RB_REASON_EXISTS, self->folder, "a VIN is there twice");
    rb_writer_data (piece, entry->digest, RB_SHA256_LENGTH);
    rb_writer_u32be (piece, entry->length);
    if (!append_contents (self, entry, piece, error))
      return FALSE;
  }
  return piece->len <= RB_VIN_INDEX_MAX_PIECE
         || vin_writer_error (error, RB_REASON_TOO_LARGE, self->folder, "a piece of the table of VINs is too long");
}

static gboolean
write_pieces (const RbVinWriter *self, RbSink *sink, GByteArray *rows, guint64 *size, GError **error)
{
  guint8 digest[RB_SHA256_LENGTH];
  guint next = 0;
  g_autoptr (GByteArray) piece = g_byte_array_new ();
  for (guint number = 0; number < RB_VIN_INDEX_PIECES; number++) {
    if (!make_piece (self, number, &next, piece, error) || !rb_sink_write (sink, piece->data, piece->len, error))
      return FALSE;
    rb_digest_sha256 (piece->data, piece->len, digest);
    rb_writer_data (rows, digest, sizeof digest);
    rb_writer_u32be (rows, piece->len);
    *size += piece->len;
  }
  return TRUE;
}

GBytes *
rb_vin_writer_finish (RbVinWriter *self, const char *pieces, GError **error)
{
  guint64 size = 0;
  g_autoptr (GByteArray) rows = g_byte_array_new ();
  g_autoptr (GByteArray) table = g_byte_array_new ();
  g_autoptr (RbSink) sink = rb_sink_open (pieces, 0644, error);
  g_array_sort (self->entries, compare_entries);
  if (sink == NULL || !write_pieces (self, sink, rows, &size, error) || !rb_sink_finish (sink, error))
    return NULL;
  rb_writer_data (table, RB_VIN_INDEX_MAGIC, strlen (RB_VIN_INDEX_MAGIC));
  rb_writer_bytes (table, self->salt);
  rb_writer_u64be (table, self->entries->len);
  rb_writer_u64be (table, size);
  rb_writer_data (table, rows->data, rows->len);
  return g_byte_array_free_to_bytes (g_steal_pointer (&table));
}
