/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/verify.h"

/*
 * Where a record names another one as evidence that a key was made (createdBy.record), looks for it among those given and checks
 * that it shows this key of this ECU in this vehicle and campaign, made by its own journal or shown by a record it names in turn.
 * outcomes of RbVerifyOutcome, changed: denied (record-created-by) where a record given does not show it; creation_checked where
 * every record named is given and shows it.
 */
void rb_creation_check (GPtrArray *outcomes);
