/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/anchor.h"
#include "campaign/error.h"
#include "uptane/workflow.h"

/*
 * The Service repository in a folder of a bundle's shape, read by the TUF client: refreshed when it is made, its
 * targets read on demand. Names are those of the repository, with or without consistent snapshots. Not thread safe.
 */
typedef struct _RbServiceClient RbServiceClient;
/* Without memory, from root on. Expiry is evaluated at moment. Errors: the words for metadata. */
RbServiceClient *rb_service_client_new (const char *folder, GBytes *root, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_service_client_free (RbServiceClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbServiceClient, rb_service_client_free)
/* The bytes of a target, verified; target-missing when no role vouches for it. (transfer full) */
GBytes *rb_service_client_read (RbServiceClient *self, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does a role list that target? */
gboolean rb_service_client_lists (RbServiceClient *self, const char *path);
/* The target that a file name in service/targets/GROUP/ stands for: without its hash under consistent snapshots.
 * (transfer full) */
char *rb_service_client_target_path (RbServiceClient *self, const char *group, const char *name);
/* Reads every file in service/targets/: nothing lies there that no role vouches for. */
gboolean rb_service_client_check_targets (RbServiceClient *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Trusted metadata of a role; borrowed. */
const RbMetadata *rb_service_client_metadata (RbServiceClient *self, const char *role);

/*
 * The client's memory of each Service repository, DATA/trust/NAME/state/: the newest accepted file of each role. What
 * is older than that is rollback, and so is another file of the same version; keys that a root changes drop what they
 * signed.
 */

/* Would the repository in folder be accepted after everything that was? Writes nothing. Errors: rollback,
 * store-damaged, the words for metadata. */
gboolean rb_service_client_check_state (const RbAnchor *anchor, const char *folder, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Does the accepted metadata no longer name a campaign that was imported? It is newer then. FALSE where it cannot be
 * told. */
gboolean rb_service_client_has_ended (const RbAnchor *anchor, const char *campaign);
/* Accepts it. Holding the library's lock. */
gboolean rb_service_client_keep_state (const RbAnchor *anchor, const char *folder, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
