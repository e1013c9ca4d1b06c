/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/search.h"

#include "vehicle/ecu-client.h"

#define ANSWER_MS 400 /* P2 of slow gateways */
#define EXTENDED 0x80000000u
#define TESTER 0xf1u
#define BATCH 64 /* channels open at a time */

/* Addresses that one functional address reaches. */
typedef struct {
  gboolean doip;
  RbAddress everybody;
  guint n;
  gboolean each; /* asked one by one when no ECU responds */
  void (*address) (guint index, RbAddress *address);
} Group;

static void
logical_address (guint index, RbAddress *address)
{
  address->logical = (guint16) (0x1001 + index);
}

static void
standard_address (guint index, RbAddress *address)
{
  address->request = 0x7e0 + index;
  address->response = 0x7e8 + index;
}

static void
fixed_address (guint index, RbAddress *address)
{
  address->request = EXTENDED | 0x18da0000u | index << 8 | TESTER;
  address->response = EXTENDED | 0x18da0000u | TESTER << 8 | index;
}

#define NO_EXTENSION .extension = -1, .response_extension = -1, .padding = 0xcc

static const Group groups[] = {
  { TRUE, { .logical = 0xe400, NO_EXTENSION }, 16, TRUE, logical_address },
  { FALSE, { .request = 0x7df, NO_EXTENSION }, 8, TRUE, standard_address },
  { FALSE, { .request = EXTENDED | 0x18db33f1u, NO_EXTENSION }, 256, FALSE, fixed_address },
};

static RbAddress
address_of (const Group *group, guint index)
{
  RbAddress address = { NO_EXTENSION };
  group->address (index, &address);
  return address;
}

static char *
name_of (const RbAddress *address)
{
  return g_strdup_printf ("ECU %04x", address->logical != 0 ? address->logical : address->request & ~EXTENDED);
}

static RbModelEcu *
ecu_new (const RbAddress *address)
{
  RbModelEcu *ecu = g_new0 (RbModelEcu, 1);
  ecu->name = name_of (address);
  ecu->label = g_strdup (ecu->name);
  ecu->logical = address->logical;
  ecu->can_request = address->request;
  ecu->can_response = address->response;
  ecu->can_extension = ecu->can_response_extension = -1;
  return ecu;
}

static void
found_free (RbModelEcu *self)
{
  g_free (self->name);
  g_free (self->label);
  g_free (self);
}

static gboolean
is_useless (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || rb_reason_is_link_lost (rb_reason_of (error));
}

/* An address that cannot be listened to (it is in use, or the client's own) has no ECU. */
static gboolean
open_batch (RbLink *link, const Group *group, guint from, guint n, RbChannel **channels, GError **error)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) failure = NULL;
    const RbAddress address = address_of (group, from + i);
    channels[i]
      = address.request != 0 && address.request == address.response ? NULL : rb_channel_open (link, &address, &failure);
    if (failure != NULL && is_useless (failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
ask (RbChannel *channel, GCancellable *cancellable, GError **error)
{
  static const guint8 tester_present[] = { 0x3e, 0x00 };
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) request = g_bytes_new_static (tester_present, sizeof tester_present);
  /* a single frame that is not sent in time is a fault of the link, not of an ECU */
  if (rb_channel_send (channel, request, cancellable, &failure)
      || !(is_useless (failure) || rb_reason_of (failure) == RB_REASON_LINK_PROTOCOL))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
ask_everybody (RbLink *link, const RbAddress *everybody, GCancellable *cancellable, GError **error)
{
  g_autoptr (RbChannel) channel = rb_channel_open (link, everybody, error);
  return channel != NULL && ask (channel, cancellable, error);
}

static gboolean
ask_each (RbChannel **channels, guint n, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (channels[i] != NULL && !ask (channels[i], cancellable, error))
      return FALSE;
  return TRUE;
}

static gboolean
is_there (RbChannel *channel, gint64 end, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gint64 left = MAX (end - g_get_monotonic_time (), 0) / 1000;
  g_autoptr (GBytes) answer = channel == NULL ? NULL : rb_channel_receive (channel, left, cancellable, &failure);
  if (failure != NULL && is_useless (failure))
    g_propagate_error (error, g_steal_pointer (&failure));
  return answer != NULL;
}

static gboolean
collect (const Group *group, guint from, guint n, RbChannel **channels, GPtrArray *found, GCancellable *cancellable,
         GError **error)
{
  gint64 end = g_get_monotonic_time () + ANSWER_MS * 1000;
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) failure = NULL;
    const RbAddress address = address_of (group, from + i);
    if (is_there (channels[i], end, cancellable, &failure))
      g_ptr_array_add (found, ecu_new (&address));
    if (failure != NULL) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
search_batch (RbLink *link, const Group *group, guint from, gboolean each, GPtrArray *found, GCancellable *cancellable,
              GError **error)
{
  RbChannel *channels[BATCH] = { NULL };
  guint n = MIN (group->n - from, BATCH);
  gboolean good = open_batch (link, group, from, n, channels, error)
                  && (each ? ask_each (channels, n, cancellable, error)
                           : ask_everybody (link, &group->everybody, cancellable, error))
                  && collect (group, from, n, channels, found, cancellable, error);
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&channels[i], rb_channel_unref);
  return good;
}

static gboolean
search (RbLink *link, gboolean each, GPtrArray *found, GCancellable *cancellable, GError **error)
{
  gboolean doip = g_str_has_prefix (rb_link_info (link)->kind, "doip");
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++) {
    const Group *group = &groups[i];
    for (guint from = 0; group->doip == doip && (!each || group->each) && from < group->n; from += BATCH)
      if (!search_batch (link, group, from, each, found, cancellable, error))
        return FALSE;
  }
  return TRUE;
}

GPtrArray *
rb_search_ecus (RbLink *link, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) found_free);
  if (!search (link, FALSE, found, cancellable, error)
      || (found->len == 0 && !search (link, TRUE, found, cancellable, error)))
    return NULL;
  if (found->len > 0)
    return g_steal_pointer (&found);
  g_set_error_literal (error, RB_VEHICLE_ERROR, RB_REASON_NO_ANSWER, "no ECU answers on this link");
  return NULL;
}
