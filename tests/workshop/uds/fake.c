/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include "core/bytes.h"

#include <string.h>

static void
queue_answers (Fake *self, const char *words)
{
  g_auto (GStrv) split = g_strsplit (words, " ", -1);
  for (guint i = 0; split[i] != NULL; i++)
    if (split[i][0] != '\0')
      g_queue_push_tail (&self->answers, g_strdup (split[i]));
}

static void
fake_close (gpointer state)
{
  Fake *self = state;
  g_queue_clear_full (&self->answers, g_free);
  g_ptr_array_unref (self->requests);
  g_array_unref (self->waits);
  g_free (self->last);
  g_free (self);
}

static gboolean
fake_is_alive (gpointer state)
{
  return TRUE;
}

static gpointer
fake_channel_open (gpointer state, const RbAddress *address, GError **error)
{
  Fake *self = state;
  self->opened++;
  return self;
}

static void
fake_channel_close (gpointer state, gpointer channel)
{
  Fake *self = state;
  self->opened--;
}

static gboolean
fake_send (gpointer state, gpointer channel, GBytes *message, GCancellable *cancellable, GError **error)
{
  Fake *self = state;
  g_autofree char *hex = rb_bytes_hex (message);
  if (self->unsent > 0) {
    self->unsent--;
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_TIMEOUT, "no flow control in time");
    return FALSE;
  }
  guint n = self->asked++;
  g_ptr_array_add (self->requests, g_strdup (hex));
  if (self->cancel_at != NULL && self->asked >= self->cancel_after)
    g_cancellable_cancel (self->cancel_at);
  if (self->answer != NULL) {
    g_autofree char *words = self->answer (hex, self->user_data);
    if (words != NULL)
      queue_answers (self, words);
    return TRUE;
  }
  for (guint i = 0; i <= n; i++)
    if (self->steps[i].request == NULL)
      g_error ("a request too many: %s", hex);
  g_assert_cmpstr (hex, ==, self->steps[n].request);
  queue_answers (self, self->steps[n].answers);
  return TRUE;
}

static GBytes *
fake_receive (gpointer state, gpointer channel, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  Fake *self = state;
  g_array_append_val (self->waits, first_ms);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  const char *head = g_queue_peek_head (&self->answers);
  gboolean again = g_strcmp0 (head, "*") == 0;
  g_autofree char *word = again ? g_strdup (self->last) : g_queue_pop_head (&self->answers);
  if (word == NULL || strcmp (word, "~") == 0) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_TIMEOUT, "silence");
    return NULL;
  }
  if (strcmp (word, "!") == 0) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the plug was pulled");
    return NULL;
  }
  if (strcmp (word, ">") == 0) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_BLOCK_TOO_LONG, "too long for the gateway");
    return NULL;
  }
  g_free (self->last);
  self->last = g_strdup (word);
  GBytes *bytes = rb_bytes_from_hex (word);
  g_assert_nonnull (bytes);
  return bytes;
}

static void
fake_drain (gpointer state, gpointer channel)
{
  Fake *self = state;
  g_queue_clear_full (&self->answers, g_free);
}

static GBytes *
fake_receive_then (gpointer state, gpointer channel, gint64 first_ms, RbChannelFollowUp *next,
                   GCancellable *cancellable, GError **error)
{
  Fake *self = state;
  g_autoptr (GBytes) answer = fake_receive (state, channel, first_ms, cancellable, error);
  if (answer == NULL || !self->ahead || !g_bytes_equal (answer, next->after))
    return g_steal_pointer (&answer);
  fake_drain (state, channel);
  next->sent = fake_send (state, channel, next->message, cancellable, error);
  self->followed++;
  return g_steal_pointer (&answer);
}

static gsize
fake_max_message (gpointer state, gpointer channel)
{
  return ((Fake *) state)->max_message;
}

static const RbLinkBackend backend = {
  .scheme = "fake",
  .close = fake_close,
  .is_alive = fake_is_alive,
  .channel_open = fake_channel_open,
  .channel_close = fake_channel_close,
  .send = fake_send,
  .receive = fake_receive,
  .receive_and_send = fake_receive_then,
  .drain = fake_drain,
  .max_message = fake_max_message,
};

Fake *
fake_new (const FakeStep *steps, RbLink **link)
{
  Fake *self = g_new0 (Fake, 1);
  self->steps = steps;
  self->max_message = 4095;
  self->requests = g_ptr_array_new_with_free_func (g_free);
  self->waits = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_queue_init (&self->answers);
  *link = rb_link_new_with_backend (&backend, "fake:", self);
  return self;
}

Fake *
fake_channel (const FakeStep *steps, RbChannel **channel)
{
  const RbAddress address = { .logical = 0x1001 };
  g_autoptr (GError) error = NULL;
  g_autoptr (RbLink) link = NULL;
  Fake *self = fake_new (steps, &link);
  *channel = rb_channel_open (link, &address, &error);
  g_assert_no_error (error);
  return self;
}

char *
fake_said (Fake *self)
{
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < self->requests->len; i++)
    g_string_append_printf (all, "%s%s", i == 0 ? "" : " ", (char *) self->requests->pdata[i]);
  return g_string_free (all, FALSE);
}

void
fake_assert_done (Fake *self)
{
  guint n = 0;
  while (self->steps[n].request != NULL)
    n++;
  g_assert_cmpuint (self->asked, ==, n);
}

gint64
fake_wait (Fake *self, guint n)
{
  g_assert_cmpuint (n, <, self->waits->len);
  return g_array_index (self->waits, gint64, n);
}
