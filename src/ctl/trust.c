/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/trust.h"

#include "campaign/bundle.h"
#include "campaign/trust.h"
#include "net/http.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "ctl/identities.h"

#define MAX_ROOT (1024 * 1024)

static json_t *
row_of (const RbTrustAnchor *anchor)
{
  json_t *row = json_object ();
  rb_json_set_string (row, "name", anchor->name);
  rb_json_set_integer (row, "version", anchor->version);
  rb_json_set_string (row, "sha256", anchor->sha256);
  rb_json_set_moment (row, "added", anchor->added);
  return row;
}

int
rb_trust_verb_add (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  const GOptionEntry entries[] = {
    { "name", 0, 0, G_OPTION_ARG_STRING, &name, "What the OEM is called here", "OEM" }, { NULL }
  };
  int code;
  if (!rb_cli_parse (cli, entries, 1, 1, &argc, &argv, &code))
    return code;
  if (name == NULL)
    return rb_cli_end (cli, RB_CLI_USAGE, "usage", "trust add: --name OEM is missing", NULL);
  g_autoptr (GBytes) root = rb_files_read (argv[1], MAX_ROOT, &error);
  g_autoptr (RbTrustAnchor) anchor = root == NULL ? NULL : rb_trust_add (cli->data_dir, name, root, rb_moment_now (), &error);
  if (anchor == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message
    = g_strdup_printf ("Trusted as “%s”: Service root version %" G_GINT64_FORMAT "\n%s\nCompare this digest with one that the OEM gave "
                       "you on another way.",
                       anchor->name, anchor->version, anchor->sha256);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, row_of (anchor));
}

static int
end_with_list (RbCli *cli, GPtrArray *anchors)
{
  json_t *extra = json_object (), *rows = json_array ();
  for (guint i = 0; i < anchors->len; i++) {
    const RbTrustAnchor *anchor = anchors->pdata[i];
    json_array_append_new (rows, row_of (anchor));
    rb_cli_say (cli, "%-24s  version %-4" G_GINT64_FORMAT " %s", anchor->name, anchor->version, anchor->sha256);
  }
  rb_json_set (extra, "anchors", rows);
  return rb_cli_end (cli, RB_CLI_OK, "ok", anchors->len == 0 ? "No trust anchors" : "", extra);
}

int
rb_trust_verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, 0, 0, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) anchors = rb_trust_list (cli->data_dir, &error);
  return anchors == NULL ? rb_cli_fail (cli, error, NULL) : end_with_list (cli, anchors);
}

/* A folder of root metadata, or a bundle. */
static gboolean
update_from (RbCli *cli, const char *path, GPtrArray *advanced, GError **error)
{
  g_autoptr (GPtrArray) some = NULL;
  g_autofree char *service = g_build_filename (path, "service", NULL);
  if (rb_files_is_folder (path) && !rb_files_is_folder (service))
    some = rb_trust_update (cli->data_dir, path, rb_moment_now (), error);
  else if (!rb_bundle_update_trust (cli->data_dir, path, rb_moment_now (), &some, error))
    return FALSE;
  if (some == NULL)
    return FALSE;
  g_ptr_array_extend_and_steal (advanced, g_steal_pointer (&some));
  return TRUE;
}

/* Every bundle in the library has brought its chain of roots. */
static gboolean
update_from_library (RbCli *cli, GPtrArray *advanced, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (GPtrArray) entries = rb_library_list (library, error);
  for (guint i = 0; entries != NULL && i < entries->len; i++) {
    const RbLibraryEntry *entry = entries->pdata[i];
    g_autofree char *metadata = g_build_filename (rb_library_folder (library), entry->id, "service", "metadata", NULL);
    g_autoptr (GError) problem = NULL;
    g_autoptr (GPtrArray) some = rb_trust_update (cli->data_dir, metadata, rb_moment_now (), &problem);
    if (some == NULL && rb_reason_of (problem) != RB_REASON_WRONG_OEM) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  }
  g_autoptr (GPtrArray) all = entries == NULL ? NULL : rb_trust_list (cli->data_dir, error);
  if (all == NULL)
    return FALSE;
  g_ptr_array_extend_and_steal (advanced, g_steal_pointer (&all));
  return TRUE;
}

/* A server tells by itself of which anchor it is only over a root it shares, which nobody should have to fetch. */
static gboolean
update_from_server (RbCli *cli, const char *url, const char *name, const char *ca, GPtrArray *advanced, GError **error)
{
  const RbHttpOptions options = { .ca_file = ca };
  g_autoptr (RbHttp) http = rb_http_new (&options, error);
  g_autoptr (GPtrArray) anchors = http == NULL ? NULL : rb_trust_list (cli->data_dir, error);
  if (anchors == NULL)
    return FALSE;
  if (name == NULL && anchors->len != 1) {
    g_set_error_literal (error, RB_CAMPAIGN_ERROR, RB_REASON_USAGE, "there is not one trust anchor only: say with --name which this server is for");
    return FALSE;
  }
  const char *known = name != NULL ? name : ((RbTrustAnchor *) anchors->pdata[0])->name;
  g_autoptr (RbSource) source = rb_source_http (http, url);
  RbTrustAnchor *anchor = rb_trust_update_one (cli->data_dir, known, source, rb_moment_now (), error);
  if (anchor != NULL)
    g_ptr_array_add (advanced, anchor);
  return anchor != NULL;
}

int
rb_trust_verb_update (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  g_autofree char *ca = NULL;
  int code;
  const GOptionEntry entries[] = {
    { "name", 0, 0, G_OPTION_ARG_STRING, &name, "The anchor that a server is for", "OEM" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &ca, "Whom to trust for https: (the system's)", "FILE" },
    { NULL }
  };
  if (!rb_cli_parse (cli, entries, 0, -1, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) advanced = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_trust_anchor_free);
  gboolean ok = argc > 1 || update_from_library (cli, advanced, &error);
  for (int i = 1; i < argc && ok; i++)
    ok = rb_http_is_url (argv[i]) ? update_from_server (cli, argv[i], name, ca, advanced, &error)
                                  : update_from (cli, argv[i], advanced, &error);
  if (!ok)
    return rb_cli_fail (cli, error, NULL);
  return end_with_list (cli, advanced);
}

typedef struct {
  char *name, *identity, *second, *passphrase_file;
} ReplaceOptions;

static void
clear_options (ReplaceOptions *self)
{
  g_free (self->name);
  g_free (self->identity);
  g_free (self->second);
  g_free (self->passphrase_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReplaceOptions, clear_options)

static RbTrustAnchor *
replace (RbCli *cli, const char *path, const ReplaceOptions *options, GError **error)
{
  g_autoptr (GBytes) root = rb_files_read (path, MAX_ROOT, error);
  g_autoptr (RbIdentity) first = root == NULL ? NULL : rb_identities_person (cli, options->identity, options->passphrase_file, error);
  g_autoptr (RbIdentity) second = first == NULL ? NULL : rb_identities_person (cli, options->second, options->passphrase_file, error);
  if (second == NULL)
    return NULL;
  return rb_trust_replace (cli->data_dir, options->name, root, first, second, rb_moment_now (), error);
}

int
rb_trust_verb_replace (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (ReplaceOptions) options = { NULL };
  const GOptionEntry entries[] = {
    { "name", 0, 0, G_OPTION_ARG_STRING, &options.name, "The anchor to replace", "OEM" },
    { "identity", 0, 0, G_OPTION_ARG_STRING, &options.identity, "The first person", "ID" },
    { "second", 0, 0, G_OPTION_ARG_STRING, &options.second, "The second person", "ID" },
    { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &options.passphrase_file, "Passphrase of both", "FILE" },
    { NULL }
  };
  int code;
  if (!rb_cli_parse (cli, entries, 1, 1, &argc, &argv, &code))
    return code;
  if (options.name == NULL || options.identity == NULL || options.second == NULL)
    return rb_cli_end (cli, RB_CLI_USAGE, "usage", "trust replace: --name, --identity and --second are needed: two people replace an anchor", NULL);
  g_autoptr (RbTrustAnchor) anchor = replace (cli, argv[1], &options, &error);
  if (anchor == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("“%s” is now Service root version %" G_GINT64_FORMAT "\n%s", anchor->name,
                                              anchor->version, anchor->sha256);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, row_of (anchor));
}
