/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outbox.h"

#include "core/json.h"
#include "ctl/record.h"
#include "record/outbox.h"

/* Records that the OEM has not acknowledged. */
static GPtrArray *
list_pending (RbCli *cli, GError **error)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (cli->data_dir, error);
  GPtrArray *records = outbox == NULL ? NULL : rb_outbox_list (outbox, NULL, NULL, error);
  for (guint i = 0; records != NULL && i < records->len;) {
    const RbOutboxRecord *record = records->pdata[i];
    if (record->acknowledged)
      g_ptr_array_remove_index (records, i);
    else
      i++;
  }
  return records;
}

int
rb_outbox_verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, 0, 0, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  if (records == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object (), *rows = json_array ();
  for (guint i = 0; i < records->len; i++)
    json_array_append_new (rows, rb_record_row (records->pdata[i]));
  rb_json_set (extra, "pending", rows);
  rb_record_say_rows (cli, records);
  g_autofree char *message = g_strdup_printf ("%u pending", records->len);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

int
rb_outbox_verb_export (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, 1, 1, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) records = list_pending (cli, &error);
  if (records == NULL || !rb_record_write_files (records, argv[1], &error))
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object ();
  rb_json_set_integer (extra, "exported", records->len);
  g_autofree char *message = g_strdup_printf ("%u pending %s in %s", records->len, records->len == 1 ? "record" : "records", argv[1]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}
