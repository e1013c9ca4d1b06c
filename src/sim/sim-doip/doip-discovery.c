/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-doip/doip-discovery.h"

#include <string.h>

/* A_DoIP_Announce of ISO 13400-2 */
#define ANNOUNCEMENTS 3
#define ANNOUNCE_WAIT_MS 500
#define ANNOUNCE_INTERVAL_MS 500

struct _RbDoipDiscovery {
  RbDoipAnnouncement announcement;
  RbDoipStatus status;
  gpointer data;
  GSocket *socket;
  GSource *source;
  GSocketAddress *broadcast; /* NULL: this kind of address has none */
  guint announced;
  guint timer; /* 0: no further announcement */
};

void
rb_doip_discovery_power (GByteArray *out)
{
  static const guint8 ready = 1;
  rb_doip_write (out, RB_DOIP_POWER_MODE_RESPONSE, &ready, 1);
}

static gboolean
asks_for_us (const RbDoipDiscovery *self, const RbDoipHeader *header, const guint8 *payload)
{
  switch (header->type) {
  case RB_DOIP_VEHICLE_ID_REQUEST_VIN: return memcmp (payload, self->announcement.vin, 17) == 0;
  case RB_DOIP_VEHICLE_ID_REQUEST_EID: return memcmp (payload, self->announcement.eid, 6) == 0;
  default: return TRUE;
  }
}

/* The length of a request of that type; -1: the type is not a UDP request. */
static int
length_of (guint16 type)
{
  switch (type) {
  case RB_DOIP_VEHICLE_ID_REQUEST_EID: return 6;
  case RB_DOIP_VEHICLE_ID_REQUEST_VIN: return 17;
  case RB_DOIP_VEHICLE_ID_REQUEST:
  case RB_DOIP_ENTITY_STATUS_REQUEST:
  case RB_DOIP_POWER_MODE_REQUEST: return 0;
  default: return -1;
  }
}

/* What other entities say is not for us, and never answered: two entities would talk for ever. */
static gboolean
is_of_an_entity (guint16 type)
{
  return type == RB_DOIP_HEADER_NACK || type == RB_DOIP_ANNOUNCEMENT || type == RB_DOIP_ENTITY_STATUS_RESPONSE
         || type == RB_DOIP_POWER_MODE_RESPONSE;
}

static void
append_header_nack (GByteArray *out, guint8 code)
{
  rb_doip_write (out, RB_DOIP_HEADER_NACK, &code, 1);
}

/* Leaves out empty without a response. */
static void
answer (RbDoipDiscovery *self, const guint8 *bytes, gsize length, GByteArray *out)
{
  RbDoipHeader header;
  RbDoipHeaderState state = rb_doip_header_parse (bytes, length, &header);
  if (state == RB_DOIP_HEADER_SHORT)
    return;
  if (state == RB_DOIP_HEADER_BAD) {
    append_header_nack (out, RB_DOIP_BAD_PATTERN);
    return;
  }
  if (is_of_an_entity (header.type))
    return;
  int expected = length_of (header.type);
  if (expected < 0)
    append_header_nack (out, RB_DOIP_UNKNOWN_TYPE);
  else if (header.length != (guint32) expected || length != RB_DOIP_HEADER + header.length)
    append_header_nack (out, RB_DOIP_BAD_LENGTH);
  else if (header.type == RB_DOIP_ENTITY_STATUS_REQUEST)
    self->status (self->data, out);
  else if (header.type == RB_DOIP_POWER_MODE_REQUEST)
    rb_doip_discovery_power (out);
  else if (asks_for_us (self, &header, &bytes[RB_DOIP_HEADER]))
    rb_doip_announcement_write (out, &self->announcement);
}

static gboolean
on_datagram (GSocket *socket, GIOCondition condition, gpointer data)
{
  RbDoipDiscovery *self = data;
  guint8 bytes[512];
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gssize got = g_socket_receive_from (socket, &from, (char *) bytes, sizeof bytes, NULL, NULL);
  if (got < 0)
    return G_SOURCE_CONTINUE;
  answer (self, bytes, (gsize) got, out);
  if (out->len > 0 && g_socket_send_to (socket, from, (const char *) out->data, out->len, NULL, NULL) < 0)
    g_debug ("an answer by UDP is lost");
  return G_SOURCE_CONTINUE;
}

static gboolean
announce (gpointer data)
{
  RbDoipDiscovery *self = data;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  rb_doip_announcement_write (out, &self->announcement);
  if (g_socket_send_to (self->socket, self->broadcast, (const char *) out->data, out->len, NULL, &error) < 0)
    g_debug ("announcement: %s", error->message);
  self->timer = ++self->announced < ANNOUNCEMENTS ? g_timeout_add (ANNOUNCE_INTERVAL_MS, announce, self) : 0;
  return G_SOURCE_REMOVE;
}

/* Receivers of an announcement made at that address: port 13400 of every node of the network, or only of this computer.
 * For IPv6 these are all nodes of the link of the address. */
static GSocketAddress *
every_node_near (GInetSocketAddress *address)
{
  GInetAddress *inet = g_inet_socket_address_get_address (address);
  if (g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6) {
    g_autoptr (GInetAddress) nodes = g_inet_address_new_from_string ("ff02::1");
    guint scope = g_inet_socket_address_get_scope_id (address);
    return scope == 0 ? NULL
                      : g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", nodes, "port", RB_DOIP_PORT, "scope-id",
                                      scope, NULL);
  }
  return g_inet_socket_address_new_from_string (
    g_inet_address_get_is_loopback (inet) ? "127.255.255.255" : "255.255.255.255", RB_DOIP_PORT);
}

RbDoipDiscovery *
rb_doip_discovery_new (const RbDoipAnnouncement *announcement, GInetSocketAddress *address, RbDoipStatus status,
                       gpointer data, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (G_SOCKET_ADDRESS (address)),
                                             G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  if (socket == NULL || !g_socket_bind (socket, G_SOCKET_ADDRESS (address), TRUE, error))
    return NULL;
  RbDoipDiscovery *self = g_new0 (RbDoipDiscovery, 1);
  self->announcement = *announcement;
  self->status = status;
  self->data = data;
  self->socket = g_steal_pointer (&socket);
  g_socket_set_broadcast (self->socket, TRUE);
  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_datagram), self, NULL);
  g_source_attach (self->source, NULL);
  self->broadcast = every_node_near (address);
  if (self->broadcast != NULL)
    self->timer = g_timeout_add ((guint) g_random_int_range (0, ANNOUNCE_WAIT_MS), announce, self);
  return self;
}

void
rb_doip_discovery_free (RbDoipDiscovery *self)
{
  if (self->timer != 0)
    g_source_remove (self->timer);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_object_unref (self->socket);
  g_clear_object (&self->broadcast);
  g_free (self);
}
