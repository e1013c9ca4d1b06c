/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/json.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "sim-ecu/authentication.h"
#include "vehicle/ownership.h"

#include <string.h>

/* What is signed for 0x29: workstation and simulated ECU compose it apart, and both as the vector of another
 * implementation. */

typedef struct {
  json_t *json;
  GBytes *server, *client, *certificate, *message, *signature;
  RbOwnership ownership;
} Vector;

static const char *
text_of (const json_t *json, const char *member)
{
  const char *text = rb_json_string_or (json, member, NULL);
  g_assert_nonnull (text);
  return text;
}

static GBytes *
hex_of (const json_t *json, const char *member)
{
  GBytes *bytes = rb_bytes_from_hex (text_of (json, member));
  g_assert_nonnull (bytes);
  return bytes;
}

static void
vector_load (Vector *self)
{
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  self->json = rb_json_load (g_getenv ("RB_VECTOR"), 65536, &error);
  g_assert_no_error (error);
  guint8 *der = g_base64_decode (text_of (self->json, "certificate"), &length);
  self->certificate = g_bytes_new_take (der, length);
  self->server = hex_of (self->json, "serverChallenge");
  self->client = hex_of (self->json, "clientChallenge");
  self->message = hex_of (self->json, "message");
  self->signature = hex_of (self->json, "signature");
  self->ownership = (RbOwnership){ .vin = text_of (self->json, "vin"), .serial = text_of (self->json, "serial") };
}

static void
vector_clear (Vector *self)
{
  g_bytes_unref (self->server);
  g_bytes_unref (self->client);
  g_bytes_unref (self->certificate);
  g_bytes_unref (self->message);
  g_bytes_unref (self->signature);
  json_decref (self->json);
}

static GBytes *
simulated (const RbOwnership *ownership, GBytes *server, GBytes *client, GBytes *certificate)
{
  guint8 digest[RB_SHA256_LENGTH];
  rb_digest_sha256 (g_bytes_get_data (certificate, NULL), g_bytes_get_size (certificate), digest);
  return g_byte_array_free_to_bytes (
    rb_authentication_message (ownership->vin, ownership->serial, server, client, digest));
}

typedef GBytes *(*Compose) (const RbOwnership *ownership, GBytes *server, GBytes *client, GBytes *certificate);
static const Compose sides[] = { rb_ownership_message, simulated };

static void
test_vector (gconstpointer data)
{
  Compose compose = sides[GPOINTER_TO_UINT (data)];
  Vector vector;
  vector_load (&vector);
  g_autoptr (GBytes) message = compose (&vector.ownership, vector.server, vector.client, vector.certificate);
  g_assert_true (g_bytes_equal (message, vector.message));
  vector_clear (&vector);
}

/* OpenSSL's view of the vector: the certificate's key made the signature */
static void
test_signature (void)
{
  Vector vector;
  vector_load (&vector);
  g_autoptr (RbCertificate) certificate = rb_certificate_from_der (vector.certificate, NULL);
  g_assert_nonnull (certificate);
  RbPublicKey *key = rb_certificate_key (certificate);
  g_assert_true (rb_key_verify (key, rb_key_public_scheme (key), g_bytes_get_data (vector.message, NULL),
                                g_bytes_get_size (vector.message), g_bytes_get_data (vector.signature, NULL),
                                g_bytes_get_size (vector.signature)));
  vector_clear (&vector);
}

/* each part counts, and no two divisions of the same bytes are one message */
static void
test_parts_are_bound (gconstpointer data)
{
  Compose compose = sides[GPOINTER_TO_UINT (data)];
  Vector vector;
  vector_load (&vector);
  const RbOwnership car = { .vin = "1RBDM7AA2TA000002", .serial = vector.ownership.serial };
  const RbOwnership ecu = { .vin = vector.ownership.vin, .serial = "SN-GATEWAY-0001" };
  const RbOwnership moved = { .vin = "1RBDM7AA2TA000001S", .serial = "N-BRAKE-0001" };
  const struct {
    const RbOwnership *ownership;
    GBytes *server, *client, *certificate;
  } others[] = {
    { &car, vector.server, vector.client, vector.certificate },
    { &ecu, vector.server, vector.client, vector.certificate },
    { &moved, vector.server, vector.client, vector.certificate },
    { &vector.ownership, vector.client, vector.client, vector.certificate },
    { &vector.ownership, vector.server, vector.server, vector.certificate },
    { &vector.ownership, vector.client, vector.server, vector.certificate },
    { &vector.ownership, vector.server, vector.client, vector.message },
  };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GBytes) other = compose (others[i].ownership, others[i].server, others[i].client, others[i].certificate);
    g_assert_false (g_bytes_equal (other, vector.message));
  }
  vector_clear (&vector);
}

/* a bare challenge that is such a message is never signed */
static void
test_imitation (void)
{
  static const char *const challenges[] = { "recallbay-0x29-v2", "recallbay-0x29-v1", "recallbay-0x29-v", "" };
  Vector vector;
  vector_load (&vector);
  g_assert_true (rb_ownership_is_imitated (vector.message));
  g_assert_false (rb_ownership_is_imitated (vector.server));
  for (guint i = 0; i < G_N_ELEMENTS (challenges); i++) {
    g_autoptr (GBytes) challenge = g_bytes_new_static (challenges[i], strlen (challenges[i]));
    g_assert_cmpint (rb_ownership_is_imitated (challenge), ==, i == 0);
  }
  vector_clear (&vector);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++) {
    g_autofree char *vector = g_strdup_printf ("/ownership/vector/%s", i == 0 ? "workstation" : "ecu");
    g_autofree char *parts = g_strdup_printf ("/ownership/parts-are-bound/%s", i == 0 ? "workstation" : "ecu");
    g_test_add_data_func (vector, GUINT_TO_POINTER (i), test_vector);
    g_test_add_data_func (parts, GUINT_TO_POINTER (i), test_parts_are_bound);
  }
  g_test_add_func ("/ownership/signature", test_signature);
  g_test_add_func ("/ownership/imitation", test_imitation);
  return g_test_run ();
}
