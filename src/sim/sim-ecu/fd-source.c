/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/fd-source.h"

struct _RbFdSource {
  GSource source;
  gpointer tag;
  GIOCondition condition;
  RbFdSourceReady ready;
  gpointer data;
};

static gboolean
check (GSource *source)
{
  RbFdSource *self = (RbFdSource *) source;
  return g_source_query_unix_fd (source, self->tag) != 0;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  RbFdSource *self = (RbFdSource *) source;
  self->ready (self->data, g_source_query_unix_fd (source, self->tag));
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = { .check = check, .dispatch = dispatch };

RbFdSource *
rb_fd_source_new (int fd, GIOCondition condition, RbFdSourceReady ready, gpointer data)
{
  GSource *source = g_source_new (&functions, sizeof (RbFdSource));
  RbFdSource *self = (RbFdSource *) source;
  self->tag = g_source_add_unix_fd (source, fd, condition);
  self->condition = condition;
  self->ready = ready;
  self->data = data;
  /* it never does, but else GLib takes the descriptor out of the loop and wakes the loop up, twice a call */
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, NULL);
  return self;
}

void
rb_fd_source_set (RbFdSource *self, GIOCondition condition)
{
  if (condition == self->condition)
    return;
  self->condition = condition;
  g_source_modify_unix_fd (&self->source, self->tag, condition);
}

void
rb_fd_source_free (RbFdSource *self)
{
  g_source_destroy (&self->source);
  g_source_unref (&self->source);
}
