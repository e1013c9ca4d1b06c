/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"
#include "fake.h"

#include "core/bytes.h"

#include <stdio.h>
#include <string.h>

/*
 * What the client sends and makes of an answer, for another implementation to judge. Each line of input is a call, a
 * tab and an answer in hex; each line of output the request in hex, a tab, and "ok RESULT" or "REASON NRC NAME".
 */
static char *
answer_once (const char *request, gpointer data)
{
  return g_strdup (data);
}

static void
play (const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, "\t", 2);
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  Fake *fake = fake_channel (NULL, &channel);
  const RbUdsClientTiming timing = { .repeats = 1, .busy_ms = 1, .delay_ms = 1 };
  fake->answer = answer_once;
  fake->user_data = parts[1];
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, &timing);
  g_autofree char *result = calls_do (client, parts[0], NULL, &error);
  g_autofree char *said = fake_said (fake);
  guint8 nrc = rb_uds_client_last_nrc (client);
  if (result != NULL)
    printf ("%s\tok %s\n", said, result);
  else
    printf ("%s\t%s %02x %s\n", said, rb_reason_word (rb_reason_of (error)), nrc, rb_nrc_name (nrc));
}

int
main (void)
{
  char line[70000];
  while (fgets (line, sizeof line, stdin) != NULL)
    play (g_strchomp (line));
  return 0;
}
