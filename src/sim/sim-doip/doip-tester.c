/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-doip/doip-tester.h"

#include "frame/doip.h"

#include <sys/socket.h>

#define GATEWAY 0x1000

guint16
rb_doip_tester_entity_address (const RbDoipEntity *self)
{
  const GPtrArray *ecus = self->vehicle->ecus;
  return ecus->len == 1 ? ((RbEcu *) ecus->pdata[0])->model->logical : GATEWAY;
}

void
rb_doip_tester_source_drop (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

void
rb_doip_tester_free (RbDoipTester *self)
{
  if (self->timer != 0)
    g_source_remove (self->timer);
  rb_doip_tester_source_drop (self->source);
  rb_doip_tester_source_drop (self->idle);
  g_ptr_array_unref (self->delayed);
  g_byte_array_unref (self->buffer);
  g_object_unref (self->stream);
  g_object_unref (self->connection);
  g_free (self);
}

void
rb_doip_tester_write (RbDoipTester *self, GByteArray *message)
{
  GOutputStream *out = g_io_stream_get_output_stream (self->stream);
  g_autoptr (GError) error = NULL;
  if (!g_output_stream_write_all (out, message->data, message->len, NULL, NULL, &error))
    g_debug ("tester: %s", error->message);
}

void
rb_doip_tester_answer_activation (RbDoipTester *self, guint16 source, guint8 code)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_activation_response_write (out, source, rb_doip_tester_entity_address (self->entity), code);
  rb_doip_tester_write (self, out);
  if (code != RB_DOIP_ACTIVATED)
    return;
  self->active = TRUE;
  self->address = source;
}

guint
rb_doip_tester_count_active (const RbDoipEntity *self)
{
  guint count = 0;
  for (guint i = 0; i < self->testers->len; i++)
    count += ((RbDoipTester *) self->testers->pdata[i])->active ? 1 : 0;
  return count;
}

static void
activate_routing (RbDoipTester *self)
{
  self->address_holder = NULL;
  self->awaiting_socket = FALSE;
  if (self->timer != 0)
    g_source_remove (self->timer);
  self->timer = 0;
  rb_doip_tester_answer_activation (self, self->wanted, RB_DOIP_ACTIVATED);
}

/* Its address or its place goes to who asked for it. */
static void
tester_remove (RbDoipTester *self)
{
  RbDoipEntity *entity = self->entity;
  RbDoipTester *heir = NULL;
  for (guint i = 0; i < entity->testers->len; i++) {
    RbDoipTester *other = entity->testers->pdata[i];
    if (other->address_holder == self || (other->awaiting_socket && self->active && heir == NULL))
      heir = other;
  }
  g_ptr_array_remove (entity->testers, self);
  if (heir != NULL)
    activate_routing (heir);
}

void
rb_doip_tester_close (RbDoipTester *self)
{
  g_io_stream_close (self->stream, NULL, NULL);
  tester_remove (self);
}

/* The end of the wire is pulled: no orderly close. */
void
rb_doip_tester_reset (RbDoipTester *self)
{
  const struct linger now = { .l_onoff = 1, .l_linger = 0 };
  GSocket *socket = g_socket_connection_get_socket (self->connection);
  if (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &now, sizeof now) != 0)
    g_debug ("no linger");
  g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  tester_remove (self);
}

void
rb_doip_tester_send_nack (RbDoipTester *self, guint8 code)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_write (out, RB_DOIP_HEADER_NACK, &code, 1);
  rb_doip_tester_write (self, out);
}

static void
send_answer (RbDoipTester *self, guint16 from, GBytes *message)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_diagnostic_write (out, from, self->address, g_bytes_get_data (message, NULL), g_bytes_get_size (message));
  rb_doip_tester_write (self, out);
}

typedef struct {
  RbDoipTester *tester;
  guint16 from;
  RbAnswer answer;
} Late;

static void
late_free (gpointer data)
{
  Late *self = data;
  g_clear_pointer (&self->answer.message, g_bytes_unref);
  if (self->answer.work != NULL) /* the tester is gone, the ECU ends its work all the same */
    g_ptr_array_unref (rb_ecu_work (self->answer.work));
  g_free (self);
}

static gboolean
on_late (gpointer data)
{
  Late *self = data;
  RbDoipTester *tester = self->tester;
  guint16 from = self->from;
  RbEcu *work = g_steal_pointer (&self->answer.work);
  if (work == NULL)
    send_answer (tester, from, self->answer.message);
  g_ptr_array_remove (tester->delayed, g_main_current_source ());
  if (work != NULL) {
    g_autoptr (GPtrArray) answers = rb_ecu_work (work);
    rb_doip_tester_send_answers (tester, from, answers);
  }
  return G_SOURCE_REMOVE;
}

static void
send_later (RbDoipTester *self, guint16 from, const RbAnswer *answer, guint delay)
{
  Late *late = g_new0 (Late, 1);
  GSource *source = g_timeout_source_new (delay);
  *late = (Late){ self,
                  from,
                  { .message = answer->message == NULL ? NULL : g_bytes_ref (answer->message), .work = answer->work } };
  g_source_set_callback (source, on_late, late, late_free);
  g_source_attach (source, NULL);
  g_ptr_array_add (self->delayed, source);
}

void
rb_doip_tester_send_answers (RbDoipTester *self, guint16 from, GPtrArray *answers)
{
  guint delay = 0;
  for (guint i = 0; i < answers->len; i++) {
    const RbAnswer *answer = answers->pdata[i];
    delay += answer->delay_ms;
    if (delay == 0)
      send_answer (self, from, answer->message);
    else
      send_later (self, from, answer, delay);
  }
}
