/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include "model/error.h"

/*
 * Who may sign for an OEM, and for what: a target of its Service repository, RB_TRUST_LIST_PATH. JSON:
 * data/schemas/trust-list.json. Immutable, usable from any thread. The checks below are the only place where signers
 * are verified: before a vehicle is written to, when an anchor changes, and when a record is verified.
 */
#define RB_TRUST_LIST_PATH "trust/trust-list.json"

typedef struct {
  gint64 version;
  char *oem;
  gint64 issued;
  gint64 max_age; /* seconds from issued for which work on a vehicle may start */
  GPtrArray *dealer_cas; /* of RbCertificate; may be empty */
  GHashTable *revoked; /* rb_certificate_revocation_id() → RbRevoked */
  char *minimum_version; /* of the workstation software: "1.2.0" */
  GHashTable *withdrawn; /* campaign id → RbWithdrawn */
  GStrv wmis; /* sorted; may be empty: then the OEM has no vehicles */
  char *log_key; /* verifier key of the OEM's log of records (C2SP signed-note); NULL: it has none */
} RbTrustList; /* ref counted */

typedef struct {
  gint64 since;
  char *reason; /* a word of RFC 5280 */
} RbRevoked;

typedef struct {
  gint64 since;
  char *reason; /* for people */
} RbWithdrawn;

/* Error malformed, too-large, certificate. */
RbTrustList *rb_trust_list_parse (GBytes *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbTrustList *rb_trust_list_ref (RbTrustList *self);
void rb_trust_list_unref (RbTrustList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTrustList, rb_trust_list_unref)

/* clock when now is before the list's issue: a clock that was set back must not undo a revocation. */
gboolean rb_trust_list_check_clock (const RbTrustList *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* trust-list-expired when the list is older than its maximum age, clock as above. */
gboolean rb_trust_list_check_age (const RbTrustList *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* workstation-outdated when version ("1.2.0") is below the minimum. */
gboolean rb_trust_list_check_version (const RbTrustList *self, const char *version, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* campaign-withdrawn */
gboolean rb_trust_list_check_campaign (const RbTrustList *self, const char *campaign, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Since when something of the chain, as it was valid at moment, is revoked, whether that was before or after moment; 0:
 * nothing is. */
gint64 rb_trust_list_revoked_since (const RbTrustList *self, GPtrArray *chain, RbPurpose purpose, gint64 moment);
/* Is chain (of RbCertificate, own first) under a dealer CA of the list at moment, none of it revoked then, and for that
 * purpose (RbPurpose)? Errors: signer-not-trusted, certificate-expired, key-usage, unsafe-algorithm. */
gboolean rb_trust_list_check_signer (const RbTrustList *self, GPtrArray *chain, RbPurpose purpose, gint64 moment,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
