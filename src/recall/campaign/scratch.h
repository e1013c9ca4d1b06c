/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"

/*
 * A folder of one's own for unfinished work, gone when it is freed. One left by a process that died is
 * told from one in use by its lock, and swept away.
 */
typedef struct _RbScratch RbScratch;
/* Made in parent, which is made where it is missing; a name beginning with '.'. */
RbScratch *rb_scratch_new (const char *parent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In the system's folder for temporary files. */
RbScratch *rb_scratch_new_temporary (GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full) */
char *rb_scratch_file (const RbScratch *self, const char *name);
void rb_scratch_free (RbScratch *self);
/* Removes what no living process holds. */
void rb_scratch_sweep (const char *parent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbScratch, rb_scratch_free)
