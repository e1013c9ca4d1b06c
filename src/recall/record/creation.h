/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/outcome.h"

/*
 * Where a record names another one as evidence that a key was made (createdBy.record) or an image was written
 * (writtenBy.record), looks for it among those given and checks that it shows this key or image of this ECU in this
 * vehicle and campaign, by its own journal, by the evidence of a hand-over (record/ending.h) or by a record it names in
 * turn. outcomes of RbVerifyOutcome, changed: denied (record-created-by) where a record given does not show it;
 * creation_checked where every record named is given and shows it.
 */
void rb_creation_check (GPtrArray *outcomes);
