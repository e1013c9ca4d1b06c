/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/sign-page.h"

#include <glib/gi18n-lib.h>

struct _RbSignPage {
  RbPage parent_instance;
  GtkListBox *summary;
};

G_DEFINE_FINAL_TYPE (RbSignPage, rb_sign_page, RB_TYPE_PAGE)

static void
add (RbSignPage *self, const char *title, const char *value)
{
  gtk_list_box_append (self->summary, GTK_WIDGET (rb_row_new (title, value)));
}

static char *
result_sentence (RbSession *session)
{
  GPtrArray *units = rb_session_ecus (session);
  guint done = 0;
  for (guint i = 0; i < units->len; i++)
    done += ((const RbSessionEcu *) units->pdata[i])->state == RB_ECU_DONE ? 1 : 0;
  gboolean good = rb_session_succeeded (session, RB_TASK_RUN);
  if (good)
    return g_strdup_printf (
      ngettext ("%u of %u ECU verified: complete", "%u of %u ECUs verified: complete", units->len), done, units->len);
  return g_strdup_printf (ngettext ("%u of %u ECU verified: not complete. Do not release the vehicle.",
                                    "%u of %u ECUs verified: not complete. Do not release the vehicle.", units->len),
                          done, units->len);
}

static void
refresh (RbPage *page)
{
  RbSignPage *self = RB_SIGN_PAGE (page);
  RbSession *session = rb_page_session (page);
  const RbSessionInput *input = rb_session_input (session);
  const RbCampaign *campaign = rb_session_campaign (session);
  if (!rb_page_is_visible (page))
    return;
  rb_row_list_clear (self->summary);
  g_autofree char *result = result_sentence (session);
  g_autofree char *odometer
    = input->odometer_km < 0 ? g_strdup (_ ("not given")) : g_strdup_printf (_ ("%d km"), (int) input->odometer_km);
  g_autofree char *title = campaign == NULL
                             ? g_strdup (input->campaign)
                             /* Translators: number of the campaign, name of the OEM, title of the campaign */
                             : g_strdup_printf (_ ("%s, %s: %s"), campaign->id, campaign->oem, campaign->title);
  g_autofree char *signer = g_path_get_basename (input->identity);
  add (self, _ ("Vehicle"), input->vin);
  add (self, _ ("Campaign"), title);
  add (self, _ ("Result"), result);
  add (self, _ ("Safety inspection"),
       rb_session_succeeded (session, RB_TASK_INSPECT) ? _ ("passed before the first write") : _ ("not passed"));
  add (self, _ ("Repair order"), *input->repair_order == '\0' ? _ ("not given") : input->repair_order);
  add (self, _ ("Odometer"), odometer);
  add (self, _ ("Signed with"), signer);
}

static void
rb_sign_page_class_init (RbSignPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  RB_PAGE_CLASS (class)->refresh = refresh;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/sign-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbSignPage, summary);
}

static void
rb_sign_page_init (RbSignPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
