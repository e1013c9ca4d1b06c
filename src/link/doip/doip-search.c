/* SPDX-License-Identifier: Apache-2.0 */
#include "doip/doip-search.h"

#include "core/bytes.h"
#include "link/backend.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_FOUND 64
#define MAX_DATAGRAM 512

/* ISO 13400-2 has no broadcast of IPv6 but all nodes of a link; every node with the protocol is one of them. */
#define ALL_NODES "ff02::1"

/*
 * Requests go out of a socket of their own. Unsolicited announcements go to port 13400 of every node, which
 * another program may hold already; then only who answers is found.
 */
enum { ASKING, LISTENING, ASKING_6, LISTENING_6, N_SOCKETS };

typedef struct {
  GSocket *sockets[N_SOCKETS]; /* all but the first may be NULL */
  GPtrArray *list; /* of RbLinkEntry */
  GCancellable *cancellable;
} Search;

static void
search_clear (Search *self)
{
  for (guint i = 0; i < N_SOCKETS; i++)
    g_clear_object (&self->sockets[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static GSocket *
open_socket (GSocketFamily family, GError **error)
{
  GSocket *socket = g_socket_new (family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  if (socket == NULL)
    return NULL;
  if (family == G_SOCKET_FAMILY_IPV6)
    g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, NULL);
  else
    g_socket_set_broadcast (socket, TRUE);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

static GSocket *
open_listening (const char *any)
{
  g_autoptr (GSocketAddress) anybody = g_inet_socket_address_new_from_string (any, RB_DOIP_PORT);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = open_socket (g_socket_address_get_family (anybody), &error);
  if (socket != NULL && g_socket_bind (socket, anybody, TRUE, &error))
    return g_steal_pointer (&socket);
  g_debug ("announcements are not heard: %s", error->message);
  return NULL;
}

static void
ask (const Search *self, GSocketAddress *to, RbDoipType type, guint8 version)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();
  rb_doip_write (request, type, NULL, 0);
  rb_doip_set_version (request, version);
  GSocket *socket = self->sockets[g_socket_address_get_family (to) == G_SOCKET_FAMILY_IPV6 ? ASKING_6 : ASKING];
  /* a network that cannot be asked counts as empty; that is no error */
  if (socket != NULL)
    (void) g_socket_send_to (socket, to, (const char *) request->data, request->len, self->cancellable, NULL);
}

static void
ask_who (const Search *self, GSocketAddress *to)
{
  /* any edition is how a tester asks (ISO 13400-2:2019); entities of the first one may know only their own */
  ask (self, to, RB_DOIP_VEHICLE_ID_REQUEST, RB_DOIP_ANY_VERSION);
  ask (self, to, RB_DOIP_VEHICLE_ID_REQUEST, RB_DOIP_VERSION);
}

static void
ask_at (const Search *self, const char *where)
{
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new_from_string (where, RB_DOIP_PORT);
  ask_who (self, to);
}

/* Each link-local address of this computer names one link. */
static void
ask_link (const Search *self, const struct ifaddrs *interface)
{
  const guint wanted = IFF_UP | IFF_MULTICAST;
  if (interface->ifa_addr == NULL || interface->ifa_addr->sa_family != AF_INET6
      || (interface->ifa_flags & wanted) != wanted)
    return;
  g_autoptr (GSocketAddress) own = g_socket_address_new_from_native (interface->ifa_addr, sizeof (struct sockaddr_in6));
  GInetSocketAddress *inet = own == NULL ? NULL : G_INET_SOCKET_ADDRESS (own);
  if (inet == NULL || !g_inet_address_get_is_link_local (g_inet_socket_address_get_address (inet)))
    return;
  g_autoptr (GInetAddress) nodes = g_inet_address_new_from_string (ALL_NODES);
  g_autoptr (GSocketAddress) to = g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", nodes, "port", RB_DOIP_PORT,
                                                "scope-id", g_inet_socket_address_get_scope_id (inet), NULL);
  ask_who (self, to);
}

static void
ask_interface (const Search *self, const struct ifaddrs *interface)
{
  const guint wanted = IFF_UP | IFF_BROADCAST;
  if (interface->ifa_broadaddr == NULL || interface->ifa_broadaddr->sa_family != AF_INET
      || (interface->ifa_flags & wanted) != wanted)
    return;
  g_autoptr (GSocketAddress) native
    = g_socket_address_new_from_native (interface->ifa_broadaddr, sizeof (struct sockaddr_in));
  if (native == NULL)
    return;
  g_autofree char *text = g_inet_address_to_string (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (native)));
  ask_at (self, text);
}

/* Each network by its own address: the general one goes out of one interface only, and the vehicle's has no route. */
static void
ask_all_entities (const Search *self)
{
  struct ifaddrs *interfaces = NULL;
  ask_at (self, "255.255.255.255");
  ask_at (self, "127.0.0.1");
  ask_at (self, "::1");
  if (getifaddrs (&interfaces) != 0)
    return;
  for (const struct ifaddrs *one = interfaces; one != NULL; one = one->ifa_next)
    if (one->ifa_addr != NULL) {
      ask_interface (self, one);
      ask_link (self, one);
    }
  freeifaddrs (interfaces);
}

/* An entity takes connections on port 13400, wherever it sends from; only on this computer there can be several, with
 * ports of their own. */
static char *
uri_of (GSocketAddress *from)
{
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (from);
  GInetAddress *address = g_inet_socket_address_get_address (inet);
  guint port = g_inet_address_get_is_loopback (address) ? g_inet_socket_address_get_port (inet) : RB_DOIP_PORT;
  g_autofree char *host = g_inet_address_to_string (address);
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    return g_strdup_printf ("doip://%s:%u", host, port);
  guint scope = g_inet_socket_address_get_scope_id (inet);
  return scope == 0 ? g_strdup_printf ("doip://[%s]:%u", host, port)
                    : g_strdup_printf ("doip://[%s%%%u]:%u", host, scope, port);
}

static RbLinkEntry *
entry_at (const Search *self, const char *uri)
{
  for (guint i = 0; i < self->list->len; i++) {
    RbLinkEntry *entry = self->list->pdata[i];
    if (strcmp (entry->uri, uri) == 0)
      return entry;
  }
  return NULL;
}

static gboolean
is_new_protocol (const char *uri)
{
  return strchr (uri, '[') != NULL;
}

/* The same entity, found by the other version of IP. */
static RbLinkEntry *
twin_of (const Search *self, const char *uri, const char *serial)
{
  for (guint i = 0; i < self->list->len; i++) {
    RbLinkEntry *entry = self->list->pdata[i];
    if (g_strcmp0 (entry->serial, serial) == 0 && g_str_has_prefix (entry->uri, "doip://")
        && is_new_protocol (entry->uri) != is_new_protocol (uri))
      return entry;
  }
  return NULL;
}

static gboolean
is_printable (const char *text)
{
  for (gsize i = 0; text[i] != '\0'; i++)
    if (!g_ascii_isalnum (text[i]))
      return FALSE;
  return TRUE;
}

static void
found (Search *self, GSocketAddress *from, const char *uri, const RbDoipAnnouncement *announcement, guint8 version)
{
  g_autofree char *serial = rb_bytes_to_hex (announcement->eid, 6);
  RbLinkEntry *twin = twin_of (self, uri, serial);
  if (twin != NULL && !is_new_protocol (uri)) { /* an IPv4 address is easier to read and to type */
    g_free (twin->uri);
    twin->uri = g_strdup (uri);
  }
  if (twin != NULL || entry_at (self, uri) != NULL || self->list->len >= MAX_FOUND)
    return;
  RbLinkEntry *entry = g_new0 (RbLinkEntry, 1);
  entry->uri = g_strdup (uri);
  entry->kind = g_strdup ("doip");
  entry->name = g_strdup_printf ("DoIP entity %04x", announcement->logical);
  entry->serial = g_steal_pointer (&serial);
  entry->state = g_strdup ("ready");
  entry->vin = g_strdup (is_printable (announcement->vin) ? announcement->vin : "");
  g_ptr_array_add (self->list, entry);
  ask (self, from, RB_DOIP_POWER_MODE_REQUEST, version);
  ask (self, from, RB_DOIP_ENTITY_STATUS_REQUEST, version);
}

static void
set_state (RbLinkEntry *entry, const char *state)
{
  if (entry == NULL || strcmp (entry->state, "ready") != 0)
    return;
  g_free (entry->state);
  entry->state = g_strdup (state);
}

static void
take (Search *self, GSocketAddress *from, const RbDoipHeader *header, const guint8 *payload)
{
  const guint16 type = header->type;
  const gsize length = header->length;
  g_autofree char *uri = uri_of (from);
  RbDoipAnnouncement announcement;
  RbDoipStatusInfo status;
  RbDoipPower power;
  if (type == RB_DOIP_ANNOUNCEMENT && rb_doip_announcement_parse (payload, length, &announcement))
    found (self, from, uri, &announcement, header->version);
  else if (type == RB_DOIP_POWER_MODE_RESPONSE && rb_doip_power_parse (payload, length, &power)
           && power == RB_DOIP_POWER_NOT_READY)
    set_state (entry_at (self, uri), "not-ready");
  else if (type == RB_DOIP_ENTITY_STATUS_RESPONSE && rb_doip_status_parse (payload, length, &status)
           && status.open_sockets >= status.max_sockets)
    set_state (entry_at (self, uri), "in-use");
}

/* One message from a datagram: its payload and type. NULL: the datagram is not a DoIP message. */
static const guint8 *
open_datagram (const guint8 *data, gssize length, RbDoipHeader *header)
{
  if (length < RB_DOIP_HEADER || rb_doip_header_parse (data, (gsize) length, header) != RB_DOIP_HEADER_GOOD
      || header->length != (gsize) length - RB_DOIP_HEADER)
    return NULL;
  return &data[RB_DOIP_HEADER];
}

static void
receive (Search *self, GSocket *socket)
{
  g_autoptr (GSocketAddress) from = NULL;
  guint8 data[MAX_DATAGRAM];
  RbDoipHeader header;
  gssize length = g_socket_receive_from (socket, &from, (char *) data, sizeof data, NULL, NULL);
  const guint8 *payload = open_datagram (data, length, &header);
  if (payload != NULL)
    take (self, from, &header, payload);
}

/* FALSE: cancelled, or the time is over. */
static gboolean
wait_for_one (Search *self, gint64 end)
{
  GPollFD fds[N_SOCKETS + 1];
  guint n = 0;
  for (; n < N_SOCKETS; n++)
    fds[n] = (GPollFD){ self->sockets[n] == NULL ? -1 : g_socket_get_fd (self->sockets[n]), G_IO_IN, 0 };
  gboolean watched = g_cancellable_make_pollfd (self->cancellable, &fds[n]);
  gint64 left = (end - g_get_monotonic_time () + 999) / 1000;
  int ready = left <= 0 ? 0 : g_poll (fds, watched ? n + 1 : n, (int) left);
  if (watched)
    g_cancellable_release_fd (self->cancellable);
  if (ready <= 0 || g_cancellable_is_cancelled (self->cancellable))
    return FALSE;
  for (guint i = 0; i < N_SOCKETS; i++)
    if (fds[i].revents != 0)
      receive (self, self->sockets[i]);
  return TRUE;
}

gboolean
rb_doip_search_discover (GPtrArray *list, gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  g_auto (Search) self
    = { .sockets[ASKING] = open_socket (G_SOCKET_FAMILY_IPV4, error), .list = list, .cancellable = cancellable };
  if (self.sockets[ASKING] == NULL)
    return FALSE;
  gint64 end = g_get_monotonic_time () + timeout_ms * 1000;
  self.sockets[LISTENING] = open_listening ("0.0.0.0");
  self.sockets[ASKING_6] = open_socket (G_SOCKET_FAMILY_IPV6, NULL);
  self.sockets[LISTENING_6] = open_listening ("::");
  ask_all_entities (&self);
  while (wait_for_one (&self, end))
    ;
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

gboolean
rb_doip_search_status (GSocketAddress *address, guint8 version, RbDoipStatusInfo *status, gint64 timeout_ms,
                       GCancellable *cancellable)
{
  g_autoptr (GSocket) socket
    = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GByteArray) request = g_byte_array_new ();
  guint8 data[MAX_DATAGRAM];
  RbDoipHeader header;
  rb_doip_write (request, RB_DOIP_ENTITY_STATUS_REQUEST, NULL, 0);
  rb_doip_set_version (request, version);
  if (socket == NULL || !g_socket_connect (socket, address, cancellable, NULL)
      || g_socket_send (socket, (const char *) request->data, request->len, cancellable, NULL) < 0
      || !g_socket_condition_timed_wait (socket, G_IO_IN, timeout_ms * 1000, cancellable, NULL))
    return FALSE;
  gssize length = g_socket_receive (socket, (char *) data, sizeof data, cancellable, NULL);
  const guint8 *payload = open_datagram (data, length, &header);
  return payload != NULL && header.type == RB_DOIP_ENTITY_STATUS_RESPONSE
         && rb_doip_status_parse (payload, header.length, status);
}
