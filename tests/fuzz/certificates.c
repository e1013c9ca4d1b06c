/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL decodes a certificate, and makes its key, once: an input that holds it again gets it from here. The linker
 * puts these functions in the place of OpenSSL's (--wrap). */
#include <glib.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define MAX_KNOWN 4096

X509 *__real_d2i_X509 (X509 **x509, const unsigned char **at, long length);
X509 *__wrap_d2i_X509 (X509 **x509, const unsigned char **at, long length);
X509 *__wrap_PEM_read_bio_X509 (BIO *bio, X509 **x509, pem_password_cb *callback, void *data);

typedef struct {
  X509 *x509; /* NULL: it is none */
  gsize length;
} Known;

static void
known_free (gpointer data)
{
  Known *self = data;
  X509_free (self->x509);
  g_free (self);
}

static Known *
decode (const unsigned char *at, long length)
{
  Known *known = g_new0 (Known, 1);
  const unsigned char *end = at;
  known->x509 = __real_d2i_X509 (NULL, &end, length);
  known->length = (gsize) (end - at);
  return known;
}

X509 *
__wrap_d2i_X509 (X509 **x509, const unsigned char **at, long length)
{
  static GHashTable *all;
  g_autoptr (GBytes) bytes = g_bytes_new (*at, (gsize) length);
  if (all == NULL)
    all = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, known_free);
  if (g_hash_table_size (all) >= MAX_KNOWN)
    g_hash_table_remove_all (all);
  Known *known = g_hash_table_lookup (all, bytes);
  if (known == NULL) {
    known = decode (*at, length);
    g_hash_table_insert (all, g_bytes_ref (bytes), known);
  }
  *at += known->length;
  if (known->x509 != NULL)
    X509_up_ref (known->x509);
  return known->x509;
}

X509 *
__wrap_PEM_read_bio_X509 (BIO *bio, X509 **x509, pem_password_cb *callback, void *data)
{
  unsigned char *bytes = NULL;
  long length = 0;
  if (PEM_bytes_read_bio (&bytes, &length, NULL, PEM_STRING_X509, bio, callback, data) != 1)
    return NULL;
  const unsigned char *at = bytes;
  X509 *found = __wrap_d2i_X509 (NULL, &at, length);
  OPENSSL_free (bytes);
  return found;
}
