/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/metadata.h"

/* Entry of a timestamp or snapshot file. Texts are borrowed from it. */
typedef struct {
  gint64 version;
  gint64 length; /* -1: not listed */
  const char *sha256; /* hex of either case; NULL: not listed */
  const char *sha512;
  gboolean has_hashes; /* are any listed, also of unknown algorithms? */
} RbListed;
/* The entry of FILE.json in lister; FALSE without error: it is not listed. Errors: malformed. */
gboolean rb_listed_read (const RbMetadata *lister, const char *role, RbListed *listed, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Of an entry that is at hand. */
gboolean rb_listed_read_entry (const json_t *entry, const char *name, RbListed *listed, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Are all entries of an authentic timestamp or snapshot file well-formed? Errors: malformed. */
gboolean rb_listed_check_all (const RbMetadata *lister, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Is the file not longer than listed, and its hashes those listed? any_form: a canonical form of the file may be meant
 * (aktualizr) instead of its bytes (TUF), and the length is a bound. Errors: length-mismatch, hash-mismatch. */
gboolean rb_listed_check (const RbListed *listed, const RbMetadata *file, gboolean any_form, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* How many bytes of a file are read at most: what is listed caps max. listed NULL: max. */
gsize rb_listed_bound (const RbListed *listed, gsize max, gboolean any_form);
/* Sets the error of a file that could not be read, within that bound, to length-mismatch where it is longer than
 * listed; FALSE. (transfer full) failure */
gboolean rb_listed_fail (const RbListed *listed, gsize bound, gsize max, GError *failure, GError **error);
