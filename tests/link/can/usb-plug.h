/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <umockdev.h>

#include "candlelight.h"

/*
 * Plugs an adapter of candlelight.h in where libusb looks for it, without a kernel and without rights: umockdev
 * (LD_PRELOAD, umockdev-wrapper) answers for /sys and /dev/bus/usb. umockdev asks in a thread of its own, so the
 * adapter is only touched between lock and unlock.
 */
typedef struct _UsbPlug UsbPlug;

/* Takes adapter. number: 1.. tells several in one machine apart. */
UsbPlug *usb_plug_in (UMockdevTestbed *testbed, Candlelight *adapter, guint number);
void usb_plug_free (UsbPlug *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UsbPlug, usb_plug_free)

Candlelight *usb_plug_lock (UsbPlug *self);
/* Hands over what the adapter has to say meanwhile. */
void usb_plug_unlock (UsbPlug *self);

/* Pulled: every call fails from now on as the kernel's fail. */
void usb_plug_pull (UsbPlug *self);
/* What others do to the device. */
/* As sysfs shows it: the driver of interface 0, and so many network interfaces of it (can0…), up or not. */
void usb_plug_show_driver (UsbPlug *self, const char *driver, guint interfaces, gboolean up);
void usb_plug_set_driver (UsbPlug *self, const char *driver); /* NULL: none */
void usb_plug_take_driver_off (UsbPlug *self);
void usb_plug_set_claimed (UsbPlug *self, gboolean by_another); /* another program has it */
/* NULL: the kernel's driver was taken off and not given back. */
const char *usb_plug_driver (UsbPlug *self);
guint usb_plug_resets (UsbPlug *self);
gboolean usb_plug_is_claimed (UsbPlug *self);
