/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/error-view.h"

#include "core/advice.h"
#include "pages/row.h"

struct _RbErrorView {
  AdwBin parent_instance;
  GtkRevealer *revealer;
  GtkLabel *what, *means, *next, *word;
};

G_DEFINE_FINAL_TYPE (RbErrorView, rb_error_view, ADW_TYPE_BIN)

void
rb_error_view_show (RbErrorView *self, const GError *error)
{
  gtk_widget_set_visible (GTK_WIDGET (self), error != NULL);
  gtk_revealer_set_reveal_child (self->revealer, error != NULL);
  if (error == NULL)
    return;
  RbReason reason = rb_reason_of (error);
  gtk_label_set_text (self->what, error->message);
  gtk_label_set_text (self->means, rb_advice_means (reason));
  gtk_label_set_text (self->next, rb_advice_next (reason));
  gtk_label_set_text (self->word, rb_reason_word (reason));
}

static void
rb_error_view_class_init (RbErrorViewClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/error-view.ui");
  gtk_widget_class_bind_template_child (widget_class, RbErrorView, revealer);
  gtk_widget_class_bind_template_child (widget_class, RbErrorView, what);
  gtk_widget_class_bind_template_child (widget_class, RbErrorView, means);
  gtk_widget_class_bind_template_child (widget_class, RbErrorView, next);
  gtk_widget_class_bind_template_child (widget_class, RbErrorView, word);
}

static void
rb_error_view_init (RbErrorView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
