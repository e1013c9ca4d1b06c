/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pki/error.h"
#include <jansson.h>

/*
 * The certificates that the OEM gives to people, workstations and vehicles, in its folder: pki/CA.pem with its
 * encrypted key, pki/register.json (each certificate, and since when it is revoked).
 */
typedef struct {
  const char *ca; /* name of the CA: pki/CA.pem and pki/CA.key.pem */
  const char *kind; /* "technician", "workstation", "vehicle" */
  const char *organisation, *unit, *country; /* dealer, its code, its country; each may be NULL */
  const char *passphrase; /* of the CA's key */
  gint64 now;
} RbPeopleIssue;

/* A CA with a new key. Errors: exists, malformed. */
gboolean rb_people_new_ca (const char *folder, const char *ca, const char *oem, const char *passphrase, gint64 now,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Another CA's certificate and private key, in PEM. Errors: exists, identity, passphrase, malformed. */
gboolean rb_people_import_ca (const char *folder, const char *ca, const char *certificate, const char *key,
                              const char *passphrase, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Certificates for the requests of a PEM text, with the CA's at the end. A technician's bears a pseudonym; a
 * workstation's requests ask for its purposes; a vehicle's is for its VIN. Noted in the register: issued has the new
 * lines. Errors: key-usage, vin-invalid, exists (a key that has one), not-found, passphrase. (transfer full) */
char *rb_people_issue (const char *folder, const RbPeopleIssue *issue, const char *requests, json_t **issued,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* reason: a word of RFC 5280. Errors: not-found, usage. */
gboolean rb_people_revoke (const char *folder, const char *serial, gint64 since, const char *reason, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* New vehicles are not begun by that campaign from then on; takes effect with the next trust list. reason: for people.
 * Error campaign-withdrawn: it was before. */
gboolean rb_people_withdraw (const char *folder, const char *campaign, const char *reason, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_people_is_withdrawn (const char *folder, const char *campaign);
/* The next trust list: every CA but the vehicles', every revoked certificate. oem.json has name and WMI prefixes.
 * minimum_version: NULL for that of the list before. (transfer full) */
json_t *rb_people_trust_list (const char *folder, const json_t *oem, gint64 days, const char *minimum_version,
                              gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
