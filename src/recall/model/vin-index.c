/* SPDX-License-Identifier: Apache-2.0 */
#include "model/vin-index.h"

#include "core/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ROW (RB_SHA256_LENGTH + 4)
#define HEAD (RB_VIN_INDEX_TABLE - RB_VIN_INDEX_PIECES * ROW)

struct _RbVinIndex {
  GBytes *table;
  const guint8 *salt; /* in table */
  const guint8 *rows; /* in table */
  char *name;
  char *path;
  guint64 vins, size;
  guint64 *offsets; /* of each piece, and of the end */
};

void
rb_vin_index_digest (gconstpointer salt, const char *vin, guint8 digest[RB_SHA256_LENGTH])
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  rb_writer_data (bytes, salt, RB_VIN_INDEX_SALT);
  rb_writer_data (bytes, vin, strlen (vin));
  rb_digest_sha256 (bytes->data, bytes->len, digest);
}

guint
rb_vin_index_piece (const guint8 digest[RB_SHA256_LENGTH])
{
  return (guint) digest[0] << 8 | digest[1];
}

static gboolean
vin_index_error (const RbVinIndex *self, RbReason reason, const char *text, GError **error)
{
  return rb_reason_deny (error, RB_MODEL_ERROR, reason, "%s: %s", self->name, text);
}

static gboolean
read_rows (RbVinIndex *self, RbReader *reader, GError **error)
{
  self->offsets = g_new0 (guint64, RB_VIN_INDEX_PIECES + 1);
  for (guint i = 0; i < RB_VIN_INDEX_PIECES; i++) {
    rb_reader_take (reader, RB_SHA256_LENGTH);
    guint32 length = rb_reader_u32be (reader);
    if (length > RB_VIN_INDEX_MAX_PIECE)
      return vin_index_error (self, RB_REASON_MALFORMED, "a piece of the table of VINs is too long", error);
    self->offsets[i + 1] = self->offsets[i] + length;
  }
  return self->offsets[RB_VIN_INDEX_PIECES] == self->size
         || vin_index_error (self, RB_REASON_MALFORMED,
                             "the pieces of the table of VINs have not the length that it names", error);
}

static gboolean
read_table (RbVinIndex *self, GError **error)
{
  RbReader reader = rb_reader_from_bytes (self->table);
  const guint8 *magic = rb_reader_take (&reader, strlen (RB_VIN_INDEX_MAGIC));
  self->salt = rb_reader_take (&reader, RB_VIN_INDEX_SALT);
  self->vins = rb_reader_u64be (&reader);
  self->size = rb_reader_u64be (&reader);
  if (g_bytes_get_size (self->table) != RB_VIN_INDEX_TABLE
      || memcmp (magic, RB_VIN_INDEX_MAGIC, strlen (RB_VIN_INDEX_MAGIC)) != 0)
    return vin_index_error (self, RB_REASON_MALFORMED, "this is not a table of VINs", error);
  self->rows = (const guint8 *) g_bytes_get_data (self->table, NULL) + HEAD;
  return read_rows (self, &reader, error);
}

RbVinIndex *
rb_vin_index_new (GBytes *table, const char *name, const char *pieces, GError **error)
{
  g_autoptr (RbVinIndex) self = g_new0 (RbVinIndex, 1);
  self->table = g_bytes_ref (table);
  self->name = g_strdup (name);
  self->path = g_strdup (pieces);
  return read_table (self, error) ? g_steal_pointer (&self) : NULL;
}

void
rb_vin_index_free (RbVinIndex *self)
{
  if (self == NULL)
    return;
  g_bytes_unref (self->table);
  g_free (self->name);
  g_free (self->path);
  g_free (self->offsets);
  g_free (self);
}

const char *
rb_vin_index_name (const RbVinIndex *self)
{
  return self->name;
}

GBytes *
rb_vin_index_table (const RbVinIndex *self)
{
  return self->table;
}

guint64
rb_vin_index_vins (const RbVinIndex *self)
{
  return self->vins;
}

guint64
rb_vin_index_size (const RbVinIndex *self)
{
  return self->size;
}

static gsize
length_of (const RbVinIndex *self, guint piece)
{
  return (gsize) (self->offsets[piece + 1] - self->offsets[piece]);
}

static gboolean
check_digest (const RbVinIndex *self, guint piece, const char *hex, GError **error)
{
  g_autofree char *expected = rb_bytes_to_hex (&self->rows[piece * ROW], RB_SHA256_LENGTH);
  return strcmp (hex, expected) == 0
         || rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_HASH_MISMATCH,
                            "%s: piece %u is not the one that the signed table names", self->name, piece);
}

static gboolean
pread_all (int fd, guint8 *data, gsize length, guint64 offset)
{
  gsize done = 0;
  gssize got = 1;
  while (done < length && got != 0) {
    got = pread (fd, &data[done], length - done, (off_t) (offset + done));
    if (got < 0 && errno != EINTR)
      return FALSE;
    done += got > 0 ? (gsize) got : 0;
  }
  return TRUE; /* what is missing shows in the digest */
}

/* Read, not mapped: what has been hashed is what is looked into, and a file that is cut off raises no signal. */
static GBytes *
read_piece (const RbVinIndex *self, guint piece, GError **error)
{
  gsize length = length_of (self, piece);
  g_autofree guint8 *data = g_malloc0 (length + 1);
  int fd = open (self->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    vin_index_error (self, errno == ENOENT ? RB_REASON_MISSING : RB_REASON_IO, g_strerror (errno), error);
    return NULL;
  }
  gboolean good = pread_all (fd, data, length, self->offsets[piece])
                  || vin_index_error (self, RB_REASON_IO, g_strerror (errno), error);
  close (fd);
  g_autofree char *hex = rb_digest_sha256_hex (data, length);
  return good && check_digest (self, piece, hex, error) ? g_bytes_new_take (g_steal_pointer (&data), length) : NULL;
}

/* One entry; its digest comes after the one before it, and its number is the piece's. */
static gboolean
read_entry (RbReader *reader, guint piece, const guint8 **before, GBytes **contents)
{
  const guint8 *digest = rb_reader_take (reader, RB_SHA256_LENGTH);
  guint32 length = rb_reader_u32be (reader);
  const guint8 *data = length > RB_VIN_INDEX_MAX_ENTRY ? NULL : rb_reader_take (reader, length);
  if (digest == NULL || data == NULL || rb_vin_index_piece (digest) != piece
      || (*before != NULL && memcmp (*before, digest, RB_SHA256_LENGTH) >= 0))
    return FALSE;
  *before = digest;
  *contents = g_bytes_new (data, length);
  return TRUE;
}

gboolean
rb_vin_index_find (const RbVinIndex *self, const char *vin, GBytes **contents, GError **error)
{
  guint8 wanted[RB_SHA256_LENGTH];
  const guint8 *digest = NULL;
  *contents = NULL;
  rb_vin_index_digest (self->salt, vin, wanted);
  guint piece = rb_vin_index_piece (wanted);
  g_autoptr (GBytes) bytes = read_piece (self, piece, error);
  if (bytes == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (bytes);
  while (rb_reader_left (&reader) > 0) {
    g_autoptr (GBytes) entry = NULL;
    if (!read_entry (&reader, piece, &digest, &entry)) {
      g_clear_pointer (contents, g_bytes_unref);
      return vin_index_error (self, RB_REASON_MALFORMED, "the entries of a piece are not in order", error);
    }
    if (memcmp (digest, wanted, RB_SHA256_LENGTH) == 0)
      *contents = g_steal_pointer (&entry);
  }
  return TRUE;
}

struct _RbVinIndexCheck {
  const RbVinIndex *index; /* borrowed */
  guint piece;
  gsize done; /* bytes of it */
  RbSha256 *hash;
};

RbVinIndexCheck *
rb_vin_index_check_new (const RbVinIndex *index)
{
  RbVinIndexCheck *self = g_new0 (RbVinIndexCheck, 1);
  self->index = index;
  self->hash = rb_digest_sha256_new ();
  return self;
}

void
rb_vin_index_check_free (RbVinIndexCheck *self)
{
  if (self == NULL)
    return;
  rb_digest_sha256_free (self->hash);
  g_free (self);
}

/* Ends the present piece when all of it has come, and those after it that are empty. */
static gboolean
end_pieces (RbVinIndexCheck *self, GError **error)
{
  while (self->piece < RB_VIN_INDEX_PIECES && self->done == length_of (self->index, self->piece)) {
    g_autofree char *hex = rb_digest_sha256_finish (self->hash);
    rb_digest_sha256_free (self->hash);
    self->hash = rb_digest_sha256_new ();
    if (!check_digest (self->index, self->piece, hex, error))
      return FALSE;
    self->piece++;
    self->done = 0;
  }
  return TRUE;
}

gboolean
rb_vin_index_check_update (RbVinIndexCheck *self, gconstpointer data, gsize length, GError **error)
{
  const guint8 *next = data;
  while (length > 0) {
    if (!end_pieces (self, error))
      return FALSE;
    if (self->piece == RB_VIN_INDEX_PIECES)
      return vin_index_error (self->index, RB_REASON_LENGTH_MISMATCH, "longer than the signed table says", error);
    gsize part = MIN (length, length_of (self->index, self->piece) - self->done);
    rb_digest_sha256_update (self->hash, next, part);
    next += part;
    length -= part;
    self->done += part;
  }
  return end_pieces (self, error);
}

gboolean
rb_vin_index_check_finish (RbVinIndexCheck *self, GError **error)
{
  return end_pieces (self, error)
         && (self->piece == RB_VIN_INDEX_PIECES
             || vin_index_error (self->index, RB_REASON_LENGTH_MISMATCH, "shorter than the signed table says", error));
}
