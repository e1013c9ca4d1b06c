/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include "model/reference-values.h"
#include "outbox/outbox.h"
#include "record/statement.h"
#include "record/verify.h"

/*
 * A workshop, a campaign and one vehicle of three ECUs (a Primary that checks fully, a Secondary that checks partially
 * and one with a SHE key), recovered by the book: real keys, proofs and reports, no wire.
 */
#define FIXTURE_VIN "WAURAB0RA1LL00011"
#define FIXTURE_OTHER_VIN "WAURAB0RA1LL00022"

typedef struct {
  char *folder; /* data dir, removed at the end */
  RbCertificate *dealer_ca;
  GPtrArray *anchors; /* the dealer CA */
  RbIdentity *technician, *second, *workstation;
  RbCampaign *campaign;
  char *campaign_sha256;
  RbVehicleModel *model;
  GHashTable *keys; /* serial → RbPrivateKey, made when asked for */
  GHashTable *profiles; /* hardware id → RbProfile */
  GHashTable *images; /* sha256 → GBytes */
  RbReferenceValues evidence;
  json_t *seed; /* of a demo's vehicle; NULL */
  const char *report_nonce; /* instead of the campaign's, in reports; NULL */
  const char *undirected; /* an ECU, by name, to which the bundle directs nothing; NULL */
  GHashTable *as_built; /* serial → hardware id; NULL: the bundle does not say. Borrowed */
  gint64 start; /* of the recovery that the facts tell of */
} Fixture;

void fixture_set_up (Fixture *self);
/* The workshop and campaign of a folder made by recall-oem demo instead; evidence outlives the fixture. */
void fixture_set_up_demo (Fixture *self, const char *demo, const RbReferenceValues *evidence);
void fixture_tear_down (Fixture *self);
/* Issued under the fixture's dealer CA; to be unreffed. */
RbIdentity *fixture_identity (Fixture *self, RbPurpose purpose, const char *name);
/* A CA of the same name with another key, and an identity under it. */
RbCertificate *fixture_other_ca (RbPrivateKey **key);
/* The facts of a complete recovery of that vehicle, proofs made for it. (transfer full) */
json_t *fixture_facts (Fixture *self, const char *vin);
json_t *fixture_ecu (json_t *facts, const char *serial);
/* Signs the report of an entry anew, after its contents changed. */
void fixture_report_again (Fixture *self, json_t *facts, const char *serial);
/* Makes the manifest anew from the reports of the entries. */
void fixture_manifest_again (Fixture *self, json_t *facts);
/* Ends the work on an ECU as failed, for a reason word, and lists the failure. */
void fixture_fail_ecu (json_t *facts, const char *serial, const char *reason);
/* Makes and stores; asserts that it works. (transfer full) */
RbStatementRecord *fixture_make (Fixture *self, RbOutbox *outbox, json_t *facts);
/* The same with a second person. */
RbStatementRecord *fixture_make_by_three (Fixture *self, RbOutbox *outbox, json_t *facts);
/* A record whose predicate is changed afterwards and signed again, its subjects with it. (transfer full) */
typedef void (*FixtureChange) (json_t *predicate);
GBytes *fixture_forge (Fixture *self, const RbStatementRecord *record, FixtureChange change);
/* Signs any payload as technician and workstation. */
GBytes *fixture_sign (GBytes *payload, RbIdentity *first, RbIdentity *second, RbIdentity *third);
/* Against the dealer CA, and with_bundle against the campaign. */
RbVerifyOutcome *fixture_verify (Fixture *self, GBytes *envelope, gboolean with_bundle);
void fixture_expect (Fixture *self, GBytes *envelope, gboolean with_bundle, RbReason reason);
