/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/instance.h"

#include "core/files.h"

#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

RbLock *
rb_instance_take (const char *data_dir, GError **error)
{
  struct stat status;
  if (!rb_files_make_folder (data_dir, error))
    return NULL;
  g_autofree char *subject = g_strdup_printf ("window of %s", data_dir);
  g_autofree char *name
    = stat (data_dir, &status) == 0
        ? g_strdup_printf ("recallbay/window/%lx:%lu", (gulong) status.st_dev, (gulong) status.st_ino)
        : g_strconcat ("recallbay/window/", data_dir, NULL);
  return rb_lock_name (name, subject, error);
}

static gboolean
on_start (int fd, GIOCondition condition, gpointer application)
{
  int other = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (other >= 0)
    close (other);
  GtkWindow *window = gtk_application_get_active_window (application);
  if (window != NULL)
    gtk_window_present (window);
  return G_SOURCE_CONTINUE;
}

void
rb_instance_watch (RbLock *lock, GtkApplication *application)
{
  g_unix_fd_add (rb_lock_fd (lock), G_IO_IN, on_start, application);
}
