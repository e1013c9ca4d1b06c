/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/carried-root.h"

#include "core/json.h"
#include "crypto/digest.h"
#include "sim-ecu/host.h"

#include <string.h>

static gint64
root_address (const RbEcu *self)
{
  return rb_json_integer_or (self->model->simulation, "root_address", 0);
}

gboolean
rb_carried_root_is (const RbEcu *self)
{
  return root_address (self) > 0;
}

/* The root file in flash; NULL with error: the image has none. (transfer full) */
static GBytes *
read_root (RbEcu *self, GError **error)
{
  for (guint i = 0; i < self->memory->segments->len; i++) {
    const RbSegment *segment = &g_array_index (self->memory->segments, RbSegment, i);
    if (segment->address == root_address (self))
      return rb_memory_read (self->memory, segment->address, segment->length, error);
  }
  g_set_error (error, RB_SIM_ERROR, RB_REASON_MISSING, "%s: the image carries no root", self->memory->serial);
  return NULL;
}

gboolean
rb_carried_root_take (RbEcu *self, GError **error)
{
  g_autoptr (GBytes) root = read_root (self, error);
  g_autoptr (RbStore) store = root == NULL ? NULL : rb_memory_store (self->memory, "director", error);
  if (store == NULL)
    return FALSE;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (root);
  if (rb_host_fault (self->vehicle, "keep-root", self, 0) != NULL
      || g_strcmp0 (rb_store_root_sha256 (store), sha256) == 0)
    return TRUE;
  if (!rb_store_reanchor (store, root, error))
    return FALSE;
  rb_memory_keep (self->memory, "director", store);
  rb_host_log (self->vehicle, "root", self, NULL);
  return TRUE;
}

gboolean
rb_carried_root_name_image (RbEcu *self, GError **error)
{
  RbMemory *memory = self->memory;
  g_autofree char *sha256 = rb_memory_image_sha256 (memory);
  if (!rb_carried_root_is (self) || sha256 == NULL || g_strcmp0 (sha256, memory->assigned_sha256) != 0)
    return TRUE;
  rb_memory_name_image (memory);
  return rb_memory_save (memory, error);
}
