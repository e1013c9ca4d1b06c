/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/evp.h"

#include <openssl/err.h>

void
rb_evp_set_error (GError **error, RbReason reason, const char *what)
{
  char text[256] = "";
  unsigned long code = ERR_peek_last_error ();
  if (code != 0)
    ERR_error_string_n (code, text, sizeof text);
  ERR_clear_error ();
  g_set_error (error, RB_CRYPTO_ERROR, (int) reason, "%s%s%s", what, code == 0 ? "" : ": ", text);
}

BIO *
rb_evp_bio (gconstpointer data, gsize length)
{
  return BIO_new_mem_buf (data, (int) MIN (length, G_MAXINT));
}

GBytes *
rb_evp_bio_bytes (BIO *bio)
{
  char *data = NULL;
  long length = BIO_get_mem_data (bio, &data);
  return g_bytes_new (data, (gsize) MAX (length, 0));
}
