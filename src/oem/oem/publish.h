/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/publishing.h"

/* Publishes what the repository is to have where the online keys suffice (*draft is NULL then, done says what was
 * signed); else leaves a draft for the others: in output, or in drafts/ of the folder. */
gboolean rb_publish_or_draft (const RbOemFolder *folder, RbPublishing *publishing, const char *output, char **draft,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
