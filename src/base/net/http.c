/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <libsoup/soup.h>
#include <string.h>

#define IDLE_SECONDS 30
#define TOTAL_SECONDS 300
#define CHUNK (64 * 1024)

struct _RbHttp {
  SoupSession *session;
  GTlsCertificate *identity;
  guint total_seconds;
};

/* One exchange, driven on a context of its own so that a clock can end it at any point. */
typedef struct {
  GMainContext *context;
  GCancellable *cancellable; /* ours: the clock and the caller's both cancel it */
  gboolean late;
  GByteArray *body;
  gsize max;
  GInputStream *stream;
  GError *error;
  gboolean done;
} Exchange;

gboolean
rb_http_is_url (const char *text)
{
  return g_str_has_prefix (text, "https://") || g_str_has_prefix (text, "http://");
}

RbHttp *
rb_http_new (const RbHttpOptions *options, GError **error)
{
  static const RbHttpOptions none = { 0 };
  const RbHttpOptions *wanted = options == NULL ? &none : options;
  g_autoptr (GTlsDatabase) authorities = NULL;
  g_autofree char *ca_file = wanted->ca_file == NULL ? NULL : g_canonicalize_filename (wanted->ca_file, NULL);
  if (ca_file != NULL && (authorities = g_tls_file_database_new (ca_file, error)) == NULL) {
    g_prefix_error (error, "%s: ", wanted->ca_file);
    return NULL;
  }
  RbHttp *self = g_new0 (RbHttp, 1);
  self->session
    = soup_session_new_with_options ("timeout", wanted->idle_seconds > 0 ? wanted->idle_seconds : IDLE_SECONDS,
                                     "user-agent", "recallbay/" RB_VERSION, NULL);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_CONTENT_DECODER);
  if (authorities != NULL)
    soup_session_set_tls_database (self->session, authorities);
  self->identity = wanted->identity == NULL ? NULL : g_object_ref (wanted->identity);
  self->total_seconds = wanted->total_seconds > 0 ? wanted->total_seconds : TOTAL_SECONDS;
  return self;
}

void
rb_http_free (RbHttp *self)
{
  g_object_unref (self->session);
  g_clear_object (&self->identity);
  g_free (self);
}

static void
finish (Exchange *exchange, GError *error)
{
  exchange->error = error;
  exchange->done = TRUE;
}

static void read_more (Exchange *exchange);

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Exchange *exchange = data;
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
  gsize length = 0;
  gconstpointer chunk = bytes == NULL ? NULL : g_bytes_get_data (bytes, &length);
  if (bytes == NULL || length == 0) {
    finish (exchange, error);
    return;
  }
  if (exchange->body->len + length > exchange->max) {
    finish (exchange,
            g_error_new (RB_NET_ERROR, RB_REASON_TOO_LARGE, "more than %" G_GSIZE_FORMAT " bytes", exchange->max));
    return;
  }
  g_byte_array_append (exchange->body, chunk, (guint) length);
  read_more (exchange);
}

static void
read_more (Exchange *exchange)
{
  g_input_stream_read_bytes_async (exchange->stream, CHUNK, G_PRIORITY_DEFAULT, exchange->cancellable, on_read,
                                   exchange);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Exchange *exchange = data;
  GError *error = NULL;
  exchange->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (exchange->stream == NULL)
    finish (exchange, error);
  else
    read_more (exchange);
}

static gboolean
on_late (gpointer data)
{
  Exchange *exchange = data;
  exchange->late = TRUE;
  g_cancellable_cancel (exchange->cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *caller, gpointer ours)
{
  g_cancellable_cancel (ours);
}

static gboolean
on_certificate_wanted (SoupMessage *message, GTlsClientConnection *connection, gpointer data)
{
  RbHttp *self = data;
  soup_message_set_tls_client_certificate (message, self->identity);
  return TRUE;
}

static void
drive (RbHttp *self, SoupMessage *message, Exchange *exchange)
{
  g_autoptr (GSource) clock = g_timeout_source_new_seconds (self->total_seconds);
  g_source_set_callback (clock, on_late, exchange, NULL);
  g_source_attach (clock, exchange->context);
  g_main_context_push_thread_default (exchange->context);
  soup_session_send_async (self->session, message, G_PRIORITY_DEFAULT, exchange->cancellable, on_answer, exchange);
  while (!exchange->done)
    g_main_context_iteration (exchange->context, TRUE);
  g_clear_object (&exchange->stream);
  while (g_main_context_iteration (exchange->context, FALSE))
    ;
  g_main_context_pop_thread_default (exchange->context);
  g_source_destroy (clock);
}

static RbReason
reason_of (const Exchange *exchange, SoupMessage *message)
{
  const GError *error = exchange->error;
  if (exchange->late || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return RB_REASON_TIMEOUT;
  if (error->domain == G_TLS_ERROR || soup_message_get_tls_peer_certificate_errors (message) != 0)
    return RB_REASON_CERTIFICATE;
  return rb_reason_of (error);
}

static GBytes *
conclude (Exchange *exchange, SoupMessage *message, const char *url, GError **error)
{
  GBytes *bytes = g_byte_array_free_to_bytes (exchange->body);
  g_main_context_unref (exchange->context);
  g_object_unref (exchange->cancellable);
  if (exchange->error == NULL)
    return bytes;
  g_set_error (error, RB_NET_ERROR, (int) reason_of (exchange, message), "%s: %s", url,
               exchange->late ? "the server takes too long" : exchange->error->message);
  g_error_free (exchange->error);
  g_bytes_unref (bytes);
  return NULL;
}

static GBytes *
compress (GBytes *body, GError **error)
{
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  g_autoptr (GInputStream) plain = g_memory_input_stream_new_from_bytes (body);
  g_autoptr (GInputStream) packed = g_converter_input_stream_new (plain, converter);
  g_autoptr (GOutputStream) all = g_memory_output_stream_new_resizable ();
  gssize length = g_output_stream_splice (all, packed, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, error);
  return length < 0 ? NULL : g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (all));
}

static gboolean
set_body (SoupMessage *message, const RbHttpRequest *request, GError **error)
{
  if (request->body == NULL)
    return TRUE;
  g_autoptr (GBytes) body = request->gzip ? compress (request->body, error) : g_bytes_ref (request->body);
  if (body == NULL)
    return FALSE;
  soup_message_set_request_body_from_bytes (message, request->content_type, body);
  if (request->gzip)
    soup_message_headers_replace (soup_message_get_request_headers (message), "Content-Encoding", "gzip");
  return TRUE;
}

static void
read_answer (SoupMessage *message, RbHttpAnswer *answer)
{
  const char *after = soup_message_headers_get_one (soup_message_get_response_headers (message), "Retry-After");
  guint64 seconds = 0;
  gboolean said = after != NULL && g_ascii_string_to_unsigned (after, 10, 0, 24 * 60 * 60, &seconds, NULL);
  answer->status = soup_message_get_status (message);
  answer->retry_after = said ? (guint) seconds : 0;
}

GBytes *
rb_http_exchange (RbHttp *self, const RbHttpRequest *request, RbHttpAnswer *answer, GCancellable *cancellable,
                  GError **error)
{
  const char *url = request->url;
  g_autoptr (SoupMessage) message = rb_http_is_url (url) ? soup_message_new (request->method, url) : NULL;
  if (message == NULL) {
    g_set_error (error, RB_NET_ERROR, RB_REASON_USAGE, "“%s” is not an http: or https: address", url);
    return NULL;
  }
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (!set_body (message, request, error))
    return NULL;
  Exchange exchange = { .context = g_main_context_new (),
                        .cancellable = g_cancellable_new (),
                        .body = g_byte_array_new (),
                        .max = request->max };
  g_signal_connect (message, "request-certificate", G_CALLBACK (on_certificate_wanted), self);
  gulong link = cancellable == NULL ? 0
                                    : g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                                             g_object_ref (exchange.cancellable), g_object_unref);
  drive (self, message, &exchange);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, link);
  read_answer (message, answer);
  return conclude (&exchange, message, url, error);
}

GBytes *
rb_http_send (RbHttp *self, const char *method, const char *url, const char *content_type, GBytes *body, gsize max,
              guint *status, GCancellable *cancellable, GError **error)
{
  const RbHttpRequest request
    = { .method = method, .url = url, .content_type = content_type, .body = body, .max = max };
  RbHttpAnswer answer = { 0 };
  GBytes *bytes = rb_http_exchange (self, &request, &answer, cancellable, error);
  *status = answer.status;
  return bytes;
}

GBytes *
rb_http_get (RbHttp *self, const char *url, gsize max, GCancellable *cancellable, GError **error)
{
  guint status = 0;
  g_autoptr (GBytes) bytes = rb_http_send (self, "GET", url, NULL, NULL, max, &status, cancellable, error);
  if (bytes == NULL)
    return NULL;
  if (status == 200)
    return g_steal_pointer (&bytes);
  gboolean missing = status == 403 || status == 404 || status == 410;
  g_set_error (error, RB_NET_ERROR, missing ? RB_REASON_MISSING : RB_REASON_IO, "%s: the server answers %u", url,
               status);
  return NULL;
}
