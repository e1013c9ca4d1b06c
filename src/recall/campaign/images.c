/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/images.h"

struct _RbImages {
  GMutex mutex;
  GHashTable *kept; /* sha256 → GBytes */
  gsize room;
};

RbImages *
rb_images_new (gsize max)
{
  RbImages *self = g_new0 (RbImages, 1);
  g_mutex_init (&self->mutex);
  self->kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  self->room = max;
  return self;
}

void
rb_images_free (RbImages *self)
{
  g_hash_table_unref (self->kept);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

GBytes *
rb_images_get (RbImages *self, const char *sha256)
{
  if (self == NULL)
    return NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GBytes *image = g_hash_table_lookup (self->kept, sha256);
  return image == NULL ? NULL : g_bytes_ref (image);
}

static gsize
room_of (RbImages *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return self->room;
}

GBytes *
rb_images_read (RbImages *self, GBytes *file)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (file, &length);
  return self != NULL && length <= room_of (self) ? g_bytes_new (data, length) : g_bytes_ref (file);
}

void
rb_images_keep (RbImages *self, const char *sha256, GBytes *image, GBytes *file)
{
  if (self == NULL || image == file)
    return;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  gsize length = g_bytes_get_size (image);
  if (length > self->room || g_hash_table_contains (self->kept, sha256))
    return;
  g_hash_table_insert (self->kept, g_strdup (sha256), g_bytes_ref (image));
  self->room -= length;
}
