/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/application.h"

#include "core/files.h"
#include "core/json.h"
#include "workstation/window.h"

#include <glib-unix.h>
#include <stdio.h>

#define MAX_ANSWERS (1024 * 1024)
#define MAX_PASSPHRASE 4096

void rb_workstation_register_resource (void);

struct _RbApplication {
  AdwApplication parent_instance;
  RbSessionInput input;
};

G_DEFINE_FINAL_TYPE (RbApplication, rb_application, ADW_TYPE_APPLICATION)

static const GOptionEntry options[] = {
  { "data-dir", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Where everything is kept", "DIR" },
  { "link", 0, 0, G_OPTION_ARG_STRING, NULL, "Connection to the vehicle", "URI" },
  { "answers", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Fills in VIN, repair order and odometer", "FILE" },
  { "identity", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Technician's key and certificate", "FILE" },
  { "workstation", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Workstation's keys and certificates", "FILE" },
  { "second", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Second person's key and certificate", "FILE" },
  { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Passphrase, first line of a file", "FILE" },
  { "version", 0, 0, G_OPTION_ARG_NONE, NULL, "Show the version and end", NULL },
  { NULL },
};

void
rb_application_register_resources (void)
{
  rb_workstation_register_resource ();
}

static char *
option_path (GVariantDict *dict, const char *name)
{
  char *path = NULL;
  if (!g_variant_dict_lookup (dict, name, "^ay", &path))
    return g_strdup ("");
  return path;
}

static gboolean
read_answers (RbSessionInput *input, const char *path, GError **error)
{
  if (*path == '\0')
    return TRUE;
  g_autoptr (json_t) answers = rb_json_load (path, MAX_ANSWERS, error);
  if (answers == NULL)
    return FALSE;
  g_free (input->vin);
  g_free (input->repair_order);
  input->vin = g_strdup (rb_json_string_or (answers, "vin", ""));
  input->repair_order = g_strdup (rb_json_string_or (answers, "repair_order", ""));
  input->odometer_km = rb_json_integer_or (answers, "odometer_km", -1);
  return TRUE;
}

static gboolean
read_passphrase (RbSessionInput *input, const char *path, GError **error)
{
  if (*path == '\0')
    return TRUE;
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_PASSPHRASE, error);
  if (bytes == NULL)
    return FALSE;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", 2);
  g_free (input->passphrase);
  input->passphrase = g_strdup (lines[0] == NULL ? "" : lines[0]);
  g_free (input->second_passphrase);
  input->second_passphrase = g_strdup (input->passphrase);
  return TRUE;
}

static gboolean
read_options (RbApplication *self, GVariantDict *dict, GError **error)
{
  RbSessionInput *input = &self->input;
  input->data_dir = option_path (dict, "data-dir");
  if (*input->data_dir == '\0') {
    g_free (input->data_dir);
    input->data_dir = g_build_filename (g_get_user_data_dir (), "recallbay", NULL);
  }
  if (!g_variant_dict_lookup (dict, "link", "s", &input->link))
    input->link = g_strdup ("");
  input->identity = option_path (dict, "identity");
  input->workstation = option_path (dict, "workstation");
  input->second = option_path (dict, "second");
  g_autofree char *answers = option_path (dict, "answers");
  g_autofree char *passphrase = option_path (dict, "passphrase-file");
  return read_answers (input, answers, error) && read_passphrase (input, passphrase, error);
}

static int
handle_local_options (GApplication *application, GVariantDict *dict)
{
  g_autoptr (GError) error = NULL;
  if (g_variant_dict_contains (dict, "version")) {
    printf ("recallbay %s\n", RB_VERSION);
    return 0;
  }
  if (!read_options (RB_APPLICATION (application), dict, &error)) {
    fprintf (stderr, "recallbay: %s\n", error->message);
    return 2;
  }
  return -1;
}

static gboolean
on_terminate (gpointer data)
{
  GList *windows = gtk_application_get_windows (data);
  for (GList *l = windows; l != NULL; l = l->next)
    if (RB_IS_WINDOW (l->data)) {
      rb_window_terminate (l->data);
      break;
    }
  return G_SOURCE_CONTINUE;
}

/* What ui/gtk/help-overlay.ui shows. */
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
  g_unix_signal_add (SIGTERM, on_terminate, application);
  g_unix_signal_add (SIGINT, on_terminate, application);
}

static void
activate (GApplication *application)
{
  RbApplication *self = RB_APPLICATION (application);
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  if (window == NULL) {
    g_autoptr (RbSession) session = rb_session_new (&self->input);
    window = GTK_WINDOW (rb_window_new (GTK_APPLICATION (application), session));
  }
  gtk_window_present (window);
}

static void
finalize (GObject *object)
{
  rb_session_input_clear (&RB_APPLICATION (object)->input);
  G_OBJECT_CLASS (rb_application_parent_class)->finalize (object);
}

static void
rb_application_class_init (RbApplicationClass *class)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  application_class->handle_local_options = handle_local_options;
  application_class->startup = startup;
  application_class->activate = activate;
}

static void
rb_application_init (RbApplication *self)
{
  rb_application_register_resources ();
  self->input.odometer_km = -1;
  g_application_add_main_option_entries (G_APPLICATION (self), options);
  g_application_set_option_context_summary (G_APPLICATION (self), "Leads a technician through the recovery of one vehicle.");
}

RbApplication *
rb_application_new (void)
{
  return g_object_new (RB_TYPE_APPLICATION, "application-id", RB_APPLICATION_ID, "flags", G_APPLICATION_NON_UNIQUE,
                       "resource-base-path", "/org/recallbay/Recallbay", NULL);
}
