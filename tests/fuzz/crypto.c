/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificates, DSSE envelopes, signed notes and receipts as they come from outside. */
#include "crypto/certificate.h"
#include "crypto/dsse.h"
#include "crypto/key.h"
#include "fuzz.h"
#include "log/note.h"
#include "log/receipt.h"

static void
read_binary (GBytes *bytes)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  g_autoptr (RbCertificate) certificate = rb_certificate_from_der (bytes, NULL);
  g_autoptr (RbPublicKey) spki = rb_key_public_from_spki (bytes, NULL);
  g_autoptr (RbPublicKey) ed25519 = rb_key_public_from_ed25519 (data, length, NULL);
  g_autoptr (RbPublicKey) point = rb_key_public_from_p256_point (data, length, NULL);
  if (ed25519 != NULL && rb_key_verify (ed25519, RB_SCHEME_ED25519, "", 0, data, length))
    g_error ("32 bytes are no signature");
}

static void
read_text (const char *text)
{
  static const char vkey[] = "example.com/log+9a2d2a5f+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
  g_autoptr (RbCertificate) certificate = rb_certificate_from_pem (text, NULL);
  g_autoptr (GPtrArray) list = rb_certificate_list_from_pem (text, NULL);
  g_autoptr (RbPublicKey) pem = rb_key_public_from_pem (text, NULL);
  g_autoptr (RbNoteKey) given = rb_note_key_parse (text, NULL);
  g_autoptr (RbNoteKey) known = rb_note_key_parse (vkey, NULL);
  g_autofree char *note = known == NULL ? NULL : rb_note_open (text, known, NULL);
}

static void
read_envelope (GBytes *bytes)
{
  g_autoptr (RbDsse) dsse = rb_dsse_parse (bytes, 1 << 20, NULL);
  for (guint i = 0; dsse != NULL && i < rb_dsse_signature_count (dsse); i++) {
    rb_dsse_chain (dsse, i);
    gboolean good = rb_dsse_signature_is_valid (dsse, i);
    if (good && rb_dsse_chain (dsse, i) == NULL)
      g_error ("valid without a certificate");
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autofree char *text = g_strndup ((const char *) data, size);
  read_binary (bytes);
  read_text (text);
  read_envelope (bytes);
  return 0;
}
