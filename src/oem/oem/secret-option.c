/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/secret-option.h"

#include "core/json.h"
#include "keystore/signer.h"
#include "keystore/token.h"

static char *
or_empty (char *secret, GError *problem, GError **error)
{
  if (problem != NULL) {
    g_propagate_error (error, problem);
    return NULL;
  }
  return secret == NULL ? g_strdup ("") : secret;
}

char *
rb_secret_option_ask (RbCli *cli, const char *file, const char *where, GError **error)
{
  GError *problem = NULL;
  gboolean token = g_str_has_prefix (where, "pkcs11:");
  if (file == NULL && ((!token && !rb_signer_is_file (where)) || (token && rb_token_has_pin (where))))
    return g_strdup ("");
  char *secret = rb_cli_passphrase (cli, file, token ? "PIN of the token" : "Passphrase of the key", &problem);
  return or_empty (secret, problem, error);
}

char *
rb_secret_option_of_folder (RbCli *cli, const char *file, const RbOemFolder *folder, GError **error)
{
  GError *problem = NULL;
  const char *own = rb_json_string_or (folder->config, "passphrase_file", NULL);
  g_autofree char *path = file != NULL || own == NULL ? g_strdup (file) : g_build_filename (folder->path, own, NULL);
  char *secret = rb_cli_passphrase (cli, path, "Passphrase of the online keys", &problem);
  return or_empty (secret, problem, error);
}
