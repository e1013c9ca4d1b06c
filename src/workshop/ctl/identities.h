/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "keystore/identity.h"

/* Identities that a command line names. The passphrase comes from a file, else from the terminal, else there is none.
 * (transfer full) */
RbIdentitySet *rb_identities_load (RbCli *cli, const char *path, const char *passphrase_file, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The technician's identity in it. */
RbIdentity *rb_identities_person (RbCli *cli, const char *path, const char *passphrase_file, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
