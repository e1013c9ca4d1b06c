/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

/* What data/reasons.json says of each reason, in the language of the person who reads. */

/* Catalogues beside the program in a build tree, else the installed ones. Call once at the start, with the folder of
 * the program. */
void rb_advice_set_language (const char *program_path);
/* What it means for the vehicle; "" for RB_REASON_NONE. Static. */
const char *rb_advice_means (RbReason reason);
/* What the technician does next; "" for RB_REASON_NONE. Static. */
const char *rb_advice_next (RbReason reason);
