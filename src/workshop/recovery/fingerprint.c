/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/fingerprint.h"

#include "core/bytes.h"

#define CODE_LENGTH 6

static guint8
bcd (int number)
{
  return (guint8) (number / 10 % 10 << 4 | number % 10);
}

GBytes *
rb_fingerprint_new (RbIdentitySet *workstation, gint64 now, GError **error)
{
  g_autoptr (RbIdentity) identity = rb_identity_set_find (workstation, RB_PURPOSE_WORKSTATION, error);
  if (identity == NULL)
    return NULL;
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (now);
  g_autofree char *code = g_strndup (rb_certificate_id (rb_identity_certificate (identity)), 2 * CODE_LENGTH);
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (code);
  GByteArray *out = g_byte_array_new ();
  rb_writer_u8 (out, bcd (g_date_time_get_year (date)));
  rb_writer_u8 (out, bcd (g_date_time_get_month (date)));
  rb_writer_u8 (out, bcd (g_date_time_get_day_of_month (date)));
  rb_writer_bytes (out, bytes);
  return g_byte_array_free_to_bytes (out);
}
