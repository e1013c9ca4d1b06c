/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/unlock.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "vehicle/error.h"

static gboolean
authenticate (RbUdsClient *client, const RbProfile *profile, RbIdentity *identity, const RbOwnership *ownership,
              GCancellable *cancellable, GError **error)
{
  GBytes *certificate = rb_certificate_der (rb_identity_certificate (identity));
  g_autoptr (GBytes) challenge = rb_digest_random (32);
  g_autoptr (GBytes) server = rb_uds_client_verify_certificate (client, certificate, challenge, cancellable, error);
  if (server == NULL)
    return FALSE;
  if (profile->bare_challenge && rb_ownership_is_imitated (server))
    return rb_reason_deny (error, RB_VEHICLE_ERROR, RB_REASON_WRONG_ANSWER,
                           "its challenge imitates what is signed for another ECU");
  g_autoptr (GBytes) message
    = profile->bare_challenge ? g_bytes_ref (server) : rb_ownership_message (ownership, server, challenge, certificate);
  g_autoptr (GBytes) proof
    = rb_identity_sign (identity, g_bytes_get_data (message, NULL), g_bytes_get_size (message), error);
  return proof != NULL && rb_uds_client_prove_ownership (client, proof, cancellable, error);
}

static gboolean
security_access (RbUdsClient *client, const RbProfile *profile, GCancellable *cancellable, GError **error)
{
  guint8 level = profile->security_level;
  g_autoptr (GBytes) seed = rb_uds_client_request_seed (client, level, cancellable, error);
  g_autoptr (GByteArray) key = g_byte_array_new ();
  if (seed == NULL)
    return FALSE;
  const guint8 *bytes = g_bytes_get_data (seed, NULL);
  for (gsize i = 0; i < g_bytes_get_size (seed); i++)
    rb_writer_u8 (key, bytes[i] ^ 0xa5);
  if (key->len == 0)
    return TRUE;
  g_autoptr (GBytes) answer = g_byte_array_free_to_bytes (g_steal_pointer (&key));
  return rb_uds_client_send_key (client, level, answer, cancellable, error);
}

gboolean
rb_unlock_ecu (RbUdsClient *client, const RbProfile *profile, RbIdentity *identity, const RbOwnership *ownership,
               GCancellable *cancellable, GError **error)
{
  switch (profile->unlock) {
  case RB_UNLOCK_AUTHENTICATION: return authenticate (client, profile, identity, ownership, cancellable, error);
  case RB_UNLOCK_SECURITY_ACCESS:
    if (g_strcmp0 (profile->security_algorithm, "xor-a5a5a5a5") != 0)
      return rb_reason_deny (error, RB_VEHICLE_ERROR, RB_REASON_UNSUPPORTED,
                             "its unlocking algorithm is not known here");
    return security_access (client, profile, cancellable, error);
  case RB_UNLOCK_NONE:
  default: return TRUE;
  }
}
