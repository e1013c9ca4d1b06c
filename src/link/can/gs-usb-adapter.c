/* SPDX-License-Identifier: Apache-2.0 */
#include "can/gs-usb-adapter.h"

#include "can/usb-device.h"
#include "link/backend.h"

#include <string.h>

enum {
  IN_TRANSFERS = 24, /* always queued: at 5 Mbit/s full speed USB has nothing to spare */
  MAX_CHANNELS = 8,
  CONTROL_MS = 1000,
  TICK_MS = 100,
  MAX_FAILURES = 20, /* of IN transfers in a row */
  CLOSE_US = 2 * 1000 * 1000,
  CONTROL_VALUE = 1, /* what Linux sends with HOST_FORMAT and DEVICE_CONFIG */
  REQUEST_OUT = 0x41,
  REQUEST_IN = 0xc1,
};

typedef struct {
  const RbGsUsbListener *listener;
  gpointer data;
} Listener;

struct _RbGsUsbAdapter {
  guint users; /* under `adapters_lock` */
  libusb_context *context;
  libusb_device_handle *handle;
  guint8 in, out;
  RbUsbDevice device;
  RbGsUsbConfig config;
  GThread *thread;
  gint stop, poked, resets, input_stopped; /* atomic; hushed: IN transfers are not queued again */
  GRWLock reset_lock; /* writer: is being reset */
  GMutex lock; /* listeners, gone */
  GRecMutex work_lock; /* held while work of listeners runs */
  Listener listeners[MAX_CHANNELS];
  char *gone;
  struct libusb_transfer *transfers[IN_TRANSFERS];
  guint8 buffers[IN_TRANSFERS][RB_GS_USB_PACKET];
  gint active; /* atomic: IN transfers under way */
  guint failures;
};

/* Opened in this program: a second channel finds its adapter here. */
static GMutex adapters_lock;
static GPtrArray *adapters;

static gboolean
gs_usb_adapter_error (GError **error, RbReason reason, int code, const char *what)
{
  gboolean lost = code == LIBUSB_ERROR_NO_DEVICE;
  return rb_reason_deny (error, RB_LINK_ERROR, lost ? RB_REASON_LINK_LOST : reason, "%s: %s", what,
                         libusb_strerror (code));
}

guint
rb_gs_usb_adapter_channels (RbGsUsbAdapter *self)
{
  return self->config.channels;
}

guint32
rb_gs_usb_adapter_firmware (RbGsUsbAdapter *self)
{
  return self->config.firmware;
}

const char *
rb_gs_usb_adapter_serial (RbGsUsbAdapter *self)
{
  return self->device.serial;
}

const char *
rb_gs_usb_adapter_vendor (RbGsUsbAdapter *self)
{
  return self->device.manufacturer;
}

gboolean
rb_gs_usb_adapter_is_old_cantact (RbGsUsbAdapter *self)
{
  return rb_gs_usb_protocol_is_old_cantact (self->device.manufacturer, self->device.product, self->config.firmware);
}

/* Control transfers */

static guint16
value_of (RbGsUsbRequest request, guint channel)
{
  return (guint16) (request == RB_GS_USB_HOST_FORMAT || request == RB_GS_USB_DEVICE_CONFIG ? CONTROL_VALUE : channel);
}

gboolean
rb_gs_usb_adapter_tell (RbGsUsbAdapter *self, RbGsUsbRequest request, guint channel, const guint8 *data, gsize length,
                        GError **error)
{
  guint8 copy[RB_GS_USB_PACKET];
  g_autofree char *what = g_strdup_printf ("request %d to the adapter", (int) request);
  g_assert (length <= sizeof copy);
  memcpy (copy, data, length);
  int sent = libusb_control_transfer (self->handle, REQUEST_OUT, (guint8) request, value_of (request, channel), 0, copy,
                                      (guint16) length, CONTROL_MS);
  return sent == (int) length
         || gs_usb_adapter_error (error, RB_REASON_LINK_REFUSED, sent < 0 ? sent : LIBUSB_ERROR_IO, what);
}

gssize
rb_gs_usb_adapter_ask (RbGsUsbAdapter *self, RbGsUsbRequest request, guint channel, guint8 *data, gsize room,
                       GError **error)
{
  g_autofree char *what = g_strdup_printf ("question %d to the adapter", (int) request);
  int got = libusb_control_transfer (self->handle, REQUEST_IN, (guint8) request, value_of (request, channel), 0, data,
                                     (guint16) room, CONTROL_MS);
  if (got < 0)
    gs_usb_adapter_error (error, RB_REASON_LINK_REFUSED, got, what);
  return got;
}

/* The thread */

static void
set_lost (RbGsUsbAdapter *self, const char *why)
{
  g_mutex_lock (&self->lock);
  gboolean first = self->gone == NULL;
  if (first)
    self->gone = g_strdup (why);
  for (guint i = 0; first && i < MAX_CHANNELS; i++)
    if (self->listeners[i].listener != NULL)
      self->listeners[i].listener->gone (self->listeners[i].data, self->gone);
  g_mutex_unlock (&self->lock);
}

static void
dispatch (RbGsUsbAdapter *self, const struct libusb_transfer *transfer)
{
  RbGsUsbFrame frame;
  if (!rb_gs_usb_protocol_read_frame (transfer->buffer, (gsize) transfer->actual_length, &frame)
      || frame.channel >= MAX_CHANNELS)
    return;
  g_mutex_lock (&self->lock);
  const Listener *listener = &self->listeners[frame.channel];
  if (listener->listener != NULL)
    listener->listener->frame (listener->data, &frame);
  g_mutex_unlock (&self->lock);
}

/* May the transfer be queued again? */
static gboolean
take_in (RbGsUsbAdapter *self, struct libusb_transfer *transfer)
{
  switch (transfer->status) {
  case LIBUSB_TRANSFER_COMPLETED:
    self->failures = 0;
    dispatch (self, transfer);
    return TRUE;
  case LIBUSB_TRANSFER_CANCELLED: return FALSE;
  case LIBUSB_TRANSFER_NO_DEVICE: set_lost (self, "the adapter was unplugged"); return FALSE;
  case LIBUSB_TRANSFER_ERROR:
  case LIBUSB_TRANSFER_TIMED_OUT:
  case LIBUSB_TRANSFER_STALL:
  case LIBUSB_TRANSFER_OVERFLOW:
  default:
    if (++self->failures < MAX_FAILURES)
      return TRUE;
    set_lost (self, "the adapter's transfers fail");
    return FALSE;
  }
}

static void LIBUSB_CALL
on_in (struct libusb_transfer *transfer)
{
  RbGsUsbAdapter *self = transfer->user_data;
  gboolean again
    = take_in (self, transfer) && g_atomic_int_get (&self->stop) == 0 && g_atomic_int_get (&self->input_stopped) == 0;
  if (again) {
    int code = libusb_submit_transfer (transfer);
    if (code == 0)
      return;
    set_lost (self, code == LIBUSB_ERROR_NO_DEVICE ? "the adapter was unplugged" : libusb_strerror (code));
  }
  g_atomic_int_add (&self->active, -1);
}

static void
work_all (RbGsUsbAdapter *self)
{
  g_rec_mutex_lock (&self->work_lock);
  for (guint i = 0; i < MAX_CHANNELS; i++) {
    g_mutex_lock (&self->lock);
    Listener listener = self->listeners[i];
    g_mutex_unlock (&self->lock);
    if (listener.listener != NULL)
      listener.listener->work (listener.data);
  }
  g_rec_mutex_unlock (&self->work_lock);
}

static void
work_when_due (RbGsUsbAdapter *self, gint64 *due)
{
  gint64 now = g_get_monotonic_time ();
  if (!g_atomic_int_compare_and_exchange (&self->poked, 1, 0) && now < *due)
    return;
  work_all (self);
  *due = now + TICK_MS * 1000;
}

static gpointer
event_thread (gpointer data)
{
  RbGsUsbAdapter *self = data;
  struct timeval tick = { .tv_usec = TICK_MS * 1000 };
  gint64 give_up = 0, due = 0;
  for (;;) {
    int code = libusb_handle_events_timeout_completed (self->context, &tick, NULL);
    if (code != 0 && code != LIBUSB_ERROR_INTERRUPTED)
      set_lost (self, libusb_strerror (code));
    if (g_atomic_int_get (&self->stop) == 0)
      work_when_due (self, &due);
    else if (give_up == 0)
      give_up = g_get_monotonic_time () + CLOSE_US;
    else if (g_atomic_int_get (&self->active) == 0 || g_get_monotonic_time () > give_up)
      return NULL;
  }
}

void
rb_gs_usb_adapter_poke (RbGsUsbAdapter *self)
{
  g_atomic_int_set (&self->poked, 1);
  libusb_interrupt_event_handler (self->context);
}

void
rb_gs_usb_adapter_fill_out (RbGsUsbAdapter *self, struct libusb_transfer *transfer, guint8 *data,
                            libusb_transfer_cb_fn done, gpointer user)
{
  libusb_fill_bulk_transfer (transfer, self->handle, self->out, data, 0, done, user, 0);
}

int
rb_gs_usb_adapter_submit (RbGsUsbAdapter *self, struct libusb_transfer *transfer, guint *resets)
{
  if (!g_rw_lock_reader_trylock (&self->reset_lock))
    return LIBUSB_ERROR_BUSY;
  *resets = rb_gs_usb_adapter_resets (self);
  int code = libusb_submit_transfer (transfer);
  g_rw_lock_reader_unlock (&self->reset_lock);
  return code;
}

static gboolean
listen_in (RbGsUsbAdapter *self, GError **error)
{
  g_atomic_int_set (&self->input_stopped, 0);
  for (guint i = 0; i < IN_TRANSFERS; i++) {
    g_atomic_int_inc (&self->active);
    int code = libusb_submit_transfer (self->transfers[i]);
    if (code == 0)
      continue;
    g_atomic_int_add (&self->active, -1);
    return gs_usb_adapter_error (error, RB_REASON_LINK_REFUSED, code, "the adapter cannot be listened to");
  }
  return TRUE;
}

/* Linux ends the transfers of an interface that is reset with ESHUTDOWN, as when the device is unplugged. */
static void
stop_input (RbGsUsbAdapter *self)
{
  struct timeval tick = { .tv_usec = TICK_MS * 1000 };
  gint64 end = g_get_monotonic_time () + CLOSE_US;
  g_atomic_int_set (&self->input_stopped, 1);
  for (guint i = 0; i < IN_TRANSFERS; i++)
    (void) libusb_cancel_transfer (self->transfers[i]);
  while (g_atomic_int_get (&self->active) > 0 && g_get_monotonic_time () < end)
    (void) libusb_handle_events_timeout_completed (self->context, &tick, NULL);
}

gboolean
rb_gs_usb_adapter_reset (RbGsUsbAdapter *self, GError **error)
{
  guint8 format[RB_GS_USB_HOST_FORMAT_SIZE];
  stop_input (self);
  g_rw_lock_writer_lock (&self->reset_lock);
  g_atomic_int_inc (&self->resets);
  g_atomic_int_set (&self->poked, 1); /* for the other channels */
  int code = libusb_reset_device (self->handle);
  g_rw_lock_writer_unlock (&self->reset_lock);
  if (code != 0)
    return gs_usb_adapter_error (error, RB_REASON_LINK_LOST,
                                 code == LIBUSB_ERROR_NOT_FOUND ? LIBUSB_ERROR_NO_DEVICE : code,
                                 "the adapter does not come back after a reset");
  rb_gs_usb_protocol_write_host_format (format);
  return rb_gs_usb_adapter_tell (self, RB_GS_USB_HOST_FORMAT, 0, format, sizeof format, error)
         && listen_in (self, error);
}

guint
rb_gs_usb_adapter_resets (RbGsUsbAdapter *self)
{
  return (guint) g_atomic_int_get (&self->resets);
}

/* Opening and closing */

static gboolean
start (RbGsUsbAdapter *self, GError **error)
{
  for (guint i = 0; i < IN_TRANSFERS; i++) {
    self->transfers[i] = libusb_alloc_transfer (0);
    libusb_fill_bulk_transfer (self->transfers[i], self->handle, self->in, self->buffers[i], sizeof self->buffers[i],
                               on_in, self, 0);
  }
  return listen_in (self, error);
}

static void
adapter_free (RbGsUsbAdapter *self)
{
  g_atomic_int_set (&self->stop, 1);
  for (guint i = 0; i < IN_TRANSFERS; i++)
    if (self->transfers[i] != NULL)
      libusb_cancel_transfer (self->transfers[i]);
  if (self->thread != NULL) {
    libusb_interrupt_event_handler (self->context);
    g_thread_join (self->thread);
  }
  if (g_atomic_int_get (&self->active) > 0) {
    g_warning ("the USB adapter %s did not give back its transfers", self->device.serial);
    return; /* freeing what the kernel may still write to is worse than losing it */
  }
  for (guint i = 0; i < IN_TRANSFERS; i++)
    libusb_free_transfer (self->transfers[i]);
  if (self->handle != NULL) {
    (void) libusb_release_interface (self->handle, 0); /* gives it back to the kernel's driver */
    libusb_close (self->handle);
  }
  libusb_exit (self->context);
  rb_usb_device_clear (&self->device);
  g_mutex_clear (&self->lock);
  g_rec_mutex_clear (&self->work_lock);
  g_rw_lock_clear (&self->reset_lock);
  g_free (self->gone);
  g_free (self);
}

static gboolean
configure (RbGsUsbAdapter *self, GError **error)
{
  guint8 format[RB_GS_USB_HOST_FORMAT_SIZE], config[RB_GS_USB_CONFIG_SIZE];
  rb_gs_usb_protocol_write_host_format (format);
  if (!rb_gs_usb_adapter_tell (self, RB_GS_USB_HOST_FORMAT, 0, format, sizeof format, error))
    return FALSE;
  gssize length = rb_gs_usb_adapter_ask (self, RB_GS_USB_DEVICE_CONFIG, 0, config, sizeof config, error);
  if (length < 0)
    return FALSE;
  if (rb_gs_usb_protocol_read_config (config, (gsize) length, &self->config))
    return TRUE;
  g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL,
                       "the adapter does not say how many channels it has");
  return FALSE;
}

static gboolean
claim (RbGsUsbAdapter *self, libusb_device *device, GError **error)
{
  int code = libusb_open (device, &self->handle);
  if (code == LIBUSB_ERROR_ACCESS) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED,
                         "this user may not open the adapter; the udev rule 70-recallbay.rules allows it");
    return FALSE;
  }
  if (code != 0)
    return gs_usb_adapter_error (error, RB_REASON_LINK_REFUSED, code, "open");
  (void) libusb_set_auto_detach_kernel_driver (self->handle, 1);
  code = libusb_claim_interface (self->handle, 0);
  if (code == LIBUSB_ERROR_BUSY) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED, "another program is using the adapter");
    return FALSE;
  }
  return code == 0 || gs_usb_adapter_error (error, RB_REASON_LINK_REFUSED, code, "claim");
}

/* The kernel's interface is up: another program set it up, and may be using it. */
static gboolean
is_free (const RbUsbDevice *device, GError **error)
{
  if (!device->interface_up)
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED,
               "the adapter is the kernel's interface %s, which is up; use can:%s", device->interface,
               device->interface);
  return FALSE;
}

typedef gboolean (*DeviceFunction) (libusb_device *device, guint8 in, guint8 out, gpointer data);

/* Until one returns TRUE. */
static gboolean
for_each_device (libusb_context *context, DeviceFunction function, gpointer data)
{
  libusb_device **devices = NULL;
  ssize_t n = libusb_get_device_list (context, &devices);
  guint8 in = 0, out = 0;
  gboolean found = FALSE;
  for (ssize_t i = 0; i < n && !found; i++)
    found = rb_usb_device_is_gs_usb (devices[i], &in, &out) && function (devices[i], in, out, data);
  if (n >= 0)
    libusb_free_device_list (devices, 1);
  return found;
}

typedef struct {
  RbGsUsbAdapter *adapter;
  const char *serial;
  GError *error; /* why the one that was found cannot be had */
} Search;

static gboolean
take_device (libusb_device *device, guint8 in, guint8 out, gpointer data)
{
  Search *search = data;
  RbGsUsbAdapter *self = search->adapter;
  g_auto (RbUsbDevice) found = { 0 };
  rb_usb_device_read (device, &found);
  if (search->serial[0] != '\0' && g_strcmp0 (search->serial, found.serial) != 0)
    return FALSE;
  g_clear_error (&search->error);
  if (!is_free (&found, &search->error) || !claim (self, device, &search->error)) {
    g_clear_pointer (&self->handle, libusb_close);
    return FALSE;
  }
  self->in = in;
  self->out = out;
  self->device = found;
  memset (&found, 0, sizeof found);
  return TRUE;
}

static gboolean
find (RbGsUsbAdapter *self, const char *serial, GError **error)
{
  Search search = { .adapter = self, .serial = serial };
  int code = libusb_init (&self->context);
  if (code != 0)
    return gs_usb_adapter_error (error, RB_REASON_LINK_NONE, code, "no USB");
  if (for_each_device (self->context, take_device, &search)) {
    g_clear_error (&search.error);
    return TRUE;
  }
  if (search.error != NULL)
    g_propagate_error (error, search.error);
  else if (serial[0] == '\0')
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_NONE, "no USB CAN adapter is plugged in");
  else
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_NONE, "no USB CAN adapter with serial number %s is plugged in",
                 serial);
  return FALSE;
}

static RbGsUsbAdapter *
adapter_new (const char *serial, GError **error)
{
  RbGsUsbAdapter *self = g_new0 (RbGsUsbAdapter, 1);
  g_mutex_init (&self->lock);
  g_rec_mutex_init (&self->work_lock);
  g_rw_lock_init (&self->reset_lock);
  if (!find (self, serial, error) || !configure (self, error)) {
    adapter_free (self);
    return NULL;
  }
  self->thread = g_thread_new ("gs-usb", event_thread, self);
  if (!start (self, error)) {
    adapter_free (self);
    return NULL;
  }
  return self;
}

/* One that is gone is not found again: the same one plugged in anew is another. */
static RbGsUsbAdapter *
find_open (const char *serial)
{
  for (guint i = 0; adapters != NULL && i < adapters->len; i++) {
    RbGsUsbAdapter *self = adapters->pdata[i];
    g_mutex_lock (&self->lock);
    gboolean fits = self->gone == NULL && (serial[0] == '\0' || g_str_equal (serial, self->device.serial));
    g_mutex_unlock (&self->lock);
    if (fits)
      return self;
  }
  return NULL;
}

RbGsUsbAdapter *
rb_gs_usb_adapter_open (const char *serial, GError **error)
{
  g_mutex_lock (&adapters_lock);
  if (adapters == NULL)
    adapters = g_ptr_array_new ();
  RbGsUsbAdapter *self = find_open (serial);
  if (self == NULL) {
    self = adapter_new (serial, error);
    if (self != NULL)
      g_ptr_array_add (adapters, self);
  }
  if (self != NULL)
    self->users++;
  g_mutex_unlock (&adapters_lock);
  return self;
}

void
rb_gs_usb_adapter_close (RbGsUsbAdapter *self)
{
  g_mutex_lock (&adapters_lock);
  if (--self->users == 0) {
    g_ptr_array_remove (adapters, self);
    adapter_free (self);
    if (adapters->len == 0)
      g_clear_pointer (&adapters, g_ptr_array_unref);
  }
  g_mutex_unlock (&adapters_lock);
}

gboolean
rb_gs_usb_adapter_attach (RbGsUsbAdapter *self, guint channel, const RbGsUsbListener *listener, gpointer data,
                          GError **error)
{
  g_assert (channel < MAX_CHANNELS);
  g_mutex_lock (&self->lock);
  gboolean free = self->listeners[channel].listener == NULL;
  if (free)
    self->listeners[channel] = (Listener){ .listener = listener, .data = data };
  g_mutex_unlock (&self->lock);
  if (!free)
    g_set_error (error, RB_LINK_ERROR, RB_REASON_IN_USE, "channel %u of the adapter is in use", channel);
  return free;
}

void
rb_gs_usb_adapter_detach (RbGsUsbAdapter *self, guint channel)
{
  g_rec_mutex_lock (&self->work_lock);
  g_mutex_lock (&self->lock);
  self->listeners[channel] = (Listener){ 0 };
  g_mutex_unlock (&self->lock);
  g_rec_mutex_unlock (&self->work_lock);
}

/* Listing */

static void
add_entry (GPtrArray *entries, const RbUsbDevice *device, guint channel, guint channels)
{
  gboolean in_use = device->interface_up || g_str_equal (device->driver, "usbfs");
  const char *state = in_use ? "in-use" : !device->allowed ? "no-permission" : "ready";
  g_autofree char *where = channel > 0 ? g_strdup_printf ("/%u", channel) : g_strdup ("");
  g_autofree char *which = channels > 1 ? g_strdup_printf (", channel %u", channel) : g_strdup ("");
  RbLinkEntry *entry = g_new0 (RbLinkEntry, 1);
  entry->kind = g_strdup ("usb");
  entry->uri = g_strdup_printf ("usb:%s%s", device->serial, where);
  entry->name = g_strdup_printf ("%s%s", device->product[0] == '\0' ? "USB CAN adapter" : device->product, which);
  entry->serial = g_strdup (device->serial);
  entry->state = g_strdup (state);
  entry->vin = g_strdup ("");
  g_ptr_array_add (entries, entry);
}

/* The kernel's driver makes an interface of each channel; without it only the adapter knows. Without a driver, that was
 * taken off by a program which did not live to give it back: it is given back here. */
static guint
count_channels (libusb_device *device, const RbUsbDevice *found)
{
  RbGsUsbAdapter probe = { 0 };
  guint channels = 1;
  RbGsUsbAdapter *open = find_open (found->serial);
  if (open != NULL)
    return open->config.channels;
  if (found->interfaces > 0)
    return found->interfaces;
  if (found->driver[0] != '\0' || !found->allowed || libusb_open (device, &probe.handle) != 0)
    return channels;
  if (libusb_claim_interface (probe.handle, 0) == 0) {
    g_autoptr (GError) error = NULL;
    if (configure (&probe, &error))
      channels = probe.config.channels;
    else
      g_debug ("%s: %s", found->serial, error->message);
    (void) libusb_release_interface (probe.handle, 0);
    (void) libusb_attach_kernel_driver (probe.handle, 0);
  }
  libusb_close (probe.handle);
  return channels;
}

static gboolean
list_device (libusb_device *device, guint8 in, guint8 out, gpointer entries)
{
  g_auto (RbUsbDevice) found = { 0 };
  (void) in;
  (void) out;
  rb_usb_device_read (device, &found);
  guint channels = count_channels (device, &found);
  for (guint i = 0; i < channels; i++)
    add_entry (entries, &found, i, channels);
  return FALSE;
}

gboolean
rb_gs_usb_adapter_list (GPtrArray *entries, GError **error)
{
  libusb_context *context = NULL;
  (void) error;
  if (libusb_init (&context) != 0)
    return TRUE; /* a machine without USB has no adapters */
  g_mutex_lock (&adapters_lock);
  (void) for_each_device (context, list_device, entries);
  g_mutex_unlock (&adapters_lock);
  libusb_exit (context);
  return TRUE;
}
