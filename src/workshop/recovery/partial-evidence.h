/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/journal.h"

#include <jansson.h>

/*
 * What a record that does not complete its vehicle shows another workstation: keys and images of ECUs that it calls
 * done, and coding that was read from the others. The record is verified by the caller.
 */
/* (element-type RbJournalEvidence) (transfer full) */
GPtrArray *rb_partial_evidence_of (const json_t *predicate);
