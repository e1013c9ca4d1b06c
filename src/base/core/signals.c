/* SPDX-License-Identifier: Apache-2.0 */
#include "core/signals.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

static int pipe_ends[2] = { -1, -1 };
static GMutex lock;
static RbSignalsHandler current, first;
static gpointer current_data, first_data;

/* A full pipe already holds what wakes the thread. */
static void
on_signal (int number)
{
  int code = errno;
  char byte = (char) number;
  if (write (pipe_ends[1], &byte, 1) < 0)
    errno = code;
  errno = code;
}

static gpointer
run (gpointer unused)
{
  char byte;
  for (;;) {
    ssize_t n = read (pipe_ends[0], &byte, 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return NULL;
    g_mutex_lock (&lock);
    current (current_data);
    g_mutex_unlock (&lock);
  }
}

static void
install (int number)
{
  struct sigaction before;
  if (sigaction (number, NULL, &before) != 0 || before.sa_handler == SIG_IGN)
    return;
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
  sigemptyset (&action.sa_mask);
  sigaction (number, &action, NULL);
}

void
rb_signals_watch (RbSignalsHandler handler, gpointer user_data)
{
  g_mutex_lock (&lock);
  current = first = handler;
  current_data = first_data = user_data;
  g_mutex_unlock (&lock);
  if (pipe_ends[0] >= 0 || !g_unix_open_pipe (pipe_ends, FD_CLOEXEC, NULL))
    return;
  g_unix_set_fd_nonblocking (pipe_ends[1], TRUE, NULL);
  g_thread_unref (g_thread_new ("signals", run, NULL));
  install (SIGINT);
  install (SIGTERM);
  install (SIGHUP);
}

void
rb_signals_set (RbSignalsHandler handler, gpointer user_data)
{
  g_mutex_lock (&lock);
  current = handler != NULL ? handler : first;
  current_data = handler != NULL ? user_data : first_data;
  g_mutex_unlock (&lock);
}
