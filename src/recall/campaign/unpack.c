/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/unpack.h"

#include "campaign/shape.h"
#include "core/files.h"
#include "crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE (16 * 1024 * 1024)
#define MAX_PACK_FILE (4 * 1024 * 1024)
#define SPACE_TO_LEAVE (32 * 1024 * 1024)
#define BUFFER_SIZE (256 * 1024)

/* Limits of a part that is unpacked before it is verified. Packs are verified one by one. */
static const struct {
  guint files;
  guint64 bytes;
} limits[] = { [RB_SHAPE_SERVICE] = { 4096, 64 * 1024 * 1024 }, [RB_SHAPE_METADATA] = { 4096, 64 * 1024 * 1024 } };

struct _RbUnpack {
  RbArchive *archive;
  RbArchiveEntry entry;
  RbShapePart part; /* of the entry */
  GHashTable *names; /* of every file so far */
  guint files; /* of this part */
  guint64 bytes; /* of this part */
  guint8 *buffer;
  RbUnpackProgress progress;
  gpointer progress_data;
};

RbUnpack *
rb_unpack_new (RbArchive *archive)
{
  RbUnpack *self = g_new0 (RbUnpack, 1);
  self->archive = archive;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->buffer = g_malloc (BUFFER_SIZE);
  return self;
}

void
rb_unpack_free (RbUnpack *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->names);
  g_free (self->buffer);
  g_free (self);
}

static gboolean
unpack_error (GError **error, RbReason reason, const char *name, const char *text)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "%s: %s", name, text);
}

/* Parts come in order: what verifies a file is there before it. */
static gboolean
check_part (RbUnpack *self, GError **error)
{
  RbShapePart before = self->part;
  if (!rb_shape_part (self->entry.path, &self->part))
    return unpack_error (error, RB_REASON_PATH, self->entry.path, "such a file does not belong into a bundle");
  if (self->part < before)
    return unpack_error (error, RB_REASON_MALFORMED, self->entry.path,
                         "it comes after files that it verifies; write the bundle in its order");
  if (self->part != before)
    self->files = self->bytes = 0;
  if (self->part == RB_SHAPE_IMAGES && rb_archive_is_compressed (self->archive))
    return unpack_error (error, RB_REASON_MALFORMED, self->entry.path, "a compressed bundle may not hold images");
  return TRUE;
}

/* TRUE with entry.path NULL at the end. */
static gboolean
next (RbUnpack *self, GError **error)
{
  if (!rb_archive_next (self->archive, &self->entry, error))
    return FALSE;
  if (self->entry.path == NULL)
    return TRUE;
  return check_part (self, error)
         && (g_hash_table_add (self->names, g_strdup (self->entry.path))
             || unpack_error (error, RB_REASON_MALFORMED, self->entry.path, "the file is in the bundle twice"));
}

/* Is there an entry, and does it belong to that part? */
static gboolean
is_at (const RbUnpack *self, RbShapePart part)
{
  return self->entry.path != NULL && self->part == part;
}

static gboolean
check_space (const char *folder, guint64 size, GError **error)
{
  guint64 left = 0;
  if (!rb_files_space_left (folder, &left, error))
    return FALSE;
  if (left >= SPACE_TO_LEAVE && left - SPACE_TO_LEAVE >= size)
    return TRUE;
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_NO_SPACE,
               "%" G_GUINT64_FORMAT " MiB are free where the bundle goes, %" G_GUINT64_FORMAT " MiB more are needed",
               left >> 20, ((size + SPACE_TO_LEAVE - MIN (left, size + SPACE_TO_LEAVE)) >> 20) + 1);
  return FALSE;
}

static gboolean
write_all (int fd, const guint8 *data, gsize length, GError **error)
{
  gsize done = 0;
  while (done < length) {
    gssize wrote = write (fd, &data[done], length - done);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return unpack_error (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, "writing", g_strerror (errno));
    done += (gsize) wrote;
  }
  return TRUE;
}

/* Rules for a file as it comes in; either may be NULL. */
typedef struct {
  RbSha256 *hash;
  RbVinIndexCheck *pieces;
} Expected;

static gboolean
take_bytes (RbUnpack *self, const Expected *expected, gsize length, GError **error)
{
  if (expected->hash != NULL)
    rb_digest_sha256_update (expected->hash, self->buffer, length);
  if (self->progress != NULL)
    self->progress (self, self->progress_data);
  return expected->pieces == NULL || rb_vin_index_check_update (expected->pieces, self->buffer, length, error);
}

/* The present entry to fd; -1: nowhere. */
static gboolean
copy_entry (RbUnpack *self, int fd, const Expected *expected, GError **error)
{
  guint64 total = 0;
  gssize got;
  while ((got = rb_archive_read (self->archive, self->buffer, BUFFER_SIZE, error)) > 0) {
    total += (guint64) got;
    if (total > self->entry.size)
      return unpack_error (error, RB_REASON_MALFORMED, self->entry.path, "longer than it says");
    if (!take_bytes (self, expected, (gsize) got, error)
        || (fd >= 0 && !write_all (fd, self->buffer, (gsize) got, error)))
      return FALSE;
  }
  if (got < 0)
    return FALSE;
  return total == self->entry.size
         || unpack_error (error, RB_REASON_BUNDLE_TRUNCATED, self->entry.path, "the file is cut off");
}

static gboolean
copy_entry_to (RbUnpack *self, const char *path, const Expected *expected, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return unpack_error (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, path, g_strerror (errno));
  gboolean ok = copy_entry (self, fd, expected, error);
  if (close (fd) != 0 && ok)
    ok = unpack_error (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, path, g_strerror (errno));
  return ok;
}

static gboolean
unpack_file (RbUnpack *self, const char *folder, const Expected *expected, GError **error)
{
  g_autofree char *path = g_build_filename (folder, self->entry.path, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  return check_space (folder, self->entry.size, error) && rb_files_make_folder (parent, error)
         && copy_entry_to (self, path, expected, error);
}

static gboolean
check_limits (RbUnpack *self, GError **error)
{
  self->files++;
  self->bytes += MIN (self->entry.size, G_MAXUINT32);
  if (self->entry.size <= MAX_FILE && self->files <= limits[self->part].files
      && self->bytes <= limits[self->part].bytes)
    return TRUE;
  return unpack_error (error, RB_REASON_TOO_LARGE, self->entry.path,
                       "files that are not verified yet have more bytes, or are more, than any bundle’s");
}

static gboolean
unpack_part (RbUnpack *self, RbShapePart part, const char *folder, GError **error)
{
  const Expected nothing = { NULL };
  while (is_at (self, part))
    if (!check_limits (self, error) || !unpack_file (self, folder, &nothing, error) || !next (self, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_unpack_service (RbUnpack *self, const char *folder, GError **error)
{
  guint64 images = rb_archive_is_compressed (self->archive) ? 0 : rb_archive_size (self->archive);
  if (!rb_files_make_folder (folder, error) || !check_space (folder, images, error) || !next (self, error))
    return FALSE;
  if (self->entry.path != NULL && self->part != RB_SHAPE_SERVICE)
    return unpack_error (error, RB_REASON_MALFORMED, self->entry.path,
                         "the bundle does not begin with service/, which verifies the rest");
  return unpack_part (self, RB_SHAPE_SERVICE, folder, error);
}

gboolean
rb_unpack_metadata (RbUnpack *self, const char *folder, GError **error)
{
  return unpack_part (self, RB_SHAPE_METADATA, folder, error);
}

static gboolean
unpack_pieces (RbUnpack *self, const char *table, const char *folder, const RbUnpackVins *vins, GError **error)
{
  const RbVinIndex *index = vins->index (table, vins->data);
  if (index == NULL)
    return unpack_error (error, RB_REASON_TARGET_MISSING, self->entry.path,
                         "no table of the Service repository in this bundle names it");
  if (self->entry.size != rb_vin_index_size (index))
    return unpack_error (error, RB_REASON_LENGTH_MISMATCH, self->entry.path, "not as long as the signed table says");
  g_autoptr (RbVinIndexCheck) check = rb_vin_index_check_new (index);
  const Expected expected = { .pieces = check };
  return unpack_file (self, folder, &expected, error) && rb_vin_index_check_finish (check, error) && next (self, error);
}

/* The files of one VIN, which lie together. */
static gboolean
unpack_pack (RbUnpack *self, const char *vin, const char *folder, const RbUnpackVins *vins, GError **error)
{
  const Expected nothing = { NULL };
  g_autofree char *place = g_build_filename (folder, "vins", vin, NULL);
  g_autofree char *present = g_strdup (vin);
  if (rb_files_exists (place))
    return unpack_error (error, RB_REASON_MALFORMED, self->entry.path, "the files of a VIN pack do not lie together");
  while (g_strcmp0 (present, vin) == 0) {
    if (self->entry.size > MAX_PACK_FILE)
      return unpack_error (error, RB_REASON_TOO_LARGE, self->entry.path, "larger than anything of its kind");
    if (!unpack_file (self, folder, &nothing, error) || !next (self, error))
      return FALSE;
    g_free (present);
    present = self->entry.path == NULL ? NULL : rb_shape_vin (self->entry.path);
  }
  return vins->pack (vin, vins->data, error);
}

gboolean
rb_unpack_vins (RbUnpack *self, const char *folder, const RbUnpackVins *vins, GError **error)
{
  gboolean good = TRUE;
  while (good && (is_at (self, RB_SHAPE_SCOPES) || is_at (self, RB_SHAPE_VINS))) {
    g_autofree char *table = rb_shape_table (self->entry.path);
    g_autofree char *vin = rb_shape_vin (self->entry.path);
    good
      = table != NULL ? unpack_pieces (self, table, folder, vins, error) : unpack_pack (self, vin, folder, vins, error);
  }
  return good;
}

void
rb_unpack_set_progress (RbUnpack *self, RbUnpackProgress progress, gpointer data)
{
  self->progress = progress;
  self->progress_data = data;
}

static gboolean
take_image (RbUnpack *self, const char *wanted, const char *folder, GError **error)
{
  g_autoptr (RbSha256) hash = rb_digest_sha256_new ();
  const Expected expected = { .hash = hash };
  g_autofree char *path = folder == NULL ? NULL : g_build_filename (folder, wanted, NULL);
  gboolean write_it = path != NULL && !rb_files_exists (path);
  if (write_it && !check_space (folder, self->entry.size, error))
    return FALSE;
  if (!(write_it ? copy_entry_to (self, path, &expected, error) : copy_entry (self, -1, &expected, error)))
    return FALSE;
  g_autofree char *digest = rb_digest_sha256_finish (hash);
  return strcmp (digest, wanted) == 0
         || unpack_error (error, RB_REASON_HASH_MISMATCH, self->entry.path,
                          "the image is not the one that signed metadata names");
}

/* By its path, or by HASH.NAME of consistent snapshots. */
static const char *
wanted_digest (GHashTable *wanted, const char *path)
{
  g_autofree char *hash = NULL;
  g_autofree char *plain = rb_shape_image (path, &hash);
  const char *digest = g_hash_table_lookup (wanted, &path[strlen ("image/targets/")]);
  if (digest != NULL || hash == NULL)
    return digest;
  digest = g_hash_table_lookup (wanted, plain);
  return digest == NULL || strlen (hash) != strlen (digest) || strcmp (hash, digest) == 0 ? digest : NULL;
}

gboolean
rb_unpack_images (RbUnpack *self, GHashTable *wanted, const char *folder, GHashTable *seen, GError **error)
{
  while (self->entry.path != NULL) {
    const char *digest = wanted_digest (wanted, self->entry.path);
    if (digest == NULL)
      return unpack_error (error, RB_REASON_TARGET_MISSING, self->entry.path, "no signed metadata names this image");
    if (!take_image (self, digest, folder, error))
      return FALSE;
    g_hash_table_add (seen, g_strdup (digest));
    if (!next (self, error))
      return FALSE;
  }
  return TRUE;
}
