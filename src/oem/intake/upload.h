/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "intake/error.h"
#include "ledger/ledger.h"

#define RB_UPLOAD_MAX_BYTES (4 * 1024 * 1024) /* of an envelope, and of a body before it is inflated */

/*
 * An upload before it is logged: an envelope of that digest with a valid signature of a workstation under dealer_cas
 * (of RbCertificate). Everything else about the record is left to its verdict. A certificate that expired before now is
 * judged at its end: the record may be older.
 *
 * encoding: "gzip", or NULL for none. Errors: unsupported (encoding), too-large, malformed, hash-mismatch (another
 * record than digest names), record-signature, signer-not-trusted. (transfer full)
 */
RbLedgerUpload *rb_upload_read (GBytes *body, const char *encoding, const char *digest, GPtrArray *dealer_cas,
                                gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
