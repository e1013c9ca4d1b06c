/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"

/*
 * The newest accepted file of each role of one repository, in a folder under its name without version, percent-encoded.
 * In memory, nothing is written: what is put or dropped stands over what the folder holds.
 */
typedef struct _RbAccepted RbAccepted;
/* folder may be NULL in memory, and need not be there. */
RbAccepted *rb_accepted_new (const char *folder, gboolean in_memory);
void rb_accepted_free (RbAccepted *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbAccepted, rb_accepted_free)
/* "ROLE.json", so that no role's name leaves the folder. (transfer full) */
char *rb_accepted_file_name (const char *role);
/* NULL without error: nothing has been accepted. Errors: too-large, io. (transfer full) */
GBytes *rb_accepted_get (RbAccepted *self, const char *role, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_accepted_has (RbAccepted *self, const char *role);
gboolean rb_accepted_put (RbAccepted *self, const char *role, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_accepted_drop (RbAccepted *self, const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In memory only: what stands there until something is put. */
void rb_accepted_hold (RbAccepted *self, const char *role, GBytes *bytes);
