/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "link/backend.h"
#include "link/channel.h"
#include "linkd/backends.h"

/*
 * Our links and channels for a test in another language: commands on standard input, one line each, one line of answer.
 *   open URI · close · list · alive
 *   channel REQUEST RESPONSE EXTENSION RESPONSE-EXTENSION FD PADDING   (numbers; extensions -1 for none)
 *   send HEX · receive MS            whole messages
 *   send# N SEED · receive# N SEED MS    of N bytes that follow from SEED
 * Answers: "ok", "ok HEX", "error REASON TEXT".
 */
static RbLink *link_now;
static RbChannel *channel;

static GBytes *
pattern (gsize length, guint32 seed)
{
  guint8 *data = g_malloc (length);
  for (gsize i = 0; i < length; i++) {
    seed = seed * 1664525 + 1013904223;
    data[i] = (guint8) (seed >> 24);
  }
  return g_bytes_new_take (data, length);
}

static void
say (gboolean ok, const GError *error)
{
  if (ok)
    puts ("ok");
  else
    printf ("error %s %s\n", rb_reason_word (rb_reason_of (error)), error == NULL ? "" : error->message);
}

static void
do_close (void)
{
  g_clear_pointer (&channel, rb_channel_unref);
  g_clear_pointer (&link_now, rb_link_unref);
}

static void
do_channel (char **words)
{
  RbAddress address = { .request = (guint32) strtoul (words[1], NULL, 0),
                        .response = (guint32) strtoul (words[2], NULL, 0),
                        .extension = atoi (words[3]),
                        .response_extension = atoi (words[4]),
                        .fd = atoi (words[5]) != 0,
                        .padding = (guint8) strtoul (words[6], NULL, 0) };
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&channel, rb_channel_unref);
  channel = rb_channel_open (link_now, &address, &error);
  say (channel != NULL, error);
}

static void
do_send (GBytes *message)
{
  g_autoptr (GError) error = NULL;
  gboolean sent = rb_channel_send (channel, message, NULL, &error);
  say (sent, error);
  g_bytes_unref (message);
}

static void
do_receive (gint64 wait_ms, GBytes *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = rb_channel_receive (channel, wait_ms, NULL, &error);
  g_autofree char *hex = message == NULL ? NULL : rb_bytes_hex (message);
  if (message == NULL)
    say (FALSE, error);
  else if (expected == NULL)
    printf ("ok %s\n", hex);
  else
    puts (g_bytes_equal (message, expected) ? "ok" : "error internal another message");
  g_clear_pointer (&expected, g_bytes_unref);
}

static void
do_list (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = rb_backends_discover (10, NULL, &error);
  fputs ("ok", stdout);
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const RbLinkEntry *entry = list->pdata[i];
    printf (" %s=%s", entry->uri, entry->state);
  }
  putchar ('\n');
}

static void
do_open (const char *uri)
{
  g_autoptr (GError) error = NULL;
  do_close ();
  link_now = rb_backends_open (uri, NULL, NULL, &error);
  say (link_now != NULL, error);
}

static gboolean
is (char **words, const char *verb, guint n)
{
  return g_strcmp0 (words[0], verb) == 0 && g_strv_length (words) == n;
}

static void
obey (char **words)
{
  if (is (words, "open", 2))
    do_open (words[1]);
  else if (is (words, "list", 1))
    do_list ();
  else if (is (words, "close", 1)) {
    do_close ();
    puts ("ok");
  } else if (is (words, "alive", 1))
    puts (link_now != NULL && rb_link_is_alive (link_now) ? "ok" : "error link-lost");
  else if (is (words, "channel", 7) && link_now != NULL)
    do_channel (words);
  else if (is (words, "send", 2) && channel != NULL)
    do_send (rb_bytes_from_hex (words[1]));
  else if (is (words, "send#", 3) && channel != NULL)
    do_send (pattern ((gsize) atol (words[1]), (guint32) atol (words[2])));
  else if (is (words, "receive", 2) && channel != NULL)
    do_receive (atol (words[1]), NULL);
  else if (is (words, "receive#", 4) && channel != NULL)
    do_receive (atol (words[3]), pattern ((gsize) atol (words[1]), (guint32) atol (words[2])));
  else
    puts ("error usage");
}

int
main (void)
{
  static char line[1 << 20];
  setvbuf (stdout, NULL, _IOLBF, 0);
  while (fgets (line, sizeof line, stdin) != NULL) {
    g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", -1);
    if (words[0] != NULL)
      obey (words);
  }
  do_close ();
  return 0;
}
