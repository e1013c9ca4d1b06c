/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/work-page.h"

#include "pages/ecu-row.h"

#include <glib/gi18n-lib.h>

struct _RbWorkPage {
  RbPage parent_instance;
  GtkListBox *units;
  GtkProgressBar *overall;
  GtkLabel *overall_text, *ignition;
  GtkButton *result; /* of a run that failed, while the primary button resumes it */
  GPtrArray *rows; /* of RbEcuRow, borrowed */
};

G_DEFINE_FINAL_TYPE (RbWorkPage, rb_work_page, RB_TYPE_PAGE)

static double
share (const RbSessionEcu *unit)
{
  if (unit->state == RB_ECU_DONE || unit->state == RB_ECU_PARKED)
    return 1.0;
  if (unit->state == RB_ECU_READING_BACK || unit->state == RB_ECU_RESETTING)
    return 0.9;
  return unit->total > 0 ? 0.1 + 0.7 * (double) unit->done / (double) unit->total : 0.0;
}

static void
show_overall (RbWorkPage *self)
{
  GPtrArray *units = rb_session_ecus (rb_page_session (RB_PAGE (self)));
  double sum = 0;
  guint done = 0;
  for (guint i = 0; i < units->len; i++) {
    const RbSessionEcu *unit = units->pdata[i];
    sum += share (unit);
    done += unit->state == RB_ECU_DONE ? 1 : 0;
  }
  double fraction = units->len == 0 ? 0 : CLAMP (sum / units->len, 0, 1);
  g_autofree char *text
    = g_strdup_printf (ngettext ("%u of %u ECU done", "%u of %u ECUs done", units->len), done, units->len);
  g_autofree char *percent = /* Translators: progress of the vehicle, and how many ECUs are done, for a screen reader */
    g_strdup_printf (_ ("%.0f percent, %s"), fraction * 100, text);
  gtk_progress_bar_set_fraction (self->overall, fraction);
  gtk_label_set_text (self->overall_text, text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->overall), GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, percent, -1);
}

static void
unit_changed (RbPage *page, guint index)
{
  RbWorkPage *self = RB_WORK_PAGE (page);
  GPtrArray *units = rb_session_ecus (rb_page_session (page));
  if (!rb_page_is_visible (page) || index >= self->rows->len || index >= units->len)
    return;
  rb_ecu_row_show (self->rows->pdata[index], units->pdata[index]);
  show_overall (self);
}

static void
refresh (RbPage *page)
{
  RbWorkPage *self = RB_WORK_PAGE (page);
  RbSession *session = rb_page_session (page);
  GPtrArray *units = rb_session_ecus (session);
  if (!rb_page_is_visible (page))
    return;
  while (self->rows->len > units->len) {
    gtk_list_box_remove (self->units, self->rows->pdata[self->rows->len - 1]);
    g_ptr_array_set_size (self->rows, self->rows->len - 1);
  }
  for (guint i = 0; i < units->len; i++) {
    if (i == self->rows->len) {
      g_ptr_array_add (self->rows, rb_ecu_row_new ());
      gtk_list_box_append (self->units, self->rows->pdata[i]);
    }
    rb_ecu_row_show (self->rows->pdata[i], units->pdata[i]);
  }
  gtk_widget_set_visible (GTK_WIDGET (self->ignition), rb_session_is_working (session));
  gtk_widget_set_visible (GTK_WIDGET (self->result),
                          !rb_session_is_working (session) && rb_session_error (session, RB_TASK_RUN) != NULL);
  show_overall (self);
}

static char *
missing (RbPage *page)
{
  RbSession *session = rb_page_session (page);
  gboolean ended = rb_session_succeeded (session, RB_TASK_RUN) || rb_session_error (session, RB_TASK_RUN) != NULL;
  return ended ? NULL : g_strdup (_ ("The work has not ended"));
}

static void
dispose (GObject *object)
{
  g_clear_pointer (&RB_WORK_PAGE (object)->rows, g_ptr_array_unref);
  G_OBJECT_CLASS (rb_work_page_parent_class)->dispose (object);
}

static void
rb_work_page_class_init (RbWorkPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  RB_PAGE_CLASS (class)->refresh = refresh;
  RB_PAGE_CLASS (class)->unit_changed = unit_changed;
  RB_PAGE_CLASS (class)->missing = missing;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/work-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbWorkPage, units);
  gtk_widget_class_bind_template_child (widget_class, RbWorkPage, overall);
  gtk_widget_class_bind_template_child (widget_class, RbWorkPage, overall_text);
  gtk_widget_class_bind_template_child (widget_class, RbWorkPage, ignition);
  gtk_widget_class_bind_template_child (widget_class, RbWorkPage, result);
}

static void
rb_work_page_init (RbWorkPage *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
