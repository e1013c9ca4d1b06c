/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/teller.h"

#include <string.h>

/* Events in a thread of their own: order, copies, and a watch that does not return. */

typedef struct {
  GString *told;
  GMutex gate; /* held: the watch waits */
  GThread *thread;
} Bench;

static void
bench_open (Bench *self, gconstpointer data)
{
  self->told = g_string_new (NULL);
  g_mutex_init (&self->gate);
}

static void
bench_close (Bench *self, gconstpointer data)
{
  g_string_free (self->told, TRUE);
  g_mutex_clear (&self->gate);
}

static void
watch (const RbRecoveryEvent *event, gpointer data)
{
  Bench *self = data;
  g_mutex_lock (&self->gate);
  self->thread = g_thread_self ();
  g_string_append_printf (self->told, "%s%s:%" G_GUINT64_FORMAT " ", event->serial,
                          event->kind == RB_EVENT_PROGRESS ? "" : "!", event->done);
  g_mutex_unlock (&self->gate);
}

static void
tell (RbTeller *teller, RbEventKind kind, const char *serial, guint64 done)
{
  g_autofree char *gone = g_strdup (serial); /* texts live only as long as the call */
  const RbRecoveryEvent event = { .kind = kind, .serial = gone, .done = done };
  rb_teller_tell (teller, &event);
  memset (gone, '?', strlen (gone));
}

static void
test_order (Bench *self, gconstpointer data)
{
  g_autoptr (RbTeller) teller = rb_teller_new (watch, self);
  for (guint i = 0; i < 3; i++)
    tell (teller, RB_EVENT_STEP, "a", i);
  rb_teller_flush (teller);
  g_assert_cmpstr (self->told->str, ==, "a!:0 a!:1 a!:2 ");
  g_assert_true (self->thread != g_thread_self ());
}

/* who tells does not wait, and of the progress of an ECU only the newest is kept, between its other events */
static void
test_watch_that_does_not_return (Bench *self, gconstpointer data)
{
  g_autoptr (RbTeller) teller = rb_teller_new (watch, self);
  g_mutex_lock (&self->gate);
  tell (teller, RB_EVENT_STEP, "a", 0);
  for (guint i = 0; i < 100; i++) {
    tell (teller, RB_EVENT_PROGRESS, "b", i);
    tell (teller, RB_EVENT_PROGRESS, "c", i);
  }
  tell (teller, RB_EVENT_STEP, "b", 7);
  tell (teller, RB_EVENT_PROGRESS, "b", 100);
  g_mutex_unlock (&self->gate);
  rb_teller_flush (teller);
  g_assert_cmpstr (self->told->str, ==, "a!:0 b:99 c:99 b!:7 b:100 ");
}

static void
test_all_come_before_it_is_freed (Bench *self, gconstpointer data)
{
  RbTeller *teller = rb_teller_new (watch, self);
  for (guint i = 0; i < 3; i++)
    tell (teller, RB_EVENT_ECU, "a", i);
  rb_teller_free (teller);
  g_assert_cmpstr (self->told->str, ==, "a!:0 a!:1 a!:2 ");
  teller = rb_teller_new (watch, self);
  rb_teller_flush (teller);
  rb_teller_free (teller);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/teller/order", Bench, NULL, bench_open, test_order, bench_close);
  g_test_add ("/teller/watch-that-does-not-return", Bench, NULL, bench_open, test_watch_that_does_not_return,
              bench_close);
  g_test_add ("/teller/all-come-before-it-is-freed", Bench, NULL, bench_open, test_all_come_before_it_is_freed,
              bench_close);
  return g_test_run ();
}
