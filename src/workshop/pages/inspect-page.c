/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/inspect-page.h"

#include "recovery/inspection.h"
#include "recovery/recovery.h"

#include <glib/gi18n-lib.h>

#define MEASURE_EVERY_MS 1000
#define STALE_US (5 * G_USEC_PER_SEC)

/* One line of the checklist. */
typedef struct {
  RbInspectPage *page;
  const RbChecklistItem *item; /* of the campaign, which outlives the lines */
  GtkWidget *icon, *value;
  GtkToggleButton *ok, *not_ok;
  GtkWidget *note;
  char *text; /* of the last value; NULL: not measured yet */
  gint64 when; /* monotonic time of the last value */
  gboolean good;
} Line;

struct _RbInspectPage {
  RbPage parent_instance;
  GtkListBox *manual, *measured;
  GPtrArray *lines;
  const RbCampaign *campaign;
  guint timer;
};

G_DEFINE_FINAL_TYPE (RbInspectPage, rb_inspect_page, RB_TYPE_PAGE)

static void
line_free (gpointer data)
{
  Line *self = data;
  g_free (self->text);
  g_free (self);
}

static char *
allowed (const RbChecklistItem *item)
{
  g_autofree char *low = rb_inspection_value_text (item, item->low),
                  *high = rb_inspection_value_text (item, item->high);
  if (item->low == item->high)
    /* Translators: %s is a value with its unit, such as 0.0 km/h */
    return g_strdup_printf (_ ("Required: %s"), low);
  /* Translators: two values with their units, such as 12.00 V and 15.00 V */
  return g_strdup_printf (_ ("Allowed: %s to %s"), low, high);
}

static void
on_answer (Line *line)
{
  gboolean ok = gtk_toggle_button_get_active (line->ok), not_ok = gtk_toggle_button_get_active (line->not_ok);
  gtk_widget_set_visible (line->note, not_ok);
  rb_row_icon_set (line->icon, ok ? RB_ROW_GOOD : not_ok ? RB_ROW_BAD : RB_ROW_WAITING);
  if (ok || not_ok)
    rb_session_answer (rb_page_session (RB_PAGE (line->page)), line->item->id, ok,
                       not_ok ? gtk_editable_get_text (GTK_EDITABLE (line->note)) : NULL);
  rb_page_complete_changed (RB_PAGE (line->page));
}

static GtkToggleButton *
answer_button (Line *line, const char *label, GtkBox *box)
{
  GtkWidget *button = gtk_toggle_button_new_with_label (label);
  g_autofree char *name = /* Translators: a question of the checklist and its answer, for a screen reader */
    g_strdup_printf (_ ("%s: %s"), line->item->text, label);
  rb_row_name (button, name);
  g_signal_connect_swapped (button, "toggled", G_CALLBACK (on_answer), line);
  gtk_box_append (box, button);
  return GTK_TOGGLE_BUTTON (button);
}

static void
add_manual (RbInspectPage *self, Line *line)
{
  AdwActionRow *row = rb_row_new (line->item->text, line->item->help);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_add_css_class (box, "linked");
  gtk_widget_set_valign (box, GTK_ALIGN_CENTER);
  line->ok = answer_button (line, _ ("OK"), GTK_BOX (box));
  line->not_ok = answer_button (line, _ ("Not OK"), GTK_BOX (box));
  gtk_toggle_button_set_group (line->not_ok, line->ok);
  adw_action_row_add_prefix (row, line->icon);
  adw_action_row_add_suffix (row, box);
  gtk_list_box_append (self->manual, GTK_WIDGET (row));
  line->note = adw_entry_row_new ();
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (line->note), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (line->note), _ ("What is not OK"));
  gtk_widget_set_visible (line->note, FALSE);
  g_signal_connect_swapped (line->note, "changed", G_CALLBACK (on_answer), line);
  gtk_list_box_append (self->manual, line->note);
}

static void
add_measured (RbInspectPage *self, Line *line)
{
  g_autofree char *limits = allowed (line->item);
  AdwActionRow *row = rb_row_new (line->item->text, limits);
  line->value = gtk_label_new (_ ("Not read yet"));
  gtk_widget_add_css_class (line->value, "numeric");
  adw_action_row_add_prefix (row, line->icon);
  adw_action_row_add_suffix (row, line->value);
  gtk_list_box_append (self->measured, GTK_WIDGET (row));
}

static void
make_lines (RbInspectPage *self)
{
  const RbCampaign *campaign = rb_session_campaign (rb_page_session (RB_PAGE (self)));
  if (campaign == NULL || campaign == self->campaign)
    return;
  self->campaign = campaign;
  rb_row_list_clear (self->manual);
  rb_row_list_clear (self->measured);
  g_ptr_array_set_size (self->lines, 0);
  for (guint i = 0; i < campaign->checklist->len; i++) {
    Line *line = g_new0 (Line, 1);
    *line = (Line){ .page = self, .item = campaign->checklist->pdata[i], .icon = rb_row_icon () };
    g_ptr_array_add (self->lines, line);
    if (line->item->kind == RB_ITEM_MANUAL)
      add_manual (self, line);
    else
      add_measured (self, line);
  }
}

static gboolean
is_stale (const Line *line, gint64 now)
{
  return now - line->when > STALE_US;
}

/* A value that is not read any more is shown with its age, and is not good. */
static void
show_value (Line *line, gint64 now)
{
  if (line->text == NULL)
    return;
  if (!is_stale (line, now)) {
    gtk_label_set_text (GTK_LABEL (line->value), line->text);
    rb_row_icon_set (line->icon, line->good ? RB_ROW_GOOD : RB_ROW_BAD);
    return;
  }
  guint age = (guint) ((now - line->when) / G_USEC_PER_SEC);
  g_autofree char *text = /* Translators: a measured value with its unit, and its age in seconds */
    g_strdup_printf (ngettext ("%s, %u second ago", "%s, %u seconds ago", age), line->text, age);
  gtk_label_set_text (GTK_LABEL (line->value), text);
  rb_row_icon_set_word (line->icon, RB_ROW_WARNING, C_ ("line", "outdated"));
}

static void
on_measured (RbInspectPage *self, const char *item, gint64 value, gboolean good)
{
  for (guint i = 0; i < self->lines->len; i++) {
    Line *line = self->lines->pdata[i];
    if (line->value == NULL || g_strcmp0 (line->item->id, item) != 0)
      continue;
    g_free (line->text);
    line->text = rb_inspection_value_text (line->item, value);
    line->when = g_get_monotonic_time ();
    line->good = good;
    show_value (line, line->when);
  }
  rb_page_complete_changed (RB_PAGE (self));
}

static gboolean
on_timer (gpointer data)
{
  RbInspectPage *self = RB_INSPECT_PAGE (data);
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < self->lines->len; i++)
    show_value (self->lines->pdata[i], now);
  rb_page_complete_changed (RB_PAGE (self));
  rb_session_start (rb_page_session (RB_PAGE (self)), RB_TASK_MEASURE);
  return G_SOURCE_CONTINUE;
}

static void
stop_timer (RbInspectPage *self)
{
  if (self->timer != 0)
    g_source_remove (self->timer);
  self->timer = 0;
}

static void
enter (RbPage *page)
{
  RbInspectPage *self = RB_INSPECT_PAGE (page);
  make_lines (self);
  stop_timer (self);
  self->timer = g_timeout_add (MEASURE_EVERY_MS, on_timer, self);
  rb_session_start (rb_page_session (page), RB_TASK_MEASURE);
}

static void
leave (RbPage *page)
{
  stop_timer (RB_INSPECT_PAGE (page));
}

static void
refresh (RbPage *page)
{
  RbInspectPage *self = RB_INSPECT_PAGE (page);
  if (rb_session_task (rb_page_session (page)) == RB_TASK_OPEN || rb_session_campaign (rb_page_session (page)) == NULL)
    self->campaign = NULL;
}

/* Why this measured item does not let the inspection end; NULL: it does. (transfer full) */
static char *
fault_of (const Line *line, gint64 now)
{
  if (line->text == NULL)
    /* Translators: %s is a measured item of the checklist, such as Supply voltage */
    return g_strdup_printf (_ ("%s: not read yet"), line->item->text);
  if (is_stale (line, now))
    /* Translators: %s is a measured item of the checklist */
    return g_strdup_printf (_ ("%s: no current value"), line->item->text);
  /* Translators: %s is a measured item of the checklist */
  return line->good ? NULL : g_strdup_printf (_ ("%s: outside its limits"), line->item->text);
}

/* Every question needs an answer; an answer "not OK" ends the work, whatever is measured. */
static char *
missing (RbPage *page)
{
  RbInspectPage *self = RB_INSPECT_PAGE (page);
  guint open = 0;
  gboolean ends = FALSE;
  char *fault = NULL;
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < self->lines->len; i++) {
    const Line *line = self->lines->pdata[i];
    gboolean not_ok = line->not_ok != NULL && gtk_toggle_button_get_active (line->not_ok);
    open += line->ok != NULL && !not_ok && !gtk_toggle_button_get_active (line->ok) ? 1 : 0;
    ends = ends || not_ok;
    if (line->value != NULL && fault == NULL)
      fault = fault_of (line, now);
  }
  if (open > 0 || ends || self->lines->len == 0)
    g_clear_pointer (&fault, g_free);
  if (self->lines->len == 0)
    return g_strdup (_ ("The checklist is not read yet"));
  return open == 0 ? fault : g_strdup_printf (ngettext ("%u item is open", "%u items are open", open), open);
}

static void
bound (RbPage *page)
{
  g_signal_connect_object (rb_page_session (page), "measured", G_CALLBACK (on_measured), page, G_CONNECT_SWAPPED);
}

static void
dispose (GObject *object)
{
  RbInspectPage *self = RB_INSPECT_PAGE (object);
  stop_timer (self);
  for (guint i = 0; self->lines != NULL && i < self->lines->len; i++) {
    Line *line = self->lines->pdata[i];
    if (line->ok != NULL) {
      g_signal_handlers_disconnect_by_data (line->ok, line);
      g_signal_handlers_disconnect_by_data (line->not_ok, line);
      g_signal_handlers_disconnect_by_data (line->note, line);
    }
  }
  g_clear_pointer (&self->lines, g_ptr_array_unref);
  G_OBJECT_CLASS (rb_inspect_page_parent_class)->dispose (object);
}

static void
rb_inspect_page_class_init (RbInspectPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  RB_PAGE_CLASS (class)->bound = bound;
  RB_PAGE_CLASS (class)->enter = enter;
  RB_PAGE_CLASS (class)->leave = leave;
  RB_PAGE_CLASS (class)->refresh = refresh;
  RB_PAGE_CLASS (class)->missing = missing;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/inspect-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbInspectPage, manual);
  gtk_widget_class_bind_template_child (widget_class, RbInspectPage, measured);
}

static void
rb_inspect_page_init (RbInspectPage *self)
{
  self->lines = g_ptr_array_new_with_free_func (line_free);
  gtk_widget_init_template (GTK_WIDGET (self));
}
