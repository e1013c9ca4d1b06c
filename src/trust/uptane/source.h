/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"

/*
 * Where metadata and targets come from: a folder, memory, HTTP(S). Everything that comes out of a source is
 * untrusted. Not thread safe.
 */
typedef struct _RbSource RbSource;
/* N.root.json, root.json, timestamp.json, ..., DELEGATION.json or delegations/DELEGATION.json, or
 * consistent-snapshot names; images beside the metadata or in targets/. */
RbSource *rb_source_folder (const char *path);
/* names (char *) → GBytes; takes a reference on the table. */
RbSource *rb_source_memory (GHashTable *files);
/* base is an http: or https: URL; borrows http (net/http.h) for its life. Names are then parts of a URL, already
 * percent-encoded. */
struct _RbHttp;
RbSource *rb_source_http (struct _RbHttp *http, const char *base);
/* Are names parts of a URL? */
gboolean rb_source_is_remote (RbSource *self);
/* Tries each in turn; takes ownership of the sources. NULL-terminated. */
RbSource *rb_source_first_of (RbSource *first, ...) G_GNUC_NULL_TERMINATED;
void rb_source_free (RbSource *self);
/* name is a plain file name or relative safe path. Errors: missing, too-large, path, io, timeout. Folder
 * sources map large files. (transfer full) */
GBytes *rb_source_fetch (RbSource *self, const char *name, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where a source can be listed (folder, memory): is the root of that version, which is missing, the end of the chain?
 * Error: root-gap. */
gboolean rb_source_has_no_root_above (RbSource *self, gint64 version, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of a folder source: is there such a folder in it? FALSE for other sources. */
gboolean rb_source_has_folder (RbSource *self, const char *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSource, rb_source_free)
