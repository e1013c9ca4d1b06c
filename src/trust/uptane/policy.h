/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/metadata.h"

/* What binds a snapshot or targets file beside what other files list. */
typedef enum {
  RB_SUCCESSION_LISTED, /* nothing: a stored file that cannot be used is fetched again, as if it was never there */
  RB_SUCCESSION_VERSION, /* it is not older than the one accepted before */
  RB_SUCCESSION_BYTES, /* nor does it have other bytes under the same version */
} RbSuccession;

/*
 * How a client verifies one repository (uptane/repository.h). The steps are the same for all; what TUF 1.0.33 and the
 * Uptane Standard 2.1 demand differently stands here and nowhere else.
 */
typedef struct {
  const char *repo; /* for verdicts and error texts: "director", "image"; "": a repository of TUF; static */
  gint64 now; /* seconds since 1970 */
  gsize max_root, max_timestamp, max_snapshot, max_targets; /* bytes */
  guint max_roots; /* in one walk; 0: all that are there */
  guint max_delegations; /* visited for one target */
  RbSuccession succession;
  /* Names with and without version are tried, and root.json shows a root whose N.root.json is missing. A client of
   * a server must not set it: TUF prescribes its requests. */
  gboolean any_layout;
  gboolean any_form; /* lengths and hashes may be of a canonical form (aktualizr), not of the bytes */
  gboolean snapshot_hashes; /* the timestamp must list them (Uptane 5.2.5) */
  gboolean reuses_stored; /* a stored file that is the listed one is not fetched again */
  /* Stored files count while keys of the newest root have signed them: those that it can no longer verify fall, also
   * where its threshold rises or neither root lists their role. */
  gboolean verifies_stored;
  gboolean dropped_targets_unbound; /* where the targets' keys changed, the snapshot before does not bind them */
  gboolean visits_role_once; /* in a search, whatever delegates to it (TUF 5.6.7.1); else each delegation once */
  gboolean several_roles; /* delegations to several roles that must agree (Uptane 5.4.4.7, TAP 3) */
  gboolean aktualizr_reasons; /* the reason words of aktualizr's vectors for delegations */
} RbPolicy;

/* A client of TUF: the values of the reference client. */
RbPolicy rb_policy_tuf (gint64 now);
/* The same for what must never go back, whatever the metadata says: what was accepted binds by its bytes, and a stored
 * file that cannot be used is store-damaged. */
RbPolicy rb_policy_tuf_strict (gint64 now);
/* A vehicle's "director" or "image" repository. */
RbPolicy rb_policy_uptane (const char *repo, gint64 now);
/* Bytes of a file of that type. */
gsize rb_policy_max (const RbPolicy *self, RbMetadataType type);
