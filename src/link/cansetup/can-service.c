/* SPDX-License-Identifier: Apache-2.0 */
#include "cansetup/can-service.h"

#include "link/channel.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

enum { IDLE_S = 60, POLKIT_MS = 120 * 1000, POLKIT_ASK = 1 };

typedef struct {
  GMainLoop *loop;
  GDBusConnection *bus;
  guint idle; /* source that ends the service */
  guint pending; /* calls that polkit is still asked about */
  int result;
} Service;

typedef struct {
  Service *service;
  GDBusMethodInvocation *invocation;
  char *interface, *preset; /* preset NULL: restart */
} Call;

static const char introspection[]
  = "<node><interface name='" RB_CAN_SETUP_NAME "'>"
    "<method name='SetUp'><arg type='s' name='interface' direction='in'/><arg type='s' name='preset' direction='in'/></method>"
    "<method name='Restart'><arg type='s' name='interface' direction='in'/></method>"
    "</interface></node>";

static gboolean
on_idle (gpointer data)
{
  Service *self = data;
  self->idle = 0;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
wait_idle (Service *self)
{
  g_clear_handle_id (&self->idle, g_source_remove);
  if (self->pending == 0)
    self->idle = g_timeout_add_seconds (IDLE_S, on_idle, self);
}

static void
return_error (GDBusMethodInvocation *invocation, const GError *failure)
{
  g_autofree char *word = g_strdelimit (g_strdup (rb_reason_word (rb_reason_of (failure))), "-", '_');
  g_autofree char *name = g_strconcat (RB_CAN_SETUP_ERROR, word, NULL);
  g_dbus_method_invocation_return_dbus_error (invocation, name, failure->message);
}

/* Ends the call and frees it. */
static void
finish (Call *call, const GError *failure)
{
  Service *self = call->service;
  const char *sender = g_dbus_method_invocation_get_sender (call->invocation);
  g_message ("%s: %s %s: %s", sender, call->interface, call->preset == NULL ? "restart" : call->preset,
             failure == NULL ? "done" : failure->message);
  if (failure != NULL)
    return_error (call->invocation, failure);
  else
    g_dbus_method_invocation_return_value (call->invocation, NULL);
  g_free (call->interface);
  g_free (call->preset);
  g_free (call);
  self->pending--;
  wait_idle (self);
}

static void
on_decided (GObject *bus, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  g_autoptr (GError) failure = NULL;
  gboolean allowed = FALSE;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (bus), result, &failure);
  if (answer != NULL)
    g_variant_get (answer, "((bba{ss}))", &allowed, NULL, NULL);
  else
    g_prefix_error (&failure, "polkit does not answer: ");
  if (!allowed) {
    g_autofree char *why
      = failure == NULL ? g_strdup ("this user may not set up CAN interfaces") : g_strdup (failure->message);
    g_clear_error (&failure);
    rb_reason_deny (&failure, RB_LINK_ERROR, RB_REASON_NOT_PERMITTED, "%s", why);
  } else if (rb_can_setup_apply (call->interface, call->preset, &failure)) {
    g_clear_error (&failure);
  }
  finish (call, failure);
}

static void
ask_polkit (Call *call)
{
  GVariantBuilder subject, details;
  gboolean interactive = (g_dbus_message_get_flags (g_dbus_method_invocation_get_message (call->invocation))
                          & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION)
                         != 0;
  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "name",
                         g_variant_new_string (g_dbus_method_invocation_get_sender (call->invocation)));
  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  g_variant_builder_add (&details, "{ss}", "interface", call->interface);
  if (call->preset != NULL)
    g_variant_builder_add (&details, "{ss}", "preset", call->preset);
  GVariant *question = g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject, RB_CAN_SETUP_ACTION, &details,
                                      interactive ? POLKIT_ASK : 0, "");
  g_dbus_connection_call (call->service->bus, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                          "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization", question,
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, POLKIT_MS, NULL, on_decided, call);
}

static void
on_call (GDBusConnection *bus, const char *sender, const char *path, const char *interface_name, const char *method,
         GVariant *arguments, GDBusMethodInvocation *invocation, gpointer data)
{
  g_autoptr (GError) failure = NULL;
  Call *call = g_new0 (Call, 1);
  call->service = data;
  call->invocation = invocation;
  call->service->pending++;
  g_clear_handle_id (&call->service->idle, g_source_remove);
  if (strcmp (method, "Restart") == 0)
    g_variant_get (arguments, "(s)", &call->interface);
  else
    g_variant_get (arguments, "(ss)", &call->interface, &call->preset);
  if (rb_can_setup_check (call->interface, call->preset, &failure))
    ask_polkit (call);
  else
    finish (call, failure);
}

static const GDBusInterfaceVTable methods = { .method_call = on_call };

static void
on_bus (GDBusConnection *bus, const char *name, gpointer data)
{
  Service *self = data;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  self->bus = bus;
  if (g_dbus_connection_register_object (bus, RB_CAN_SETUP_PATH, node->interfaces[0], &methods, self, NULL, NULL) == 0)
    g_main_loop_quit (self->loop);
}

static void
on_name (GDBusConnection *bus, const char *name, gpointer data)
{
  Service *self = data;
  self->result = 0;
  wait_idle (self);
}

static void
on_name_lost (GDBusConnection *bus, const char *name, gpointer data)
{
  Service *self = data;
  self->result = 1;
  g_printerr ("recall-can-setup: %s\n", bus == NULL ? "there is no system bus" : RB_CAN_SETUP_NAME " is not available");
  g_main_loop_quit (self->loop);
}

static gboolean
on_terminate (gpointer data)
{
  g_main_loop_quit (((Service *) data)->loop);
  return G_SOURCE_CONTINUE;
}

int
rb_can_service_run (void)
{
  Service self = { .loop = g_main_loop_new (NULL, FALSE), .result = 1 };
  guint owner = g_bus_own_name (G_BUS_TYPE_SYSTEM, RB_CAN_SETUP_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, on_bus,
                                on_name, on_name_lost, &self, NULL);
  guint terminate = g_unix_signal_add (SIGTERM, on_terminate, &self);
  g_main_loop_run (self.loop);
  g_source_remove (terminate);
  g_bus_unown_name (owner);
  g_clear_handle_id (&self.idle, g_source_remove);
  g_main_loop_unref (self.loop);
  return self.result;
}
