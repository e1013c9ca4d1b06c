/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-plug.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define PLUG_TYPE (plug_get_type ())
G_DECLARE_FINAL_TYPE (Plug, plug, USB, PLUG, UMockdevIoctlBase)

typedef struct {
  UMockdevIoctlData *urb, *buffer;
  gint status, actual;
} Transfer;

struct _Plug {
  UMockdevIoctlBase parent;
  GMutex lock;
  Candlelight *adapter;
  GQueue waiting; /* bulk IN, oldest first */
  GQueue done;
  gboolean pulled, claimed, claimed_by_another;
  char *driver;
  gboolean driver_off;
  guint resets;
};

struct _UsbPlug {
  Plug *plug;
  UMockdevTestbed *testbed;
  char *node, *device;
};

G_DEFINE_FINAL_TYPE (Plug, plug, UMOCKDEV_TYPE_IOCTL_BASE)

static struct usbdevfs_urb *
urb_of (Transfer *transfer)
{
  return (struct usbdevfs_urb *) (gpointer) transfer->urb->data;
}

static void
transfer_free (Transfer *transfer)
{
  g_clear_object (&transfer->urb);
  g_clear_object (&transfer->buffer);
  g_free (transfer);
}

static void
finish (Plug *self, Transfer *transfer, gssize result)
{
  transfer->status = result < 0 ? (gint) result : 0;
  transfer->actual = result < 0 ? 0 : (gint) result;
  g_queue_push_tail (&self->done, transfer);
}

static void
serve_waiting (Plug *self)
{
  Transfer *transfer;
  while ((transfer = g_queue_peek_head (&self->waiting)) != NULL) {
    gssize n = candlelight_bulk_in (self->adapter, transfer->buffer->data, (gsize) transfer->buffer->data_len);
    if (n == -EAGAIN)
      return;
    finish (self, g_queue_pop_head (&self->waiting), n);
  }
}

static gint
submit (Plug *self, UMockdevIoctlData *argument)
{
  Transfer *transfer = g_new0 (Transfer, 1);
  transfer->urb = g_object_ref (argument);
  struct usbdevfs_urb *urb = urb_of (transfer);
  transfer->buffer = umockdev_ioctl_data_resolve (argument, G_STRUCT_OFFSET (struct usbdevfs_urb, buffer),
                                                  (gsize) urb->buffer_length, NULL);
  guint8 *data = transfer->buffer == NULL ? NULL : transfer->buffer->data;
  gsize size = transfer->buffer == NULL ? 0 : (gsize) transfer->buffer->data_len;
  if (urb->type == USBDEVFS_URB_TYPE_CONTROL && size >= 8) {
    finish (self, transfer, candlelight_control (self->adapter, data, &data[8], size - 8));
  } else if (urb->type == USBDEVFS_URB_TYPE_BULK && urb->endpoint == CANDLELIGHT_OUT && data != NULL) {
    finish (self, transfer, candlelight_bulk_out (self->adapter, data, size));
  } else if (urb->type == USBDEVFS_URB_TYPE_BULK && urb->endpoint == CANDLELIGHT_IN && data != NULL) {
    g_queue_push_tail (&self->waiting, transfer);
  } else {
    transfer_free (transfer);
    return EINVAL;
  }
  serve_waiting (self);
  return 0;
}

static gint
discard (Plug *self, gulong address)
{
  for (GList *at = self->waiting.head; at != NULL; at = at->next) {
    Transfer *transfer = at->data;
    if (transfer->urb->client_addr == address) {
      g_queue_delete_link (&self->waiting, at);
      finish (self, transfer, -ENOENT);
      return 0;
    }
  }
  return EINVAL;
}

/* The interface is released: Linux ends its transfers as if the device were gone (usb_unbind_interface). */
static void
kill_transfers (Plug *self)
{
  Transfer *transfer;
  while ((transfer = g_queue_pop_head (&self->waiting)) != NULL)
    finish (self, transfer, -ESHUTDOWN);
}

/* The firmware starts anew. */
static void
reset (Plug *self)
{
  self->resets++;
  self->adapter->head = self->adapter->tail = 0;
  for (guint i = 0; i < CANDLELIGHT_CHANNELS; i++)
    self->adapter->channel[i].started = FALSE;
}

static gint
reap (Plug *self, UMockdevIoctlData *argument)
{
  Transfer *transfer = g_queue_pop_head (&self->done);
  if (transfer == NULL)
    return self->pulled ? ENODEV : EAGAIN;
  urb_of (transfer)->status = transfer->status;
  urb_of (transfer)->actual_length = transfer->actual;
  umockdev_ioctl_data_set_ptr (argument, 0, transfer->urb);
  transfer_free (transfer); /* argument holds the urb */
  return 0;
}

/* Which driver has the interface, and taking it off and on. */
static gint
serve_driver (Plug *self, gulong request, UMockdevIoctlData *argument)
{
  if (self->driver == NULL)
    return ENODATA;
  if (request == USBDEVFS_GETDRIVER) {
    struct usbdevfs_getdriver *asked = (gpointer) argument->data;
    if (self->driver_off)
      return ENODATA;
    g_strlcpy (asked->driver, self->driver, sizeof asked->driver);
    return 0;
  }
  gint code = ((struct usbdevfs_ioctl *) (gpointer) argument->data)->ioctl_code;
  if (code == (gint) USBDEVFS_DISCONNECT && !self->driver_off)
    self->driver_off = TRUE;
  else if (code == (gint) USBDEVFS_CONNECT && self->driver_off)
    self->driver_off = FALSE;
  else
    return ENODATA;
  return 0;
}

static gint
claim (Plug *self)
{
  if (self->claimed_by_another || (self->driver != NULL && !self->driver_off))
    return EBUSY;
  self->claimed = TRUE;
  return 0;
}

static gint
serve (Plug *self, gulong request, UMockdevIoctlData *argument, UMockdevIoctlData *pointer)
{
  switch (request) {
  case USBDEVFS_REAPURB:
  case USBDEVFS_REAPURBNDELAY: return reap (self, argument);
  case USBDEVFS_DISCARDURB: return discard (self, *(gulong *) (gpointer) pointer->data);
  default: break;
  }
  if (self->pulled)
    return ENODEV;
  switch (request) {
  case USBDEVFS_GET_CAPABILITIES:
    *(guint32 *) (gpointer) argument->data
      = USBDEVFS_CAP_BULK_CONTINUATION | USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
    return 0;
  case USBDEVFS_CLAIMINTERFACE: return claim (self);
  case USBDEVFS_RELEASEINTERFACE:
    self->claimed = FALSE;
    kill_transfers (self);
    return 0;
  case USBDEVFS_RESET: reset (self); return 0;
  case USBDEVFS_SETCONFIGURATION:
  case USBDEVFS_SETINTERFACE:
  case USBDEVFS_CLEAR_HALT: return 0;
  case USBDEVFS_GETDRIVER:
  case USBDEVFS_IOCTL: return serve_driver (self, request, argument);
  case USBDEVFS_SUBMITURB: return submit (self, argument);
  default: return ENOTTY;
  }
}

static gboolean
handle_ioctl (UMockdevIoctlBase *base, UMockdevIoctlClient *client)
{
  Plug *self = USB_PLUG (base);
  gulong request = umockdev_ioctl_client_get_request (client);
  UMockdevIoctlData *pointer = umockdev_ioctl_client_get_arg (client);
  g_autoptr (UMockdevIoctlData) argument = NULL;
  if (_IOC_SIZE (request) > 0 && request != USBDEVFS_DISCARDURB)
    argument = umockdev_ioctl_data_resolve (pointer, 0, _IOC_SIZE (request), NULL);
  g_mutex_lock (&self->lock);
  gint error = serve (self, request, argument, pointer);
  g_mutex_unlock (&self->lock);
  umockdev_ioctl_client_complete (client, error == 0 ? 0 : -1, error);
  return TRUE;
}

static void
plug_finalize (GObject *object)
{
  Plug *self = USB_PLUG (object);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) transfer_free);
  g_queue_clear_full (&self->done, (GDestroyNotify) transfer_free);
  g_clear_pointer (&self->adapter, g_free);
  g_free (self->driver);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (plug_parent_class)->finalize (object);
}

static void
plug_class_init (PlugClass *class)
{
  G_OBJECT_CLASS (class)->finalize = plug_finalize;
  UMOCKDEV_IOCTL_BASE_CLASS (class)->handle_ioctl = handle_ioctl;
}

static void
plug_init (Plug *self)
{
  g_mutex_init (&self->lock);
  g_queue_init (&self->waiting);
  g_queue_init (&self->done);
}

static void
append_hex (GString *text, const guint8 *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_string_append_printf (text, "%02X", bytes[i]);
}

UsbPlug *
usb_plug_in (UMockdevTestbed *testbed, Candlelight *adapter, guint number)
{
  UsbPlug *self = g_new0 (UsbPlug, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  self->plug = g_object_new (PLUG_TYPE, NULL);
  self->plug->adapter = adapter;
  self->testbed = g_object_ref (testbed);
  self->node = g_strdup_printf ("/dev/bus/usb/001/%03u", number + 1);
  self->device = g_strdup_printf ("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-%u", number);
  g_string_append_printf (
    text, "P: %s\nN: %s\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: BUSNUM=001\nE: DEVNUM=%03u\nE: DEVNAME=%s\n",
    &self->device[4], &self->node[5], number + 1, self->node);
  g_string_append_printf (
    text, "A: busnum=1\\n\nA: devnum=%u\\n\nA: speed=12\\n\nA: bConfigurationValue=1\\n\nA: serial=%s\\n\n", number + 1,
    adapter->serial);
  g_string_append (text, "A: manufacturer=bytewerk\\n\nA: product=candleLight USB to CAN adapter\\n\nH: descriptors=");
  append_hex (text, candlelight_device_descriptor, sizeof candlelight_device_descriptor);
  append_hex (text, candlelight_config_descriptor, sizeof candlelight_config_descriptor);
  g_string_append_c (text, '\n');
  umockdev_testbed_add_from_string (testbed, text->str, &error);
  g_assert_no_error (error);
  umockdev_testbed_attach_ioctl (testbed, self->node, UMOCKDEV_IOCTL_BASE (self->plug), &error);
  g_assert_no_error (error);
  return self;
}

void
usb_plug_free (UsbPlug *self)
{
  umockdev_testbed_detach_ioctl (self->testbed, self->node, NULL);
  umockdev_testbed_remove_device (self->testbed, self->device);
  g_object_unref (self->plug);
  g_object_unref (self->testbed);
  g_free (self->node);
  g_free (self->device);
  g_free (self);
}

Candlelight *
usb_plug_lock (UsbPlug *self)
{
  g_mutex_lock (&self->plug->lock);
  return self->plug->adapter;
}

void
usb_plug_unlock (UsbPlug *self)
{
  serve_waiting (self->plug);
  g_mutex_unlock (&self->plug->lock);
}

void
usb_plug_pull (UsbPlug *self)
{
  Transfer *transfer;
  usb_plug_lock (self);
  self->plug->pulled = TRUE;
  while ((transfer = g_queue_pop_head (&self->plug->waiting)) != NULL)
    finish (self->plug, transfer, -ENODEV);
  usb_plug_unlock (self);
}

void
usb_plug_set_driver (UsbPlug *self, const char *driver)
{
  usb_plug_lock (self);
  g_free (self->plug->driver);
  self->plug->driver = g_strdup (driver);
  self->plug->driver_off = FALSE;
  usb_plug_unlock (self);
}

void
usb_plug_take_driver_off (UsbPlug *self)
{
  usb_plug_lock (self);
  self->plug->driver_off = TRUE;
  usb_plug_unlock (self);
}

void
usb_plug_set_claimed (UsbPlug *self, gboolean by_another)
{
  usb_plug_lock (self);
  self->plug->claimed_by_another = by_another;
  usb_plug_unlock (self);
}

void
usb_plug_show_driver (UsbPlug *self, const char *driver, guint interfaces, gboolean up)
{
  const char *path = &self->device[4], *name = strrchr (path, '/');
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (
    text, "P: %s%s:1.0\nL: driver=../../../../../../bus/usb/drivers/%s\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_interface\n",
    path, name, driver);
  for (guint i = 0; i < interfaces; i++)
    g_string_append_printf (text, "\nP: %s%s:1.0/net/can%u\nE: SUBSYSTEM=net\nE: INTERFACE=can%u\nA: flags=0x%x\\n\n",
                            path, name, i, i, up ? 0x40081 : 0x40080);
  umockdev_testbed_add_from_string (self->testbed, text->str, &error);
  g_assert_no_error (error);
}

const char *
usb_plug_driver (UsbPlug *self)
{
  usb_plug_lock (self);
  const char *driver = self->plug->driver_off ? NULL : self->plug->driver;
  usb_plug_unlock (self);
  return driver;
}

guint
usb_plug_resets (UsbPlug *self)
{
  usb_plug_lock (self);
  guint n = self->plug->resets;
  usb_plug_unlock (self);
  return n;
}

gboolean
usb_plug_is_claimed (UsbPlug *self)
{
  usb_plug_lock (self);
  gboolean claimed = self->plug->claimed;
  usb_plug_unlock (self);
  return claimed;
}
