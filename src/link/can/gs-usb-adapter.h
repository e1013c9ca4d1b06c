/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <libusb.h>

#include "can/gs-usb-protocol.h"
#include "link/address.h"

/*
 * One gs_usb adapter: its libusb device, the transfers that wait for what it has to say and the thread that runs them.
 * Several channels of one adapter share it; it is opened with the first and closed with the last of them.
 */
typedef struct _RbGsUsbAdapter RbGsUsbAdapter;

/* Owner of a channel. Called from the adapter's thread. */
typedef struct {
  void (*frame) (gpointer data, const RbGsUsbFrame *frame); /* must not block */
  void (*gone) (gpointer data, const char *why); /* must not block */
  void (*work) (gpointer data); /* now and then and after poke; may do control transfers */
} RbGsUsbListener;

/* serial "": any. Errors: link-none, link-refused. */
RbGsUsbAdapter *rb_gs_usb_adapter_open (const char *serial, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_gs_usb_adapter_close (RbGsUsbAdapter *self);
guint rb_gs_usb_adapter_channels (RbGsUsbAdapter *self);
guint32 rb_gs_usb_adapter_firmware (RbGsUsbAdapter *self);
const char *rb_gs_usb_adapter_serial (RbGsUsbAdapter *self);
const char *rb_gs_usb_adapter_vendor (RbGsUsbAdapter *self);
gboolean rb_gs_usb_adapter_is_old_cantact (RbGsUsbAdapter *self);

/* Error in-use: another link of this program has it. */
gboolean rb_gs_usb_adapter_attach (RbGsUsbAdapter *self, guint channel, const RbGsUsbListener *listener, gpointer data,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* No listener of the channel runs any more when it returns. */
void rb_gs_usb_adapter_detach (RbGsUsbAdapter *self, guint channel);
void rb_gs_usb_adapter_poke (RbGsUsbAdapter *self);

/* Control transfers; they wait for the adapter, at most a second. */
gboolean rb_gs_usb_adapter_tell (RbGsUsbAdapter *self, RbGsUsbRequest request, guint channel, const guint8 *data,
                                 gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gssize rb_gs_usb_adapter_ask (RbGsUsbAdapter *self, RbGsUsbRequest request, guint channel, guint8 *data, gsize room,
                              GError **error);
/* For the asynchronous transfers of a channel. */
void rb_gs_usb_adapter_fill_out (RbGsUsbAdapter *self, struct libusb_transfer *transfer, guint8 *data,
                                 libusb_transfer_cb_fn done, gpointer user);
/* libusb's code; LIBUSB_ERROR_BUSY: not now, the adapter is being reset. resets: how often it was until now. */
int rb_gs_usb_adapter_submit (RbGsUsbAdapter *self, struct libusb_transfer *transfer, guint *resets)
  G_GNUC_WARN_UNUSED_RESULT;
/* As pulling and plugging, without the cable: the firmware starts anew and every channel has to. From work only.
 * Transfers that were under way end as if the device were gone. */
gboolean rb_gs_usb_adapter_reset (RbGsUsbAdapter *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
guint rb_gs_usb_adapter_resets (RbGsUsbAdapter *self);

/* Appends RbLinkEntry. */
gboolean rb_gs_usb_adapter_list (GPtrArray *entries, GError **error);
