/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/identities.h"

#include "crypto/secret.h"

#include <glib/gi18n-lib.h>

RbIdentitySet *
rb_identities_load (RbCli *cli, const char *path, const char *passphrase_file, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *prompt = g_strdup_printf (_ ("Passphrase of %s"), path);
  char *passphrase = rb_cli_passphrase (cli, passphrase_file, prompt, &problem);
  RbIdentitySet *set = NULL;
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else
    set = rb_identity_set_load (path, passphrase, error);
  rb_secret_free (passphrase);
  return set;
}

RbIdentity *
rb_identities_person (RbCli *cli, const char *path, const char *passphrase_file, GError **error)
{
  g_autoptr (RbIdentitySet) set = rb_identities_load (cli, path, passphrase_file, error);
  return set == NULL ? NULL : rb_identity_set_find (set, RB_PURPOSE_TECHNICIAN, error);
}
