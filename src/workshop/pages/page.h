/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/row.h"
#include "session/session.h"

/* One screen of the flow. The window shows its heading, its trouble and its primary button; see flow.c. */
#define RB_TYPE_PAGE (rb_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (RbPage, rb_page, RB, PAGE, AdwBin)

struct _RbPageClass {
  AdwBinClass parent_class;
  void (*bound) (RbPage *self); /* the session is there */
  void (*enter) (RbPage *self); /* it becomes visible */
  void (*leave) (RbPage *self);
  void (*refresh) (RbPage *self); /* the session has changed */
  void (*unit_changed) (RbPage *self, guint index);
  /* Why the primary button cannot be pressed, for the person: a sentence, NULL: it can. (transfer full) */
  char *(*missing) (RbPage *self);
};

void rb_page_bind (RbPage *self, RbSession *session);
RbSession *rb_page_session (RbPage *self);
void rb_page_enter (RbPage *self);
void rb_page_leave (RbPage *self);
gboolean rb_page_is_visible (RbPage *self);
char *rb_page_missing (RbPage *self); /* as above */
gboolean rb_page_is_complete (RbPage *self); /* nothing is missing */
/* Emits "complete-changed". */
void rb_page_complete_changed (RbPage *self);
