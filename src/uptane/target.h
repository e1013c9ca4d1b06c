/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"
#include <jansson.h>

/* One entry of a targets file. */
typedef struct {
  char *path;
  guint64 length;
  char *sha256;          /* lower-case hex; NULL when the file gives none */
  char *sha512;          /* may be NULL */
  GStrv hardware_ids;    /* NULL when none are listed */
  gint64 release_counter; /* -1 when absent */
  GHashTable *ecus;      /* Director: serial → hardware id (char *); NULL elsewhere */
  json_t *custom;        /* as read, may be NULL */
} RbTarget;
void rb_target_free (RbTarget *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTarget, rb_target_free)
