/* SPDX-License-Identifier: Apache-2.0 */
#include "memory-bus.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
  RbCanInput kind;
  RbCanFrame frame;
} MemoryInput;

static void
free_ecu (gpointer data)
{
  MemoryEcu *ecu = data;
  rb_isotp_free (ecu->engine);
  g_free (ecu);
}

MemoryBus *
memory_bus_new (void)
{
  MemoryBus *bus = g_new0 (MemoryBus, 1);
  g_mutex_init (&bus->lock);
  bus->event = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  bus->input = g_queue_new ();
  bus->seen = g_async_queue_new ();
  bus->ecus = g_ptr_array_new_with_free_func (free_ecu);
  return bus;
}

void
memory_bus_add_ecu (MemoryBus *bus, const RbIsotpConfig *config, GBytes *(*answer) (GBytes *request))
{
  MemoryEcu *ecu = g_new0 (MemoryEcu, 1);
  ecu->engine = rb_isotp_new (config);
  ecu->answer = answer;
  g_ptr_array_add (bus->ecus, ecu);
}

static void
push (MemoryBus *bus, RbCanInput kind, const RbCanFrame *frame)
{
  MemoryInput *input = g_new0 (MemoryInput, 1);
  guint64 one = 1;
  input->kind = kind;
  input->frame = *frame;
  g_queue_push_tail (bus->input, input);
  g_assert_cmpint (write (bus->event, &one, sizeof one), ==, sizeof one);
}

void
memory_bus_inject (MemoryBus *bus, const RbCanFrame *frame)
{
  g_mutex_lock (&bus->lock);
  push (bus, RB_CAN_FRAME, frame);
  g_mutex_unlock (&bus->lock);
}

void
memory_bus_unplug (MemoryBus *bus)
{
  static const RbCanFrame nothing;
  g_mutex_lock (&bus->lock);
  bus->gone = TRUE;
  push (bus, RB_CAN_GONE, &nothing);
  g_mutex_unlock (&bus->lock);
}

static void
serve (MemoryBus *bus, MemoryEcu *ecu)
{
  RbIsotpEvent event = rb_isotp_event (ecu->engine);
  for (; event.kind != RB_ISOTP_NONE; event = rb_isotp_event (ecu->engine)) {
    if (event.kind != RB_ISOTP_MESSAGE)
      continue;
    g_autoptr (GBytes) request = event.message;
    g_autoptr (GBytes) answer = ecu->answer == NULL ? NULL : ecu->answer (request);
    if (answer != NULL)
      g_assert_true (rb_isotp_send (ecu->engine, answer, 0, NULL));
  }
  RbCanFrame frame;
  guint32 ticket = 0;
  while (rb_isotp_next_frame (ecu->engine, 0, &frame, &ticket)) {
    if (bus->lose_every == 0 || ++bus->sent % bus->lose_every != 0)
      push (bus, RB_CAN_FRAME, &frame);
    rb_isotp_confirm (ecu->engine, ticket, 0);
  }
}

static RbCanResult
memory_send (gpointer state, const RbCanFrame *frame, GError **error)
{
  MemoryBus *bus = state;
  g_assert_cmpint (g_atomic_int_add (&bus->users, 1), ==, 0);
  g_mutex_lock (&bus->lock);
  g_async_queue_push (bus->seen, bus);
  RbCanResult result = bus->gone ? RB_CAN_FAILED : bus->again > 0 ? RB_CAN_AGAIN : RB_CAN_DONE;
  if (bus->again > 0)
    bus->again--;
  if (result == RB_CAN_FAILED)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "unplugged");
  if (result == RB_CAN_DONE && !bus->mute) {
    if (bus->unmarked)
      push (bus, RB_CAN_FRAME, frame);
    push (bus, RB_CAN_CONFIRM, frame);
    bus->sent++;
    for (guint i = 0; i < bus->ecus->len && (bus->lose_every == 0 || bus->sent % bus->lose_every != 0); i++) {
      MemoryEcu *ecu = bus->ecus->pdata[i];
      if (rb_isotp_receive_frame (ecu->engine, frame, 0))
        serve (bus, ecu);
    }
  }
  g_mutex_unlock (&bus->lock);
  (void) g_atomic_int_add (&bus->users, -1);
  return result;
}

static RbCanInput
memory_receive (gpointer state, RbCanFrame *frame, GError **error)
{
  MemoryBus *bus = state;
  guint64 count = 0;
  g_mutex_lock (&bus->lock);
  g_autofree MemoryInput *input = g_queue_pop_head (bus->input);
  if (g_queue_is_empty (bus->input))
    (void) !read (bus->event, &count, sizeof count);
  g_mutex_unlock (&bus->lock);
  if (input == NULL)
    return RB_CAN_EMPTY;
  *frame = input->frame;
  if (input->kind == RB_CAN_GONE)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "unplugged");
  return input->kind;
}

static void
memory_close (gpointer state)
{
  MemoryBus *bus = state;
  close (bus->event);
  g_queue_free_full (bus->input, g_free);
  g_async_queue_unref (bus->seen);
  g_ptr_array_unref (bus->ecus);
  g_mutex_clear (&bus->lock);
  g_free (bus);
}

static gboolean
memory_has_fd (gpointer state)
{
  return !((MemoryBus *) state)->no_fd;
}

static int
memory_fd (gpointer state)
{
  return ((MemoryBus *) state)->event;
}

static void
memory_filter (gpointer state, const guint32 *ids, guint n)
{
  MemoryBus *bus = state;
  (void) ids;
  bus->filters = n;
}

static gboolean
memory_state (gpointer state, RbCanState *out)
{
  MemoryBus *bus = state;
  *out = bus->state;
  return bus->state_known;
}

static gboolean
memory_mend (gpointer state, GError **error)
{
  MemoryBus *bus = state;
  g_mutex_lock (&bus->lock);
  bus->mended++;
  if (bus->mends) {
    bus->state.kind = RB_CAN_ACTIVE;
    bus->state.reason = NULL;
    bus->mute = FALSE;
  } else
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED, "no right to");
  gboolean mended = bus->mends;
  g_mutex_unlock (&bus->lock);
  return mended;
}

const RbCanBackend memory_bus_backend = {
  .scheme = "memory",
  .close = memory_close,
  .has_fd = memory_has_fd,
  .fd = memory_fd,
  .send = memory_send,
  .receive = memory_receive,
  .filter = memory_filter,
  .state = memory_state,
  .recover = memory_mend,
};

RbLink *
memory_bus_link (MemoryBus *bus)
{
  g_autoptr (GError) error = NULL;
  gpointer state = rb_can_link_new (&memory_bus_backend, bus, &error);
  g_assert_no_error (error);
  return rb_link_new_with_backend (&rb_can_link_any, "memory:", state);
}
