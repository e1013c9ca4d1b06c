/* SPDX-License-Identifier: Apache-2.0 */
#include "cansetup/can-setup.h"

#include "can/can-netlink.h"

#include <libsocketcan.h>
#include <linux/can/netlink.h>
#include <linux/if.h>
#include <string.h>
#include <unistd.h>

enum { RESTART_MS = 100, ASK_MS = 120 * 1000 };
enum { UNWANTED = CAN_CTRLMODE_FD | CAN_CTRLMODE_LISTENONLY | CAN_CTRLMODE_LOOPBACK | CAN_CTRLMODE_FD_NON_ISO };

static gboolean
open_link (const char *interface, int *fd, RbCanLinkState *link, GError **error)
{
  gsize length = strlen (interface);
  if (length == 0 || length >= IFNAMSIZ || strchr (interface, '/') != NULL)
    return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_USAGE, "“%s” is not the name of an interface, such as can0",
                           interface);
  *fd = rb_can_netlink_open (error);
  if (*fd < 0)
    return FALSE;
  if (rb_can_netlink_read (*fd, interface, link, error))
    return TRUE;
  close (*fd);
  *fd = -1;
  return FALSE;
}

/* Before any change: a driver that rejects CAN FD has set the bit rate of the same message already. */
static gboolean
fits (const char *interface, const RbCanLinkState *link, const RbCanPreset *preset, GError **error)
{
  if (link->is_virtual)
    return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "%s is a virtual interface; it has no bit rate",
                           interface);
  if (preset == NULL || preset->data_bitrate == 0 || link->can_fd)
    return TRUE;
  return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "%s has no CAN FD, so not %s", interface,
                         preset->name);
}

static const RbCanPreset *
find_preset (const char *name, GError **error)
{
  const RbCanPreset *preset = rb_can_preset_find (name);
  if (preset == NULL)
    rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_USAGE, "“%s” is not one of the bit rates %s", name,
                    rb_can_preset_names ());
  return preset;
}

gboolean
rb_can_setup_check (const char *interface, const char *preset, GError **error)
{
  const RbCanPreset *wanted = preset == NULL ? NULL : find_preset (preset, error);
  RbCanLinkState link;
  int fd = -1;
  if ((preset != NULL && wanted == NULL) || !open_link (interface, &fd, &link, error))
    return FALSE;
  close (fd);
  return fits (interface, &link, wanted, error);
}

/* libsocketcan reports a failure without its cause. */
static gboolean
did (int result, const char *interface, const char *what, GError **error)
{
  return result == 0
         || rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "%s: %s: the interface cannot do that",
                            interface, what);
}

/* Everything is a wish that only some drivers know: without it an error leads to bus-off and there it stays until
 * Restart. */
static void
set_restart (const char *interface)
{
  if (can_set_restart_ms (interface, RESTART_MS) != 0)
    g_debug ("%s does not restart by itself after bus-off", interface);
}

/* Settings of others that a tester cannot work with, and only those that are set: drivers refuse what they do not
 * know. */
static gboolean
clear_modes (const char *interface, guint32 modes, GError **error)
{
  struct can_ctrlmode mode = { .mask = modes & UNWANTED };
  return mode.mask == 0 || did (can_set_ctrlmode (interface, &mode), interface, "normal mode", error);
}

static gboolean
set_bitrates (const char *interface, int fd, const RbCanLinkState *link, const RbCanPreset *preset, GError **error)
{
  return preset->data_bitrate > 0 ? rb_can_netlink_set_fd (fd, link->index, preset, error)
                                  : did (can_set_bitrate_samplepoint (interface, preset->bitrate, RB_CAN_SAMPLE_POINT),
                                         interface, preset->name, error);
}

/* The kernel takes a message's attributes one by one: what came before the one it refuses stays. */
static void
put_back (const char *interface, int fd, const RbCanLinkState *was)
{
  const RbCanPreset bitrates = { "as it was", was->bitrate, was->data_bitrate };
  g_autoptr (GError) error = NULL;
  struct can_ctrlmode mode
    = { .mask = (was->modes & UNWANTED) | (was->can_fd ? CAN_CTRLMODE_FD : 0), .flags = was->modes & UNWANTED };
  gboolean back = mode.mask == 0 || did (can_set_ctrlmode (interface, &mode), interface, "modes", &error);
  if (back && (was->modes & CAN_CTRLMODE_FD) != 0)
    back = rb_can_netlink_set_fd (fd, was->index, &bitrates, &error);
  else if (back && was->bitrate > 0)
    back
      = did (can_set_bitrate_samplepoint (interface, was->bitrate, was->sample_point), interface, "bit rate", &error);
  if (back && was->is_up)
    back = did (can_do_start (interface), interface, "up", &error);
  if (!back)
    g_warning ("%s is not as it was: %s", interface, error->message);
}

static gboolean
set_up (const char *interface, int fd, const RbCanLinkState *link, const RbCanPreset *preset, GError **error)
{
  g_autoptr (GError) queue = NULL;
  gboolean queue_is_good = rb_can_netlink_queue_is_good (link->queue) && link->queue_length >= RB_CAN_QUEUE_LENGTH;
  if (!did (can_do_stop (interface), interface, "down", error))
    return FALSE;
  if (!clear_modes (interface, link->modes, error) || !set_bitrates (interface, fd, link, preset, error)) {
    put_back (interface, fd, link);
    return FALSE;
  }
  set_restart (interface);
  if (!queue_is_good && !rb_can_netlink_set_queue (fd, link->index, &queue))
    g_warning ("%s: %s", interface, queue->message);
  return did (can_do_start (interface), interface, "up", error);
}

/* Some drivers, gs_usb among them, know no restart: down and up again is one. */
static gboolean
restart (const char *interface, const RbCanLinkState *link, GError **error)
{
  if (link->kind == RB_CAN_BUS_OFF && can_do_restart (interface) == 0)
    return TRUE;
  return did (can_do_stop (interface), interface, "down", error)
         && did (can_do_start (interface), interface, "up", error);
}

gboolean
rb_can_setup_apply (const char *interface, const char *preset, GError **error)
{
  const RbCanPreset *wanted = preset == NULL ? NULL : find_preset (preset, error);
  RbCanLinkState link;
  int fd = -1;
  if ((preset != NULL && wanted == NULL) || !open_link (interface, &fd, &link, error))
    return FALSE;
  gboolean done
    = fits (interface, &link, wanted, error) && rb_can_netlink_may_set (fd, link.index, error)
      && (wanted == NULL ? restart (interface, &link, error) : set_up (interface, fd, &link, wanted, error));
  close (fd);
  return done;
}

/* The error of the service as a GError of this domain. */
static void
translate (const GError *said, GError **error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (said);
  g_autofree char *text = g_strdup (said->message);
  if (name == NULL) {
    g_propagate_error (error, g_error_copy (said));
    return;
  }
  RbReason reason = RB_REASON_IO;
  if (g_str_has_prefix (name, RB_CAN_SETUP_ERROR))
    reason = rb_reason_from_word (g_strdelimit (&name[strlen (RB_CAN_SETUP_ERROR)], "_", '-'));
  else if (g_error_matches (said, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
           || g_error_matches (said, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    reason = RB_REASON_NOT_FOUND;
  const char *marker = strstr (text, ": ");
  gboolean marked = g_str_has_prefix (text, "GDBus.Error:") && marker != NULL;
  g_set_error (error, RB_LINK_ERROR, (int) (reason == RB_REASON_NONE ? RB_REASON_IO : reason), "recall-can-setup: %s",
               marked ? &marker[2] : text);
}

gboolean
rb_can_setup_ask (const char *interface, const char *preset, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) said = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, cancellable, &said);
  GVariant *arguments = preset == NULL ? g_variant_new ("(s)", interface) : g_variant_new ("(ss)", interface, preset);
  g_autoptr (GVariant) owned = g_variant_ref_sink (arguments);
  if (bus == NULL)
    return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_NOT_FOUND, "recall-can-setup: there is no system bus: %s",
                           said->message);
  g_autoptr (GVariant) answer = g_dbus_connection_call_sync (
    bus, RB_CAN_SETUP_NAME, RB_CAN_SETUP_PATH, RB_CAN_SETUP_NAME, preset == NULL ? "Restart" : "SetUp", owned, NULL,
    G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ASK_MS, cancellable, &said);
  if (answer == NULL)
    translate (said, error);
  return answer != NULL;
}
