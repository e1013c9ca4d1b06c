/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"

/*
 * The list of backends, by scheme: as rb_link_open_with() and rb_link_discover(), but in this very process. For the
 * link process, and for tests (options may be NULL).
 */
RbLink *rb_backends_open (const char *uri, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *rb_backends_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
