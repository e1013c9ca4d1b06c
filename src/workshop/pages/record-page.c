/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/record-page.h"

#include "pages/words.h"

struct _RbRecordPage {
  RbPage parent_instance;
  GtkLabel *result, *verdict, *digest;
  GtkWidget *icon;
};

G_DEFINE_FINAL_TYPE (RbRecordPage, rb_record_page, RB_TYPE_PAGE)

static void
refresh (RbPage *page)
{
  RbRecordPage *self = RB_RECORD_PAGE (page);
  RbSession *session = rb_page_session (page);
  const char *result = rb_session_result (session);
  const char *digest = rb_session_digest (session);
  gboolean completed = g_strcmp0 (result, "completed") == 0;
  gtk_label_set_text (self->result, rb_words_result (result));
  gtk_label_set_text (self->verdict, rb_session_verdict (session, completed));
  gtk_label_set_text (self->digest, digest == NULL ? "" : digest);
  rb_row_icon_set (self->icon, completed ? RB_ROW_GOOD : RB_ROW_WARNING);
}

static void
rb_record_page_class_init (RbRecordPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  RB_PAGE_CLASS (class)->refresh = refresh;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/record-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbRecordPage, result);
  gtk_widget_class_bind_template_child (widget_class, RbRecordPage, verdict);
  gtk_widget_class_bind_template_child (widget_class, RbRecordPage, digest);
  gtk_widget_class_bind_template_child (widget_class, RbRecordPage, icon);
}

static void
rb_record_page_init (RbRecordPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
