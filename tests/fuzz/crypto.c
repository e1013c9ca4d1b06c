/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificates, DSSE envelopes, signed notes and receipts as they come from outside. An input goes to the readers
 * that its first bytes call for. While it is fuzzed, keys and signatures are stand-ins (stand-in.c, certificates.c):
 * OpenSSL's own code is not what is looked at, and makes two thousand keys a second. */
#include "crypto/certificate.h"
#include "crypto/dsse.h"
#include "crypto/key.h"
#include "fuzz.h"
#include "log/note.h"
#include "log/receipt.h"

#include <string.h>

static void
read_raw (const uint8_t *data, size_t size)
{
  g_autoptr (RbPublicKey) ed25519 = size == 32 ? rb_key_public_from_ed25519 (data, size, NULL) : NULL;
  g_autoptr (RbPublicKey) point = size == 33 || size == 65 ? rb_key_public_from_p256_point (data, size, NULL) : NULL;
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  if (ed25519 != NULL && rb_key_verify (ed25519, RB_SCHEME_ED25519, "", 0, data, size))
    g_error ("32 bytes are no signature");
#endif
}

/* SEQUENCE { SEQUENCE …: a certificate's inner one holds a SEQUENCE or a version, a public key's an OBJECT IDENTIFIER.
 */
static void
read_der (GBytes *bytes)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  gboolean is_long = length > 8 && data[1] > 0x80;
  gboolean is_key = length > 8 && (is_long ? data[4] == 0x30 && data[6] == 0x06 : data[2] == 0x30 && data[4] == 0x06);
  g_autoptr (RbPublicKey) spki = is_key ? rb_key_public_from_spki (bytes, NULL) : NULL;
  g_autoptr (RbCertificate) certificate = is_key ? NULL : rb_certificate_from_der (bytes, NULL);
}

static void
read_pem (const char *text)
{
  gboolean is_key = strstr (text, "PUBLIC KEY") != NULL;
  g_autoptr (RbPublicKey) key = is_key ? rb_key_public_from_pem (text, NULL) : NULL;
  g_autoptr (GPtrArray) list = is_key ? NULL : rb_certificate_list_from_pem (text, NULL);
}

static void
read_note (const char *text)
{
  static const char vkey[] = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
  static RbNoteKey *known;
  if (known == NULL)
    known = rb_note_key_parse (vkey, NULL);
  g_autofree char *note = rb_note_open (text, known, NULL);
}

static void
read_envelope (GBytes *bytes)
{
  g_autoptr (RbDsse) dsse = rb_dsse_parse (bytes, 1 << 20, NULL);
  for (guint i = 0; dsse != NULL && i < rb_dsse_signature_count (dsse); i++) {
    if (rb_dsse_signature_is_valid (dsse, i) && rb_dsse_chain (dsse, i) == NULL)
      g_error ("valid without a certificate");
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (RbNoteKey) given
    = strchr (text, '+') != NULL && strchr (text, '\n') == NULL ? rb_note_key_parse (text, NULL) : NULL;
  read_raw (data, size);
  if (size > 0 && data[0] == 0x30)
    read_der (bytes);
  if (strstr (text, "-----BEGIN") != NULL)
    read_pem (text);
  else if (strstr (text, "\n\n") != NULL)
    read_note (text);
  else if (text[0] == '{')
    read_envelope (bytes);
  return 0;
}
