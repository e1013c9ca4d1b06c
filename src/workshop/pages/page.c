/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/page.h"

typedef struct {
  RbSession *session;
  gboolean visible;
} RbPagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (RbPage, rb_page, ADW_TYPE_BIN)

static guint complete_changed;

static RbPagePrivate *
private_of (RbPage *self)
{
  return rb_page_get_instance_private (self);
}

static void
on_changed (RbPage *self)
{
  if (RB_PAGE_GET_CLASS (self)->refresh != NULL)
    RB_PAGE_GET_CLASS (self)->refresh (self);
}

static void
on_unit_changed (RbPage *self, guint index)
{
  if (RB_PAGE_GET_CLASS (self)->unit_changed != NULL)
    RB_PAGE_GET_CLASS (self)->unit_changed (self, index);
}

void
rb_page_bind (RbPage *self, RbSession *session)
{
  RbPagePrivate *private = private_of (self);
  private->session = g_object_ref (session);
  g_signal_connect_object (session, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "ecus-changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "ecu-changed", G_CALLBACK (on_unit_changed), self, G_CONNECT_SWAPPED);
  if (RB_PAGE_GET_CLASS (self)->bound != NULL)
    RB_PAGE_GET_CLASS (self)->bound (self);
}

RbSession *
rb_page_session (RbPage *self)
{
  return private_of (self)->session;
}

void
rb_page_enter (RbPage *self)
{
  private_of (self)->visible = TRUE;
  if (RB_PAGE_GET_CLASS (self)->enter != NULL)
    RB_PAGE_GET_CLASS (self)->enter (self);
  on_changed (self);
}

void
rb_page_leave (RbPage *self)
{
  private_of (self)->visible = FALSE;
  if (RB_PAGE_GET_CLASS (self)->leave != NULL)
    RB_PAGE_GET_CLASS (self)->leave (self);
}

gboolean
rb_page_is_visible (RbPage *self)
{
  return private_of (self)->visible;
}

char *
rb_page_missing (RbPage *self)
{
  return RB_PAGE_GET_CLASS (self)->missing == NULL ? NULL : RB_PAGE_GET_CLASS (self)->missing (self);
}

gboolean
rb_page_is_complete (RbPage *self)
{
  g_autofree char *missing = rb_page_missing (self);
  return missing == NULL;
}

void
rb_page_complete_changed (RbPage *self)
{
  g_signal_emit (self, complete_changed, 0);
}

static void
dispose (GObject *object)
{
  g_clear_object (&private_of (RB_PAGE (object))->session);
  G_OBJECT_CLASS (rb_page_parent_class)->dispose (object);
}

static void
rb_page_class_init (RbPageClass *class)
{
  G_OBJECT_CLASS (class)->dispose = dispose;
  complete_changed
    = g_signal_new ("complete-changed", RB_TYPE_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
rb_page_init (RbPage *self)
{
}
