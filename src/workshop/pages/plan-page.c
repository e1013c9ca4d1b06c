/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/plan-page.h"

#include "pages/ecu-text.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define TAIL 4

struct _RbPlanPage {
  RbPage parent_instance;
  GtkListBox *units;
  AdwEntryRow *identity, *workstation, *second, *tail;
  AdwPasswordEntryRow *passphrase, *second_passphrase;
  GtkFileChooserNative *chooser;
  AdwEntryRow *chooser_row;
  gboolean filling; /* the rows from the input, not the other way */
};

G_DEFINE_FINAL_TYPE (RbPlanPage, rb_plan_page, RB_TYPE_PAGE)

static const char *
text_of (gpointer row)
{
  return gtk_editable_get_text (GTK_EDITABLE (row));
}

static void
add_unit (RbPlanPage *self, guint i, const RbSessionEcu *unit)
{
  g_autofree char *title = g_strdup_printf ("%u  %s", i + 1, unit->name);
  g_autofree char *subtitle = rb_ecu_text_plan (unit);
  AdwActionRow *row = rb_row_new (title, subtitle);
  GtkWidget *serial = gtk_label_new (unit->serial);
  gtk_widget_add_css_class (serial, "dim-label");
  gtk_label_set_ellipsize (GTK_LABEL (serial), PANGO_ELLIPSIZE_MIDDLE);
  adw_action_row_add_suffix (row, serial);
  gtk_list_box_append (self->units, GTK_WIDGET (row));
}

static gboolean
needs_second (RbPlanPage *self)
{
  RbSession *session = rb_page_session (RB_PAGE (self));
  const RbCampaign *campaign = rb_session_campaign (session);
  const char *second = rb_session_input (session)->second;
  return (campaign != NULL && campaign->second_person) || (second != NULL && *second != '\0');
}

static void
refresh (RbPage *page)
{
  RbPlanPage *self = RB_PLAN_PAGE (page);
  GPtrArray *units = rb_session_ecus (rb_page_session (page));
  if (!rb_page_is_visible (page))
    return;
  rb_row_list_clear (self->units);
  for (guint i = 0; i < units->len; i++)
    add_unit (self, i, units->pdata[i]);
  gboolean second = needs_second (self);
  gtk_widget_set_visible (GTK_WIDGET (self->second), second);
  gtk_widget_set_visible (GTK_WIDGET (self->second_passphrase), second);
}

static void
on_changed (RbPlanPage *self)
{
  RbSession *session = rb_page_session (RB_PAGE (self));
  if (session == NULL || self->filling)
    return;
  RbSessionInput *input = rb_session_input (session);
  rb_session_enter (&input->identity, text_of (self->identity));
  rb_session_enter (&input->workstation, text_of (self->workstation));
  rb_session_enter (&input->second, text_of (self->second));
  rb_session_enter (&input->passphrase, text_of (self->passphrase));
  rb_session_enter (&input->second_passphrase, text_of (self->second_passphrase));
  rb_page_complete_changed (RB_PAGE (self));
}

static void
on_file_chosen (RbPlanPage *self, int response)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (self->chooser));
  if (response == GTK_RESPONSE_ACCEPT && file != NULL)
    gtk_editable_set_text (GTK_EDITABLE (self->chooser_row), g_file_peek_path (file));
  g_clear_object (&self->chooser);
}

static void
choose_file (RbPlanPage *self, AdwEntryRow *row)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
  g_clear_object (&self->chooser);
  self->chooser_row = row;
  self->chooser = gtk_file_chooser_native_new (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)), window,
                                               GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (on_file_chosen), self, G_CONNECT_SWAPPED);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
on_choose_identity (RbPlanPage *self)
{
  choose_file (self, self->identity);
}

static void
on_choose_workstation (RbPlanPage *self)
{
  choose_file (self, self->workstation);
}

static void
on_choose_second (RbPlanPage *self)
{
  choose_file (self, self->second);
}

static char *
missing (RbPage *page)
{
  RbPlanPage *self = RB_PLAN_PAGE (page);
  const char *vin = rb_session_input (rb_page_session (page))->vin;
  gsize length = vin == NULL ? 0 : strlen (vin);
  if (*text_of (self->identity) == '\0')
    return g_strdup (_ ("Choose the technician’s identity file"));
  if (*text_of (self->workstation) == '\0')
    return g_strdup (_ ("Choose the workstation’s key file"));
  if (needs_second (self) && *text_of (self->second) == '\0')
    return g_strdup (_ ("Choose the second person’s identity file"));
  if (length <= TAIL || g_ascii_strcasecmp (text_of (self->tail), vin + length - TAIL) != 0)
    return g_strdup (_ ("Enter the last four characters of the VIN"));
  return NULL;
}

static void
enter (RbPage *page)
{
  RbPlanPage *self = RB_PLAN_PAGE (page);
  RbSessionInput *input = rb_session_input (rb_page_session (page));
  struct {
    gpointer row;
    char *text;
  } fields[] = { { self->identity, g_strdup (input->identity) },
                 { self->workstation, g_strdup (input->workstation) },
                 { self->second, g_strdup (input->second) },
                 { self->passphrase, g_strdup (input->passphrase) },
                 { self->second_passphrase, g_strdup (input->second_passphrase) },
                 { self->tail, g_strdup ("") } };
  self->filling = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    gtk_editable_set_text (GTK_EDITABLE (fields[i].row), fields[i].text);
    g_free (fields[i].text);
  }
  self->filling = FALSE;
}

static void
dispose (GObject *object)
{
  g_clear_object (&RB_PLAN_PAGE (object)->chooser);
  G_OBJECT_CLASS (rb_plan_page_parent_class)->dispose (object);
}

static void
rb_plan_page_class_init (RbPlanPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  RB_PAGE_CLASS (class)->enter = enter;
  RB_PAGE_CLASS (class)->refresh = refresh;
  RB_PAGE_CLASS (class)->missing = missing;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/plan-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, units);
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, identity);
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, workstation);
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, second);
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, passphrase);
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, second_passphrase);
  gtk_widget_class_bind_template_child (widget_class, RbPlanPage, tail);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_choose_identity);
  gtk_widget_class_bind_template_callback (widget_class, on_choose_workstation);
  gtk_widget_class_bind_template_callback (widget_class, on_choose_second);
}

static void
rb_plan_page_init (RbPlanPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
