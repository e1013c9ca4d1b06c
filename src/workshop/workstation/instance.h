/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/lock.h"

#include <gtk/gtk.h>

/* One window a data directory: a second start is refused, and the first one's window comes to the front. */

/* Locks the folder; makes it when it is missing. Two paths of one folder are one lock. Errors: in-use, io. */
RbLock *rb_instance_take (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Presents the window of application when another start finds the lock taken. lock outlives the application. */
void rb_instance_watch (RbLock *lock, GtkApplication *application);
