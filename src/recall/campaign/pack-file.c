/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/pack-file.h"

#include "campaign/shape.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "model/member.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "recallbay-vin-pack-1"
#define MAX_HEAD (64 * 1024)
#define MAX_FILE (16 * 1024 * 1024)
#define MAX_FILES 8

GBytes *
rb_pack_file_new (const char *campaign, const char *campaign_sha256, const char *vin)
{
  g_autoptr (json_t) head = json_pack ("{s:s,s:s,s:s,s:s}", "format", FORMAT, "campaign", campaign, "campaign_sha256",
                                       campaign_sha256, "vin", vin);
  g_autofree char *text = rb_json_to_pretty (head);
  return g_bytes_new (text, strlen (text));
}

gboolean
rb_pack_file_is (const char *path)
{
  RbArchiveEntry entry = { NULL };
  g_autoptr (RbArchive) archive = rb_archive_open (path, NULL);
  return archive != NULL && rb_archive_next (archive, &entry, NULL) && g_strcmp0 (entry.path, RB_PACK_FILE) == 0;
}

gboolean
rb_pack_file_was (const char *vin_folder)
{
  g_autofree char *path = g_build_filename (vin_folder, RB_PACK_FILE, NULL);
  return rb_files_exists (path);
}

static json_t *
read_head (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, RB_PACK_FILE, NULL);
  g_autoptr (json_t) head = rb_json_load (path, MAX_HEAD, error);
  if (head == NULL || !rb_member_format (head, FORMAT, RB_PACK_FILE, error)
      || !rb_json_only (head, RB_PACK_FILE, error, "format", "campaign", "campaign_sha256", "vin", NULL)
      || rb_json_string (head, "campaign", RB_PACK_FILE, error) == NULL
      || rb_json_sha256 (head, "campaign_sha256", RB_PACK_FILE, error) == NULL
      || rb_json_string (head, "vin", RB_PACK_FILE, error) == NULL)
    return NULL;
  return g_steal_pointer (&head);
}

static GBytes *
read_entry (RbArchive *archive, const RbArchiveEntry *entry, GError **error)
{
  if (entry->size > MAX_FILE) {
    rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_TOO_LARGE, "%s: larger than anything of its kind", entry->path);
    return NULL;
  }
  g_autofree guint8 *data = g_malloc (entry->size + 1);
  gsize done = 0;
  gssize got;
  while ((got = rb_archive_read (archive, &data[done], entry->size + 1 - done, error)) > 0
         && done + (gsize) got <= entry->size)
    done += (gsize) got;
  if (got == 0 && done == entry->size)
    return g_bytes_new_take (g_steal_pointer (&data), done);
  if (got >= 0)
    rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_MALFORMED, "%s: not as long as it says", entry->path);
  return NULL;
}

/* The pack of that vehicle, and nothing else: files of a bundle are not passed over. */
static gboolean
belongs (const char *path, const char *vin, GError **error)
{
  RbShapePart part;
  g_autofree char *whose = rb_shape_vin (path);
  return (rb_shape_part (path, &part) && g_strcmp0 (whose, vin) == 0)
         || rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_PATH,
                            "%s: such a file does not belong into the VIN pack of “%s”", path, vin);
}

/* Into folder, which has the shape of a bundle then. (transfer full) what pack.json says */
json_t *
rb_pack_file_unpack (const char *path, const char *folder, GError **error)
{
  g_autoptr (RbArchive) archive = rb_archive_open (path, error);
  g_autoptr (json_t) head = NULL;
  RbArchiveEntry entry = { NULL };
  for (guint i = 0; archive != NULL && rb_archive_next (archive, &entry, error); i++) {
    if (entry.path == NULL)
      return g_steal_pointer (&head);
    g_autofree char *file = g_build_filename (folder, entry.path, NULL);
    g_autofree char *parent = g_path_get_dirname (file);
    if (i == MAX_FILES) {
      rb_member_refuse (error, RB_PACK_FILE, "more than %d files", MAX_FILES);
      return NULL;
    }
    if (head != NULL && !belongs (entry.path, rb_json_string_or (head, "vin", ""), error))
      return NULL;
    g_autoptr (GBytes) bytes = read_entry (archive, &entry, error);
    if (bytes == NULL || !rb_files_make_folder (parent, error) || !rb_files_write_private (file, bytes, error)
        || (head == NULL && (head = read_head (folder, error)) == NULL))
      return NULL;
  }
  return NULL;
}
