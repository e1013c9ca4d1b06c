/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/connect-page.h"

#include "pages/words.h"
#include "recovery/recovery.h"

#include <glib/gi18n-lib.h>

struct _RbConnectPage {
  RbPage parent_instance;
  GtkListBox *checks, *units;
  AdwPreferencesGroup *units_group;
};

G_DEFINE_FINAL_TYPE (RbConnectPage, rb_connect_page, RB_TYPE_PAGE)

static void
add_check (RbConnectPage *self, RbRowState state, const char *title, const char *subtitle)
{
  AdwActionRow *row = rb_row_new (title, subtitle);
  GtkWidget *icon = rb_row_icon ();
  rb_row_icon_set (icon, state);
  adw_action_row_add_prefix (row, icon);
  gtk_list_box_append (self->checks, GTK_WIDGET (row));
}

static gboolean
is_trouble_of (const GError *error, const RbReason *reasons, guint n)
{
  for (guint i = 0; i < n; i++)
    if (rb_reason_of (error) == reasons[i])
      return TRUE;
  return FALSE;
}

/* The check that an error belongs to; later checks have not been made. */
static guint
failed_line (const GError *error)
{
  static const RbReason vin[] = { RB_REASON_VIN_MISMATCH };
  static const RbReason units[] = { RB_REASON_ECU_MISSING, RB_REASON_ECU_UNKNOWN, RB_REASON_HARDWARE_MISMATCH };
  if (is_trouble_of (error, vin, G_N_ELEMENTS (vin)))
    return 2;
  return is_trouble_of (error, units, G_N_ELEMENTS (units)) ? 3 : 1;
}

static RbRowState
line_state (RbSession *session, guint line)
{
  const GError *error = rb_session_error (session, RB_TASK_CONNECT);
  if (rb_session_succeeded (session, RB_TASK_CONNECT))
    return RB_ROW_GOOD;
  if (error == NULL)
    return rb_session_task (session) == RB_TASK_CONNECT ? RB_ROW_BUSY : RB_ROW_WAITING;
  guint failed = failed_line (error);
  return line < failed ? RB_ROW_GOOD : line == failed ? RB_ROW_BAD : RB_ROW_WAITING;
}

static char *
link_sentence (RbRowState state, const char *link)
{
  switch (state) {
  /* Translators: %s is the address of a link, such as doip://192.168.0.10 */
  case RB_ROW_BUSY: return g_strdup_printf (_ ("Opening the link %s"), link);
  /* Translators: %s is the address of a link */
  case RB_ROW_GOOD: return g_strdup_printf (_ ("Responds on %s"), link);
  /* Translators: %s is the address of a link */
  case RB_ROW_BAD: return g_strdup_printf (_ ("No response on %s"), link);
  default: return g_strdup (link);
  }
}

static gboolean
is_unread (const RbSessionEcu *unit)
{
  return unit->state == RB_ECU_PARKED || unit->state == RB_ECU_UNKNOWN;
}

/* The summary of the ECUs, of their rows. */
static void
show_ecus (RbConnectPage *self, RbSession *session)
{
  GPtrArray *units = rb_session_ecus (session);
  RbRowState state = line_state (session, 3);
  guint n_read = 0;
  for (guint i = 0; i < units->len; i++)
    n_read += is_unread (units->pdata[i]) ? 0 : 1;
  g_autofree char *found
    = g_strdup_printf (ngettext ("%u of %u ECU read", "%u of %u ECUs read", units->len), n_read, units->len);
  if (state == RB_ROW_GOOD && n_read < units->len)
    state = RB_ROW_WARNING;
  add_check (self, state, _ ("ECUs"), state == RB_ROW_BAD ? _ ("The ECUs do not match the vehicle model") : found);
}

static void
show_checks (RbConnectPage *self, RbSession *session)
{
  const RbSessionInput *input = rb_session_input (session);
  g_autofree char *campaign = /* Translators: %s is the number of a campaign */
    g_strdup_printf (_ ("%s, verified from this workstation’s trust anchor"), input->campaign);
  g_autofree char *vin = /* Translators: %s is a vehicle identification number */
    g_strdup_printf (_ ("The VIN read from the vehicle equals the VIN on the plate: %s"), input->vin);
  RbRowState state = line_state (session, 1);
  g_autofree char *vehicle = link_sentence (state, input->link);
  RbRowState vin_state = line_state (session, 2);
  rb_row_list_clear (self->checks);
  add_check (self, RB_ROW_GOOD, _ ("Campaign"), campaign);
  add_check (self, state, _ ("Vehicle"), vehicle);
  add_check (self, vin_state, _ ("VIN"),
             vin_state == RB_ROW_BAD    ? _ ("The VIN read from the vehicle differs from the VIN on the plate")
             : vin_state == RB_ROW_GOOD ? vin
                                        : _ ("Not read yet"));
  show_ecus (self, session);
}

static void
add_unit (RbConnectPage *self, const RbSessionEcu *unit)
{
  AdwActionRow *row = rb_row_new (unit->name, unit->serial);
  GtkWidget *icon = rb_row_icon ();
  rb_row_icon_set (icon, is_unread (unit) ? RB_ROW_BAD : unit->state == RB_ECU_WAITING ? RB_ROW_BUSY : RB_ROW_GOOD);
  adw_action_row_add_prefix (row, icon);
  GtkWidget *text
    = gtk_label_new (unit->text == NULL || *unit->text == '\0' ? rb_words_state (unit->state) : unit->text);
  gtk_label_set_wrap (GTK_LABEL (text), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (text), 40);
  gtk_label_set_xalign (GTK_LABEL (text), 1);
  gtk_widget_add_css_class (text, "dim-label");
  adw_action_row_add_suffix (row, text);
  gtk_list_box_append (self->units, GTK_WIDGET (row));
}

static void
refresh (RbPage *page)
{
  RbConnectPage *self = RB_CONNECT_PAGE (page);
  RbSession *session = rb_page_session (page);
  GPtrArray *units = rb_session_ecus (session);
  if (!rb_page_is_visible (page))
    return;
  show_checks (self, session);
  rb_row_list_clear (self->units);
  for (guint i = 0; i < units->len; i++)
    add_unit (self, units->pdata[i]);
  gtk_widget_set_visible (GTK_WIDGET (self->units_group), units->len > 0);
}

static void
unit_changed (RbPage *page, guint index)
{
  refresh (page);
}

static char *
missing (RbPage *page)
{
  return rb_session_succeeded (rb_page_session (page), RB_TASK_CONNECT) ? NULL : g_strdup (_ ("Not all checks passed"));
}

static void
rb_connect_page_class_init (RbConnectPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  RB_PAGE_CLASS (class)->refresh = refresh;
  RB_PAGE_CLASS (class)->unit_changed = unit_changed;
  RB_PAGE_CLASS (class)->missing = missing;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/connect-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbConnectPage, checks);
  gtk_widget_class_bind_template_child (widget_class, RbConnectPage, units);
  gtk_widget_class_bind_template_child (widget_class, RbConnectPage, units_group);
}

static void
rb_connect_page_init (RbConnectPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
