/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/trust.h"

#include "campaign/trust.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"

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

int
rb_trust_verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, 0, 0, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) anchors = rb_trust_list (cli->data_dir, &error);
  if (anchors == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object (), *rows = json_array ();
  for (guint i = 0; i < anchors->len; i++) {
    const RbTrustAnchor *anchor = anchors->pdata[i];
    json_array_append_new (rows, row_of (anchor));
    rb_cli_say (cli, "%-24s  version %-4" G_GINT64_FORMAT " %s", anchor->name, anchor->version, anchor->sha256);
  }
  rb_json_set (extra, "anchors", rows);
  return rb_cli_end (cli, RB_CLI_OK, "ok", anchors->len == 0 ? "No trust anchors" : "", extra);
}
