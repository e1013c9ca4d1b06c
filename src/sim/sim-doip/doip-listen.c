/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-doip/doip-listen.h"

#include "frame/doip.h"

#include <string.h>

static GSocketAddress *
parse_where (const char *where, GError **error)
{
  g_autoptr (GSocketConnectable) parsed = g_network_address_parse (where, RB_DOIP_PORT, error);
  if (parsed == NULL)
    return NULL;
  GNetworkAddress *network = G_NETWORK_ADDRESS (parsed);
  const char *host = g_network_address_get_hostname (network);
  GSocketAddress *address = g_inet_socket_address_new_from_string (strcmp (host, "localhost") == 0 ? "127.0.0.1" : host,
                                                                   g_network_address_get_port (network));
  if (address == NULL)
    g_set_error (error, RB_SIM_ERROR, RB_REASON_USAGE, "“%s” is not HOST:PORT with a numeric host", where);
  return address;
}

GSocketAddress *
rb_doip_listen_at (GSocketListener *listener, const char *where, char **text, GError **error)
{
  g_autoptr (GSocketAddress) address = parse_where (where, error);
  g_autoptr (GSocketAddress) bound = NULL;
  if (address == NULL
      || !g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound,
                                         error))
    return NULL;
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (bound);
  g_autofree char *host = g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  guint port = g_inet_socket_address_get_port (inet);
  if (g_socket_address_get_family (bound) == G_SOCKET_FAMILY_IPV4) {
    *text = g_strdup_printf ("%s:%u", host, port);
    return g_steal_pointer (&bound);
  }
  guint scope = g_inet_socket_address_get_scope_id (inet);
  *text = scope == 0 ? g_strdup_printf ("[%s]:%u", host, port) : g_strdup_printf ("[%s%%%u]:%u", host, scope, port);
  return g_steal_pointer (&bound);
}
