/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

/* Texts of data/reasons.json on each reason, in the language of the reader. */

/* Catalogues beside the program in a build tree, else the installed ones. Call once at the start, with the folder of
 * the program. */
void rb_advice_set_language (const char *program_path);
/* Meaning for the vehicle; "" for RB_REASON_NONE. Static. */
const char *rb_advice_means (RbReason reason);
/* Next action of the technician; "" for RB_REASON_NONE. Static. */
const char *rb_advice_next (RbReason reason);
