/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"
#include <jansson.h>

/* One entry of a targets file. */
typedef struct {
  char *path;
  guint64 length;
  char *sha256; /* lower-case hex; NULL when the file gives none */
  char *sha512; /* may be NULL */
  GStrv hardware_ids; /* NULL when none are listed */
  gint64 release_counter; /* -1 when absent */
  GHashTable *ecus; /* Director: serial → hardware id (char *); NULL elsewhere */
  json_t *custom; /* as read, may be NULL */
  char *carrier; /* the delegated role that lists it (rb_store_delegation()), NULL: the top-level targets */
  char *carrier_keys; /* fingerprint of the keys that signed for carrier */
} RbTarget;
void rb_target_free (RbTarget *self);
/* From the entry of a verified targets file. Errors: malformed, also where a member that restricts has another type. */
RbTarget *rb_target_from_json (const char *path, const json_t *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Same length, one hash in common that agrees, none that disagrees. */
gboolean rb_target_same_content (const RbTarget *a, const RbTarget *b);
/* The same, and the same hardware ids and release counter. */
gboolean rb_target_agrees (const RbTarget *a, const RbTarget *b);
/* Has an image the length and all the hashes of its entry? Errors: length-mismatch, hash-mismatch. */
gboolean rb_target_check_image (const RbTarget *target, GBytes *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbTarget *rb_target_copy (const RbTarget *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTarget, rb_target_free)
