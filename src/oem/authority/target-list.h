/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"

/* The targets that a repository lists, before it is published. */

typedef struct {
  const char *path, *file;
  const char *role; /* delegated role; NULL: the top-level targets */
  const char *const *hardware_ids; /* NULL: none, which only a Service repository allows */
  gint64 release_counter; /* -1: none, the same */
} RbTargetListImage;

/* In the place of an entry of that path and role. Errors: path (also where the delegation does not cover it), exists
 * (in another role), release-counter (lower than before), not-found, usage. */
gboolean rb_target_list_add (RbAuthoring *self, const RbTargetListImage *image, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The entry of a path in any role; NULL: none. Borrowed. */
const json_t *rb_target_list_find (const RbAuthoring *self, const char *path);
/* Error not-found. */
gboolean rb_target_list_remove (RbAuthoring *self, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The Director's targets of one vehicle, all of them: assignments "SERIAL=PATH" or "SERIAL:HARDWARE-ID=PATH" of images
 * of the Image repository. Errors: usage, not-found, ecu-repeated, hardware-mismatch, vin-invalid. */
gboolean rb_target_list_direct (RbAuthoring *self, const RbAuthoring *image, const char *vin,
                                const char *const *assignments, GError **error) G_GNUC_WARN_UNUSED_RESULT;
