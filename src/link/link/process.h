/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/backend.h"

/*
 * Inside link/ only: a link whose adapter and framing are in a child of this program, recall-link, found beside this
 * program's own file, else on PATH. rest of the URI is the whole URI. When the child crashes or does not answer its
 * heartbeat it is killed and every call under way ends with link-lost within 2 s; opening again starts a new one. A
 * heart that beats over a call that does not end is no sign of life for ever: each call has its time.
 */
extern const RbLinkBackend rb_process_backend;
GPtrArray *rb_process_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
