/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/ownership.h"

#include "core/bytes.h"
#include "crypto/digest.h"

#include <string.h>

static const char prefix[] = "recallbay-0x29-v2";
static const char direction[] = "client-to-server";

gboolean
rb_ownership_is_imitated (GBytes *challenge)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (challenge, &length);
  return length >= strlen (prefix) && memcmp (data, prefix, strlen (prefix)) == 0;
}

GBytes *
rb_ownership_message (const RbOwnership *self, GBytes *server, GBytes *client, GBytes *certificate)
{
  guint8 digest[RB_SHA256_LENGTH];
  GByteArray *message = g_byte_array_new ();
  rb_digest_sha256 (g_bytes_get_data (certificate, NULL), g_bytes_get_size (certificate), digest);
  rb_writer_data (message, prefix, strlen (prefix));
  rb_writer_field16 (message, direction, strlen (direction));
  rb_writer_field16 (message, self->vin, strlen (self->vin));
  rb_writer_field16 (message, self->serial, strlen (self->serial));
  rb_writer_field16 (message, g_bytes_get_data (server, NULL), g_bytes_get_size (server));
  rb_writer_field16 (message, g_bytes_get_data (client, NULL), g_bytes_get_size (client));
  rb_writer_field16 (message, digest, sizeof digest);
  return g_byte_array_free_to_bytes (message);
}
