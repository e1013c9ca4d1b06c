/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fixture.h"

/* One change of a completed record's predicate. */
typedef struct {
  const char *reason, *what;
  FixtureChange change;
} Alteration;

/* Those of the inspection. */
extern const Alteration alter_inspection[];
extern const gsize alter_inspection_length;

/*
 * Records that contradict themselves or their bundle, signed by those whose signatures count. Writes
 * FOLDER/altered/REASON.WHAT.json, each a completed record with one change, REASON being the word that a verifier with
 * the bundle has to answer; FOLDER/creation/{first,good,…}.json, of which all but first name first as evidence of their
 * keys; FOLDER/whole.json, unchanged.
 */
void alter_write (Fixture *fixture, const char *folder, const char *vin);
