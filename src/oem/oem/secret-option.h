/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/oem-folder.h"
#include "core/cli.h"

/* --passphrase-file, or the terminal. Results are wiped by rb_secret_free(); "" where none is needed or given. */

/* Of the key at where: a file or URI. NULL: error. (transfer full) */
char *rb_secret_option_ask (RbCli *cli, const char *file, const char *where, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the online keys: the file, else the one that oem.json names, else none. NULL: error. (transfer full) */
char *rb_secret_option_of_folder (RbCli *cli, const char *file, const RbOemFolder *folder, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
