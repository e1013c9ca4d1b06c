/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include <jansson.h>

/* Reading a record's predicate: its entries, and what an ECU's entry says without being asked whether it shows it. */

/* The entry of an array whose member has that value; NULL. Borrowed. */
json_t *rb_predicate_entry (const json_t *array, const char *member, const char *value);
/* Does an ECU's entry call it done (replaced, already-good, hardware-replaced)? */
gboolean rb_predicate_claims_done (const json_t *ecu);
/* Does it call it not fitted? */
gboolean rb_predicate_is_not_fitted (const json_t *ecu);
