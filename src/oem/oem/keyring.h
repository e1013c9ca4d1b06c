/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "author/author.h"
#include "oem/error.h"
#include <jansson.h>

/* The keys of one role of one repository, each with its holder. */
typedef struct _RbKeyring RbKeyring; /* ref counted */

/* n new Ed25519 keys, threshold of which sign. Holders belong to the organisations in turn (NULL-terminated, at
 * least one). */
RbKeyring *rb_keyring_new (const char *role, guint n, guint threshold, gboolean online,
                           const char *const *organisations, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of keys that are there already: all of them sign. keys: of RbPrivateKey, referenced. */
RbKeyring *rb_keyring_of (const char *role, GPtrArray *keys);
RbKeyring *rb_keyring_ref (RbKeyring *self);
void rb_keyring_unref (RbKeyring *self);
const char *rb_keyring_role (RbKeyring *self);
guint rb_keyring_threshold (RbKeyring *self);
GPtrArray *rb_keyring_public (RbKeyring *self); /* of RbPublicKey, borrowed */
GPtrArray *rb_keyring_private (RbKeyring *self); /* of RbPrivateKey, borrowed */
/* As many keys as the threshold asks for. (transfer container) of RbPrivateKey */
GPtrArray *rb_keyring_signers (RbKeyring *self);
/* Appends {"id","role","holder","organisation","online"} of each key to list; id as metadata of dialect has it. */
void rb_keyring_describe (RbKeyring *self, RbDialect dialect, json_t *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbKeyring, rb_keyring_unref)
