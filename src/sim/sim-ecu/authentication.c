/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/authentication.h"

#include "core/files.h"
#include "core/moment.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "sim-ecu/lockout.h"
#include "sim-ecu/host.h"
#include "sim-ecu/session-control.h"

#include <string.h>

#define MAX_PEM (64 * 1024)

enum { DEAUTHENTICATE = 0, VERIFY_CERTIFICATE = 1, PROVE = 3, CONFIGURATION = 8 };
enum { RETURN_CONFIGURED = 0x02, RETURN_DEAUTHENTICATED = 0x10, RETURN_PROOF_NEEDED = 0x11, RETURN_COMPLETE = 0x12 };
enum { NRC_PERIOD = 0x50, NRC_CHAIN = 0x52, NRC_TYPE = 0x53, NRC_FORMAT = 0x54, NRC_OWNERSHIP = 0x58 };

static GBytes *
field (RbReader *request)
{
  guint16 length = rb_reader_u16be (request);
  return rb_reader_take_bytes (request, length);
}

static GPtrArray *
anchors (RbEcu *self)
{
  g_autofree char *path = rb_memory_path (self->memory, "dealer-ca.pem");
  g_autoptr (GBytes) pem = rb_files_read (path, MAX_PEM, NULL);
  if (pem == NULL)
    return NULL;
  g_autofree char *text = g_strndup (g_bytes_get_data (pem, NULL), g_bytes_get_size (pem));
  return rb_certificate_list_from_pem (text, NULL);
}

static guint8
judge (RbEcu *self, RbCertificate *certificate)
{
  g_autoptr (GPtrArray) trusted = anchors (self);
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_ptr_array_add (chain, certificate);
  if (trusted == NULL)
    return NRC_CHAIN;
  if (rb_certificate_verify (chain, trusted, RB_PURPOSE_ECU_AUTHENTICATION, rb_moment_now (), &error))
    return 0;
  switch (rb_reason_of (error)) {
  case RB_REASON_CERTIFICATE_EXPIRED: return NRC_PERIOD;
  case RB_REASON_KEY_USAGE: return NRC_TYPE;
  default: return NRC_CHAIN;
  }
}

static guint8
verify_certificate (RbEcu *self, RbReader *request, GByteArray *out)
{
  (void) rb_reader_u8 (request); /* communication configuration */
  g_autoptr (GBytes) der = field (request);
  g_autoptr (GBytes) challenge = field (request);
  if (!rb_reader_done (request) || der == NULL || challenge == NULL)
    return RB_NRC_LENGTH;
  guint8 nrc = rb_lockout_check (self);
  if (nrc != 0)
    return nrc;
  g_autoptr (RbCertificate) certificate = rb_certificate_from_der (der, NULL);
  nrc = certificate == NULL ? NRC_FORMAT : judge (self, certificate);
  if (nrc != 0)
    return nrc;
  g_clear_pointer (&self->client_key, rb_key_public_unref);
  g_clear_pointer (&self->server_challenge, g_bytes_unref);
  g_clear_pointer (&self->client_challenge, g_bytes_unref);
  self->client_key = rb_key_public_ref (rb_certificate_key (certificate));
  self->client_challenge = g_steal_pointer (&challenge);
  rb_digest_sha256 (g_bytes_get_data (der, NULL), g_bytes_get_size (der), self->client_certificate);
  self->server_challenge = rb_digest_random (32);
  rb_writer_u8 (out, RETURN_PROOF_NEEDED);
  rb_writer_field16 (out, g_bytes_get_data (self->server_challenge, NULL), 32);
  rb_writer_u16be (out, 0);
  return 0;
}

static void
add_text (GByteArray *message, const char *text)
{
  rb_writer_field16 (message, text, strlen (text));
}

static void
add_challenge (GByteArray *message, GBytes *challenge)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (challenge, &length);
  rb_writer_field16 (message, data, length);
}

GByteArray *
rb_authentication_message (const char *vin, const char *serial, GBytes *server_challenge, GBytes *client_challenge,
                           const guint8 client_certificate[RB_SHA256_LENGTH])
{
  static const char name[] = { 'r', 'e', 'c', 'a', 'l', 'l', 'b', 'a', 'y', '-', '0', 'x', '2', '9', '-', 'v', '2' };
  GByteArray *message = g_byte_array_new ();
  rb_writer_data (message, name, sizeof name);
  add_text (message, "client-to-server");
  add_text (message, vin);
  add_text (message, serial);
  add_challenge (message, server_challenge);
  add_challenge (message, client_challenge);
  rb_writer_field16 (message, client_certificate, RB_SHA256_LENGTH);
  return message;
}

static gboolean
proof_is_good (RbEcu *self, GBytes *proof)
{
  g_autoptr (GByteArray) message = rb_authentication_message (
    self->vehicle->vin, self->memory->serial, self->server_challenge, self->client_challenge, self->client_certificate);
  return rb_key_verify (self->client_key, rb_key_public_scheme (self->client_key), message->data, message->len,
                        g_bytes_get_data (proof, NULL), g_bytes_get_size (proof));
}

static guint8
prove (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autoptr (GBytes) proof = field (request);
  g_autoptr (GBytes) ephemeral = field (request);
  if (!rb_reader_done (request) || proof == NULL || ephemeral == NULL)
    return RB_NRC_LENGTH;
  if (self->server_challenge == NULL)
    return RB_NRC_SEQUENCE;
  gboolean good = proof_is_good (self, proof);
  /* one proof a challenge */
  g_clear_pointer (&self->server_challenge, g_bytes_unref);
  if (!good)
    return rb_lockout_count (self, NRC_OWNERSHIP);
  if (!rb_lockout_clear (self))
    return RB_NRC_PROGRAMMING;
  rb_host_unlock (self->vehicle, self);
  rb_writer_u8 (out, RETURN_COMPLETE);
  rb_writer_u16be (out, 0);
  return 0;
}

guint8
rb_authentication_service (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  rb_writer_u8 (out, kind);
  switch (kind) {
  case DEAUTHENTICATE:
    rb_session_control_forget (self);
    rb_writer_u8 (out, RETURN_DEAUTHENTICATED);
    return rb_reader_done (request) ? 0 : RB_NRC_LENGTH;
  case VERIFY_CERTIFICATE: return verify_certificate (self, request, out);
  case PROVE: return prove (self, request, out);
  case CONFIGURATION: rb_writer_u8 (out, RETURN_CONFIGURED); return rb_reader_done (request) ? 0 : RB_NRC_LENGTH;
  default: return RB_NRC_SUB_FUNCTION;
  }
}
