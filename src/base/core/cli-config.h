/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/cli-table.h"

/* The file that --config names: defaults of options, see recallbay.conf(5). */

/* Stores what the file gives for the program and its running verb and the command line does not. Errors: not-found,
 * malformed (not a key file, an unknown group or key, a value that the option does not take). */
gboolean rb_cli_config_apply (RbCli *cli, const RbOption *common, gpointer settings, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
