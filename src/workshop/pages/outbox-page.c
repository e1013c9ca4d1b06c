/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/outbox-page.h"

#include "core/moment.h"
#include "pages/words.h"

#include <glib/gi18n-lib.h>

struct _RbOutboxPage {
  RbPage parent_instance;
  GtkStack *stack;
  GtkListBox *records;
};

G_DEFINE_FINAL_TYPE (RbOutboxPage, rb_outbox_page, RB_TYPE_PAGE)

static void
add_record (RbOutboxPage *self, const RbSessionRecord *record)
{
  g_autofree char *finished = rb_moment_to_text (record->finished);
  g_autofree char *title = g_strdup_printf ("%s · %s", record->vin, record->campaign);
  g_autofree char *subtitle = /* Translators: result, time, and the start of the digest of a record */
    g_strdup_printf (_ ("%s · %s\nRecord %.16s…"), rb_words_result (record->result), finished, record->digest);
  AdwActionRow *row = rb_row_new (title, subtitle);
  GtkWidget *icon = rb_row_icon ();
  const char *state = record->acknowledged ? C_ ("record", "acknowledged") : C_ ("record", "waiting");
  rb_row_icon_set_word (icon, record->acknowledged ? RB_ROW_GOOD : RB_ROW_WAITING, state);
  adw_action_row_add_prefix (row, icon);
  adw_action_row_add_suffix (row, gtk_label_new (state));
  gtk_list_box_append (self->records, GTK_WIDGET (row));
}

static void
refresh (RbPage *page)
{
  RbOutboxPage *self = RB_OUTBOX_PAGE (page);
  GPtrArray *records = rb_session_records (rb_page_session (page));
  if (!rb_page_is_visible (page))
    return;
  rb_row_list_clear (self->records);
  for (guint i = 0; i < records->len; i++)
    add_record (self, records->pdata[i]);
  gtk_stack_set_visible_child_name (self->stack, records->len == 0 ? "empty" : "records");
}

static void
rb_outbox_page_class_init (RbOutboxPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  RB_PAGE_CLASS (class)->refresh = refresh;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/outbox-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RbOutboxPage, stack);
  gtk_widget_class_bind_template_child (widget_class, RbOutboxPage, records);
}

static void
rb_outbox_page_init (RbOutboxPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
