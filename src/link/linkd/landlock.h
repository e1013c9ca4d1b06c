/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"

/*
 * Inside link/ and its tests only: the kernel's landlock, by system call. A domain forbids this thread and those it
 * makes every file and (version 4) every TCP port, signals and abstract sockets of others (6), but for what is allowed
 * before it is enforced. What is not there cannot be allowed, which is no error.
 */
typedef struct {
  guint version; /* 0: this kernel has none, and everything below does nothing */
  int ruleset;
} RbLandlock;

RbLandlock rb_landlock_new (void);
/* Files, and all below folders; read-only. */
void rb_landlock_allow_reading (RbLandlock *self, const char *const *paths);
/* Device nodes, with their ioctls. */
void rb_landlock_allow_device (RbLandlock *self, const char *const *paths);
/* To connect to; 0 is none. */
void rb_landlock_allow_port (RbLandlock *self, guint16 port);
/* Error unsupported. */
gboolean rb_landlock_enforce (RbLandlock *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_landlock_clear (RbLandlock *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbLandlock, rb_landlock_clear)
