/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* A file descriptor in the main loop, whose condition can be changed without a new source. */
typedef struct _RbFdSource RbFdSource;
typedef void (*RbFdSourceReady) (gpointer data, GIOCondition condition);

/* fd stays the caller's. */
RbFdSource *rb_fd_source_new (int fd, GIOCondition condition, RbFdSourceReady ready, gpointer data);
void rb_fd_source_set (RbFdSource *self, GIOCondition condition);
/* Also from inside its own call. */
void rb_fd_source_free (RbFdSource *self);
