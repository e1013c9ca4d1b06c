/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/campaign.h"

#include "core/json.h"
#include "core/moment.h"
#include "ctl/bundle.h"
#include "library/library.h"
#include "library/order.h"

#include <glib/gi18n-lib.h>

/* Where it stands among the campaigns of the vehicle: its place in their order, or which one takes its place. */
static void
add_order (json_t *row, GPtrArray *found, GPtrArray *sorted, RbContents *contents)
{
  RbContents *by = rb_order_superseded_by (found, contents);
  for (guint i = 0; sorted != NULL && i < sorted->len; i++)
    if (sorted->pdata[i] == contents)
      rb_json_set_integer (row, "order", i + 1);
  if (by != NULL)
    rb_json_set_string (row, "superseded_by", rb_contents_campaign (by)->id);
}

static json_t *
found_row (RbCli *cli, RbContents *contents, const char *vin, gint64 now)
{
  g_autoptr (GError) problem = NULL;
  const RbCampaign *campaign = rb_contents_campaign (contents);
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, vin, now, NULL, 0, &problem);
  json_t *row = rb_bundle_row (contents);
  rb_json_set_boolean (row, "pack", assignments != NULL);
  rb_json_set_integer (row, "ecus", assignments == NULL ? 0 : assignments->len);
  if (problem != NULL)
    rb_json_set_string (row, "pack_reason", rb_reason_word (rb_reason_of (problem)));
  rb_cli_say (cli, "%-16s  %s: %s%s%s", campaign->id, campaign->oem, campaign->title,
              problem == NULL ? "" : "\n                  ", problem == NULL ? "" : problem->message);
  return row;
}

static json_t *
problem_row (RbCli *cli, const GError *problem)
{
  json_t *row = json_object ();
  const char *word = rb_reason_word (rb_reason_of (problem));
  rb_json_set_string (row, "reason", word);
  rb_json_set_string (row, "message", problem->message);
  rb_cli_say (cli, _ ("Not usable: %s [%s]"), problem->message, word);
  return row;
}

/* The first campaign that cannot be verified, which is not "none". One that the OEM has withdrawn is verified. */
static const GError *
unjudged (GPtrArray *problems)
{
  for (guint i = 0; i < problems->len; i++)
    if (rb_reason_of (problems->pdata[i]) != RB_REASON_CAMPAIGN_WITHDRAWN)
      return problems->pdata[i];
  return NULL;
}

static int
verb_check (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  gint64 now = rb_moment_now ();
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (GPtrArray) found = rb_library_for_vin (library, argv[1], now, &problems, &error);
  if (found == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object (), *rows = json_array (), *unusable = json_array ();
  g_autoptr (GError) conflict = NULL;
  g_autoptr (GPtrArray) sorted = rb_order_check (found, &conflict) ? rb_order_sort (found) : NULL;
  for (guint i = 0; i < found->len; i++) {
    json_array_append_new (rows, found_row (cli, found->pdata[i], argv[1], now));
    add_order (json_array_get (rows, i), found, sorted, found->pdata[i]);
  }
  for (guint i = 0; i < problems->len; i++)
    json_array_append_new (unusable, problem_row (cli, problems->pdata[i]));
  rb_json_set_string (extra, "vin", argv[1]);
  rb_json_set (extra, "campaigns", rows);
  rb_json_set (extra, "unusable", unusable);
  const GError *problem = conflict != NULL ? conflict : unjudged (problems);
  if (problem != NULL)
    return rb_cli_fail (cli, problem, extra);
  return rb_cli_end (cli, RB_CLI_OK, "ok", found->len == 0 ? "No open campaign for this vehicle" : "", extra);
}

const RbCliVerb rb_campaign_verbs[] = {
  { "campaign check", "VIN", "the open campaigns for a vehicle", verb_check, NULL, 1, 1 },
  { NULL },
};
