/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/upload.h"

#include "core/bytes.h"
#include "crypto/dsse.h"

#include <gio/gio.h>
#include <string.h>

#define CHUNK (64 * 1024)

static gboolean
upload_error (GError **error, RbReason reason, const char *text)
{
  return rb_reason_deny (error, RB_INTAKE_ERROR, reason, "Upload: %s", text);
}

/* One step of the inflater. *end: the stream is at its end. */
static gboolean
inflate_step (GConverter *converter, RbReader *in, GByteArray *out, gboolean *end, GError **error)
{
  guint8 chunk[CHUNK];
  gsize read = 0, written = 0;
  g_autoptr (GError) problem = NULL;
  GConverterResult result = g_converter_convert (converter, in->data + in->offset, rb_reader_left (in), chunk,
                                                 sizeof chunk, G_CONVERTER_INPUT_AT_END, &read, &written, &problem);
  if (result == G_CONVERTER_ERROR)
    return upload_error (error, RB_REASON_MALFORMED, "the gzip stream is damaged");
  if (out->len + written > RB_UPLOAD_MAX_BYTES)
    return upload_error (error, RB_REASON_TOO_LARGE, "more than 4 MiB when it is inflated");
  in->offset += read;
  g_byte_array_append (out, chunk, (guint) written);
  *end = result == G_CONVERTER_FINISHED;
  return TRUE;
}

static GBytes *
inflate (GBytes *body, GError **error)
{
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GByteArray) out = g_byte_array_new ();
  RbReader in = rb_reader_from_bytes (body);
  gboolean end = FALSE;
  while (!end)
    if (!inflate_step (converter, &in, out, &end, error))
      return NULL;
  if (rb_reader_left (&in) > 0) {
    upload_error (error, RB_REASON_MALFORMED, "bytes follow the gzip stream");
    return NULL;
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

static GBytes *
decode (GBytes *body, const char *encoding, GError **error)
{
  if (g_bytes_get_size (body) > RB_UPLOAD_MAX_BYTES) {
    upload_error (error, RB_REASON_TOO_LARGE, "more than 4 MiB");
    return NULL;
  }
  if (encoding == NULL || g_ascii_strcasecmp (encoding, "identity") == 0)
    return g_bytes_ref (body);
  if (g_ascii_strcasecmp (encoding, "gzip") == 0)
    return inflate (body, error);
  upload_error (error, RB_REASON_UNSUPPORTED, "its content encoding is not gzip");
  return NULL;
}

static gboolean
is_trusted (GPtrArray *chain, GPtrArray *dealer_cas, gint64 now, GError **error)
{
  gint64 moment = MIN (now, rb_certificate_not_after (chain->pdata[0]));
  g_clear_error (error);
  return rb_certificate_verify (chain, dealer_cas, RB_PURPOSE_WORKSTATION, moment, error);
}

/* The certificate of the first signature that is a workstation's; borrowed. */
static const char *
find_workstation (RbDsse *dsse, GPtrArray *dealer_cas, gint64 now, GError **error)
{
  g_autoptr (GError) problem = NULL;
  guint signed_by = 0;
  for (guint i = 0; i < rb_dsse_signature_count (dsse); i++) {
    GPtrArray *chain = rb_dsse_chain (dsse, i);
    if (chain == NULL || chain->len == 0 || !rb_certificate_has_purpose (chain->pdata[0], RB_PURPOSE_WORKSTATION)
        || !rb_dsse_signature_is_valid (dsse, i))
      continue;
    signed_by++;
    if (is_trusted (chain, dealer_cas, now, &problem))
      return rb_certificate_id (chain->pdata[0]);
  }
  if (signed_by == 0)
    upload_error (error, RB_REASON_RECORD_SIGNATURE, "no signature is a workstation's");
  else
    upload_error (error, RB_REASON_SIGNER_NOT_TRUSTED, problem->message);
  return NULL;
}

RbLedgerUpload *
rb_upload_read (GBytes *body, const char *encoding, const char *digest, GPtrArray *dealer_cas, gint64 now,
                GError **error)
{
  g_autoptr (GBytes) envelope = decode (body, encoding, error);
  if (envelope == NULL)
    return NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (RbDsse) dsse = rb_dsse_parse (envelope, RB_UPLOAD_MAX_BYTES, &problem);
  if (dsse == NULL) {
    upload_error (error, RB_REASON_MALFORMED, problem->message);
    return NULL;
  }
  if (strcmp (rb_dsse_digest (dsse), digest) != 0) {
    upload_error (error, RB_REASON_HASH_MISMATCH, "the record has another digest than the path names");
    return NULL;
  }
  const char *workstation = find_workstation (dsse, dealer_cas, now, error);
  if (workstation == NULL)
    return NULL;
  RbLedgerUpload *upload = g_new0 (RbLedgerUpload, 1);
  upload->digest = g_strdup (digest);
  upload->envelope = g_steal_pointer (&envelope);
  upload->workstation = g_strdup (workstation);
  return upload;
}
