/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fixture.h"

/* A record of a completed recovery, signed, and what it is verified with. */
typedef struct {
  Fixture fixture;
  RbOutbox *outbox;
  RbStatementRecord *record; /* a completed one */
} Case;

void case_set_up (Case *self, gconstpointer data);
void case_tear_down (Case *self, gconstpointer data);
/* What the record's envelope signs, and the statement parsed from it. */
GBytes *case_payload (const RbStatementRecord *record);
json_t *case_statement (const RbStatementRecord *record);
/* Makes the predicate one of an incomplete recovery. */
void case_call_it_partial (json_t *predicate);
