/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/repository.h"

/*
 * The detailed client workflow of the TUF specification 1.0.33, §5, to the letter: the one TUF client, for Service
 * repositories and for `recallctl tuf` against any TUF repository. It has uptane/repository.h do the steps in the order
 * of the text: nothing is fetched twice, and a metadata folder holds the newest accepted file of each role byte for
 * byte under its name without version (root.json, timestamp.json, …; a delegated role's name percent-encoded). Roots
 * are stored as they are accepted, everything else before the next is asked for. What a source is asked for is a file
 * name, percent-encoded where it stands for a role; "missing" from it ends the root chain. Blocking, one thread.
 */

/* Puts the first root into folder, which is made; it must be signed by its own threshold. Does not look at expiry. */
gboolean rb_workflow_init (const char *folder, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* policy: rb_policy_tuf() or rb_policy_tuf_strict(). Errors: no-trust-anchor when folder holds no root. Borrows source
 * and verdict (may be NULL) for its life. */
RbRepository *rb_workflow_new (const char *folder, RbSource *source, const RbPolicy *policy, RbRejection *verdict,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, writing nothing: what is accepted is held in memory over what folder holds. root is where folder (NULL:
 * none) holds no root. */
RbRepository *rb_workflow_new_in_memory (const char *folder, GBytes *root, RbSource *source, const RbPolicy *policy,
                                         RbRejection *verdict, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* §5.3–5.6: roots, timestamp, snapshot, top-level targets. rb_repository_find() is §5.6.7. */
gboolean rb_workflow_refresh (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* §5.7: into folder under the percent-encoded path, unless a file there is already the target. *fetched may be NULL. */
gboolean rb_workflow_download (RbRepository *self, const RbTarget *target, RbSource *source, const char *folder,
                               gboolean *fetched, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* §5.7, the bytes of a target of any size up to max from source. (transfer full) */
GBytes *rb_workflow_read (RbRepository *self, const RbTarget *target, RbSource *source, gsize max, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The file that a target is in a source: PATH, or FOLDER/HASH.NAME under consistent snapshots. (transfer full) */
char *rb_workflow_file_of (RbRepository *self, const RbTarget *target);
