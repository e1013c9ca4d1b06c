/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/row.h"

#include <glib/gi18n-lib.h>

static const struct {
  const char *icon, *style, *word;
} looks[] = {
  [RB_ROW_WAITING] = { "content-loading-symbolic", "dim-label", NC_ ("line", "waiting") },
  [RB_ROW_BUSY] = { "emblem-synchronizing-symbolic", "accent", NC_ ("line", "in progress") },
  [RB_ROW_GOOD] = { "emblem-ok-symbolic", "success", NC_ ("line", "good") },
  [RB_ROW_WARNING] = { "dialog-warning-symbolic", "warning", NC_ ("line", "attention") },
  [RB_ROW_BAD] = { "dialog-error-symbolic", "error", NC_ ("line", "failed") },
};

void
rb_row_name (gpointer widget, const char *name)
{
  /* since GTK 4.10 a button is labelled by the text in it, which outranks the name */
  gtk_accessible_reset_relation (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

AdwActionRow *
rb_row_new (const char *title, const char *subtitle)
{
  GtkWidget *row = adw_action_row_new ();
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title == NULL ? "" : title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle == NULL ? "" : subtitle);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 0);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  return ADW_ACTION_ROW (row);
}

GtkWidget *
rb_row_icon (void)
{
  GtkWidget *icon = gtk_image_new ();
  rb_row_icon_set (icon, RB_ROW_WAITING);
  return icon;
}

void
rb_row_icon_set_word (GtkWidget *icon, RbRowState state, const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (looks); i++)
    gtk_widget_remove_css_class (icon, looks[i].style);
  gtk_widget_add_css_class (icon, looks[state].style);
  gtk_image_set_from_icon_name (GTK_IMAGE (icon), looks[state].icon);
  rb_row_name (icon, word);
}

void
rb_row_icon_set (GtkWidget *icon, RbRowState state)
{
  rb_row_icon_set_word (icon, state, g_dpgettext2 (GETTEXT_PACKAGE, "line", looks[state].word));
}

void
rb_row_list_clear (GtkListBox *list)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (list))) != NULL)
    gtk_list_box_remove (list, child);
}
