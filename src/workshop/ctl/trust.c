/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/trust.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "ctl/identities.h"
#include "library/anchor-scope.h"
#include "library/authority.h"
#include "library/import.h"
#include "library/trust.h"
#include "model/wmi.h"
#include "net/http.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

#define MAX_ROOT (1024 * 1024)

/* Values of the verbs' options. */
typedef struct {
  char *name, *ca, *identity, *second, *passphrase_file;
  GStrv wmis;
} Options;

static void
clear_options (Options *self)
{
  char *const texts[] = { self->name, self->ca, self->identity, self->second, self->passphrase_file };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (self->wmis);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static json_t *
set_json (const char *const *wmis)
{
  json_t *list = json_array ();
  for (guint i = 0; wmis != NULL && wmis[i] != NULL; i++)
    json_array_append_new (list, json_string (wmis[i]));
  return list;
}

/* "wmi": the scope in force, "wmi_bound": what it is narrowed from; null: not set. */
static void
add_scope (json_t *row, const RbAuthority *authority)
{
  rb_json_set (row, "wmi", set_json ((const char *const *) authority->wmis));
  rb_json_set (row, "wmi_bound",
               authority->bound == NULL ? json_null () : set_json ((const char *const *) authority->bound));
  if (authority->list != NULL)
    rb_json_set_integer (row, "trust_list", authority->list->version);
}

static json_t *
row_of (const RbAnchor *anchor)
{
  json_t *row = json_object ();
  rb_json_set_string (row, "name", anchor->name);
  rb_json_set_integer (row, "version", anchor->version);
  rb_json_set_string (row, "sha256", anchor->sha256);
  rb_json_set_moment (row, "added", anchor->added);
  return row;
}

/* The prefixes given become a set. */
static gboolean
check_wmis (Options *self, GError **error)
{
  for (guint i = 0; self->wmis != NULL && self->wmis[i] != NULL; i++)
    if (!rb_wmi_is_valid (self->wmis[i]))
      return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_USAGE,
                             "--wmi %s: not the first 1 to %d characters of a VIN", self->wmis[i], RB_WMI_MAX_LENGTH);
  g_auto (GStrv) given = g_steal_pointer (&self->wmis);
  self->wmis = given == NULL ? NULL : rb_wmi_unite ((const char *const *) given, NULL);
  return TRUE;
}

static int
verb_add (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { NULL };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (GBytes) root = rb_files_read (argv[1], MAX_ROOT, &error);
  g_autoptr (RbAnchor) anchor = root == NULL || !check_wmis (&options, &error)
                                  ? NULL
                                  : rb_trust_add (cli->data_dir, options.name, root, (const char *const *) options.wmis,
                                                  rb_moment_now (), &error);
  if (anchor == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("Trusted as “%s”: Service root version %" G_GINT64_FORMAT
                                              "\n%s\nCompare this digest with the one that the OEM "
                                              "published on another channel, before the first recovery.",
                                              anchor->name, anchor->version, anchor->sha256);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, row_of (anchor));
}

static int
end_with_list (RbCli *cli, GPtrArray *anchors)
{
  json_t *extra = json_object (), *rows = json_array ();
  for (guint i = 0; i < anchors->len; i++) {
    const RbAnchor *anchor = anchors->pdata[i];
    g_autoptr (GError) problem = NULL;
    g_autoptr (RbAuthority) authority = rb_authority_load (cli->data_dir, anchor->name, &problem);
    g_autofree char *scope
      = authority == NULL ? g_strdup (problem->message) : rb_anchor_scope_text ((const char *const *) authority->wmis);
    json_t *row = row_of (anchor);
    if (authority != NULL)
      add_scope (row, authority);
    json_array_append_new (rows, row);
    rb_cli_say (cli, _ ("%-24s  version %-4" PRId64 " %s  VINs: %s"), anchor->name, anchor->version, anchor->sha256,
                scope);
  }
  rb_json_set (extra, "anchors", rows);
  return rb_cli_end (cli, RB_CLI_OK, "ok", anchors->len == 0 ? "No trust anchors" : "", extra);
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
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
  else if (!rb_import_trust (cli->data_dir, path, rb_moment_now (), &some, error))
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
    g_autofree char *metadata = g_build_filename (entry->folder, "service", "metadata", NULL);
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

/* A server tells by itself of which anchor it is only over a root it shares, and no person should have to fetch one. */
static gboolean
update_from_server (RbCli *cli, const char *url, const char *name, const char *ca, GPtrArray *advanced, GError **error)
{
  const RbHttpOptions options = { .ca_file = ca };
  g_autoptr (RbHttp) http = rb_http_new (&options, error);
  g_autoptr (GPtrArray) anchors = http == NULL ? NULL : rb_trust_list (cli->data_dir, error);
  if (anchors == NULL)
    return FALSE;
  if (name == NULL && anchors->len != 1) {
    g_set_error_literal (error, RB_CAMPAIGN_ERROR, RB_REASON_USAGE,
                         "there is not one trust anchor only: say with --name which this server is for");
    return FALSE;
  }
  const char *known = name != NULL ? name : ((RbAnchor *) anchors->pdata[0])->name;
  g_autoptr (RbSource) source = rb_source_http (http, url);
  RbAnchor *anchor = rb_trust_update_one (cli->data_dir, known, source, rb_moment_now (), error);
  if (anchor != NULL)
    g_ptr_array_add (advanced, anchor);
  return anchor != NULL;
}

static int
verb_update (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { NULL };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) advanced = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_anchor_free);
  gboolean ok = argc > 1 || update_from_library (cli, advanced, &error);
  for (int i = 1; i < argc && ok; i++)
    ok = rb_http_is_url (argv[i]) ? update_from_server (cli, argv[i], options.name, options.ca, advanced, &error)
                                  : update_from (cli, argv[i], advanced, &error);
  if (!ok)
    return rb_cli_fail (cli, error, NULL);
  return end_with_list (cli, advanced);
}

static RbAnchor *
replace (RbCli *cli, const char *path, const Options *options, GError **error)
{
  g_autoptr (GBytes) root = rb_files_read (path, MAX_ROOT, error);
  g_autoptr (RbIdentity) first
    = root == NULL ? NULL : rb_identities_person (cli, options->identity, options->passphrase_file, error);
  g_autoptr (RbIdentity) second
    = first == NULL ? NULL : rb_identities_person (cli, options->second, options->passphrase_file, error);
  if (second == NULL)
    return NULL;
  return rb_trust_replace (cli->data_dir, options->name, root, first, second, rb_moment_now (), error);
}

static int
verb_replace (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { NULL };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbAnchor) anchor = replace (cli, argv[1], &options, &error);
  if (anchor == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("“%s” is now Service root version %" G_GINT64_FORMAT "\n%s", anchor->name,
                                              anchor->version, anchor->sha256);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, row_of (anchor));
}

static RbAuthority *
widen (RbCli *cli, const Options *options, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (RbIdentity) first = rb_identities_person (cli, options->identity, options->passphrase_file, error);
  g_autoptr (RbIdentity) second
    = first == NULL ? NULL : rb_identities_person (cli, options->second, options->passphrase_file, error);
  g_autoptr (RbLock) lock = second == NULL ? NULL : rb_library_lock (library, error);
  if (lock == NULL
      || !rb_authority_widen (cli->data_dir, options->name, (const char *const *) options->wmis, first, second,
                              rb_moment_now (), error))
    return NULL;
  return rb_authority_load (cli->data_dir, options->name, error);
}

static int
verb_scope (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { NULL };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbAuthority) authority = check_wmis (&options, &error) ? widen (cli, &options, &error) : NULL;
  if (authority == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *bound = rb_anchor_scope_text ((const char *const *) authority->bound);
  g_autofree char *scope = rb_anchor_scope_text ((const char *const *) authority->wmis);
  g_autofree char *message = g_strdup_printf (
    "“%s” may speak for VINs that begin with: %s\nIts trust list narrows this to: %s", options.name, bound, scope);
  json_t *row = json_object ();
  rb_json_set_string (row, "name", options.name);
  add_scope (row, authority);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, row);
}

static const RbOption add_options[] = {
  { "name", "OEM", "what the OEM is called here", RB_OPTION_TEXT (Options, name), .needed = TRUE },
  { "wmi", "PREFIX", "only vehicles whose VIN begins so", RB_OPTION_TEXTS (Options, wmis) },
  { NULL },
};

static const RbOption update_options[] = {
  { "name", "OEM", "the anchor that a server is for", RB_OPTION_TEXT (Options, name) },
  { "ca", "FILE", "authority of the server for https: (default: the system's)", RB_OPTION_FILE (Options, ca) },
  { NULL },
};

static const RbOption replace_options[] = {
  { "name", "OEM", "the anchor to replace", RB_OPTION_TEXT (Options, name), .needed = TRUE },
  { "identity", "ID", "the first person's identity", RB_OPTION_FILE (Options, identity), .needed = TRUE },
  { "second", "ID", "the second person's identity", RB_OPTION_FILE (Options, second), .needed = TRUE },
  { "passphrase-file", "FILE", "passphrase of both identities", RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

static const RbOption scope_options[] = {
  { "name", "OEM", "the anchor whose scope is widened", RB_OPTION_TEXT (Options, name), .needed = TRUE },
  { "wmi", "PREFIX", "also vehicles whose VIN begins so", RB_OPTION_TEXTS (Options, wmis), .needed = TRUE },
  { "identity", "ID", "the first person's identity", RB_OPTION_FILE (Options, identity), .needed = TRUE },
  { "second", "ID", "the second person's identity", RB_OPTION_FILE (Options, second), .needed = TRUE },
  { "passphrase-file", "FILE", "passphrase of both identities", RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

const RbCliVerb rb_trust_verbs[] = {
  { "trust add", "ROOT.json --name OEM [--wmi PREFIX]…", "trust an OEM's Service repository from now on", verb_add,
    add_options, 1, 1 },
  { "trust list", "", "the trust anchors", verb_list },
  { "trust update", "[FOLDER|BUNDLE|URL]…",
    "walk the anchors' chains to their newest roots; a bundle brings its trust list too", verb_update, update_options,
    0, -1 },
  { "trust replace", "ROOT.json --name OEM --identity ID --second ID",
    "put another root in an anchor's place; takes two people", verb_replace, replace_options, 1, 1 },
  { "trust scope", "--name OEM --wmi PREFIX… --identity ID --second ID",
    "let an anchor speak for more vehicles; takes two people", verb_scope, scope_options },
  { NULL },
};
