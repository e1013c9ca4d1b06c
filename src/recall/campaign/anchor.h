/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* A trust anchor: the roots of one OEM's Service repository that were accepted. */
typedef struct {
  char *name;
  gint64 added;
  gint64 version; /* newest root */
  char *sha256;
  GPtrArray *roots; /* every accepted root, as GBytes, oldest first */
  char *folder; /* of the store */
} RbAnchor;
void rb_anchor_free (RbAnchor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbAnchor, rb_anchor_free)
/* Does the anchor share a root with these (of GBytes)? */
gboolean rb_anchor_knows (const RbAnchor *self, GPtrArray *roots);
/* Is it one of the anchor's roots? */
gboolean rb_anchor_has (const RbAnchor *self, GBytes *root);
