/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/error.h"

/*
 * The files of one repository that a web server serves: repositories/KIND. It is replaced as a whole, in one step: a
 * client sees what was published before or what is published now, never a part. Names are relative paths.
 */
typedef struct _RbPublication RbPublication;
/* oem: the OEM's folder. A published file stays unless it is replaced or removed. */
RbPublication *rb_publication_open (const char *oem, const char *kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_publication_free (RbPublication *self);
/* As it will be published; NULL without error: not there. (transfer full) */
GBytes *rb_publication_read (RbPublication *self, const char *name, GError **error);
gboolean rb_publication_has (RbPublication *self, const char *name);
gboolean rb_publication_put (RbPublication *self, const char *name, GBytes *bytes, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_publication_put_file (RbPublication *self, const char *name, const char *path, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_publication_remove (RbPublication *self, const char *name);
/* Relative paths of the files below folder ("" for all), as it will be published; sorted. (transfer full) */
GStrv rb_publication_list (RbPublication *self, const char *folder);
/* Another name of a file that is in it. */
gboolean rb_publication_repeat (RbPublication *self, const char *from, const char *to, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Takes effect. */
gboolean rb_publication_commit (RbPublication *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPublication, rb_publication_free)
