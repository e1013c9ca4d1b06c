/* SPDX-License-Identifier: Apache-2.0 */
#include "doip/doip-tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define HANDSHAKE_MS 5000
#define AUTH_LEVEL 2 /* 112 bits: no SHA-1, no RSA below 2048 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE, X509_STORE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE_CTX, X509_STORE_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

typedef struct {
  X509_STORE *anchors;
  char *vin;
  char *refusal; /* why the vehicle's certificate was refused */
  GMainLoop *loop;
  GCancellable *stop;
  gboolean late;
  GError *error;
} Handshake;

static void
handshake_clear (Handshake *self)
{
  X509_STORE_free (self->anchors);
  g_free (self->refusal);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_object (&self->stop);
  g_clear_error (&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Handshake, handshake_clear)

static gboolean
has_no_anchors (GError **error)
{
  return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_IDENTITY, "there is no certificate of a vehicle authority");
}

static gboolean
take_anchors (Handshake *self, const char *pem, GError **error)
{
  g_autoptr (BIO) bio = BIO_new_mem_buf (pem, -1);
  X509 *one;
  gboolean any = FALSE;
  self->anchors = X509_STORE_new ();
  while (self->anchors != NULL && (one = PEM_read_bio_X509 (bio, NULL, NULL, NULL)) != NULL) {
    any = X509_STORE_add_cert (self->anchors, one) == 1 || any;
    X509_free (one);
  }
  return any || has_no_anchors (error);
}

static X509 *
to_x509 (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;
  g_object_get (certificate, "certificate", &der, NULL);
  const guint8 *at = der->data;
  return d2i_X509 (NULL, &at, (long) der->len);
}

/* Certificates that the vehicle sent beside its own. */
static STACK_OF (X509) * helpers_of (GTlsCertificate *certificate)
{
  STACK_OF (X509) *stack = sk_X509_new_null ();
  GTlsCertificate *above = certificate;
  while ((above = g_tls_certificate_get_issuer (above)) != NULL) {
    X509 *one = to_x509 (above);
    if (one != NULL && sk_X509_push (stack, one) == 0)
      X509_free (one);
  }
  return stack;
}

static char *
judge (X509_STORE *anchors, X509 *own, STACK_OF (X509) * helpers)
{
  g_autoptr (X509_STORE_CTX) context = X509_STORE_CTX_new ();
  if (context == NULL || X509_STORE_CTX_init (context, anchors, own, helpers) != 1)
    return g_strdup ("out of memory");
  X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param (context);
  X509_VERIFY_PARAM_set_auth_level (rules, AUTH_LEVEL);
  X509_VERIFY_PARAM_set_flags (rules, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_VERIFY_PARAM_set_purpose (rules, X509_PURPOSE_SSL_SERVER) != 1)
    return g_strdup ("no such purpose");
  if (X509_verify_cert (context) == 1)
    return NULL;
  return g_strdup (X509_verify_cert_error_string (X509_STORE_CTX_get_error (context)));
}

static gboolean
is_vin (const char *text)
{
  return strlen (text) == 17 && strspn (text, "0123456789ABCDEFGHJKLMNPRSTUVWXYZ") == 17;
}

static void
read_vin (X509 *own, char vin[18])
{
  char name[64] = "";
  int length = X509_NAME_get_text_by_NID (X509_get_subject_name (own), NID_commonName, name, sizeof name);
  if (length > 0 && is_vin (name))
    g_strlcpy (vin, name, 18);
}

static gboolean
on_certificate (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags flags, gpointer data)
{
  Handshake *self = data;
  g_autoptr (X509) own = to_x509 (certificate);
  STACK_OF (X509) *helpers = helpers_of (certificate);
  g_free (self->refusal);
  self->refusal = own == NULL ? g_strdup ("it cannot be read") : judge (self->anchors, own, helpers);
  sk_X509_pop_free (helpers, X509_free);
  if (self->refusal == NULL)
    read_vin (own, self->vin);
  return self->refusal == NULL;
}

static void
on_done (GObject *connection, GAsyncResult *result, gpointer data)
{
  Handshake *self = data;
  (void) g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, &self->error);
  g_main_loop_quit (self->loop);
}

static gboolean
on_late (gpointer data)
{
  Handshake *self = data;
  self->late = TRUE;
  g_cancellable_cancel (self->stop);
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer stop)
{
  g_cancellable_cancel (stop);
}

/* A vehicle that says nothing must not hold us for ever, and only the asynchronous call can be timed. */
static void
shake_hands (Handshake *self, GTlsConnection *connection, GCancellable *cancellable)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) timer = g_timeout_source_new (HANDSHAKE_MS);
  self->loop = g_main_loop_new (context, FALSE);
  self->stop = g_cancellable_new ();
  g_source_set_callback (timer, on_late, self, NULL);
  g_source_attach (timer, context);
  gulong handler
    = cancellable == NULL ? 0 : g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self->stop, NULL);
  g_main_context_push_thread_default (context);
  g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, self->stop, on_done, self);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (context);
  g_cancellable_disconnect (cancellable, handler);
  g_source_destroy (timer);
}

static gboolean
doip_tls_error (Handshake *self, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (self->refusal != NULL)
    g_set_error (error, RB_LINK_ERROR, RB_REASON_VEHICLE_CERTIFICATE, "the vehicle's certificate is refused: %s",
                 self->refusal);
  else
    g_set_error (error, RB_LINK_ERROR, RB_REASON_TLS_REFUSED, "no TLS connection to the vehicle: %s",
                 self->late            ? "it does not answer"
                 : self->error == NULL ? "its protocol is too old"
                                       : self->error->message);
  return FALSE;
}

static gboolean
is_modern (GTlsConnection *connection)
{
  GTlsProtocolVersion version = g_tls_connection_get_protocol_version (connection);
  return version == G_TLS_PROTOCOL_VERSION_TLS_1_2 || version == G_TLS_PROTOCOL_VERSION_TLS_1_3;
}

static GTlsConnection *
make_connection (GSocketConnection *base, GTlsCertificate *own, GError **error)
{
  g_autoptr (GIOStream) stream = g_tls_client_connection_new (G_IO_STREAM (base), NULL, error);
  if (stream == NULL)
    return NULL;
  GTlsConnection *connection = G_TLS_CONNECTION (g_steal_pointer (&stream));
  /* no database: each certificate comes to on_certificate, and no file of the system is read */
  g_tls_connection_set_database (connection, NULL);
  g_tls_connection_set_certificate (connection, own);
  g_tls_connection_set_require_close_notify (connection, FALSE);
  return connection;
}

static GTlsCertificate *
own_certificate (const char *pem, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *key = NULL;
  g_autoptr (GTlsCertificate) own = g_tls_certificate_new_from_pem (pem, -1, &problem);
  if (own != NULL)
    g_object_get (own, "private-key-pem", &key, NULL);
  if (key != NULL) {
    explicit_bzero (key, strlen (key));
    return g_steal_pointer (&own);
  }
  g_set_error (error, RB_LINK_ERROR, RB_REASON_IDENTITY,
               "the workstation's key for the vehicle link cannot be used: %s",
               problem == NULL ? "there is no key" : problem->message);
  return NULL;
}

GIOStream *
rb_doip_tls_start (GSocketConnection *base, const RbLinkOptions *security, char vin[18], GCancellable *cancellable,
                   GError **error)
{
  g_auto (Handshake) self = { .vin = vin };
  vin[0] = '\0';
  g_autoptr (GTlsCertificate) own
    = take_anchors (&self, security->anchors, error) ? own_certificate (security->identity, error) : NULL;
  if (own == NULL)
    return NULL;
  g_autoptr (GTlsConnection) connection = make_connection (base, own, error);
  if (connection == NULL)
    return NULL;
  gulong handler = g_signal_connect (connection, "accept-certificate", G_CALLBACK (on_certificate), &self);
  shake_hands (&self, connection, cancellable);
  g_signal_handler_disconnect (connection, handler);
  if (self.error == NULL && self.refusal == NULL && is_modern (connection))
    return G_IO_STREAM (g_steal_pointer (&connection));
  (void) doip_tls_error (&self, cancellable, error);
  return NULL;
}
