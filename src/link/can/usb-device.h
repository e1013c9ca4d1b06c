/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <libusb.h>

#include "can/gs-usb-protocol.h"

/*
 * Reads a USB device without opening it, since others may be using it: its strings and its driver, by
 * sysfs.
 */
typedef struct {
  char *serial, *manufacturer, *product;
  char *driver; /* of its CAN side, "": none; "usbfs": a program has it */
  char *interface; /* the kernel's CAN interface on it, NULL: none */
  guint interfaces; /* how many: one a channel */
  gboolean interface_up; /* it is set up */
  gboolean allowed; /* may this user open it? */
} RbUsbDevice;

void rb_usb_device_read (libusb_device *device, RbUsbDevice *out);
void rb_usb_device_clear (RbUsbDevice *self);
/* Known ids and, in its first configuration, a vendor's own interface 0 with bulk endpoints both ways. */
gboolean rb_usb_device_is_gs_usb (libusb_device *device, guint8 *in, guint8 *out);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbUsbDevice, rb_usb_device_clear)
