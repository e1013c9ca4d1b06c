/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/backend.h"
#include "link/channel.h"

/*
 * A vehicle of one ECU made of a script, behind the link contract: nothing is sent anywhere and no time passes.
 *
 * A script is an array of steps, ended by { NULL }: the request that must come next, in hex, and what the ECU says to
 * it, words parted by spaces: hex is a message; "~" no message within the time; "!" the link is lost; ">" the message
 * was too long; "*" the message before once more, for ever. What is not taken from a step's answers is thrown away at
 * the next drain.
 */
typedef struct {
  const char *request;
  const char *answers;
} FakeStep;

/* Instead of a script: answers (as above) to any request; NULL: no answer. (transfer full) */
typedef char *(*FakeAnswer) (const char *request, gpointer user_data);

typedef struct {
  const FakeStep *steps;
  FakeAnswer answer;
  gpointer user_data;
  gsize max_message; /* what the link carries; 4095 at first */
  guint asked; /* requests so far */
  GPtrArray *requests; /* of char *, hex */
  GArray *waits; /* of gint64: the time each receive was given */
  GQueue answers; /* of char *, hex and words */
  char *last; /* what "*" repeats */
  GCancellable *cancel_at; /* cancelled when cancel_after requests were sent */
  guint cancel_after;
  guint opened; /* channels open now */
  guint unsent; /* so many messages do not get out: no flow control in time */
  gboolean ahead; /* sends what may follow an answer at once */
  guint followed; /* how often it did */
} Fake;

/* The link owns the fake: it is freed when the link's last reference goes. */
Fake *fake_new (const FakeStep *steps, RbLink **link);
/* A fake and one channel on it; the channel keeps all of it. */
Fake *fake_channel (const FakeStep *steps, RbChannel **channel);
/* The requests so far, joined by spaces. (transfer full) */
char *fake_said (Fake *self);
/* Every step was asked for, none more. */
void fake_assert_done (Fake *self);
/* The time that the n-th receive was given. */
gint64 fake_wait (Fake *self, guint n);
