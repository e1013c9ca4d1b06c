/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-backend.h"
#include "can/can-health.h"
#include "can/gs-usb-adapter.h"
#include "link/backend.h"
#include "link/can-preset.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * One channel of a gs_usb adapter as a CAN interface: usb:[SERIAL][/CHANNEL][?BITRATE]. A frame has a slot until the
 * adapter echoes it; there are ten, as in Linux.
 *
 * candleLight echoes a frame when it hands it to its CAN controller, not when it was on the bus (its README,
 * "Limitations"), so a confirmation is held back for the time the frame takes on the wire, or until the bus says
 * something after it.
 */
enum {
  SLOTS_PER_CHANNEL = 10,
  RING = 1024,
  ASK_STATE_US = 100 * 1000, /* a frame waits so long: what does the controller say? */
  STUCK_US = 500 * 1000, /* and so long without any bus trouble: the adapter has lost it */
  STALE_US = 1500 * 1000, /* its sender has given up (N_As is 1 s); it must not go out later */
  ESCALATE_US = 5 * 1000 * 1000, /* stuck again so soon after a restart: reset the whole adapter */
  CLOSE_US = 1000 * 1000,
};

typedef struct _Channel Channel;

typedef struct {
  Channel *channel;
  struct libusb_transfer *transfer;
  guint8 packet[RB_GS_USB_PACKET];
  RbCanFrame frame;
  gboolean submitted; /* the transfer is with libusb */
  gboolean waiting; /* for its echo */
  guint resets; /* of the adapter, when it was submitted */
  gint64 since;
} Slot;

typedef struct {
  RbCanFrame frame;
  gboolean own;
  gint64 due; /* of a confirmation */
} Entry;

struct _Channel {
  RbGsUsbAdapter *adapter;
  guint number;
  RbGsUsbLimits limits;
  guint32 features, mode;
  guint32 bitrate, data_bitrate;
  RbBitTiming timing, data_timing;
  int epoll, wake, timer;
  GMutex lock; /* everything below */
  GCond idle; /* a transfer came back */
  Slot slots[SLOTS_PER_CHANNEL];
  Entry *ring;
  guint first, n, n_received;
  gint64 wire_free; /* when the bus is done with what was confirmed */
  gboolean told; /* the eventfd is set */
  guint32 *ids; /* NULL: all */
  guint n_ids;
  RbCanHealth health;
  gboolean overflow, stuck, restart_wanted, restarting;
  gint64 restarted, asked;
  guint resets; /* of the adapter, when the channel was started; set before attaching, then by the adapter's thread */
  char *gone;
};

/* Entries */

static void
tell (Channel *self)
{
  const guint64 one = 1;
  if (!self->told && write (self->wake, &one, sizeof one) == sizeof one)
    self->told = TRUE;
}

static void
push (Channel *self, const RbCanFrame *frame, gboolean own, gint64 due)
{
  if (self->n == RING) {
    if (!self->overflow)
      g_warning ("USB CAN channel %u: frames are lost, they are not read in time", self->number);
    self->overflow = TRUE;
    return;
  }
  self->ring[(self->first + self->n++) % RING] = (Entry){ .frame = *frame, .own = own, .due = due };
  self->n_received += own ? 0 : 1;
  tell (self);
}

static gboolean
is_wanted (Channel *self, const RbCanFrame *frame)
{
  if (self->ids == NULL || (frame->id & RB_CAN_ERROR) != 0)
    return TRUE;
  for (guint i = 0; i < self->n_ids; i++)
    if (self->ids[i] == frame->id)
      return TRUE;
  return FALSE;
}

static void
take_echo (Channel *self, guint32 echo)
{
  if (echo >= SLOTS_PER_CHANNEL || !self->slots[echo].waiting)
    return; /* from before a restart */
  Slot *slot = &self->slots[echo];
  slot->waiting = FALSE;
  self->wire_free = MAX (g_get_monotonic_time (), self->wire_free)
                    + rb_can_time (&slot->frame, self->bitrate, self->data_bitrate) / 1000;
  rb_can_health_good (&self->health);
  self->stuck = FALSE;
  push (self, &slot->frame, TRUE, self->wire_free);
}

static void
on_frame (gpointer data, const RbGsUsbFrame *frame)
{
  Channel *self = data;
  g_mutex_lock (&self->lock);
  if (frame->overflow)
    g_debug ("USB CAN channel %u: the adapter lost frames", self->number);
  if (frame->echo != RB_GS_USB_RECEIVED) {
    take_echo (self, frame->echo);
  } else {
    if ((frame->frame.id & RB_CAN_ERROR) != 0)
      rb_can_health_error (&self->health, &frame->frame);
    else
      rb_can_health_good (&self->health);
    if (is_wanted (self, &frame->frame))
      push (self, &frame->frame, FALSE, 0);
  }
  g_mutex_unlock (&self->lock);
}

static void
on_gone (gpointer data, const char *why)
{
  Channel *self = data;
  g_mutex_lock (&self->lock);
  if (self->gone == NULL)
    self->gone = g_strdup (why);
  tell (self);
  g_mutex_unlock (&self->lock);
}

/* Restarting, and what the controller says */

static gboolean
send_mode (Channel *self, gboolean start, GError **error)
{
  guint8 mode[RB_GS_USB_MODE_SIZE];
  rb_gs_usb_protocol_write_mode (start, self->mode, mode);
  return rb_gs_usb_adapter_tell (self->adapter, RB_GS_USB_MODE, self->number, mode, sizeof mode, error);
}

static gboolean
send_timing (Channel *self, RbGsUsbRequest request, const RbBitTiming *timing, GError **error)
{
  guint8 bytes[RB_GS_USB_TIMING_SIZE];
  rb_gs_usb_protocol_write_timing (timing, bytes);
  return rb_gs_usb_adapter_tell (self->adapter, request, self->number, bytes, sizeof bytes, error);
}

static gboolean
start (Channel *self, GError **error)
{
  RbGsUsbRequest data_request
    = rb_gs_usb_adapter_is_old_cantact (self->adapter) ? RB_GS_USB_CANTACT_DATA_BITTIMING : RB_GS_USB_DATA_BITTIMING;
  return send_mode (self, FALSE, error) && send_timing (self, RB_GS_USB_BITTIMING, &self->timing, error)
         && ((self->mode & RB_GS_USB_FD) == 0 || send_timing (self, data_request, &self->data_timing, error))
         && send_mode (self, TRUE, error);
}

/* With the lock held. */
static void
drop_frames (Channel *self)
{
  for (guint i = 0; i < SLOTS_PER_CHANNEL; i++) {
    self->slots[i].waiting = FALSE;
    if (self->slots[i].submitted)
      (void) libusb_cancel_transfer (self->slots[i].transfer);
  }
}

static void
restart (Channel *self, gboolean reset)
{
  g_autoptr (GError) error = NULL;
  gboolean ready = !reset || rb_gs_usb_adapter_reset (self->adapter, &error);
  self->resets = rb_gs_usb_adapter_resets (self->adapter);
  gboolean back = ready && start (self, &error);
  g_mutex_lock (&self->lock);
  self->restarting = FALSE;
  if (back) {
    self->restarted = g_get_monotonic_time ();
    self->health.kind = RB_CAN_ACTIVE;
    self->health.tx_errors = self->health.rx_errors = 0;
    self->stuck = FALSE;
  } else if (self->gone == NULL) {
    self->gone = g_strdup (error->message);
  }
  tell (self);
  g_mutex_unlock (&self->lock);
}

static gint64
oldest (Channel *self)
{
  gint64 since = G_MAXINT64;
  for (guint i = 0; i < SLOTS_PER_CHANNEL; i++)
    if (self->slots[i].waiting || self->slots[i].submitted)
      since = MIN (since, self->slots[i].since);
  return since;
}

/* A controller that retries a frame without acknowledgement shows it in its counters. */
static void
ask_state (Channel *self)
{
  guint8 bytes[RB_GS_USB_STATE_SIZE];
  RbGsUsbState state;
  g_autoptr (GError) error = NULL;
  gssize length = rb_gs_usb_adapter_ask (self->adapter, RB_GS_USB_GET_STATE, self->number, bytes, sizeof bytes, &error);
  if (length < 0 || !rb_gs_usb_protocol_read_state (bytes, (gsize) length, &state) || state.kind > RB_CAN_STOPPED)
    return;
  RbCanState merged
    = { .kind = (RbCanStateKind) state.kind, .tx_errors = state.tx_errors, .rx_errors = state.rx_errors };
  g_mutex_lock (&self->lock);
  rb_can_health_merge (&self->health, &merged);
  g_mutex_unlock (&self->lock);
}

typedef struct {
  gboolean restart, reset, ask;
} Task;

/* With the lock held: what is there to do? */
static Task
next_task (Channel *self, gint64 now)
{
  Task task = { 0 };
  gint64 waited = now - MIN (now, oldest (self));
  if (self->gone != NULL)
    return task;
  gboolean quiet = rb_can_health_trouble (&self->health) == NULL;
  gboolean was_stuck = self->stuck,
           was_reset = self->resets != rb_gs_usb_adapter_resets (self->adapter); /* for another channel */
  self->stuck = quiet && waited > STUCK_US;
  if (self->stuck && !was_stuck)
    tell (self);
  task.restart = self->restart_wanted || waited > STALE_US || was_reset;
  task.reset = task.restart && self->stuck && !was_reset && self->restarted != 0 && now - self->restarted < ESCALATE_US;
  task.ask = !task.restart && waited > ASK_STATE_US && (self->features & RB_GS_USB_HAS_STATE) != 0
             && now - self->asked >= ASK_STATE_US;
  if (task.ask)
    self->asked = now;
  if (task.restart) {
    self->restart_wanted = FALSE;
    self->restarting = TRUE;
    drop_frames (self);
  }
  return task;
}

static void
on_work (gpointer data)
{
  Channel *self = data;
  g_mutex_lock (&self->lock);
  Task task = next_task (self, g_get_monotonic_time ());
  g_mutex_unlock (&self->lock);
  if (task.restart)
    restart (self, task.reset);
  else if (task.ask)
    ask_state (self);
}

static const RbGsUsbListener listener = { .frame = on_frame, .gone = on_gone, .work = on_work };

/* Sending */

static void LIBUSB_CALL
on_out (struct libusb_transfer *transfer)
{
  Slot *slot = transfer->user_data;
  Channel *self = slot->channel;
  g_mutex_lock (&self->lock);
  gboolean was_reset = slot->resets != rb_gs_usb_adapter_resets (self->adapter);
  slot->submitted = FALSE;
  if (transfer->status == LIBUSB_TRANSFER_NO_DEVICE && !was_reset && self->gone == NULL) {
    self->gone = g_strdup ("the adapter was unplugged");
    tell (self);
  } else if (transfer->status != LIBUSB_TRANSFER_COMPLETED) {
    slot->waiting = FALSE; /* dropped; its message ends by N_As */
  }
  g_cond_broadcast (&self->idle);
  g_mutex_unlock (&self->lock);
}

static Slot *
free_slot (Channel *self)
{
  for (guint i = 0; i < SLOTS_PER_CHANNEL; i++)
    if (!self->slots[i].submitted && !self->slots[i].waiting)
      return &self->slots[i];
  return NULL;
}

static RbCanResult
submit (Channel *self, Slot *slot, const RbCanFrame *frame)
{
  guint32 echo = (guint32) (slot - self->slots);
  slot->transfer->length = (int) rb_gs_usb_protocol_write_frame (frame, echo, (guint8) self->number, self->mode,
                                                                 self->features, slot->packet);
  slot->frame = *frame;
  slot->submitted = slot->waiting = TRUE;
  slot->since = g_get_monotonic_time ();
  int code = rb_gs_usb_adapter_submit (self->adapter, slot->transfer, &slot->resets);
  if (code == 0)
    return RB_CAN_DONE;
  slot->submitted = slot->waiting = FALSE;
  if (code == LIBUSB_ERROR_BUSY)
    return RB_CAN_AGAIN;
  if (self->gone == NULL)
    self->gone = g_strdup (code == LIBUSB_ERROR_NO_DEVICE ? "the adapter was unplugged" : libusb_strerror (code));
  tell (self);
  return RB_CAN_FAILED;
}

static RbCanResult
gs_usb_send (gpointer state, const RbCanFrame *frame, GError **error)
{
  Channel *self = state;
  RbCanResult result = RB_CAN_AGAIN;
  g_mutex_lock (&self->lock);
  gboolean ready
    = !self->restart_wanted && !self->restarting && self->health.kind != RB_CAN_BUS_OFF; /* a restart drops frames */
  Slot *slot = self->gone == NULL && ready ? free_slot (self) : NULL;
  if (slot != NULL)
    result = submit (self, slot, frame);
  if (self->gone != NULL) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, self->gone);
    result = RB_CAN_FAILED;
  }
  g_mutex_unlock (&self->lock);
  return result;
}

/* Receiving */

static void
empty (int fd)
{
  guint64 count = 0;
  if (read (fd, &count, sizeof count) < 0 && errno != EAGAIN)
    g_debug ("read: %s", g_strerror (errno));
}

/* Nothing to take now: the descriptor is not readable until there is. */
static void
wait_for (Channel *self, gint64 due)
{
  struct itimerspec when = { .it_value = { .tv_sec = due / G_USEC_PER_SEC, .tv_nsec = due % G_USEC_PER_SEC * 1000 } };
  empty (self->timer);
  if (due > 0)
    (void) timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &when, NULL);
  if (self->told)
    empty (self->wake);
  self->told = FALSE;
}

static RbCanInput
gs_usb_receive (gpointer state, RbCanFrame *frame, GError **error)
{
  Channel *self = state;
  RbCanInput input = RB_CAN_EMPTY;
  g_mutex_lock (&self->lock);
  const Entry *entry = self->n == 0 ? NULL : &self->ring[self->first];
  if (entry != NULL && (!entry->own || self->n_received > 0 || entry->due <= g_get_monotonic_time ())) {
    *frame = entry->frame;
    input = entry->own ? RB_CAN_CONFIRM : RB_CAN_FRAME;
    self->first = (self->first + 1) % RING;
    self->n--;
    self->n_received -= entry->own ? 0 : 1;
    self->overflow = FALSE;
  } else if (self->gone != NULL) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, self->gone);
    input = RB_CAN_GONE;
  } else {
    wait_for (self, entry == NULL ? 0 : entry->due);
  }
  g_mutex_unlock (&self->lock);
  return input;
}

static int
gs_usb_fd (gpointer state)
{
  return ((Channel *) state)->epoll;
}

static gboolean
gs_usb_has_fd (gpointer state)
{
  return (((Channel *) state)->mode & RB_GS_USB_FD) != 0;
}

static void
gs_usb_filter (gpointer state, const guint32 *ids, guint n)
{
  Channel *self = state;
  guint32 *copy = n == 0 ? NULL : g_memdup2 (ids, n * sizeof *ids);
  g_mutex_lock (&self->lock);
  g_free (self->ids);
  self->ids = copy;
  self->n_ids = n;
  g_mutex_unlock (&self->lock);
}

static gboolean
gs_usb_state (gpointer state, RbCanState *out)
{
  Channel *self = state;
  g_mutex_lock (&self->lock);
  *out = (RbCanState){ .kind = self->restarting ? RB_CAN_STOPPED : self->health.kind,
                       .tx_errors = self->health.tx_errors,
                       .rx_errors = self->health.rx_errors,
                       .bitrate = self->bitrate,
                       .data_bitrate = self->data_bitrate };
  out->reason = self->stuck ? "stuck" : rb_can_health_trouble (&self->health);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* The adapter's thread does it: it takes control transfers. */
static gboolean
gs_usb_recover (gpointer state, GError **error)
{
  Channel *self = state;
  g_mutex_lock (&self->lock);
  gboolean possible = self->gone == NULL;
  if (possible)
    self->restart_wanted = TRUE;
  else
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, self->gone);
  g_mutex_unlock (&self->lock);
  if (possible)
    rb_gs_usb_adapter_poke (self->adapter);
  return possible;
}

/* Opening and closing */

static gboolean
read_limits (Channel *self, GError **error)
{
  guint8 bytes[RB_GS_USB_LIMITS_EXT_SIZE];
  gssize length
    = rb_gs_usb_adapter_ask (self->adapter, RB_GS_USB_BT_CONST, self->number, bytes, RB_GS_USB_LIMITS_SIZE, error);
  if (length < 0)
    return FALSE;
  gboolean known = rb_gs_usb_protocol_read_limits (bytes, (gsize) length, &self->limits);
  if (known && (self->limits.features & RB_GS_USB_HAS_BT_CONST_EXT) != 0) {
    length = rb_gs_usb_adapter_ask (self->adapter, RB_GS_USB_BT_CONST_EXT, self->number, bytes, sizeof bytes, error);
    if (length < 0)
      return FALSE;
    known
      = length == RB_GS_USB_LIMITS_EXT_SIZE && rb_gs_usb_protocol_read_limits (bytes, (gsize) length, &self->limits);
  }
  self->features = self->limits.features | (rb_gs_usb_adapter_is_old_cantact (self->adapter) ? RB_GS_USB_PAD_BYTE : 0);
  if (!known)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL,
                         "the adapter does not say what bit timing it can");
  return known;
}

static gboolean
find_timing (Channel *self, const RbCanPreset *preset, GError **error)
{
  gboolean fd = preset->data_bitrate > 0;
  if (fd && (self->features & RB_GS_USB_FD) == 0) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "the adapter has no CAN FD, so not %s", preset->name);
    return FALSE;
  }
  if (!rb_bit_timing_find (&self->limits.nominal, self->limits.clock, preset->bitrate, RB_CAN_SAMPLE_POINT,
                           &self->timing)
      || (fd
          && !rb_bit_timing_find (&self->limits.data, self->limits.clock, preset->data_bitrate,
                                  RB_CAN_DATA_SAMPLE_POINT, &self->data_timing))) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "the adapter's clock cannot make %s", preset->name);
    return FALSE;
  }
  self->bitrate = preset->bitrate;
  self->data_bitrate = preset->data_bitrate;
  self->mode = (fd ? RB_GS_USB_FD : 0) | (self->features & RB_GS_USB_BERR_REPORTING);
  return TRUE;
}

static gboolean
open_descriptors (Channel *self, GError **error)
{
  struct epoll_event event = { .events = EPOLLIN };
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, self->wake, &event) == 0
      && epoll_ctl (self->epoll, EPOLL_CTL_ADD, self->timer, &event) == 0)
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_IO, "no descriptors for the adapter: %s", g_strerror (errno));
  return FALSE;
}

static void
make_slots (Channel *self)
{
  self->ring = g_new0 (Entry, RING);
  for (guint i = 0; i < SLOTS_PER_CHANNEL; i++) {
    Slot *slot = &self->slots[i];
    slot->channel = self;
    slot->transfer = libusb_alloc_transfer (0);
    rb_gs_usb_adapter_fill_out (self->adapter, slot->transfer, slot->packet, on_out, slot);
  }
}

static gboolean
wait_for_transfers (Channel *self)
{
  gint64 end = g_get_monotonic_time () + CLOSE_US;
  gboolean busy = FALSE;
  g_mutex_lock (&self->lock);
  drop_frames (self);
  do {
    busy = FALSE;
    for (guint i = 0; i < SLOTS_PER_CHANNEL; i++)
      busy |= self->slots[i].submitted;
  } while (busy && g_cond_wait_until (&self->idle, &self->lock, end));
  g_mutex_unlock (&self->lock);
  return !busy;
}

static void
shut (int fd)
{
  if (fd >= 0)
    close (fd);
}

/* Not attached, no transfer under way. */
static void
channel_free (Channel *self)
{
  for (guint i = 0; i < SLOTS_PER_CHANNEL; i++)
    libusb_free_transfer (self->slots[i].transfer);
  rb_gs_usb_adapter_close (self->adapter);
  shut (self->epoll);
  shut (self->wake);
  shut (self->timer);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->idle);
  g_free (self->ring);
  g_free (self->ids);
  g_free (self->gone);
  g_free (self);
}

static void
gs_usb_close (gpointer state)
{
  Channel *self = state;
  g_autoptr (GError) error = NULL;
  rb_gs_usb_adapter_detach (self->adapter, self->number);
  if (self->gone == NULL && !send_mode (self, FALSE, &error))
    g_debug ("USB CAN channel %u: %s", self->number, error->message);
  if (wait_for_transfers (self))
    channel_free (self);
  else
    g_warning ("USB CAN channel %u did not give back its transfers",
               self->number); /* and keeps its memory: libusb may still write there */
}

typedef struct {
  char *serial;
  guint channel;
  const RbCanPreset *preset; /* NULL: the adapter's best */
} Address;

static gboolean
parse_address (const char *rest, Address *out, GError **error)
{
  const char *question = strchr (rest, '?');
  g_autofree char *where = g_strndup (rest, question == NULL ? strlen (rest) : (gsize) (question - rest));
  char *slash = strrchr (where, '/');
  guint64 channel = 0;
  memset (out, 0, sizeof *out);
  if (slash != NULL && !g_ascii_string_to_unsigned (&slash[1], 10, 0, 7, &channel, NULL)) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_USAGE, "“%s” is not a channel's number", &slash[1]);
    return FALSE;
  }
  if (question != NULL && (out->preset = rb_can_preset_find (&question[1])) == NULL) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_USAGE, "“%s” is not one of the bit rates %s", &question[1],
                 rb_can_preset_names ());
    return FALSE;
  }
  out->channel = (guint) channel;
  out->serial = g_strndup (where, slash == NULL ? strlen (where) : (gsize) (slash - where));
  return TRUE;
}

static gboolean
set_up (Channel *self, const Address *address, GError **error)
{
  if (address->channel >= rb_gs_usb_adapter_channels (self->adapter)) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_NONE, "the adapter has %u channels, none of them is %u",
                 rb_gs_usb_adapter_channels (self->adapter), address->channel);
    return FALSE;
  }
  if (!open_descriptors (self, error) || !read_limits (self, error))
    return FALSE;
  self->resets = rb_gs_usb_adapter_resets (self->adapter);
  gboolean fd = (self->features & RB_GS_USB_FD) != 0;
  return find_timing (self, address->preset != NULL ? address->preset : rb_can_preset_find (fd ? "500k/2M" : "500k"),
                      error);
}

static void
tell_who (Channel *self, RbLinkInfo *info)
{
  info->kind = g_strdup ("usb");
  info->vendor = g_strdup (rb_gs_usb_adapter_vendor (self->adapter));
  info->serial = g_strdup (rb_gs_usb_adapter_serial (self->adapter));
  info->firmware = g_strdup_printf ("%u", rb_gs_usb_adapter_firmware (self->adapter));
}

static gpointer
gs_usb_open (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  Address address;
  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !parse_address (rest, &address, error))
    return NULL;
  g_autofree char *serial = address.serial;
  RbGsUsbAdapter *adapter = rb_gs_usb_adapter_open (serial, error);
  if (adapter == NULL)
    return NULL;
  Channel *self = g_new0 (Channel, 1);
  self->adapter = adapter;
  self->number = address.channel;
  self->epoll = self->wake = self->timer = -1;
  g_mutex_init (&self->lock);
  g_cond_init (&self->idle);
  make_slots (self);
  if (!set_up (self, &address, error) || !rb_gs_usb_adapter_attach (adapter, self->number, &listener, self, error)) {
    channel_free (self);
    return NULL;
  }
  if (!start (self, error)) {
    gs_usb_close (self);
    return NULL;
  }
  tell_who (self, info);
  return self;
}

const RbCanBackend rb_gs_usb_backend = {
  .scheme = "usb",
  .open = gs_usb_open,
  .close = gs_usb_close,
  .list = rb_gs_usb_adapter_list,
  .has_fd = gs_usb_has_fd,
  .fd = gs_usb_fd,
  .send = gs_usb_send,
  .receive = gs_usb_receive,
  .filter = gs_usb_filter,
  .state = gs_usb_state,
  .recover = gs_usb_recover,
};
