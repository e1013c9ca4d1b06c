/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"
#include "authority/publication.h"

/* Publishing one repository: online keys sign, and what offline people sign comes in a draft. */
typedef struct {
  RbAuthoring *authoring;
  RbPublication *publication;
  const json_t *policy; /* borrowed; may be NULL */
  const char *secret; /* of the online keys; borrowed, may be NULL */
  gint64 now;
  gint64 expires; /* of what is drafted; 0: by the policy */
  GPtrArray *cards; /* of RbKeyCard: all of the folder */
  GHashTable *signers; /* key name → RbSigner */
  json_t *done; /* ["targets 3", …] */
} RbPublishing;

/* folder: locked by the caller. */
RbPublishing *rb_publishing_open (const RbOemFolder *folder, const char *kind, const char *secret, gint64 now,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_publishing_free (RbPublishing *self);
/* When a new file of that role expires. */
gint64 rb_publishing_expiry (const RbPublishing *self, const char *role);
/* The envelope in force; NULL without error: none. (transfer full) */
GBytes *rb_publishing_read (RbPublishing *self, const char *role, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPublishing, rb_publishing_free)
