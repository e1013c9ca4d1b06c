/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"
#include <jansson.h>

/*
 * The files of a store: N.root.json, timestamp.json, snapshot.json and versions.json, and in copy/ the newest root and
 * the same three files again. versions.json holds what was accepted with the digest of each file, its own digest and a
 * sequence number, and is written after the files that it describes; copy/ is complete before the others are written.
 * So after a power cut one of the two is complete, and of a damaged file the other one is used. The caller excludes
 * other writers.
 */
typedef struct {
  json_t *state; /* what was accepted; an empty object in a new store */
  GBytes *root; /* the newest; NULL: none */
  GHashTable *files; /* "timestamp", "snapshot" → GBytes */
  GPtrArray *damaged; /* names of files that are not what was stored (char *) */
} RbStoreFiles;
RbStoreFiles *rb_store_files_new (void);
void rb_store_files_free (RbStoreFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbStoreFiles, rb_store_files_free)
/* A folder without a store is a new store. Errors: store-damaged (what was accepted cannot be told any more), io.
 * (transfer full) */
RbStoreFiles *rb_store_files_read (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes a root and the state that names it, without the copy: a next root may follow at once. */
gboolean rb_store_files_write_root (RbStoreFiles *self, const char *folder, gint64 version, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Writes copy and store, and removes what earlier writers left. */
gboolean rb_store_files_write (RbStoreFiles *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
