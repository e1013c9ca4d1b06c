/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One process at a time. A lock is a flock of a folder, or a name: an abstract Unix socket, which programs of all users
 * and data directories on this computer see (of one network namespace). Both end with the process that holds them.
 * Locks of one process exclude each other too. Error in-use names what is in use and its holder: program, process and
 * user.
 */
typedef struct _RbLock RbLock;

/* Locks a folder for a whole read, change and write of what is in it; the folder is made when it is missing. Waits at
 * most 5 s. subject begins the error text. Errors: in-use, io. */
RbLock *rb_lock_folder (const char *folder, const char *subject, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes a name such as "recallbay/vehicle/VIN"; does not wait. A name that is too long for a socket stands as its
 * digest. Errors: in-use, io. */
RbLock *rb_lock_name (const char *name, const char *subject, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of a name: readable when another process connects to read the holder. Borrowed. */
int rb_lock_fd (const RbLock *self);
void rb_lock_free (RbLock *self);
/* Who holds a lock of this file (flock or fcntl) that excludes others: "“recallctl” (process 12, user anna)", or
 * "another program" where the kernel does not say. (transfer full) */
char *rb_lock_holder_of (const char *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLock, rb_lock_free)
