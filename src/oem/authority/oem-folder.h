/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/error.h"
#include "core/lock.h"
#include <jansson.h>

/*
 * The OEM's folder: oem.json (name, WMI prefixes, policy), keys/, authoring/ (what is to be published), drafts/ and
 * repositories/KIND (what is published). One process changes it at a time.
 */
typedef struct {
  char *path;
  json_t *config; /* oem.json */
  RbLock *lock;
} RbOemFolder;

/* folder, or its subfolder oem where that one has an oem.json. (transfer full) */
char *rb_oem_folder_find (const char *folder);
/* Makes it. wmi: at least one prefix; policy may be NULL. Errors: exists, malformed. */
gboolean rb_oem_folder_init (const char *folder, const char *name, const char *const *wmi, const json_t *policy,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Locked until it is freed. Errors: not-found, malformed, in-use. */
RbOemFolder *rb_oem_folder_open (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_oem_folder_free (RbOemFolder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbOemFolder, rb_oem_folder_free)
