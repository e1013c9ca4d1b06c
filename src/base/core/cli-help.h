/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/cli-table.h"

#include <jansson.h>

/* Output of --help, as text and with --json as the table itself. */

/* Verbs of a program, or of the group whose name is given; NULL: all. (transfer full) */
char *rb_cli_help_overview (const RbCliProgram *program, const char *group);
/* One verb. (transfer full) */
char *rb_cli_help_verb (const RbCliProgram *program, const RbCliVerb *verb, const RbOption *common);
/* {"program", "summary", "common": [option…], "verbs": [{"name", "arguments", "summary", "options": [option…]}]}, an
 * option being
 * {"name", "letter", "value", "kind", "list", "summary"}. (transfer full) */
json_t *rb_cli_help_table (const RbCliProgram *program, const RbOption *common);
