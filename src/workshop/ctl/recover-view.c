/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/recover-view.h"

#include "core/advice.h"
#include "core/json.h"
#include "core/output.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* One ECU: its line, and what was shown of it last. */
typedef struct {
  char *serial, *text;
  RbEcuState state;
  guint percent;
} Row;

struct _RbRecoverView {
  RbCli *cli;
  gboolean terminal, color;
  GPtrArray *rows; /* of Row, in the order of their first event */
  GHashTable *measured; /* item → "good" or "bad" */
  guint drawn; /* lines that stand at the end of the terminal */
};

static void
row_free (gpointer data)
{
  Row *self = data;
  g_free (self->serial);
  g_free (self->text);
  g_free (self);
}

RbRecoverView *
rb_recover_view_new (RbCli *cli)
{
  RbRecoverView *self = g_new0 (RbRecoverView, 1);
  const char *kind = g_getenv ("TERM"), *colorless = g_getenv ("NO_COLOR");
  self->cli = cli;
  self->terminal = !cli->json && isatty (STDOUT_FILENO) && kind != NULL && strcmp (kind, "dumb") != 0;
  self->color = self->terminal && (colorless == NULL || *colorless == '\0');
  self->rows = g_ptr_array_new_with_free_func (row_free);
  self->measured = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
rb_recover_view_free (RbRecoverView *self)
{
  g_ptr_array_unref (self->rows);
  g_hash_table_unref (self->measured);
  g_free (self);
}

static Row *
row_of (RbRecoverView *self, const char *serial)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (strcmp (((Row *) self->rows->pdata[i])->serial, serial) == 0)
      return self->rows->pdata[i];
  Row *row = g_new0 (Row, 1);
  row->serial = g_strdup (serial);
  row->percent = G_MAXUINT;
  g_ptr_array_add (self->rows, row);
  return row;
}

static void
terminal_size (guint *lines, guint *columns)
{
  struct winsize size = { 0 };
  gboolean known = ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
  *lines = known ? size.ws_row : 24;
  *columns = known ? size.ws_col : 80;
}

static const char *
color_of (const RbRecoverView *self, const Row *row)
{
  if (!self->color)
    return "";
  return row->state == RB_ECU_DONE ? "\033[32m" : row->state == RB_ECU_PARKED ? "\033[31m" : "";
}

static void
erase (RbRecoverView *self)
{
  g_autofree char *up = g_strdup_printf ("\033[%uA\r\033[J", self->drawn);
  if (self->drawn > 0)
    rb_cli_put (self->cli, up);
  self->drawn = 0;
}

/* More ECUs than the terminal has lines: those that changed last are shown. */
static void
draw (RbRecoverView *self)
{
  g_autoptr (GString) block = g_string_new (NULL);
  guint lines, columns;
  terminal_size (&lines, &columns);
  guint first = self->rows->len > lines - 1 ? self->rows->len - (lines - 1) : 0;
  for (guint i = first; i < self->rows->len; i++) {
    const Row *row = self->rows->pdata[i];
    if (row->text == NULL)
      continue;
    glong length = g_utf8_strlen (row->text, -1);
    g_autofree char *cut = g_utf8_substring (row->text, 0, MIN (length, (glong) columns - 1));
    const char *color = color_of (self, row);
    self->drawn++;
    g_string_append_printf (block, "%s%s%s\n", color, cut, *color == '\0' ? "" : "\033[0m");
  }
  rb_cli_put (self->cli, block->str);
}

/* A line that stays, above those of the ECUs. */
static void say (RbRecoverView *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
say (RbRecoverView *self, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (self->terminal)
    erase (self);
  rb_cli_say (self->cli, "%s", text);
  if (self->terminal)
    draw (self);
}

/* text: the ECU's line from now on. Takes it. */
static void
set_line (RbRecoverView *self, Row *row, char *taken)
{
  g_autofree char *text = taken;
  g_autofree char *shown = rb_output_printable (text);
  if (g_strcmp0 (row->text, shown) == 0)
    return;
  if (!self->terminal)
    rb_cli_say (self->cli, "%s", shown);
  else
    erase (self);
  g_free (row->text);
  row->text = g_steal_pointer (&shown);
  if (self->terminal)
    draw (self);
}

static void
show_ecu (RbRecoverView *self, const RbRecoveryEvent *event)
{
  Row *row = row_of (self, event->serial);
  row->state = event->state;
  if (event->kind == RB_EVENT_STEP)
    set_line (self, row, g_strdup_printf ("%-24s … %s", event->name, event->text));
  else if (event->kind == RB_EVENT_PROGRESS && self->terminal)
    set_line (self, row, g_strdup_printf ("%-24s %3u%%", event->name, row->percent));
  else if (event->kind == RB_EVENT_ECU && event->state == RB_ECU_PARKED)
    set_line (self, row,
              g_strdup_printf (_ ("%-24s parked (%s): %s"), event->name, rb_reason_word (event->reason), event->text));
  else if (event->kind == RB_EVENT_ECU)
    set_line (self, row,
              g_strdup_printf ("%-24s %s%s%s", event->name, rb_event_state_word (event->state),
                               event->text == NULL ? "" : ", ", event->text == NULL ? "" : event->text));
}

/* Measured again and again while the vehicle is worked on: shown when it begins or ceases to be within its limits. */
static void
show_measurement (RbRecoverView *self, const RbRecoveryEvent *event)
{
  const char *verdict = event->good ? "good" : "bad";
  if (g_strcmp0 (g_hash_table_lookup (self->measured, event->item), verdict) == 0)
    return;
  g_hash_table_insert (self->measured, g_strdup (event->item), (gpointer) verdict);
  say (self, "%-24s %" G_GINT64_FORMAT " %s%s", event->item, event->value, event->unit == NULL ? "" : event->unit,
       event->good ? "" : _ ("  — not within its limits"));
}

static void
show_text (RbRecoverView *self, const RbRecoveryEvent *event)
{
  switch (event->kind) {
  case RB_EVENT_MEASUREMENT: show_measurement (self, event); break;
  case RB_EVENT_WAITING:
    say (self, _ ("waiting: %s (%s)\n  %s"), event->text, rb_reason_word (event->reason),
         rb_advice_next (event->reason));
    break;
  case RB_EVENT_RESUMED: say (self, _ ("resumed")); break;
  case RB_EVENT_RECIPE:
    say (self, "%s, %s: %s%s", event->name, event->item, event->text, event->good ? _ ("  — done") : "");
    break;
  case RB_EVENT_DTCS: say (self, "%-24s %s", event->name, event->text); break;
  case RB_EVENT_PHASE: say (self, "— %s", event->text); break;
  default:
    if (event->serial != NULL)
      show_ecu (self, event);
    break;
  }
}

static json_t *
event_json (const RbRecoveryEvent *event)
{
  static const char *const kinds[]
    = { "phase", "ecu", "step", "progress", "measurement", "waiting", "resumed", "recipe", "dtcs" };
  json_t *object = json_pack ("{s:s}", "event", kinds[event->kind]);
  if (event->serial != NULL) {
    rb_json_set_string (object, "serial", event->serial);
    rb_json_set_string (object, "state", rb_event_state_word (event->state));
  }
  if (event->text != NULL)
    rb_json_set_string (object, "text", event->text);
  if (event->reason != RB_REASON_NONE)
    rb_json_set_string (object, "reason", rb_reason_word (event->reason));
  if (event->kind == RB_EVENT_RECIPE) {
    rb_json_set_string (object, "step", event->item);
    rb_json_set_boolean (object, "done", event->good);
  }
  if (event->kind == RB_EVENT_PROGRESS) {
    rb_json_set_integer (object, "done", (gint64) event->done);
    rb_json_set_integer (object, "total", (gint64) event->total);
  }
  if (event->kind == RB_EVENT_MEASUREMENT) {
    rb_json_set_string (object, "item", event->item);
    rb_json_set_integer (object, "value", event->value);
    rb_json_set_string (object, "unit", event->unit);
    rb_json_set_boolean (object, "good", event->good);
  }
  return object;
}

void
rb_recover_view_show (const RbRecoveryEvent *event, gpointer user_data)
{
  RbRecoverView *self = user_data;
  if (event->kind == RB_EVENT_PROGRESS && event->serial != NULL) {
    /* one event a percent of each ECU */
    Row *row = row_of (self, event->serial);
    guint percent = event->total == 0 ? 0 : (guint) (event->done * 100 / event->total);
    if (percent == row->percent)
      return;
    row->percent = percent;
  }
  if (self->cli->json)
    rb_cli_event (self->cli, event_json (event));
  else
    show_text (self, event);
}
