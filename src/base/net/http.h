/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "net/error.h"
#include <gio/gio.h>

/*
 * HTTP(S) client: blocking, bounded in size and time whatever the server does, follows no redirection and takes no
 * compressed answers, so that what arrives is what was stored there. Not thread safe. Errors: missing (403, 404, 410),
 * too-large, timeout, certificate (the server's or, refused by it, ours), cancelled, io.
 */
typedef struct _RbHttp RbHttp;
typedef struct {
  const char *ca_file; /* PEM of the trusted authorities; NULL: the system's */
  GTlsCertificate *identity; /* certificate and key to show; may be NULL */
  guint idle_seconds; /* seconds without a byte; 0: 30 */
  guint total_seconds; /* seconds of a whole exchange; 0: 300 */
} RbHttpOptions;

/* options may be NULL */
RbHttp *rb_http_new (const RbHttpOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_http_free (RbHttp *self);
/* cancellable may be NULL. (transfer full) */
GBytes *rb_http_get (RbHttp *self, const char *url, gsize max, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Any method; the answer's body (at most max bytes) whatever its status, which the caller judges. body may be NULL. */
typedef struct {
  const char *method, *url;
  const char *content_type;
  GBytes *body; /* borrowed; may be NULL */
  gboolean gzip; /* body is sent compressed */
  gsize max; /* of the answer */
} RbHttpRequest;
typedef struct {
  guint status;
  guint retry_after; /* seconds; 0: none said */
} RbHttpAnswer;
GBytes *rb_http_exchange (RbHttp *self, const RbHttpRequest *request, RbHttpAnswer *answer, GCancellable *cancellable,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same in short. */
GBytes *rb_http_send (RbHttp *self, const char *method, const char *url, const char *content_type, GBytes *body,
                      gsize max, guint *status, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Is text an http: or https: URL? */
gboolean rb_http_is_url (const char *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbHttp, rb_http_free)
