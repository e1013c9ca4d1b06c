/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"
#include "authority/publication.h"

/* Images by their digest: authoring/KIND/content/SHA256, from where they are published under their paths. */

/* Keeps the file's bytes and gives its entry {"length","hashes"}. (transfer full) */
json_t *rb_image_store_keep (const RbAuthoring *authoring, const char *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* listed: path → sha256 of every image of the published targets files. They are there afterwards, and no other. */
gboolean rb_image_store_publish (const RbAuthoring *authoring, RbPublication *publication, GHashTable *listed,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
