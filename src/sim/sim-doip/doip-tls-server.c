/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-doip/doip-tls-server.h"

#include "core/files.h"
#include "core/moment.h"
#include "crypto/certificate.h"

#define HANDSHAKE_MS 5000
#define MAX_PEM (64 * 1024)

struct _RbDoipTlsServer {
  GTlsCertificate *own;
  GPtrArray *testers; /* of RbCertificate: authorities of testers */
  GPtrArray *visits; /* of Visit, borrowed */
};

/* One handshake. It outlives its server: its end is always reported. */
typedef struct {
  RbDoipTlsServer *server; /* NULL: it was freed */
  GSocketConnection *connection;
  GCancellable *stop;
  guint timer;
  RbDoipTlsServerPass pass;
  gpointer data;
} Visit;

static char *
read_text (const char *state_dir, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, "doip", name, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_PEM, error);
  return bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

RbDoipTlsServer *
rb_doip_tls_server_new (const char *state_dir, GError **error)
{
  g_autofree char *own = read_text (state_dir, "vehicle.pem", error);
  g_autofree char *testers = own == NULL ? NULL : read_text (state_dir, "testers.pem", error);
  if (testers == NULL)
    return NULL;
  g_autoptr (RbDoipTlsServer) self = g_new0 (RbDoipTlsServer, 1);
  self->visits = g_ptr_array_new ();
  self->own = g_tls_certificate_new_from_pem (own, -1, error);
  self->testers = self->own == NULL ? NULL : rb_certificate_list_from_pem (testers, error);
  return self->testers == NULL ? NULL : g_steal_pointer (&self);
}

void
rb_doip_tls_server_free (RbDoipTlsServer *self)
{
  for (guint i = 0; i < self->visits->len; i++) {
    Visit *visit = self->visits->pdata[i];
    visit->server = NULL;
    g_cancellable_cancel (visit->stop);
  }
  g_ptr_array_unref (self->visits);
  g_clear_object (&self->own);
  g_clear_pointer (&self->testers, g_ptr_array_unref);
  g_free (self);
}

static gboolean
on_certificate (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags flags, gpointer data)
{
  const Visit *visit = data;
  g_autoptr (GError) refusal = NULL;
  g_autoptr (GPtrArray) chain = visit->server == NULL ? NULL : rb_certificate_chain_from_tls (certificate, &refusal);
  if (chain != NULL
      && rb_certificate_verify (chain, visit->server->testers, RB_PURPOSE_DOIP_TLS, rb_moment_now (), &refusal))
    return TRUE;
  g_debug ("a tester's certificate is refused: %s", refusal == NULL ? "too late" : refusal->message);
  return FALSE;
}

static gboolean
on_late (gpointer data)
{
  Visit *visit = data;
  visit->timer = 0;
  g_cancellable_cancel (visit->stop);
  return G_SOURCE_REMOVE;
}

static void
visit_end (Visit *self)
{
  if (self->server != NULL)
    g_ptr_array_remove (self->server->visits, self);
  if (self->timer != 0)
    g_source_remove (self->timer);
  g_object_unref (self->connection);
  g_object_unref (self->stop);
  g_free (self);
}

static gboolean
is_modern (GTlsConnection *secured)
{
  GTlsProtocolVersion version = g_tls_connection_get_protocol_version (secured);
  return version == G_TLS_PROTOCOL_VERSION_TLS_1_2 || version == G_TLS_PROTOCOL_VERSION_TLS_1_3;
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Visit *visit = data;
  g_autoptr (GError) error = NULL;
  GTlsConnection *secured = G_TLS_CONNECTION (source);
  g_signal_handlers_disconnect_by_data (secured, visit);
  if (g_tls_connection_handshake_finish (secured, result, &error) && is_modern (secured) && visit->server != NULL)
    visit->pass (visit->data, visit->connection, G_IO_STREAM (secured));
  else {
    g_debug ("no TLS with a tester: %s", error == NULL ? "too late or too old" : error->message);
    g_io_stream_close (G_IO_STREAM (visit->connection), NULL, NULL);
    g_object_unref (secured);
  }
  visit_end (visit);
}

void
rb_doip_tls_server_accept (RbDoipTlsServer *self, GSocketConnection *connection, RbDoipTlsServerPass pass,
                           gpointer data)
{
  g_autoptr (GError) error = NULL;
  GIOStream *secured = g_tls_server_connection_new (G_IO_STREAM (connection), self->own, &error);
  if (secured == NULL) {
    g_debug ("%s", error->message);
    return;
  }
  Visit *visit = g_new0 (Visit, 1);
  *visit = (Visit){
    .server = self, .connection = g_object_ref (connection), .stop = g_cancellable_new (), .pass = pass, .data = data
  };
  visit->timer = g_timeout_add (HANDSHAKE_MS, on_late, visit);
  g_ptr_array_add (self->visits, visit);
  g_object_set (secured, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, "require-close-notify", FALSE, NULL);
  /* without a trust database every certificate is passed to on_certificate */
  g_tls_connection_set_database (G_TLS_CONNECTION (secured), NULL);
  g_signal_connect (secured, "accept-certificate", G_CALLBACK (on_certificate), visit);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (secured), G_PRIORITY_DEFAULT, visit->stop, on_done, visit);
}
