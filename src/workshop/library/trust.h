/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/anchor.h"
#include "campaign/error.h"
#include "core/lock.h"
#include "keystore/identity.h"
#include "uptane/source.h"
#include "uptane/store.h"

/* Trust anchors: DATA/trust/NAME/anchor.json and service/ (every accepted root of that OEM's Service repository). */

/* Held while anchors and what is kept with them are read, changed and written. The calls below that change an anchor
 * take it themselves. Errors: in-use, io. */
RbLock *rb_trust_lock (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For vehicles whose VIN begins with one of wmis (model/wmi.h), an upper bound; NULL: the first trust list sets it.
 * Adds a bound to an anchor that has none. The same again is fine. Errors: exists (another root under that name, that
 * root under another name, another bound), words for metadata. (transfer full) */
RbAnchor *rb_trust_add (const char *data_dir, const char *name, GBytes *root, const char *const *wmis, gint64 now,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (element-type RbAnchor) (transfer full), sorted by name; may be empty */
GPtrArray *rb_trust_list (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Walks every anchor that shares a root with folder to the newest in there; wrong-oem when none does. (element-type
 * RbAnchor) (transfer full): those that share one, as they are now. */
GPtrArray *rb_trust_update (const char *data_dir, const char *folder, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same for a caller that holds rb_trust_lock(). */
GPtrArray *rb_trust_update_held (const char *data_dir, const char *folder, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Walks one anchor over what source has (TUF 5.3: asks for the next version until it is missing). Errors: not-found,
 * words for metadata, those of source. (transfer full) */
RbAnchor *rb_trust_update_one (const char *data_dir, const char *name, RbSource *source, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Puts another root in the place of an anchor: what two people have to agree on, who both sign a statement that is kept
 * beside it. Both are technicians by the anchor's trust list, or issued under one authority where it has none. Errors:
 * not-found, same-person, certificate, signer-not-trusted, certificate-expired, key-usage, words for metadata.
 * (transfer full) */
RbAnchor *rb_trust_replace (const char *data_dir, const char *name, GBytes *root, RbIdentity *first, RbIdentity *second,
                            gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
