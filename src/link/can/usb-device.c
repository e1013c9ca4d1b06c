/* SPDX-License-Identifier: Apache-2.0 */
#include "can/usb-device.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYS_DEVICES "/sys/bus/usb/devices"

/* 3-1.4: bus 3, port 1, there port 4 */
static char *
sysfs_name (libusb_device *device)
{
  guint8 ports[8];
  int n = libusb_get_port_numbers (device, ports, G_N_ELEMENTS (ports));
  GString *name = g_string_new (NULL);
  g_string_append_printf (name, "%u", libusb_get_bus_number (device));
  for (int i = 0; i < n; i++)
    g_string_append_printf (name, "%c%u", i == 0 ? '-' : '.', ports[i]);
  return g_string_free (name, FALSE);
}

static char *
attribute (const char *device, const char *name)
{
  g_autofree char *path = g_build_filename (SYS_DEVICES, device, name, NULL);
  char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return g_strdup ("");
  char *valid = g_utf8_make_valid (g_strchomp (text), -1);
  g_free (text);
  return valid;
}

/* Interface 0 of whichever configuration is active. */
static char *
interface_folder (const char *device)
{
  g_autofree char *configuration = attribute (device, "bConfigurationValue");
  g_autofree char *interface = g_strdup_printf ("%s:%s.0", device, configuration);
  return g_build_filename (SYS_DEVICES, interface, NULL);
}

static char *
driver_of (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "driver", NULL);
  g_autofree char *target = g_file_read_link (path, NULL);
  return target == NULL ? g_strdup ("") : g_path_get_basename (target);
}

static gboolean
is_up (const char *folder, const char *interface)
{
  g_autofree char *path = g_build_filename (folder, interface, "flags", NULL);
  g_autofree char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) && (strtoul (text, NULL, 0) & IFF_UP) != 0;
}

static void
read_interfaces (const char *parent, RbUsbDevice *out)
{
  g_autofree char *folder = g_build_filename (parent, "net", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    gboolean up = is_up (folder, name);
    out->interfaces++;
    if (out->interface != NULL && !up && (out->interface_up || strcmp (out->interface, name) < 0))
      continue;
    g_free (out->interface);
    out->interface = g_strdup (name);
    out->interface_up = up;
  }
}

void
rb_usb_device_read (libusb_device *device, RbUsbDevice *out)
{
  g_autofree char *name = sysfs_name (device);
  g_autofree char *folder = interface_folder (name);
  g_autofree char *node
    = g_strdup_printf ("/dev/bus/usb/%03u/%03u", libusb_get_bus_number (device), libusb_get_device_address (device));
  memset (out, 0, sizeof *out);
  out->serial = attribute (name, "serial");
  out->manufacturer = attribute (name, "manufacturer");
  out->product = attribute (name, "product");
  out->allowed = access (node, R_OK | W_OK) == 0;
  out->driver = driver_of (folder);
  read_interfaces (folder, out);
}

void
rb_usb_device_clear (RbUsbDevice *self)
{
  g_clear_pointer (&self->serial, g_free);
  g_clear_pointer (&self->manufacturer, g_free);
  g_clear_pointer (&self->product, g_free);
  g_clear_pointer (&self->driver, g_free);
  g_clear_pointer (&self->interface, g_free);
}

static gboolean
read_endpoints (const struct libusb_interface_descriptor *interface, guint8 *in, guint8 *out)
{
  *in = *out = 0;
  for (guint i = 0; i < interface->bNumEndpoints; i++) {
    const struct libusb_endpoint_descriptor *endpoint = &interface->endpoint[i];
    guint8 *which = (endpoint->bEndpointAddress & LIBUSB_ENDPOINT_DIR_MASK) == LIBUSB_ENDPOINT_IN ? in : out;
    if ((endpoint->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) == LIBUSB_TRANSFER_TYPE_BULK && *which == 0)
      *which = endpoint->bEndpointAddress;
  }
  return *in != 0 && *out != 0;
}

gboolean
rb_usb_device_is_gs_usb (libusb_device *device, guint8 *in, guint8 *out)
{
  struct libusb_device_descriptor head;
  struct libusb_config_descriptor *configuration = NULL;
  if (libusb_get_device_descriptor (device, &head) != 0 || !rb_gs_usb_protocol_is_known (head.idVendor, head.idProduct)
      || libusb_get_config_descriptor (device, 0, &configuration) != 0)
    return FALSE;
  gboolean found = FALSE;
  for (guint i = 0; i < configuration->bNumInterfaces && !found; i++) {
    const struct libusb_interface *interface = &configuration->interface[i];
    found = interface->num_altsetting > 0 && interface->altsetting[0].bInterfaceNumber == 0
            && interface->altsetting[0].bInterfaceClass == LIBUSB_CLASS_VENDOR_SPEC
            && read_endpoints (&interface->altsetting[0], in, out);
  }
  libusb_free_config_descriptor (configuration);
  return found;
}
