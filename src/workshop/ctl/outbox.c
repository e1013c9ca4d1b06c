/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outbox.h"

#include "core/json.h"
#include "ctl/record.h"
#include "outbox/stored.h"

/* Records that the OEM has not acknowledged, in the order in which they are sent. */
static GPtrArray *
list_pending (RbCli *cli, GError **error)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, error);
  return outbox == NULL ? NULL : rb_stored_pending (outbox, error);
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  if (records == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object ();
  rb_json_set (extra, "pending", rb_record_rows (cli, records));
  g_autofree char *message = g_strdup_printf ("%u pending", records->len);
  return rb_record_end (cli, records, message, extra);
}

typedef struct {
  char *oem;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->oem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static int
verb_export (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Options) options = { 0 };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  return records == NULL ? rb_cli_fail (cli, error, NULL)
                         : rb_record_export (cli, records, options.oem, "pending ", argv[1]);
}

static const RbOption export_options[] = {
  { "oem", "NAME", "the records of this OEM; needed where there are several", RB_OPTION_TEXT (Options, oem) },
  { NULL },
};

const RbCliVerb rb_outbox_verbs[] = {
  { "outbox", "", "records that the OEM has not acknowledged", verb_list },
  { "outbox export", "DIR [--oem NAME]", "those of an OEM as files", verb_export, export_options, 1, 1 },
  { NULL },
};
