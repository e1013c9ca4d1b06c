/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "library/library.h"
#include "recovery/findings.h"
#include "recovery/swapped.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define FORMAT "recallbay-request-1"

typedef struct {
  char *output;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static json_t *
expected_json (GPtrArray *assignments)
{
  json_t *list = json_array ();
  for (guint i = 0; assignments != NULL && i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    json_array_append_new (
      list, json_pack ("{s:s,s:s}", "serial", assignment->serial, "hardware_id", assignment->hardware_id));
  }
  return list;
}

/* One open campaign: what its VIN pack names, or why it has none, and which ECUs were exchanged for a part since. */
static json_t *
campaign_json (RbContents *contents, const char *vin, const json_t *found, gint64 now)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, vin, now, NULL, 0, &problem);
  json_t *row = json_object (), *replaced = json_array ();
  if (assignments != NULL)
    rb_swapped_add (replaced, assignments, found);
  rb_json_set_string (row, "id", campaign->id);
  rb_json_set_integer (row, "version", campaign->version);
  rb_json_set_string (row, "campaign_sha256", rb_contents_campaign_sha256 (contents));
  rb_json_set_string (row, "reason",
                      json_array_size (replaced) > 0 ? rb_reason_word (RB_REASON_ECU_REPLACED)
                      : problem != NULL              ? rb_reason_word (rb_reason_of (problem))
                                                     : NULL);
  rb_json_set (row, "expected", expected_json (assignments));
  rb_json_set (row, "replaced", replaced);
  return row;
}

static json_t *
request_json (RbCli *cli, const char *vin, GError **error)
{
  gint64 now = rb_moment_now ();
  g_autoptr (GError) unread = NULL;
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (GPtrArray) campaigns = rb_library_for_vin (library, vin, now, NULL, error);
  g_autoptr (json_t) found = campaigns == NULL ? NULL : rb_findings_load (cli->data_dir, vin, &unread);
  if (campaigns == NULL)
    return NULL;
  if (unread != NULL) {
    g_propagate_error (error, g_steal_pointer (&unread));
    return NULL;
  }
  const json_t *ecus = json_object_get (found, "ecus");
  json_t *request = json_object (), *list = json_array ();
  for (guint i = 0; i < campaigns->len; i++)
    json_array_append_new (list, campaign_json (campaigns->pdata[i], vin, ecus, now));
  rb_json_set_string (request, "format", FORMAT);
  rb_json_set_string (request, "vin", vin);
  rb_json_set_moment (request, "made", now);
  rb_json_set (request, "campaigns", list);
  rb_json_set_string (request, "read", rb_json_string_or (found, "at", NULL));
  rb_json_set (request, "ecus", ecus == NULL ? json_array () : json_incref ((json_t *) ecus));
  return request;
}

static void
say (RbCli *cli, const json_t *request)
{
  size_t i, j;
  json_t *campaign, *row;
  json_array_foreach (json_object_get (request, "campaigns"), i, campaign) {
    rb_cli_say (cli, "%-16s  %s", rb_json_string_or (campaign, "id", ""),
                rb_json_string_or (campaign, "reason", _ ("its VIN pack is there")));
    json_array_foreach (json_object_get (campaign, "replaced"), j, row)
      rb_cli_say (cli, _ ("  %s: %s in the place of %s (part %s)"), rb_json_string_or (row, "name", ""),
                  rb_json_string_or (row, "new", ""), rb_json_string_or (row, "old", ""),
                  rb_json_string_or (row, "part_number", rb_json_string_or (row, "hardware_id", "")));
  }
}

static int
verb_request (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (json_t) request = request_json (cli, argv[1], &error);
  if (request == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *text = rb_json_to_pretty (request);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  if (!rb_files_write_output (options.output, bytes, 0666, &error))
    return rb_cli_fail (cli, error, NULL);
  say (cli, request);
  g_autofree char *message = g_strdup_printf ("Request for vehicle %s, %zu ECUs read: %s", argv[1],
                                              json_array_size (json_object_get (request, "ecus")), options.output);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:s,s:O,s:O}", "vin", argv[1], "campaigns", json_object_get (request, "campaigns"),
                                "ecus", json_object_get (request, "ecus")));
}

static const RbOption request_options[] = {
  { "output", "FILE", "where the request goes", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' },
  { NULL },
};

const RbCliVerb rb_request_verbs[] = {
  { "campaign request", "VIN", "a request for a VIN pack: of a walk-in vehicle, or for parts", verb_request,
    request_options, 1, 1 },
  { NULL },
};
