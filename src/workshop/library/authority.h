/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "keystore/identity.h"

/*
 * The authority of a trust anchor now: its vehicles, its signers and the end of its term. It follows from the anchor's
 * bound (library/anchor-scope.h) and the newest trust list that was verified under it: DATA/trust/NAME/trust-list.json,
 * or the one of the bundle in use where that is newer. Without a list it may say nothing.
 */
typedef struct {
  char *anchor;
  GStrv bound; /* NULL: not set yet */
  RbTrustList *list; /* NULL: none was seen */
  GBytes *list_json;
  GStrv wmis; /* in force: the bound as narrowed by the list; empty: no vehicle */
} RbAuthority;
void rb_authority_free (RbAuthority *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbAuthority, rb_authority_free)

/* As the data dir knows it. (transfer full) */
RbAuthority *rb_authority_load (const char *data_dir, const char *anchor, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with the trust list of contents, which must have an anchor. Errors: rollback (another list of a version that
 * is known), not-in-anchor-scope (the first list of this anchor names vehicles of another anchor). (transfer full) */
RbAuthority *rb_authority_of (const char *data_dir, RbContents *contents, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores list and bound as rb_authority_of() gives them. The caller holds the library's lock. */
/* The caller holds rb_trust_lock(). */
gboolean rb_authority_remember (const char *data_dir, RbContents *contents, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same of a verified trust list without a campaign. Errors: malformed, those of rb_authority_of(). */
gboolean rb_authority_remember_list (const char *data_dir, const char *anchor, GBytes *json, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* trust-list-missing when there is none. */
gboolean rb_authority_has_list (const RbAuthority *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* May this campaign be worked on for that vehicle? started: the vehicle has been written to before; then the age of the
 * list and a withdrawal are forgiven. Errors: trust-list-missing, not-in-anchor-scope, workstation-outdated,
 * trust-list-expired, clock, campaign-withdrawn. */
gboolean rb_authority_check (const RbAuthority *self, const RbCampaign *campaign, const char *vin, gint64 now,
                             gboolean started, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Two technicians whom the anchor's list knows add prefixes to its bound; both sign a statement that is kept beside it.
 * The caller holds the library's lock. Errors: not-found, trust-list-missing, same-person, those of
 * rb_trust_list_check_signer(). */
gboolean rb_authority_widen (const char *data_dir, const char *anchor, const char *const *wmis, RbIdentity *first,
                             RbIdentity *second, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
