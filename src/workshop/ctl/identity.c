/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/identity.h"

#include "core/files.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/moment.h"
#include "crypto/certificate.h"
#include "crypto/secret.h"
#include "identitykey/identity-key.h"
#include "keystore/identity.h"
#include "model/member.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define FORMAT "recallbay-identities-1"
#define MAX_FILE (1024 * 1024)
#define MAX_IDENTITIES 1000

typedef struct {
  char *kind, *name, *output, *passphrase_file;
} Options;

static void
clear_options (Options *self)
{
  char *const texts[] = { self->kind, self->name, self->output, self->passphrase_file };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

/* The files of this data directory's identities, which `identity list` shows: their keys stay where they are. */
static json_t *
load_list (const char *data_dir, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "identities.json", NULL);
  if (!rb_files_exists (path))
    return json_pack ("{s:s, s:[]}", "format", FORMAT, "files");
  g_autoptr (json_t) list = rb_json_load (path, MAX_FILE, error);
  gboolean known = list != NULL && rb_member_format (list, FORMAT, path, error);
  json_t *files = known ? rb_json_array (list, "files", path, error) : NULL;
  size_t i;
  json_t *file;
  json_array_foreach (files, i, file)
    if (!json_is_string (file)) {
      rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "%s: files: names are expected", path);
      return NULL;
    }
  return files == NULL ? NULL : g_steal_pointer (&list);
}

static gboolean
remember (const char *data_dir, const char *file, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "identities.json", NULL);
  g_autofree char *absolute = g_canonicalize_filename (file, NULL);
  g_autoptr (RbLock) lock = rb_lock_folder (data_dir, path, error);
  g_autoptr (json_t) list = lock == NULL ? NULL : load_list (data_dir, error);
  if (list == NULL)
    return FALSE;
  json_t *files = json_object_get (list, "files"), *known;
  size_t i;
  json_array_foreach (files, i, known)
    if (strcmp (json_string_value (known), absolute) == 0)
      return TRUE;
  if (json_array_size (files) >= MAX_IDENTITIES)
    return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_TOO_LARGE, "%s: more than %d identities", path,
                           MAX_IDENTITIES);
  json_array_append_new (files, json_string (absolute));
  g_autofree char *text = rb_json_to_pretty (list);
  return rb_files_write_private_text (path, text, error);
}

/* Of the new keys: asked for twice on a terminal. NULL with error. Wipe it. */
static char *
new_passphrase (RbCli *cli, const char *file, GError **error)
{
  g_autoptr (GError) problem = NULL;
  char *first = rb_cli_passphrase (cli, file, _ ("Passphrase of the new keys"), &problem);
  char *second = first == NULL || file != NULL ? NULL : rb_cli_passphrase (cli, NULL, _ ("The same again"), &problem);
  gboolean same = first != NULL && (file != NULL || g_strcmp0 (first, second) == 0);
  rb_secret_free (second);
  if (problem == NULL && same && first[0] != '\0')
    return first;
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else
    rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE, "passphrase of the new keys: %s",
                    first != NULL && !same ? "the two that were typed differ" : "none was given");
  rb_secret_free (first);
  return NULL;
}

static char *
request_path (const char *file)
{
  return g_strconcat (file, ".csr", NULL);
}

/* Keys that are there are never written over: their certificates would be lost with them. */
static gboolean
check_new (const char *file, GError **error)
{
  g_autofree char *request = request_path (file);
  const char *const paths[] = { file, request };
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    if (g_file_test (paths[i], G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK))
      return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_EXISTS, "%s: the file is there, and is not replaced",
                             paths[i]);
  return TRUE;
}

static gboolean
make (RbCli *cli, const Options *options, RbIdentityKeyKind kind, GError **error)
{
  g_autofree char *requests = NULL, *path = request_path (options->output);
  char *secret = check_new (options->output, error) ? new_passphrase (cli, options->passphrase_file, error) : NULL;
  char *keys = secret == NULL ? NULL : rb_identity_key_make (kind, options->name, secret, &requests, error);
  rb_secret_free (secret);
  g_autoptr (GBytes) asked = requests == NULL ? NULL : g_bytes_new (requests, strlen (requests));
  gboolean written = keys != NULL && rb_files_write_private_text (options->output, keys, error)
                     && rb_files_write_output (path, asked, 0644, error)
                     && remember (cli->data_dir, options->output, error);
  rb_secret_free (keys);
  return written;
}

static int
verb_new (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  gboolean workstation = strcmp (options.kind, "workstation") == 0;
  if (!workstation && strcmp (options.kind, "technician") != 0)
    return rb_cli_usage (cli, "--kind %s: technician or workstation is expected", options.kind);
  if (!make (cli, &options, workstation ? RB_IDENTITY_KEY_WORKSTATION : RB_IDENTITY_KEY_TECHNICIAN, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *request = request_path (options.output);
  g_autofree char *message = g_strdup_printf (
    _ ("Keys: %s. Send %s to the OEM, then install the certificates that come back."), options.output, request);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:s, s:s}", "identity", options.output, "request", request));
}

static char *
read_secret_text (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_secret_read (path, MAX_FILE, error);
  return bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static gboolean
install (RbCli *cli, const char *passphrase_file, const char *file, const char *certificates, GError **error)
{
  g_autofree char *given = read_secret_text (certificates, error);
  char *keys = given == NULL ? NULL : read_secret_text (file, error);
  g_autofree char *prompt = g_strdup_printf (_ ("Passphrase of %s"), file);
  g_autoptr (GError) problem = NULL;
  char *secret = keys == NULL ? NULL : rb_cli_passphrase (cli, passphrase_file, prompt, &problem), *joined = NULL;
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (keys != NULL)
    joined = rb_identity_set_join (keys, secret, given, certificates, rb_moment_now (), error);
  rb_secret_free (keys);
  rb_secret_free (secret);
  gboolean installed
    = joined != NULL && rb_files_write_private_text (file, joined, error) && remember (cli->data_dir, file, error);
  rb_secret_free (joined);
  return installed;
}

/* What a file of keys holds of certificates. */
static json_t *
row_of (const char *file)
{
  static const char *const names[]
    = { "technician", "workstation", "tls", "vehicle-link", "ecu-authentication", "key-agreement", "tls-server" };
  json_t *row = json_pack ("{s:s, s:[], s:s}", "file", file, "purposes", "state", "no-certificate");
  char *text = read_secret_text (file, NULL);
  g_autoptr (GPtrArray) list = text == NULL ? NULL : rb_certificate_list_from_pem (text, NULL);
  if (text == NULL)
    rb_json_set_string (row, "state", "not-found");
  rb_secret_free (text);
  gint64 end = G_MAXINT64;
  for (guint i = 0; list != NULL && i < list->len; i++)
    for (guint p = 0; p < G_N_ELEMENTS (names); p++)
      if (rb_certificate_has_purpose (list->pdata[i], (RbPurpose) p)) {
        json_array_append_new (json_object_get (row, "purposes"), json_string (names[p]));
        rb_json_set_string (row, "name", rb_certificate_common_name (list->pdata[i]));
        end = MIN (end, rb_certificate_not_after (list->pdata[i]));
      }
  if (end != G_MAXINT64) {
    rb_json_set_moment (row, "not_after", end);
    rb_json_set_string (row, "state", end < rb_moment_now () ? "expired" : "valid");
  }
  return row;
}

static int
verb_install (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (!install (cli, options.passphrase_file, argv[1], argv[2], &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf (_ ("%s: the certificates are installed"), argv[1]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:o}", "identity", row_of (argv[1])));
}

static void
say_row (RbCli *cli, const json_t *row)
{
  const char *state = rb_json_string_or (row, "state", ""), *file = rb_json_string_or (row, "file", "");
  const char *end = rb_json_string_or (row, "not_after", ""), *name = rb_json_string_or (row, "name", "");
  if (strcmp (state, "valid") == 0)
    rb_cli_say (cli, _ ("%s: %s, valid until %s"), file, name, end);
  else if (strcmp (state, "expired") == 0)
    rb_cli_say (cli, _ ("%s: %s, expired since %s"), file, name, end);
  else if (strcmp (state, "not-found") == 0)
    rb_cli_say (cli, _ ("%s: the file is not there or cannot be read"), file);
  else
    rb_cli_say (cli, _ ("%s: no certificate is installed yet"), file);
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (json_t) list = load_list (cli->data_dir, &error);
  if (list == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *rows = json_array (), *file;
  size_t i;
  json_array_foreach (json_object_get (list, "files"), i, file) {
    json_array_append_new (rows, row_of (json_string_value (file)));
    say_row (cli, json_array_get (rows, i));
  }
  g_autofree char *message
    = g_strdup_printf (ngettext ("%zu identity", "%zu identities", json_array_size (rows)), json_array_size (rows));
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:o}", "identities", rows));
}

static const RbOption new_options[] = {
  { "kind", "technician|workstation", "for whom", RB_OPTION_WORD (Options, kind), .needed = TRUE },
  { "name", "NAME", "who or which workstation it is, for the OEM", RB_OPTION_TEXT (Options, name), .needed = TRUE },
  { "passphrase-file", "FILE", "passphrase of the new keys", RB_OPTION_FILE (Options, passphrase_file) },
  { "output", "FILE", "the keys; FILE.csr is for the OEM", RB_OPTION_FILE (Options, output), .needed = TRUE,
    .letter = 'o' },
  { NULL },
};

static const RbOption install_options[] = {
  { "passphrase-file", "FILE", "passphrase of the keys", RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

const RbCliVerb rb_identity_verbs[] = {
  { "identity new", "", "make the keys of a technician or of this workstation", verb_new, new_options, 0, 0 },
  { "identity install", "FILE CERT", "join certificates of the OEM with the keys they are for", verb_install,
    install_options, 2, 2 },
  { "identity list", "", "the identities made here, and until when they are valid", verb_list, NULL, 0, 0 },
  { NULL },
};
