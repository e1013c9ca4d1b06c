/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/link-list.h"

#include "link/link-entry.h"
#include "pages/words.h"

#include <glib/gi18n-lib.h>
#include <string.h>

struct _RbLinkList {
  AdwBin parent_instance;
  GtkListBox *links;
  GtkLabel *none;
  GtkSpinner *spinner;
};

G_DEFINE_FINAL_TYPE (RbLinkList, rb_link_list, ADW_TYPE_BIN)

static guint chosen;

static void
on_use (RbLinkList *self, GtkWidget *button)
{
  g_autofree char *uri = g_strdup (g_object_get_data (G_OBJECT (button), "uri"));
  g_signal_emit (self, chosen, 0, uri);
}

static void
add_row (RbLinkList *self, const char *title, const char *subtitle, RbRowState state, const char *word, const char *uri)
{
  AdwActionRow *row = rb_row_new (title, subtitle);
  GtkWidget *icon = rb_row_icon (), *use = gtk_button_new_with_label (_ ("Use"));
  /* Translators: %s is the name of a link, for a screen reader */
  g_autofree char *name = g_strdup_printf (_ ("Use %s"), title);
  rb_row_icon_set_word (icon, state, word);
  rb_row_name (use, name);
  gtk_widget_set_valign (use, GTK_ALIGN_CENTER);
  g_object_set_data_full (G_OBJECT (use), "uri", g_strdup (uri), g_free);
  g_signal_connect_object (use, "clicked", G_CALLBACK (on_use), self, G_CONNECT_SWAPPED);
  adw_action_row_add_prefix (row, icon);
  adw_action_row_add_suffix (row, use);
  gtk_list_box_append (self->links, GTK_WIDGET (row));
}

static void
add_link (RbLinkList *self, const RbLinkEntry *entry, const char *last, const char *entered)
{
  gboolean ready = strcmp (entry->state, "ready") == 0;
  const char *state = rb_words_link_state (entry->state);
  g_autoptr (GString) text = g_string_new (entry->uri);
  if (*entry->serial != '\0')
    g_string_append_printf (text, " · %s", entry->serial);
  if (*entry->vin != '\0')
    /* Translators: %s is a vehicle identification number; follows the address of a link */
    g_string_append_printf (text, _ (" · VIN %s"), entry->vin);
  g_string_append_printf (text, "\n%s", state);
  if (strcmp (entry->uri, entered) == 0)
    g_string_append (text, _ (" · selected"));
  else if (strcmp (entry->uri, last) == 0)
    g_string_append (text, _ (" · used last"));
  add_row (self, *entry->name == '\0' ? entry->uri : entry->name, text->str, ready ? RB_ROW_GOOD : RB_ROW_WARNING,
           state, entry->uri);
}

static gboolean
is_found (GPtrArray *links, const char *uri)
{
  for (guint i = 0; i < links->len; i++)
    if (strcmp (((const RbLinkEntry *) links->pdata[i])->uri, uri) == 0)
      return TRUE;
  return FALSE;
}

void
rb_link_list_show (RbLinkList *self, RbWorkplace *workplace, const char *entered)
{
  GPtrArray *links = rb_workplace_links (workplace);
  const char *last = rb_workplace_last_link (workplace);
  gboolean searching = rb_workplace_is_searching (workplace);
  gboolean lost = *last != '\0' && !is_found (links, last) && !searching;
  rb_row_list_clear (self->links);
  for (guint i = 0; i < links->len; i++)
    add_link (self, links->pdata[i], last, entered);
  if (lost)
    add_row (self, _ ("Link used last"), last, RB_ROW_WAITING, _ ("not found now"), last);
  gtk_widget_set_visible (GTK_WIDGET (self->links), links->len > 0 || lost);
  gtk_widget_set_visible (GTK_WIDGET (self->none), links->len == 0 && !searching);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), searching);
  gtk_spinner_set_spinning (self->spinner, searching);
}

static void
rb_link_list_class_init (RbLinkListClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/link-list.ui");
  gtk_widget_class_bind_template_child (widget_class, RbLinkList, links);
  gtk_widget_class_bind_template_child (widget_class, RbLinkList, none);
  gtk_widget_class_bind_template_child (widget_class, RbLinkList, spinner);
  chosen
    = g_signal_new ("chosen", RB_TYPE_LINK_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
rb_link_list_init (RbLinkList *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
