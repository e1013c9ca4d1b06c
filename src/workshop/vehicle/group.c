/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/group.h"

#include <string.h>

#define EXTENDED 0x80000000u
#define FIXED 0x18db33f1u
#define MIXED 0x18cd33f1u
#define PHYSICAL_MIXED 0x18ceu

struct _RbGroup {
  GPtrArray *channels; /* of RbChannel */
};

static gboolean
is_mixed (const RbModelEcu *ecu)
{
  return (ecu->can_request & ~EXTENDED) >> 16 == PHYSICAL_MIXED && ecu->can_extension >= 0;
}

static RbAddress
can_address (const RbVehicleModel *model, const RbModelEcu *ecu)
{
  gboolean wide = (ecu->can_request & EXTENDED) != 0;
  return (RbAddress){ .request = !wide ? model->can_functional : EXTENDED | (is_mixed (ecu) ? MIXED : FIXED),
                      .extension = wide && is_mixed (ecu) ? ecu->can_extension : -1,
                      .response_extension = -1,
                      .padding = 0xcc };
}

static gboolean
is_concerned (const RbModelEcu *ecu, GPtrArray *buses)
{
  return ecu->can_request != 0 && g_ptr_array_find_with_equal_func (buses, ecu->bus, g_str_equal, NULL);
}

/* Each address once. (element-type RbAddress) */
static GArray *
can_addresses (const RbVehicleModel *model, GPtrArray *buses)
{
  GArray *addresses = g_array_new (FALSE, FALSE, sizeof (RbAddress));
  for (guint i = 0; i < model->ecus->len; i++) {
    const RbModelEcu *ecu = model->ecus->pdata[i];
    const RbAddress address = can_address (model, ecu);
    gboolean known = !is_concerned (ecu, buses);
    for (guint j = 0; j < addresses->len && !known; j++) {
      const RbAddress *other = &g_array_index (addresses, RbAddress, j);
      known = other->request == address.request && other->extension == address.extension;
    }
    if (!known)
      g_array_append_val (addresses, address);
  }
  return addresses;
}

static GArray *
doip_addresses (const RbVehicleModel *model)
{
  const RbAddress address
    = { .logical = model->functional, .extension = -1, .response_extension = -1, .padding = 0xcc };
  GArray *addresses = g_array_new (FALSE, FALSE, sizeof (RbAddress));
  g_array_append_val (addresses, address);
  return addresses;
}

RbGroup *
rb_group_new (RbLink *link, const RbVehicleModel *model, GPtrArray *buses, GError **error)
{
  gboolean doip = g_str_has_prefix (rb_link_info (link)->kind, "doip");
  g_autoptr (GArray) addresses = doip ? doip_addresses (model) : can_addresses (model, buses);
  g_autoptr (RbGroup) self = g_new0 (RbGroup, 1);
  self->channels = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_channel_unref);
  for (guint i = 0; i < addresses->len; i++) {
    RbChannel *channel = rb_channel_open (link, &g_array_index (addresses, RbAddress, i), error);
    if (channel == NULL) {
      g_prefix_error (error, "functional address: ");
      return NULL;
    }
    g_ptr_array_add (self->channels, channel);
  }
  return g_steal_pointer (&self);
}

void
rb_group_free (RbGroup *self)
{
  g_ptr_array_unref (self->channels);
  g_free (self);
}

gboolean
rb_group_send (RbGroup *self, const guint8 *request, gsize length, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) message = g_bytes_new (request, length);
  for (guint i = 0; i < self->channels->len; i++)
    if (!rb_channel_send (self->channels->pdata[i], message, cancellable, error)) {
      g_prefix_error (error, "functional request %02X: ", request[0]);
      return FALSE;
    }
  return TRUE;
}
