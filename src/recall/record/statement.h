/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "keystore/identity.h"
#include "model/campaign.h"
#include "record/format.h"
#include "record/outcome.h"

#include <jansson.h>

/*
 * Makes the record of one recovery: an in-toto Statement v1 of predicate type RB_STATEMENT_PREDICATE_TYPE in a DSSE
 * envelope, signed by technician, workstation and, where there is one, a second person.
 *
 * The caller gives the facts as a JSON object with these members of the predicate:
 *   vehicle {vin, vinSources [{ecu, did, value}], odometerKm?}, dealer {repairOrder?},
 *   workstation {softwareVersion, interface {kind, uri}}, preflight {ecusExpected [serial], ecusFound [serial],
 *   unexpected [address: ECUs that answer and that the vehicle model does not have]}, inspection {…} or null, ecus
 * [{…}], vehicleManifest {before, after} (base64 or null), failures [{ecu?, reason, text}], deviations [{code, text}],
 * time {claimed, notBefore, notBeforeSource}, firstWriteAt (time or null), startedAt, finishedAt, and optionally
 * supersedes [digest], handOver or exception (record/ending.h). An ECU of the vehicle model that is not in this vehicle
 * has outcome not-fitted, ecuSerial "" and nothing else to say. An ECU's entry: ecuSerial, hardwareId, role,
 * verification, before, after (or null), image, key, report, outcome, reason?, writes, startedAt, finishedAt, and what
 * record/around.h says. Where an ECU has no key to make, key is {"kind": "none"}; image, key and report are null where
 * nothing is known. Integers only.
 *
 * An ECU's entry and an inspection item have performedBy, a pseudonym, where another technician than the one who signs
 * did it. The builder adds the other ones, dealer.code and dealer.country (where the workstation's certificate has OU
 * and C), recordId, stream, sequence, previousRecord, supersedes, type, result, campaign, workstation.certSha256,
 * technician, secondPerson, and the statement's subjects from vehicleManifest.
 */

/* How the recovery ended, as the engine sees it. Whether it is a completion is not the engine's to say: it is computed
 * from the facts, and RB_STATEMENT_FINISHED facts that do not show completion make a partial record. */
typedef enum {
  RB_STATEMENT_FINISHED, /* completion, or partial */
  RB_STATEMENT_ABORTED, /* stopped by a person or a fault */
  RB_STATEMENT_DECLINED, /* by the customer or the inspection, nothing was written */
  RB_STATEMENT_NO_WORK_NEEDED, /* on first sight */
  RB_STATEMENT_HANDED_OVER, /* to another workstation; the facts have handOver (record/ending.h) */
  RB_STATEMENT_EXCEPTION, /* the vehicle leaves and is not complete; the facts have exception */
} RbStatementEnd;

typedef struct {
  const RbCampaign *campaign;
  const char *campaign_sha256; /* of campaign.json */
  RbStatementEnd end;
  json_t *facts; /* borrowed, not changed */
  RbIdentity *technician; /* RB_PURPOSE_TECHNICIAN */
  RbIdentity *workstation; /* RB_PURPOSE_WORKSTATION */
  RbIdentity *second; /* RB_PURPOSE_TECHNICIAN, another person; NULL */
} RbStatementRequest;

/* A record's place in the chain of its workstation. */
typedef struct {
  char stream[33];
  gint64 sequence;
  char previous[65];
} RbStatementPlace;

typedef struct {
  char *digest; /* sha256 of the PAE: the record's name */
  char *workstation; /* certificate id */
  char *stream;
  gint64 sequence;
  char *previous; /* 64 zeros for the first */
  char *type, *result, *vin, *campaign;
  gint64 finished;
  GBytes *envelope;
  gboolean acknowledged; /* where it is kept with a receipt */
} RbStatementRecord;
void rb_statement_record_free (RbStatementRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbStatementRecord, rb_statement_record_free)

/* Makes, signs and verifies (by its own chains) the record of that place. Errors: same-person, key-usage,
 * second-person-missing, record-malformed (the facts lack something). (transfer full) */
RbStatementRecord *rb_statement_make_at (const RbStatementPlace *place, const RbStatementRequest *request,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the record of these facts would say, but for who signs it: ECUs that the facts call done and do not show are
 * failed, with reason and an entry in failures. (transfer full) */
json_t *rb_statement_judge (const RbCampaign *campaign, const char *campaign_sha256, const json_t *facts);

/* A verified record with what its signed bytes say. (transfer full) */
RbStatementRecord *rb_statement_to_record (const RbVerifyOutcome *outcome, GBytes *envelope);
