/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/vehicle-page.h"

#include "core/moment.h"
#include "model/campaign.h"
#include "pages/link-list.h"
#include "pages/start-list.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define VIN_LENGTH 17

struct _RbVehiclePage {
  RbPage parent_instance;
  AdwEntryRow *vin, *repair_order, *odometer, *link, *workstation;
  AdwPasswordEntryRow *passphrase;
  AdwComboRow *campaign;
  AdwActionRow *verdict;
  GtkImage *verdict_icon;
  RbStartList *start;
  RbLinkList *links;
  RbWorkplace *workplace; /* NULL until bound */
  guint n_campaigns; /* of the workplace, when campaigns were searched for last */
  gboolean link_was_edited; /* by a person, since the page was entered */
};

G_DEFINE_FINAL_TYPE (RbVehiclePage, rb_vehicle_page, RB_TYPE_PAGE)

static const char *
text_of (AdwEntryRow *row)
{
  return gtk_editable_get_text (GTK_EDITABLE (row));
}

static void
say (RbVehiclePage *self, RbRowState state, const char *title, const char *subtitle)
{
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->verdict), title);
  adw_action_row_set_subtitle (self->verdict, subtitle);
  rb_row_icon_set (GTK_WIDGET (self->verdict_icon), state);
}

static const RbSessionFound *
chosen (RbVehiclePage *self)
{
  GPtrArray *found = rb_session_found (rb_page_session (RB_PAGE (self)));
  guint i = adw_combo_row_get_selected (self->campaign);
  return i < found->len ? found->pdata[i] : NULL;
}

static void
show_campaigns (RbVehiclePage *self)
{
  RbSession *session = rb_page_session (RB_PAGE (self));
  GPtrArray *found = rb_session_found (session);
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  for (guint i = 0; i < found->len; i++) {
    const RbSessionFound *campaign = found->pdata[i];
    g_autofree char *title = g_strdup_printf ("%s — %s", campaign->id, campaign->title);
    gtk_string_list_append (titles, title);
  }
  guint kept = adw_combo_row_get_selected (self->campaign);
  adw_combo_row_set_model (self->campaign, G_LIST_MODEL (titles));
  if (found->len > 0)
    adw_combo_row_set_selected (self->campaign, kept < found->len ? kept : 0);
  gtk_widget_set_visible (GTK_WIDGET (self->campaign), found->len > 1);
}

static void
show_verdict (RbVehiclePage *self)
{
  RbSession *session = rb_page_session (RB_PAGE (self));
  const RbSessionFound *campaign = chosen (self);
  gsize length = strlen (text_of (self->vin));
  g_autofree char *typed = g_strdup_printf (_ ("%u of %d characters"), (guint) length, VIN_LENGTH);
  if (length == 0)
    say (self, RB_ROW_WAITING, _ ("Enter the VIN from the vehicle’s plate"),
         _ ("17 letters and digits, without I, O and Q"));
  else if (!rb_campaign_vin_is_valid (text_of (self->vin)))
    say (self, length < VIN_LENGTH ? RB_ROW_WAITING : RB_ROW_BAD, _ ("VIN not complete"),
         length < VIN_LENGTH ? typed : _ ("17 letters and digits, without I, O and Q"));
  else if (rb_session_task (session) == RB_TASK_FIND)
    say (self, RB_ROW_BUSY, _ ("Searching for campaigns"), _ ("Every campaign on this workstation is verified again"));
  else if (campaign == NULL && rb_session_error (session, RB_TASK_FIND) != NULL)
    say (self, RB_ROW_BAD, _ ("The campaigns cannot be read"), rb_session_error (session, RB_TASK_FIND)->message);
  else if (campaign == NULL)
    say (self, RB_ROW_BAD, _ ("No open campaign for this vehicle"),
         _ ("The VIN is not in the scope of any campaign on this workstation"));
  else {
    g_autofree char *until = rb_moment_to_text (campaign->valid_until);
    g_autofree char *subtitle = /* Translators: name of the OEM, number of ECUs, date */
      g_strdup_printf (
        ngettext ("%s · %u ECU · valid until %.10s", "%s · %u ECUs · valid until %.10s", campaign->n_ecus),
        campaign->oem, campaign->n_ecus, until);
    g_autofree char *title = /* Translators: number and title of a campaign */
      g_strdup_printf (_ ("In campaign %s: %s"), campaign->id, campaign->title);
    say (self, RB_ROW_GOOD, title, subtitle);
  }
}

static void
refresh (RbPage *page)
{
  RbVehiclePage *self = RB_VEHICLE_PAGE (page);
  if (!rb_page_is_visible (page))
    return;
  show_campaigns (self);
  show_verdict (self);
  const RbSessionFound *campaign = chosen (self);
  rb_session_enter (&rb_session_input (rb_page_session (page))->campaign, campaign == NULL ? "" : campaign->name);
}

static void
on_vin_changed (RbVehiclePage *self)
{
  RbSession *session = rb_page_session (RB_PAGE (self));
  g_autofree char *upper = g_ascii_strup (text_of (self->vin), -1);
  if (session == NULL)
    return;
  rb_session_enter (&rb_session_input (session)->vin, upper);
  g_ptr_array_set_size (rb_session_found (session), 0);
  if (!g_str_equal (upper, text_of (self->vin))) {
    int position = gtk_editable_get_position (GTK_EDITABLE (self->vin));
    gtk_editable_set_text (GTK_EDITABLE (self->vin), upper);
    gtk_editable_set_position (GTK_EDITABLE (self->vin), position);
    return;
  }
  if (rb_campaign_vin_is_valid (upper))
    rb_session_start (session, RB_TASK_FIND);
  refresh (RB_PAGE (self));
  rb_page_complete_changed (RB_PAGE (self));
}

static gboolean
odometer_of (RbVehiclePage *self, gint64 *kilometres)
{
  const char *text = text_of (self->odometer);
  *kilometres = -1;
  return *text == '\0' || g_ascii_string_to_signed (text, 10, 0, 10 * 1000 * 1000, kilometres, NULL);
}

static const char *
secret_of (AdwPasswordEntryRow *row)
{
  return gtk_editable_get_text (GTK_EDITABLE (row));
}

static void
take_link (RbVehiclePage *self, RbSessionInput *input)
{
  gboolean key = rb_session_input_link_has_key (text_of (self->link));
  rb_session_enter (&input->link, text_of (self->link));
  gtk_widget_set_visible (GTK_WIDGET (self->workstation), key);
  gtk_widget_set_visible (GTK_WIDGET (self->passphrase), key);
  if (!key)
    return;
  rb_session_enter (&input->workstation, text_of (self->workstation));
  rb_session_enter (&input->passphrase, secret_of (self->passphrase));
}

static void
on_other_changed (RbVehiclePage *self)
{
  RbSession *session = rb_page_session (RB_PAGE (self));
  gint64 kilometres;
  if (session == NULL)
    return;
  RbSessionInput *input = rb_session_input (session);
  rb_session_enter (&input->repair_order, text_of (self->repair_order));
  take_link (self, input);
  if (odometer_of (self, &kilometres))
    gtk_widget_remove_css_class (GTK_WIDGET (self->odometer), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->odometer), "error");
  input->odometer_km = kilometres;
  rb_page_complete_changed (RB_PAGE (self));
}

static void
on_link_changed (RbVehiclePage *self)
{
  self->link_was_edited = self->link_was_edited || rb_page_is_visible (RB_PAGE (self));
  on_other_changed (self);
  if (self->workplace != NULL)
    rb_link_list_show (self->links, self->workplace, text_of (self->link));
}

static void
on_campaign_selected (RbVehiclePage *self)
{
  if (rb_page_session (RB_PAGE (self)) == NULL)
    return;
  const RbSessionFound *campaign = chosen (self);
  rb_session_enter (&rb_session_input (rb_page_session (RB_PAGE (self)))->campaign,
                    campaign == NULL ? "" : campaign->name);
  show_verdict (self);
}

static void
on_entry_activated (RbVehiclePage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "win.next", NULL);
}

static const char *
lack_of_workplace (RbVehiclePage *self)
{
  if (!rb_workplace_is_read (self->workplace))
    return _ ("Reading the data directory");
  if (rb_workplace_error (self->workplace) != NULL)
    return _ ("The data directory cannot be read");
  if (rb_workplace_n_anchors (self->workplace) == 0)
    return _ ("No OEM is trusted on this workstation");
  return rb_workplace_n_campaigns (self->workplace) == 0 ? _ ("No campaign is imported") : NULL;
}

static char *
missing (RbPage *page)
{
  RbVehiclePage *self = RB_VEHICLE_PAGE (page);
  gint64 kilometres;
  const char *lack = lack_of_workplace (self);
  if (lack != NULL)
    return g_strdup (lack);
  if (!rb_campaign_vin_is_valid (text_of (self->vin)))
    return g_strdup (_ ("Enter the VIN: 17 letters and digits"));
  if (chosen (self) == NULL)
    return g_strdup (_ ("No open campaign for this vehicle"));
  if (*text_of (self->link) == '\0')
    return g_strdup (_ ("Select a link, or enter its address"));
  if (rb_session_input_link_has_key (text_of (self->link)) && *text_of (self->workstation) == '\0')
    return g_strdup (_ ("Enter the workstation’s key file: this link needs it"));
  return odometer_of (self, &kilometres) ? NULL : g_strdup (_ ("Enter the odometer in digits"));
}

static void
show_workplace (RbVehiclePage *self)
{
  rb_start_list_show (self->start, self->workplace);
  rb_link_list_show (self->links, self->workplace, text_of (self->link));
}

/* The link used last is entered where none is, so that it need not be searched for. */
static void
on_workplace_changed (RbVehiclePage *self)
{
  if (!rb_page_is_visible (RB_PAGE (self)))
    return;
  if (*text_of (self->link) == '\0' && !self->link_was_edited)
    gtk_editable_set_text (GTK_EDITABLE (self->link), rb_workplace_last_link (self->workplace));
  show_workplace (self);
  if (self->n_campaigns != rb_workplace_n_campaigns (self->workplace) && rb_campaign_vin_is_valid (text_of (self->vin)))
    rb_session_start (rb_page_session (RB_PAGE (self)), RB_TASK_FIND);
  self->n_campaigns = rb_workplace_n_campaigns (self->workplace);
  rb_page_complete_changed (RB_PAGE (self));
}

static void
on_link_chosen (RbVehiclePage *self, const char *uri)
{
  gtk_editable_set_text (GTK_EDITABLE (self->link), uri);
}

static void
on_resume (RbVehiclePage *self, const char *vin)
{
  gtk_editable_set_text (GTK_EDITABLE (self->vin), vin);
  gtk_widget_grab_focus (GTK_WIDGET (self->vin));
}

static void
search_links (GtkWidget *widget, const char *name, GVariant *parameter)
{
  rb_workplace_read (RB_VEHICLE_PAGE (widget)->workplace);
  rb_workplace_search (RB_VEHICLE_PAGE (widget)->workplace);
}

static void
bound (RbPage *page)
{
  RbVehiclePage *self = RB_VEHICLE_PAGE (page);
  self->workplace = rb_workplace_new (rb_session_input (rb_page_session (page))->data_dir);
  g_signal_connect_object (self->workplace, "changed", G_CALLBACK (on_workplace_changed), self, G_CONNECT_SWAPPED);
}

static void
enter (RbPage *page)
{
  RbVehiclePage *self = RB_VEHICLE_PAGE (page);
  RbSessionInput input = *rb_session_input (rb_page_session (page));
  g_autofree char *vin = g_strdup (input.vin), *order = g_strdup (input.repair_order), *link = g_strdup (input.link);
  g_autofree char *workstation = g_strdup (input.workstation), *passphrase = g_strdup (input.passphrase);
  g_autofree char *odometer
    = input.odometer_km < 0 ? g_strdup ("") : g_strdup_printf ("%" G_GINT64_FORMAT, input.odometer_km);
  gtk_editable_set_text (GTK_EDITABLE (self->workstation), workstation == NULL ? "" : workstation);
  gtk_editable_set_text (GTK_EDITABLE (self->passphrase), passphrase == NULL ? "" : passphrase);
  gtk_editable_set_text (GTK_EDITABLE (self->link), link);
  gtk_editable_set_text (GTK_EDITABLE (self->repair_order), order);
  gtk_editable_set_text (GTK_EDITABLE (self->odometer), odometer);
  gtk_editable_set_text (GTK_EDITABLE (self->vin), vin);
  self->link_was_edited = FALSE;
  rb_workplace_read (self->workplace);
  rb_workplace_search (self->workplace);
}

static void
dispose (GObject *object)
{
  g_clear_object (&RB_VEHICLE_PAGE (object)->workplace);
  G_OBJECT_CLASS (rb_vehicle_page_parent_class)->dispose (object);
}

static void
rb_vehicle_page_class_init (RbVehiclePageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  RB_PAGE_CLASS (class)->bound = bound;
  RB_PAGE_CLASS (class)->enter = enter;
  RB_PAGE_CLASS (class)->refresh = refresh;
  RB_PAGE_CLASS (class)->missing = missing;
  g_type_ensure (RB_TYPE_START_LIST);
  g_type_ensure (RB_TYPE_LINK_LIST);
  gtk_widget_class_install_action (widget_class, "page.search-links", NULL, search_links);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/vehicle-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, vin);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, repair_order);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, odometer);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, link);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, workstation);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, passphrase);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, campaign);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, verdict);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, verdict_icon);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, start);
  gtk_widget_class_bind_template_child (widget_class, RbVehiclePage, links);
  gtk_widget_class_bind_template_callback (widget_class, on_vin_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_link_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_link_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_resume);
  gtk_widget_class_bind_template_callback (widget_class, on_other_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_campaign_selected);
  gtk_widget_class_bind_template_callback (widget_class, on_entry_activated);
}

static void
rb_vehicle_page_init (RbVehiclePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
