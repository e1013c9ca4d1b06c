/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link-name.h"

#include "frame/doip.h"

#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

static void
add_interface (GStrvBuilder *names, const char *rest, guint16 port, GCancellable *cancellable)
{
  unsigned int index = if_nametoindex (rest);
  g_autofree char *name = index > 0 ? g_strdup_printf ("can/if%u", index) : g_strconcat ("can/", rest, NULL);
  g_strv_builder_add (names, name);
}

/* usb:[SERIAL][/CHANNEL][?BITRATE]: a process has the adapter with all its channels. */
static void
add_adapter (GStrvBuilder *names, const char *rest, guint16 port, GCancellable *cancellable)
{
  gsize length = strcspn (rest, "/?");
  g_autofree char *name = g_strdup_printf ("usb/%.*s", (int) length, rest);
  if (length > 0)
    g_strv_builder_add (names, name);
}

static void
add_socket (GStrvBuilder *names, const char *rest, guint16 port, GCancellable *cancellable)
{
  struct stat status;
  g_autofree char *name = stat (rest, &status) == 0
                            ? g_strdup_printf ("bus/%lx:%lu", (gulong) status.st_dev, (gulong) status.st_ino)
                            : g_strconcat ("bus/", rest, NULL);
  g_strv_builder_add (names, name);
}

#define MAX_ADDRESSES 16 /* of one host */

static char *
endpoint_name (GSocketAddress *address)
{
  GInetSocketAddress *endpoint = G_INET_SOCKET_ADDRESS (address);
  GInetAddress *host = g_inet_socket_address_get_address (endpoint);
  gboolean scoped = g_inet_address_get_family (host) == G_SOCKET_FAMILY_IPV6;
  g_autofree char *text = g_inet_address_to_string (host);
  return g_strdup_printf ("doip/%s%%%u:%u", text, scoped ? g_inet_socket_address_get_scope_id (endpoint) : 0,
                          g_inet_socket_address_get_port (endpoint));
}

static void
add_host (GStrvBuilder *names, const char *rest, guint16 port, GCancellable *cancellable)
{
  guint found = 0;
  g_autoptr (GSocketConnectable) host = g_network_address_parse (rest, port, NULL);
  g_autoptr (GSocketAddressEnumerator) each = host == NULL ? NULL : g_socket_connectable_enumerate (host);
  while (found < MAX_ADDRESSES) {
    g_autoptr (GSocketAddress) address
      = each == NULL ? NULL : g_socket_address_enumerator_next (each, cancellable, NULL);
    if (address == NULL)
      break;
    if (!G_IS_INET_SOCKET_ADDRESS (address))
      continue;
    g_autofree char *name = endpoint_name (address);
    g_strv_builder_add (names, name);
    found++;
  }
  g_autofree char *written = g_strconcat ("doip/", rest, NULL);
  if (found == 0)
    g_strv_builder_add (names, written);
}

GStrv
rb_link_name_list (const char *uri, GCancellable *cancellable)
{
  static const struct {
    const char *scheme;
    void (*add) (GStrvBuilder *names, const char *rest, guint16 port, GCancellable *cancellable);
    guint16 port;
  } schemes[] = {
    { "can:", add_interface, 0 }, { "canfd:", add_interface, 0 },        { "usb:", add_adapter, 0 },
    { "bus:", add_socket, 0 },    { "doip://", add_host, RB_DOIP_PORT }, { "doips://", add_host, RB_DOIP_TLS_PORT }
  };
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_has_prefix (uri, schemes[i].scheme)) {
      schemes[i].add (names, &uri[strlen (schemes[i].scheme)], schemes[i].port, cancellable);
      return g_strv_builder_end (names);
    }
  g_strv_builder_add (names, uri);
  return g_strv_builder_end (names);
}
