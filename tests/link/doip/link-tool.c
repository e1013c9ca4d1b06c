/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "link/backend.h"
#include "link/channel.h"
#include "linkd/backends.h"

#include <stdio.h>
#include <string.h>

/*
 * A link for a test in another language to lead: link-tool [IDENTITY.pem ANCHORS.pem] URI. First says "open KIND
 * LOGICAL MAX [VIN]" or the reason it cannot. Then a line of output for each line of input: "channel LOGICAL" or
 * "channel REQUEST/RESPONSE" (the one that is used from now on), "send HEX", "receive MS", "then MS AFTER HEX" (sends
 * HEX behind the answer AFTER), "drain", "alive", "max", "close". Each says "ok …" or its reason word and text.
 */

/* built twice */
#ifdef BY_PROCESS
#define OPEN rb_link_open_with
#else
#define OPEN rb_backends_open
#endif

typedef struct {
  RbLink *link;
  RbChannel *channel;
} Tool;

static void
say (gboolean good, const char *what, GError *error)
{
  if (good)
    printf ("ok %s\n", what);
  else
    printf ("%s %s\n", rb_reason_word (rb_reason_of (error)), error->message);
  fflush (stdout);
}

static void
open_channel (Tool *tool, const char *logical)
{
  g_autoptr (GError) error = NULL;
  const char *response = strchr (logical, '/');
  const guint number = (guint) g_ascii_strtoull (logical, NULL, 16);
  const RbAddress address = { .logical = response == NULL ? (guint16) number : 0,
                              .request = response == NULL ? 0 : number,
                              .response = response == NULL ? 0 : (guint) g_ascii_strtoull (&response[1], NULL, 16),
                              .extension = -1,
                              .response_extension = -1,
                              .padding = 0xcc };
  RbChannel *channel = rb_channel_open (tool->link, &address, &error);
  say (channel != NULL, logical, error);
  if (channel == NULL)
    return;
  g_clear_pointer (&tool->channel, rb_channel_unref);
  tool->channel = channel;
}

static void
send_message (Tool *tool, const char *hex)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = rb_bytes_from_hex (hex);
  gboolean sent = rb_channel_send (tool->channel, message, NULL, &error);
  say (sent, "", error);
}

static void
receive_message (Tool *tool, const char *milliseconds)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) answer
    = rb_channel_receive (tool->channel, g_ascii_strtoll (milliseconds, NULL, 10), NULL, &error);
  g_autofree char *hex = answer == NULL ? NULL : rb_bytes_hex (answer);
  say (answer != NULL, hex, error);
}

/* Says "ok ANSWER sent" or "ok ANSWER". */
static void
receive_and_send (Tool *tool, const char *arguments)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = g_strsplit (arguments, " ", 3);
  g_autoptr (GBytes) after = rb_bytes_from_hex (words[1]), message = rb_bytes_from_hex (words[2]);
  RbChannelFollowUp next = { .after = after, .message = message };
  g_autoptr (GBytes) answer
    = rb_channel_receive_and_send (tool->channel, g_ascii_strtoll (words[0], NULL, 10), &next, NULL, &error);
  g_autofree char *hex = answer == NULL ? NULL : rb_bytes_hex (answer);
  g_autofree char *text = answer == NULL ? NULL : g_strconcat (hex, next.sent ? " sent" : NULL, NULL);
  say (answer != NULL, text, error);
}

static void
play (Tool *tool, const char *command, const char *argument)
{
  g_autofree char *max = NULL;
  if (strcmp (command, "channel") == 0)
    open_channel (tool, argument);
  else if (strcmp (command, "send") == 0)
    send_message (tool, argument);
  else if (strcmp (command, "receive") == 0)
    receive_message (tool, argument);
  else if (strcmp (command, "then") == 0)
    receive_and_send (tool, argument);
  else if (strcmp (command, "alive") == 0)
    say (TRUE, rb_link_is_alive (tool->link) ? "yes" : "no", NULL);
  else if (strcmp (command, "max") == 0) {
    max = g_strdup_printf ("%" G_GSIZE_FORMAT, rb_channel_max_message (tool->channel));
    say (TRUE, max, NULL);
  } else if (strcmp (command, "drain") == 0) {
    rb_channel_drain (tool->channel);
    say (TRUE, "", NULL);
  } else {
    g_clear_pointer (&tool->channel, rb_channel_unref);
    say (TRUE, "", NULL);
  }
}

/* (RbLinkWait) */
static void
say_wait (const char *text, gpointer data)
{
  printf ("wait %s\n", text);
  fflush (stdout);
}

/* [TESTER TYPE] or [IDENTITY ANCHORS], then URI */
static RbLink *
open_link (int argc, char **argv, GError **error)
{
  g_autofree char *identity = NULL;
  g_autofree char *anchors = NULL;
  RbLinkOptions options = { .wait = say_wait };
  if (argc < 4)
    return OPEN (argv[1], &options, NULL, error);
  if (strlen (argv[1]) == 4) {
    options.tester = (guint16) g_ascii_strtoull (argv[1], NULL, 16);
    options.activation_type = (guint8) g_ascii_strtoull (argv[2], NULL, 16);
    return OPEN (argv[3], &options, NULL, error);
  }
  if (!g_file_get_contents (argv[1], &identity, NULL, error) || !g_file_get_contents (argv[2], &anchors, NULL, error))
    return NULL;
  options.identity = identity;
  options.anchors = anchors;
  return OPEN (argv[3], &options, NULL, error);
}

int
main (int argc, char **argv)
{
  char line[140000];
  g_autoptr (GError) error = NULL;
  Tool tool = { .link = open_link (argc, argv, &error) };
  if (tool.link == NULL) {
    say (FALSE, NULL, error);
    return 1;
  }
  const RbLinkInfo *info = rb_link_info (tool.link);
  printf ("open %s %04x %u%s%s\n", info->kind, info->logical, info->max_message, info->vin[0] == '\0' ? "" : " ",
          info->vin);
  fflush (stdout);
  while (fgets (line, sizeof line, stdin) != NULL) {
    g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", 2);
    play (&tool, words[0], words[1]);
  }
  g_clear_pointer (&tool.channel, rb_channel_unref);
  rb_link_unref (tool.link);
  return 0;
}
