/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/verify-page.h"

#include "core/advice.h"
#include "pages/ecu-text.h"
#include "pages/words.h"

#include <glib/gi18n-lib.h>

struct _RbVerifyPage {
  RbPage parent_instance;
  GtkWidget *verdict, *verdict_icon;
  GtkLabel *verdict_text, *verdict_reason;
  GtkListBox *units;
};

G_DEFINE_FINAL_TYPE (RbVerifyPage, rb_verify_page, RB_TYPE_PAGE)

static void
add_unit (RbVerifyPage *self, const RbSessionEcu *unit)
{
  g_autofree char *result = rb_ecu_text_result (unit);
  AdwActionRow *row = rb_row_new (unit->name, result);
  GtkWidget *icon = rb_row_icon ();
  rb_row_icon_set_word (icon, unit->state == RB_ECU_DONE ? RB_ROW_GOOD : RB_ROW_BAD, rb_words_state (unit->state));
  adw_action_row_add_prefix (row, icon);
  adw_action_row_add_suffix (row, gtk_label_new (rb_words_state (unit->state)));
  gtk_list_box_append (self->units, GTK_WIDGET (row));
}

static void
show_verdict (RbVerifyPage *self, RbSession *session)
{
  GPtrArray *units = rb_session_ecus (session);
  const GError *error = rb_session_error (session, RB_TASK_RUN);
  guint done = 0;
  for (guint i = 0; i < units->len; i++)
    done += ((const RbSessionEcu *) units->pdata[i])->state == RB_ECU_DONE ? 1 : 0;
  gboolean good = rb_session_succeeded (session, RB_TASK_RUN) && done == units->len;
  g_autofree char *count
    = g_strdup_printf (ngettext ("%u of %u ECU verified", "%u of %u ECUs verified", units->len), done, units->len);
  g_autofree char *reason
    = good || error == NULL ? g_strdup (count) : g_strdup_printf ("%s. %s", count, error->message);
  gtk_label_set_text (self->verdict_text, rb_session_verdict (session, good));
  gtk_label_set_text (self->verdict_reason, reason);
  gtk_widget_remove_css_class (self->verdict, good ? "bad" : "good");
  gtk_widget_add_css_class (self->verdict, good ? "good" : "bad");
  rb_row_icon_set (self->verdict_icon, good ? RB_ROW_GOOD : RB_ROW_BAD);
}

static void
refresh (RbPage *page)
{
  RbVerifyPage *self = RB_VERIFY_PAGE (page);
  RbSession *session = rb_page_session (page);
  GPtrArray *units = rb_session_ecus (session);
  if (!rb_page_is_visible (page))
    return;
  rb_row_list_clear (self->units);
  for (guint i = 0; i < units->len; i++)
    add_unit (self, units->pdata[i]);
  show_verdict (self, session);
}

static void
rb_verify_page_class_init (RbVerifyPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  RB_PAGE_CLASS (class)->refresh = refresh;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/verify-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbVerifyPage, verdict);
  gtk_widget_class_bind_template_child (widget_class, RbVerifyPage, verdict_icon);
  gtk_widget_class_bind_template_child (widget_class, RbVerifyPage, verdict_text);
  gtk_widget_class_bind_template_child (widget_class, RbVerifyPage, verdict_reason);
  gtk_widget_class_bind_template_child (widget_class, RbVerifyPage, units);
}

static void
rb_verify_page_init (RbVerifyPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
