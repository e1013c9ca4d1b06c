/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/unpack.h"

#include "core/files.h"
#include "crypto/digest.h"
#include "model/campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_METADATA_FILE (16 * 1024 * 1024)
#define MAX_METADATA (1024 * 1024 * 1024)
#define SPACE_TO_LEAVE (32 * 1024 * 1024)
#define BUFFER_SIZE (256 * 1024)

struct _RbUnpack {
  RbArchive *archive;
  RbArchiveEntry entry;
  GHashTable *names; /* of every file so far */
  guint64 metadata;  /* bytes so far */
  guint8 *buffer;
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
refuse (GError **error, RbReason reason, const char *name, const char *text)
{
  g_set_error (error, RB_CAMPAIGN_ERROR, (int) reason, "%s: %s", name, text);
  return FALSE;
}

static gboolean
is_image (const char *path)
{
  return g_str_has_prefix (path, "image/targets/");
}

static gboolean
is_root_name (const char *name)
{
  gsize digits = strspn (name, "0123456789");
  return digits >= 1 && digits <= 10 && strcmp (&name[digits], ".root.json") == 0;
}

static gboolean
is_pack_file (char **parts, guint n)
{
  if (n < 3 || !rb_campaign_vin_is_valid (parts[1]))
    return FALSE;
  if (n == 3)
    return strcmp (parts[2], "she.json") == 0;
  return n == 4 && strcmp (parts[2], "director") == 0
         && (strcmp (parts[3], "timestamp.json") == 0 || strcmp (parts[3], "snapshot.json") == 0
             || strcmp (parts[3], "targets.json") == 0);
}

static gboolean
belongs (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  guint n = g_strv_length (parts);
  if (strcmp (parts[0], "vins") == 0)
    return is_pack_file (parts, n);
  if (is_image (path))
    return TRUE;
  if (!g_str_has_suffix (path, ".json"))
    return FALSE;
  if (g_str_has_prefix (path, "service/targets/"))
    return n == 4;
  if (g_str_has_prefix (path, "director/metadata/"))
    return n == 3 && is_root_name (parts[2]);
  return n == 3 && (g_str_has_prefix (path, "service/metadata/") || g_str_has_prefix (path, "image/metadata/"));
}

/* TRUE with entry.path NULL at the end. */
static gboolean
next (RbUnpack *self, GError **error)
{
  if (!rb_archive_next (self->archive, &self->entry, error))
    return FALSE;
  const char *path = self->entry.path;
  if (path == NULL)
    return TRUE;
  if (!belongs (path))
    return refuse (error, RB_REASON_PATH, path, "such a file does not belong into a bundle");
  if (!g_hash_table_add (self->names, g_strdup (path)))
    return refuse (error, RB_REASON_MALFORMED, path, "the file is in the bundle twice");
  if (is_image (path) && rb_archive_is_compressed (self->archive))
    return refuse (error, RB_REASON_MALFORMED, path, "a compressed bundle may not hold images");
  return TRUE;
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
      return refuse (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, "writing", g_strerror (errno));
    done += (gsize) wrote;
  }
  return TRUE;
}

/* The present entry to fd (-1: nowhere) and into hash (NULL: not hashed). */
static gboolean
copy_entry (RbUnpack *self, int fd, RbSha256 *hash, RbUnpackProgress progress, gpointer data, GError **error)
{
  guint64 total = 0;
  gssize got;
  while ((got = rb_archive_read (self->archive, self->buffer, BUFFER_SIZE, error)) > 0) {
    total += (guint64) got;
    if (total > self->entry.size)
      return refuse (error, RB_REASON_MALFORMED, self->entry.path, "longer than it says");
    if (hash != NULL)
      rb_digest_sha256_update (hash, self->buffer, (gsize) got);
    if (fd >= 0 && !write_all (fd, self->buffer, (gsize) got, error))
      return FALSE;
    if (progress != NULL)
      progress (self, data);
  }
  if (got < 0)
    return FALSE;
  return total == self->entry.size || refuse (error, RB_REASON_BUNDLE_TRUNCATED, self->entry.path, "the file is cut off");
}

static gboolean
copy_entry_to (RbUnpack *self, const char *path, RbSha256 *hash, RbUnpackProgress progress, gpointer data, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return refuse (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, path, g_strerror (errno));
  gboolean ok = copy_entry (self, fd, hash, progress, data, error);
  if (close (fd) != 0 && ok)
    ok = refuse (error, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, path, g_strerror (errno));
  return ok;
}

static gboolean
unpack_one (RbUnpack *self, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, self->entry.path, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  self->metadata += self->entry.size;
  if (self->entry.size > MAX_METADATA_FILE || self->metadata > MAX_METADATA)
    return refuse (error, RB_REASON_TOO_LARGE, self->entry.path, "larger than anything of its kind");
  return check_space (folder, self->entry.size, error) && rb_files_make_folder (parent, error)
         && copy_entry_to (self, path, NULL, NULL, NULL, error);
}

gboolean
rb_unpack_metadata (RbUnpack *self, const char *folder, GError **error)
{
  guint64 images = rb_archive_is_compressed (self->archive) ? 0 : rb_archive_size (self->archive);
  if (!rb_files_make_folder (folder, error) || !check_space (folder, images, error))
    return FALSE;
  while (next (self, error)) {
    if (self->entry.path == NULL || is_image (self->entry.path))
      return TRUE;
    if (!unpack_one (self, folder, error))
      return FALSE;
  }
  return FALSE;
}

static gboolean
take_image (RbUnpack *self, const char *wanted, const char *folder, RbUnpackProgress progress, gpointer data, GError **error)
{
  g_autoptr (RbSha256) hash = rb_digest_sha256_new ();
  g_autofree char *path = folder == NULL ? NULL : g_build_filename (folder, wanted, NULL);
  gboolean write_it = path != NULL && !rb_files_exists (path);
  if (write_it && !check_space (folder, self->entry.size, error))
    return FALSE;
  gboolean copied = write_it ? copy_entry_to (self, path, hash, progress, data, error)
                             : copy_entry (self, -1, hash, progress, data, error);
  if (!copied)
    return FALSE;
  g_autofree char *digest = rb_digest_sha256_finish (hash);
  return strcmp (digest, wanted) == 0
         || refuse (error, RB_REASON_HASH_MISMATCH, self->entry.path, "the image is not the one that signed metadata names");
}

gboolean
rb_unpack_images (RbUnpack *self, GHashTable *wanted, const char *folder, GHashTable *seen, RbUnpackProgress progress,
                  gpointer data, GError **error)
{
  while (self->entry.path != NULL) {
    const char *path = self->entry.path;
    if (!is_image (path))
      return refuse (error, RB_REASON_MALFORMED, path, "metadata after images");
    const char *digest = g_hash_table_lookup (wanted, &path[strlen ("image/targets/")]);
    if (digest == NULL)
      return refuse (error, RB_REASON_TARGET_MISSING, path, "no signed metadata names this image");
    if (!take_image (self, digest, folder, progress, data, error))
      return FALSE;
    g_hash_table_add (seen, g_strdup (digest));
    if (!next (self, error))
      return FALSE;
  }
  return TRUE;
}
