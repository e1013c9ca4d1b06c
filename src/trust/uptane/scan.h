/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"

/*
 * A large metadata file {"signatures":…,"signed":{…}} without a tree. One pass proves that the bytes are JSON as
 * core/json.h takes it, that members of `signed` stand in ascending order (so none is there twice) and that its bytes
 * are a canonical form of its value; where they are not, a copy in form A is. The one large table of `signed`
 * ("targets", "meta") is read entry by entry.
 */
typedef struct _RbScan RbScan;
/* table: the member of `signed` that is not to become a tree; NULL: none. Errors: malformed, when no parser would take
 * the bytes; too-large, where putting them in form A would need too much memory. */
RbScan *rb_scan_new (GBytes *bytes, const char *table, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_scan_free (RbScan *self);
/* The file with an empty table, to be made a tree of: what stands outside `signed` is verified only there. (transfer
 * full) */
GBytes *rb_scan_rest (const RbScan *self);
/* `signed` alone with an empty table. (transfer full) */
GBytes *rb_scan_signed_rest (const RbScan *self);
/* The signatures, and of `signed` only _type, version and expires: {"signatures":…,"signed":{…}}. (transfer full) */
GBytes *rb_scan_head (const RbScan *self);
/* Form A of `signed`, or of the whole envelope, with its members in order of bytes or of UTF-16 code units; NULL: a
 * member stands twice outside `signed`. (transfer full) */
GBytes *rb_scan_form_a (const RbScan *self, gboolean whole, gboolean by_utf16);
/* The bytes of `signed`: a canonical form of its value. (transfer full) */
GBytes *rb_scan_signed (const RbScan *self);
/* Are all canonical forms of `signed`, or of the whole envelope, the same bytes? */
gboolean rb_scan_is_plain (const RbScan *self, gboolean whole);
/* Are characters beyond ASCII in the file? Only then can the two orders differ. */
gboolean rb_scan_is_wide (const RbScan *self);
/* The bytes of the whole envelope where they are its canonical form A, else NULL. (transfer full) */
GBytes *rb_scan_envelope (const RbScan *self);
/* Entries of the table, in ascending order of their names. */
guint rb_scan_size (const RbScan *self);
/* (transfer full) */
char *rb_scan_name (const RbScan *self, guint index);
/* The JSON text of an entry's value. (transfer full) */
GBytes *rb_scan_value (const RbScan *self, guint index);
/* FALSE when no entry has that name. */
gboolean rb_scan_find (const RbScan *self, const char *name, guint *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbScan, rb_scan_free)
