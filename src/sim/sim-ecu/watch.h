/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* A file descriptor in the main loop, whose condition can be changed without a new source. */
typedef struct _RbWatch RbWatch;
typedef void (*RbWatchReady) (gpointer data, GIOCondition condition);

/* fd stays the caller's. */
RbWatch *rb_watch_new (int fd, GIOCondition condition, RbWatchReady ready, gpointer data);
void rb_watch_set (RbWatch *self, GIOCondition condition);
/* Also from inside its own call. */
void rb_watch_free (RbWatch *self);
