/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/ecu-keys.h"

#include "core/bytes.h"
#include "vehicle/ecu-client-inside.h"

#include <string.h>

/* Of this project's ECUs; a profile need not name it since nothing is decided by what it says. */
#define DID_SHE_PROOF 0xfd06

/* status 00, u16 length, data; *rest is placed behind it */
static GBytes *
first_field (RbEcuClient *self, GBytes *answer, RbReader *rest, GError **error)
{
  if (!rb_ecu_client_prefixed (self, answer != NULL, error))
    return NULL;
  *rest = rb_reader_from_bytes (answer);
  guint8 status = rb_reader_u8 (rest);
  guint16 length = rb_reader_u16be (rest);
  GBytes *field = rb_reader_take_bytes (rest, length);
  if (status == 0 && field != NULL && length > 0)
    return field;
  g_clear_pointer (&field, g_bytes_unref);
  rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its answer about its key has a wrong length");
  return NULL;
}

GBytes *
rb_ecu_keys_make (RbEcuClient *self, GCancellable *cancellable, GError **error)
{
  RbReader rest;
  g_autoptr (GBytes) answer
    = rb_uds_client_start_routine (self->client, self->profile->routine_make_key, NULL, cancellable, error);
  return first_field (self, answer, &rest, error);
}

static void
write_field (GByteArray *out, GBytes *bytes)
{
  rb_writer_field16 (out, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

gboolean
rb_ecu_keys_prove (RbEcuClient *self, const char *campaign, GBytes *nonce, GBytes *challenge, GBytes **spki,
                   GBytes **signature, GCancellable *cancellable, GError **error)
{
  RbReader rest;
  g_autoptr (GByteArray) option = g_byte_array_new ();
  rb_writer_field16 (option, campaign, strlen (campaign));
  write_field (option, nonce);
  write_field (option, challenge);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&option));
  g_autoptr (GBytes) answer
    = rb_uds_client_read_routine (self->client, self->profile->routine_prove_key, bytes, cancellable, error);
  g_autoptr (GBytes) key = first_field (self, answer, &rest, error);
  if (key == NULL)
    return FALSE;
  guint16 length = rb_reader_u16be (&rest);
  g_autoptr (GBytes) proof = rb_reader_take_bytes (&rest, length);
  if (proof == NULL || length == 0)
    return rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its proof of possession has a wrong length");
  *spki = g_steal_pointer (&key);
  *signature = g_steal_pointer (&proof);
  return TRUE;
}

/* status 00, then everything else */
static GBytes *
whole_answer (RbEcuClient *self, GBytes *answer, gsize least, GError **error)
{
  if (!rb_ecu_client_prefixed (self, answer != NULL, error))
    return NULL;
  RbReader reader = rb_reader_from_bytes (answer);
  if (rb_reader_u8 (&reader) == 0 && rb_reader_left (&reader) >= least)
    return rb_reader_take_bytes (&reader, rb_reader_left (&reader));
  rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its answer is too short");
  return NULL;
}

GBytes *
rb_ecu_keys_load_she (RbEcuClient *self, GBytes *m123, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) answer
    = rb_uds_client_start_routine (self->client, self->profile->routine_she_load, m123, cancellable, error);
  return whole_answer (self, answer, 48, error);
}

gboolean
rb_ecu_keys_read_she (RbEcuClient *self, guint *slot, gint64 *counter, GBytes **proof, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, self->profile->did_she_counter, cancellable, error);
  if (!rb_ecu_client_prefixed (self, bytes != NULL, error))
    return FALSE;
  RbReader reader = rb_reader_from_bytes (bytes);
  *slot = rb_reader_u8 (&reader);
  *counter = rb_reader_u32be (&reader);
  if (!rb_reader_ok (&reader))
    return rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its key slot has a wrong length");
  g_autoptr (GError) refused = NULL;
  *proof = rb_uds_client_read_did (self->client, DID_SHE_PROOF, cancellable, &refused);
  return TRUE;
}

static GBytes *
ask_report (RbEcuClient *self, guint16 routine, GBytes *nonce, GBytes *challenge, GCancellable *cancellable,
            GError **error)
{
  g_autoptr (GByteArray) option = g_byte_array_new ();
  write_field (option, nonce);
  write_field (option, challenge);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&option));
  g_autoptr (GBytes) answer = rb_uds_client_read_routine (self->client, routine, bytes, cancellable, error);
  return whole_answer (self, answer, 2, error);
}

GBytes *
rb_ecu_keys_report (RbEcuClient *self, GBytes *nonce, GBytes *challenge, GCancellable *cancellable, GError **error)
{
  return ask_report (self, self->profile->routine_report, nonce, challenge, cancellable, error);
}

GBytes *
rb_ecu_keys_manifest (RbEcuClient *self, GBytes *nonce, GBytes *challenge, GCancellable *cancellable, GError **error)
{
  return ask_report (self, self->profile->routine_manifest, nonce, challenge, cancellable, error);
}
