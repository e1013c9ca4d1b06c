/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/application.h"

#include "core/signals.h"
#include "workstation/window.h"

void rb_workstation_register_resource (void);

struct _RbApplication {
  AdwApplication parent_instance;
  RbSessionInput input;
  RbSession *session; /* of the first activation */
};

G_DEFINE_FINAL_TYPE (RbApplication, rb_application, ADW_TYPE_APPLICATION)

void
rb_application_register_resources (void)
{
  rb_workstation_register_resource ();
}

static gboolean
terminate (gpointer data)
{
  GList *windows = gtk_application_get_windows (data);
  for (GList *l = windows; l != NULL; l = l->next)
    if (RB_IS_WINDOW (l->data)) {
      rb_window_terminate (l->data);
      break;
    }
  return G_SOURCE_REMOVE;
}

/* In the thread of the signals. */
static void
on_signal (gpointer application)
{
  g_idle_add (terminate, application);
}

/* The keys that ui/gtk/help-overlay.ui shows. */
static const struct {
  const char *action;
  const char *keys[3];
} shortcuts[] = { { "win.again", { "F5", NULL } },
                  { "win.back", { "<Alt>Left", NULL } },
                  { "win.show-help-overlay", { "F1", "<Control>question", NULL } },
                  { "window.close", { "<Control>w", NULL } } };

static void
startup (GApplication *application)
{
  G_APPLICATION_CLASS (rb_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (RB_APPLICATION_ID);
  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), shortcuts[i].action, shortcuts[i].keys);
  rb_signals_set (on_signal, application);
}

static void
activate (GApplication *application)
{
  RbApplication *self = RB_APPLICATION (application);
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  if (window == NULL) {
    g_clear_object (&self->session);
    self->session = rb_session_new (&self->input);
    window = GTK_WINDOW (rb_window_new (GTK_APPLICATION (application), self->session));
  }
  gtk_window_present (window);
}

static void
finalize (GObject *object)
{
  RbApplication *self = RB_APPLICATION (object);
  g_clear_object (&self->session);
  rb_session_input_clear (&self->input);
  G_OBJECT_CLASS (rb_application_parent_class)->finalize (object);
}

static void
rb_application_class_init (RbApplicationClass *class)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  application_class->startup = startup;
  application_class->activate = activate;
}

static void
rb_application_init (RbApplication *self)
{
  rb_application_register_resources ();
  self->input.odometer_km = -1;
}

RbApplication *
rb_application_new (void)
{
  return g_object_new (RB_TYPE_APPLICATION, "application-id", RB_APPLICATION_ID, "flags", G_APPLICATION_NON_UNIQUE,
                       "resource-base-path", "/org/recallbay/Recallbay", NULL);
}

void
rb_application_take_input (RbApplication *self, RbSessionInput *input)
{
  rb_session_input_clear (&self->input);
  self->input = *input;
  *input = (RbSessionInput){ .odometer_km = -1 };
}

gboolean
rb_application_is_unsigned (RbApplication *self)
{
  return self->session != NULL && rb_session_is_unsigned (self->session);
}
