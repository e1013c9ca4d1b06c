/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/ecu-row.h"

#include "pages/words.h"

#include <glib/gi18n-lib.h>

struct _RbEcuRow {
  AdwPreferencesRow parent_instance;
  GtkLabel *name, *state, *step;
  GtkWidget *icon;
  GtkProgressBar *progress;
};

G_DEFINE_FINAL_TYPE (RbEcuRow, rb_ecu_row, ADW_TYPE_PREFERENCES_ROW)

void
rb_ecu_row_show (RbEcuRow *self, const RbSessionEcu *unit)
{
  RbRowState state = rb_ecu_text_state (unit);
  const char *state_word = rb_words_state (unit->state);
  gboolean known = unit->total > 0;
  double fraction = unit->state == RB_ECU_DONE ? 1.0 : known ? (double) unit->done / (double) unit->total : 0.0;
  gboolean has_step = unit->step != NULL && *unit->step != '\0';
  g_autofree char *percent = g_strdup_printf (_ ("%.0f percent"), fraction * 100);
  const char *word = has_step ? rb_words_step (unit->step) : unit->text == NULL ? "" : unit->text;
  g_autofree char *step
    = known && unit->done < unit->total
        /* Translators: the step of an ECU and how much of it is done */
        ? g_strdup_printf (_ ("%s, %.0f %%"), rb_words_step (has_step ? unit->step : "image"), fraction * 100)
        : g_strdup (word);
  /* Translators: %s is the name of an ECU */
  g_autofree char *bar = g_strdup_printf (_ ("Progress of %s"), unit->name);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), unit->name);
  gtk_label_set_text (self->name, unit->name);
  gtk_label_set_text (self->state, state_word);
  gtk_label_set_text (self->step, step);
  rb_row_icon_set_word (self->icon, state, state_word);
  gtk_progress_bar_set_fraction (self->progress, CLAMP (fraction, 0, 1));
  rb_row_name (self->progress, bar);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->progress), GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, percent, -1);
}

static void
rb_ecu_row_class_init (RbEcuRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/ecu-row.ui");
  gtk_widget_class_bind_template_child (widget_class, RbEcuRow, name);
  gtk_widget_class_bind_template_child (widget_class, RbEcuRow, state);
  gtk_widget_class_bind_template_child (widget_class, RbEcuRow, step);
  gtk_widget_class_bind_template_child (widget_class, RbEcuRow, icon);
  gtk_widget_class_bind_template_child (widget_class, RbEcuRow, progress);
}

static void
rb_ecu_row_init (RbEcuRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

RbEcuRow *
rb_ecu_row_new (void)
{
  return g_object_new (RB_TYPE_ECU_ROW, NULL);
}
