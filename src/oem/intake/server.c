/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/server.h"

#include "core/json.h"
#include "core/moment.h"
#include "crypto/dsse.h"
#include "intake/upload.h"
#include "log/tiles.h"

#include <libsoup/soup.h>
#include <string.h>

#define RECORDS "/v1/records/"
#define TILES "/v1/tile/"
#define CHECKPOINT "/v1/checkpoint"
#define DIGEST_LENGTH 64
#define RETRY_AFTER "5"
#define DRAIN_SECONDS 30
#define CLIENT "recallbay-client" /* data of a connection's socket */

struct _RbServer {
  const RbSettings *settings;
  RbGroupCommit *commit;
  RbLedger *reader;
  SoupServer *soup;
  char *url;
  guint under_way; /* requests */
  GDestroyNotify stopped;
  gpointer stopped_data;
};

/* A request whose answer is not there yet. */
typedef struct {
  SoupServerMessage *message;
  gboolean gone; /* the client is */
} Pending;

/* answers */

static void
answer_problem (SoupServerMessage *message, guint status, RbReason reason, const char *detail)
{
  g_autoptr (json_t) problem = json_object ();
  g_autofree char *type = g_strdup_printf ("urn:recallbay:reason:%s", rb_reason_word (reason));
  rb_json_set_string (problem, "type", type);
  rb_json_set_string (problem, "title", soup_status_get_phrase (status));
  rb_json_set_integer (problem, "status", status);
  rb_json_set_string (problem, "detail", detail);
  rb_json_set_string (problem, "reason", rb_reason_word (reason));
  g_autofree char *text = rb_json_to_text (problem);
  if (status == SOUP_STATUS_SERVICE_UNAVAILABLE)
    soup_message_headers_replace (soup_server_message_get_response_headers (message), "Retry-After", RETRY_AFTER);
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "application/problem+json", SOUP_MEMORY_COPY, text, strlen (text));
}

static guint
status_of (RbReason reason)
{
  switch (reason) {
  case RB_REASON_TOO_LARGE: return SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE;
  case RB_REASON_UNSUPPORTED: return SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE;
  case RB_REASON_MALFORMED:
  case RB_REASON_HASH_MISMATCH: return SOUP_STATUS_BAD_REQUEST;
  case RB_REASON_RECORD_SIGNATURE:
  case RB_REASON_SIGNER_NOT_TRUSTED: return SOUP_STATUS_FORBIDDEN;
  default: return SOUP_STATUS_SERVICE_UNAVAILABLE; /* the database */
  }
}

static void
answer_error (SoupServerMessage *message, const GError *error)
{
  RbReason reason = rb_reason_of (error);
  answer_problem (message, status_of (reason), reason, error->message);
}

static void
answer_bytes (SoupServerMessage *message, guint status, const char *type, GBytes *bytes)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (bytes, &length);
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_COPY, data, length);
}

/* bytes NULL: error, or without one there is nothing of that name. */
static void
answer_found (SoupServerMessage *message, const char *type, GBytes *bytes, const GError *error)
{
  if (error != NULL)
    answer_error (message, error);
  else if (bytes == NULL)
    answer_problem (message, SOUP_STATUS_NOT_FOUND, RB_REASON_NOT_FOUND, "nothing of this name");
  else
    answer_bytes (message, SOUP_STATUS_OK, type, bytes);
}

/* clients */

static gboolean
client_is_trusted (GTlsCertificate *certificate, GPtrArray *client_cas)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) chain = rb_certificate_chain_from_tls (certificate, &error);
  if (chain != NULL && rb_certificate_verify (chain, client_cas, RB_PURPOSE_TLS_CLIENT, rb_moment_now (), &error))
    return TRUE;
  g_debug ("client certificate: %s", error->message);
  return FALSE;
}

/* libsoup 3.2 tells the certificate of a connection to its first request only. */
static gboolean
on_certificate (SoupServerMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer data)
{
  RbServer *self = data;
  GSocket *socket = soup_server_message_get_socket (message);
  if (!client_is_trusted (certificate, self->settings->client_cas))
    return FALSE;
  g_object_set_data_full (G_OBJECT (socket), CLIENT, g_object_ref (certificate), g_object_unref);
  return TRUE;
}

/* The certificate that was trusted for this connection; NULL: there is none. Borrowed. */
static GTlsCertificate *
client_of (SoupServerMessage *message)
{
  GSocket *socket = soup_server_message_get_socket (message);
  return socket == NULL ? NULL : g_object_get_data (G_OBJECT (socket), CLIENT);
}

static gboolean
has_client (SoupServerMessage *message)
{
  if (client_of (message) != NULL)
    return TRUE;
  answer_problem (message, SOUP_STATUS_FORBIDDEN, RB_REASON_CERTIFICATE, "a client certificate is needed");
  return FALSE;
}

/* uploads */

/* The digest in the path, and what follows it; FALSE of another path. (transfer full) */
static gboolean
read_path (const char *path, char **digest, const char **rest)
{
  if (!g_str_has_prefix (path, RECORDS) || strspn (&path[strlen (RECORDS)], "0123456789abcdef") != DIGEST_LENGTH)
    return FALSE;
  *digest = g_strndup (&path[strlen (RECORDS)], DIGEST_LENGTH);
  *rest = &path[strlen (RECORDS) + DIGEST_LENGTH];
  return TRUE;
}

static void
on_gone (SoupServerMessage *message, gpointer data)
{
  ((Pending *) data)->gone = TRUE;
}

static void
on_stored (const RbLedgerUpload *upload, const GError *error, gpointer data)
{
  Pending *pending = data;
  if (!pending->gone) {
    if (error != NULL)
      answer_problem (pending->message, SOUP_STATUS_SERVICE_UNAVAILABLE, rb_reason_of (error), error->message);
    else
      answer_bytes (pending->message, upload->is_new ? SOUP_STATUS_CREATED : SOUP_STATUS_OK, "text/plain",
                    upload->receipt);
    soup_server_message_unpause (pending->message);
  }
  g_signal_handlers_disconnect_by_data (pending->message, pending);
  g_object_unref (pending->message);
  g_free (pending);
}

static void
receive (RbServer *self, SoupServerMessage *message, const char *digest)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = soup_message_body_flatten (soup_server_message_get_request_body (message));
  const char *encoding
    = soup_message_headers_get_one (soup_server_message_get_request_headers (message), "Content-Encoding");
  RbLedgerUpload *upload
    = rb_upload_read (body, encoding, digest, self->settings->dealer_cas, rb_moment_now (), &error);
  if (upload == NULL) {
    answer_error (message, error);
    return;
  }
  Pending *pending = g_new0 (Pending, 1);
  pending->message = g_object_ref (message);
  g_signal_connect (message, "finished", G_CALLBACK (on_gone), pending);
  g_signal_connect (message, "disconnected", G_CALLBACK (on_gone), pending);
  soup_server_message_pause (message);
  rb_group_commit_submit (self->commit, upload, on_stored, pending);
}

/* A body that grows beyond the cap is not kept. */
static void
on_chunk (SoupServerMessage *message, GBytes *chunk, gpointer data)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  if (body->length <= RB_UPLOAD_MAX_BYTES || soup_server_message_get_status (message) != 0)
    return;
  soup_message_body_set_accumulate (body, FALSE);
  soup_message_body_truncate (body);
  answer_problem (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, RB_REASON_TOO_LARGE, "more than 4 MiB");
}

/* Before the body is read. */
static void
on_headers (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  const char *method = soup_server_message_get_method (message);
  if (strcmp (method, "PUT") != 0 && strcmp (method, "GET") != 0 && strcmp (method, "HEAD") != 0)
    answer_problem (message, SOUP_STATUS_METHOD_NOT_ALLOWED, RB_REASON_UNSUPPORTED, "only PUT, GET and HEAD");
  else if (strcmp (method, "PUT") == 0 && soup_message_headers_get_content_length (headers) > RB_UPLOAD_MAX_BYTES)
    answer_problem (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, RB_REASON_TOO_LARGE, "more than 4 MiB");
  else if (g_str_has_prefix (path, RECORDS))
    (void) has_client (message);
  if (soup_server_message_get_status (message) != 0 || strcmp (method, "PUT") != 0)
    soup_message_body_set_accumulate (body, FALSE);
  else
    g_signal_connect (message, "got-chunk", G_CALLBACK (on_chunk), NULL);
}

/* reading */

/* Did a workstation of the client's dealer sign the envelope? */
static gboolean
may_read (SoupServerMessage *message, GBytes *envelope)
{
  g_autoptr (RbCertificate) client = rb_certificate_from_tls (client_of (message), NULL);
  g_autoptr (RbDsse) dsse = rb_dsse_parse (envelope, RB_UPLOAD_MAX_BYTES, NULL);
  const char *unit = client == NULL ? NULL : rb_certificate_unit (client);
  for (guint i = 0; unit != NULL && dsse != NULL && i < rb_dsse_signature_count (dsse); i++) {
    GPtrArray *chain = rb_dsse_chain (dsse, i);
    if (chain != NULL && rb_certificate_has_purpose (chain->pdata[0], RB_PURPOSE_WORKSTATION)
        && g_strcmp0 (rb_certificate_unit (chain->pdata[0]), unit) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
give_record (RbServer *self, SoupServerMessage *message, const char *digest, const char *rest)
{
  g_autoptr (GError) error = NULL;
  gboolean receipt = strcmp (rest, "/receipt") == 0;
  g_autoptr (GBytes) envelope = receipt || *rest == '\0' ? rb_ledger_envelope (self->reader, digest, &error) : NULL;
  if (envelope == NULL || !may_read (message, envelope))
    answer_found (message, NULL, NULL, error);
  else if (!receipt)
    answer_found (message, "application/json", envelope, NULL);
  else {
    g_autoptr (GBytes) proof = rb_ledger_receipt (self->reader, digest, &error);
    answer_found (message, "text/plain", proof, error);
  }
}

static void
give_log (RbServer *self, SoupServerMessage *message, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  int level = 0;
  guint64 number = 0;
  guint width = 0;
  if (strcmp (path, CHECKPOINT) == 0) {
    g_autofree char *note = rb_ledger_checkpoint (self->reader, &error);
    bytes = note == NULL ? NULL : g_bytes_new (note, strlen (note));
  } else if (g_str_has_prefix (path, TILES) && rb_tiles_parse_path (&path[strlen (TILES)], &level, &number, &width))
    bytes = rb_ledger_tile (self->reader, level, number, width, &error);
  answer_found (message, strcmp (path, CHECKPOINT) == 0 ? "text/plain" : "application/octet-stream", bytes, error);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer data)
{
  RbServer *self = data;
  g_autofree char *digest = NULL;
  const char *rest = NULL;
  gboolean put = strcmp (soup_server_message_get_method (message), "PUT") == 0;
  if (soup_server_message_get_status (message) != 0)
    return;
  if (!read_path (path, &digest, &rest))
    give_log (self, message, put ? "" : path);
  else if (!put)
    give_record (self, message, digest, rest);
  else if (*rest == '\0')
    receive (self, message, digest);
  else
    answer_found (message, NULL, NULL, NULL);
}

/* begin and end */

static void
check_stopped (RbServer *self)
{
  GDestroyNotify stopped = self->under_way == 0 ? self->stopped : NULL;
  if (stopped == NULL)
    return;
  self->stopped = NULL;
  stopped (self->stopped_data);
}

static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer data)
{
  RbServer *self = data;
  self->under_way++;
  g_signal_connect (message, "accept-certificate", G_CALLBACK (on_certificate), self);
}

static void
on_ended (SoupServer *server, SoupServerMessage *message, gpointer data)
{
  RbServer *self = data;
  self->under_way--;
  check_stopped (self);
}

static GSocketAddress *
resolve (const char *host, guint16 port, GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  GList *found = g_resolver_lookup_by_name (resolver, host, NULL, error);
  GSocketAddress *address = found == NULL ? NULL : g_inet_socket_address_new (found->data, port);
  g_resolver_free_addresses (found);
  return address;
}

static gboolean
start_listening (RbServer *self, const char *listen, GError **error)
{
  g_autoptr (GSocketConnectable) named = g_network_address_parse (listen, 0, error);
  if (named == NULL)
    return rb_reason_deny (error, RB_INTAKE_ERROR, RB_REASON_USAGE, "“%s” is not HOST:PORT", listen);
  const char *host = g_network_address_get_hostname (G_NETWORK_ADDRESS (named));
  guint16 port = g_network_address_get_port (G_NETWORK_ADDRESS (named));
  g_autoptr (GSocketAddress) address = resolve (host, port, error);
  if (address == NULL || !soup_server_listen (self->soup, address, SOUP_SERVER_LISTEN_HTTPS, error))
    return FALSE;
  GSList *uris = soup_server_get_uris (self->soup);
  gboolean is_ipv6 = strchr (host, ':') != NULL;
  self->url
    = g_strdup_printf ("https://%s%s%s:%d", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return TRUE;
}

RbServer *
rb_server_new (const RbSettings *settings, RbGroupCommit *commit, RbLedger *reader, const char *listen, GError **error)
{
  g_autoptr (RbServer) self = g_new0 (RbServer, 1);
  self->settings = settings;
  self->commit = commit;
  self->reader = reader;
  self->soup = soup_server_new ("tls-certificate", settings->certificate, "tls-auth-mode",
                                G_TLS_AUTHENTICATION_REQUESTED, "server-header", "recallbay", NULL);
  soup_server_add_early_handler (self->soup, NULL, on_headers, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_request, self, NULL);
  g_signal_connect (self->soup, "request-started", G_CALLBACK (on_started), self);
  g_signal_connect (self->soup, "request-finished", G_CALLBACK (on_ended), self);
  g_signal_connect (self->soup, "request-aborted", G_CALLBACK (on_ended), self);
  return start_listening (self, listen, error) ? g_steal_pointer (&self) : NULL;
}

const char *
rb_server_url (RbServer *self)
{
  return self->url;
}

static gboolean
on_overdue (gpointer data)
{
  RbServer *self = data;
  g_warning ("%u requests are not at their end after %d s", self->under_way, DRAIN_SECONDS);
  self->under_way = 0;
  check_stopped (self);
  return G_SOURCE_REMOVE;
}

void
rb_server_stop (RbServer *self, GDestroyNotify stopped, gpointer data)
{
  GSList *listeners = soup_server_get_listeners (self->soup);
  for (GSList *at = listeners; at != NULL; at = at->next)
    g_socket_close (at->data, NULL);
  g_slist_free (listeners);
  self->stopped = stopped;
  self->stopped_data = data;
  g_timeout_add_seconds (DRAIN_SECONDS, on_overdue, self);
  check_stopped (self);
}

void
rb_server_free (RbServer *self)
{
  g_signal_handlers_disconnect_by_data (self->soup, self);
  soup_server_disconnect (self->soup);
  g_clear_object (&self->soup);
  g_free (self->url);
  g_free (self);
}
