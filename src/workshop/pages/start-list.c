/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/start-list.h"

#include <glib/gi18n-lib.h>

struct _RbStartList {
  AdwBin parent_instance;
  GtkWidget *open_group, *lack_group;
  GtkListBox *open, *lacks;
  char *shown; /* what the rows say of the open recoveries */
};

G_DEFINE_FINAL_TYPE (RbStartList, rb_start_list, ADW_TYPE_BIN)

static guint resume;

static void
on_resume (RbStartList *self, GtkWidget *button)
{
  g_autofree char *vin = g_strdup (g_object_get_data (G_OBJECT (button), "vin"));
  g_signal_emit (self, resume, 0, vin);
}

static void
add_open (RbStartList *self, const RbWorkplaceOpen *recovery)
{
  g_autofree char *title = g_strdup_printf ("%s · %s", recovery->vin, recovery->campaign);
  AdwActionRow *row = rb_row_new (title, _ ("Do not release this vehicle: its recovery is not finished."));
  GtkWidget *icon = rb_row_icon (), *button = gtk_button_new_with_label (_ ("Resume"));
  /* Translators: %s is a vehicle identification number, for a screen reader */
  g_autofree char *name = g_strdup_printf (_ ("Resume %s"), recovery->vin);
  rb_row_icon_set (icon, RB_ROW_WARNING);
  rb_row_name (button, name);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "suggested-action");
  g_object_set_data_full (G_OBJECT (button), "vin", g_strdup (recovery->vin), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_resume), self, G_CONNECT_SWAPPED);
  adw_action_row_add_prefix (row, icon);
  adw_action_row_add_suffix (row, button);
  gtk_list_box_append (self->open, GTK_WIDGET (row));
}

static void
add_lack (RbStartList *self, const char *title, const char *how)
{
  AdwActionRow *row = rb_row_new (title, how);
  GtkWidget *icon = rb_row_icon ();
  rb_row_icon_set (icon, RB_ROW_WARNING);
  adw_action_row_add_prefix (row, icon);
  gtk_list_box_append (self->lacks, GTK_WIDGET (row));
}

static void
show_lacks (RbStartList *self, RbWorkplace *workplace)
{
  const GError *error = rb_workplace_error (workplace);
  if (error != NULL)
    add_lack (self, _ ("The data directory of this workstation cannot be read"), error->message);
  else if (rb_workplace_n_anchors (workplace) == 0)
    add_lack (
      self, _ ("No OEM is trusted on this workstation"),
      /* Translators: do not translate the command */
      _ ("Install the Service root that the OEM gave you: recallctl trust add FILE --name OEM. Compare the "
         "twelve words that the command prints with those that you received from the OEM over another channel."));
  else if (rb_workplace_n_campaigns (workplace) == 0)
    add_lack (self, _ ("No campaign is imported"),
              /* Translators: do not translate the command */
              _ ("Import the bundle of the campaign: recallctl bundle import FILE. The OEM provides the file, for "
                 "example on a memory stick."));
}

/* Rows stay while they say the same: GTK emits "clicked" of a button 250 ms after its activation, and a row that was
 * made anew meanwhile would lose it. */
static void
show_open (RbStartList *self, GPtrArray *open)
{
  g_autoptr (GString) says = g_string_new (NULL);
  for (guint i = 0; open != NULL && i < open->len; i++) {
    const RbWorkplaceOpen *recovery = open->pdata[i];
    g_string_append_printf (says, "%s %s\n", recovery->vin, recovery->campaign);
  }
  if (g_strcmp0 (self->shown, says->str) == 0)
    return;
  g_free (self->shown);
  self->shown = g_strdup (says->str);
  rb_row_list_clear (self->open);
  for (guint i = 0; open != NULL && i < open->len; i++)
    add_open (self, open->pdata[i]);
}

void
rb_start_list_show (RbStartList *self, RbWorkplace *workplace)
{
  show_open (self, rb_workplace_open (workplace));
  rb_row_list_clear (self->lacks);
  if (rb_workplace_is_read (workplace))
    show_lacks (self, workplace);
  gboolean any_open = gtk_widget_get_first_child (GTK_WIDGET (self->open)) != NULL;
  gboolean any_lack = gtk_widget_get_first_child (GTK_WIDGET (self->lacks)) != NULL;
  gtk_widget_set_visible (self->open_group, any_open);
  gtk_widget_set_visible (self->lack_group, any_lack);
  gtk_widget_set_visible (GTK_WIDGET (self), any_open || any_lack);
}

static void
finalize (GObject *object)
{
  g_free (RB_START_LIST (object)->shown);
  G_OBJECT_CLASS (rb_start_list_parent_class)->finalize (object);
}

static void
rb_start_list_class_init (RbStartListClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/start-list.ui");
  gtk_widget_class_bind_template_child (widget_class, RbStartList, open_group);
  gtk_widget_class_bind_template_child (widget_class, RbStartList, lack_group);
  gtk_widget_class_bind_template_child (widget_class, RbStartList, open);
  gtk_widget_class_bind_template_child (widget_class, RbStartList, lacks);
  resume = g_signal_new ("resume", RB_TYPE_START_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                         G_TYPE_STRING);
}

static void
rb_start_list_init (RbStartList *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
