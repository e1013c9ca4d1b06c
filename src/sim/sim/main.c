/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli.h"
#include "core/json.h"
#include "core/signals.h"
#include "sim-can/bus-hub.h"
#include "sim-can/can-interface.h"
#include "sim-doip/doip-entity.h"
#include "sim-ecu/fuses.h"
#include "sim/show.h"

typedef struct {
  char *model, *state, *vin, *doip, *doips, *bus, *can, *timing, *log;
  char **faults;
  gint64 seed, load;
  gboolean help_faults;
} Settings;

static void
settings_clear (Settings *self)
{
  g_free (self->model);
  g_free (self->state);
  g_free (self->vin);
  g_free (self->doip);
  g_free (self->doips);
  g_free (self->bus);
  g_free (self->can);
  g_free (self->timing);
  g_free (self->log);
  g_strfreev (self->faults);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

/* In the thread of signals. A loop that is quit before it runs would run on: the loop itself quits. */
static void
on_terminate (gpointer loop)
{
  g_idle_add_full (G_PRIORITY_HIGH, quit, g_main_loop_ref (loop), (GDestroyNotify) g_main_loop_unref);
}

static gboolean
spoil_banks (RbSimVehicle *vehicle, GError **error)
{
  for (guint i = 0; i < vehicle->ecus->len; i++) {
    RbEcu *ecu = vehicle->ecus->pdata[i];
    if (rb_host_fault (vehicle, "bad-banks", ecu, 0) != NULL
        && !rb_memory_erase (ecu->memory, ecu->memory->flash_base, ecu->memory->flash_size, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
apply (RbSimVehicle *vehicle, const Settings *settings, GError **error)
{
  for (guint i = 0; settings->faults != NULL && settings->faults[i] != NULL; i++) {
    RbFault *fault = rb_fault_parse (settings->faults[i], error);
    if (fault == NULL)
      return FALSE;
    g_ptr_array_add (vehicle->faults, fault);
    if (strcmp (fault->kind, "power-cut") == 0)
      rb_memory_cut_power_at (fault->when);
  }
  if (!spoil_banks (vehicle, error))
    return FALSE;
  vehicle->log_path = g_strdup (settings->log);
  vehicle->real_timing = g_strcmp0 (settings->timing, "fast") != 0;
  return TRUE;
}

/* Connections to the vehicle. A bus has its own time and its own interfaces to the same ECUs. */
typedef struct {
  RbDoipEntity *entity;
  RbCanHost *bus, *can;
  RbBusHub *hub;
  RbCanInterface *interface;
} Ways;

static void
ways_clear (Ways *self)
{
  g_clear_pointer (&self->entity, rb_doip_entity_free);
  g_clear_pointer (&self->hub, rb_bus_hub_free);
  g_clear_pointer (&self->interface, rb_can_interface_free);
  g_clear_pointer (&self->bus, rb_can_host_free);
  g_clear_pointer (&self->can, rb_can_host_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ways, ways_clear)

static gboolean
open_bus (Ways *self, RbSimVehicle *vehicle, const Settings *settings, GError **error)
{
  const RbCanNetworkConfig config
    = { .paced = vehicle->real_timing, .load = (guint) settings->load, .seed = (guint32) settings->seed };
  self->bus = rb_can_host_new (rb_can_network_new (vehicle, &config), error);
  if (self->bus == NULL)
    return FALSE;
  self->hub
    = rb_bus_hub_new (self->bus, rb_can_network_connector (rb_can_host_network (self->bus)), settings->bus, error);
  return self->hub != NULL;
}

/* An interface keeps the time of its own bus. */
static gboolean
open_interface (Ways *self, RbSimVehicle *vehicle, const Settings *settings, GError **error)
{
  self->can = rb_can_host_new (rb_can_network_new (vehicle, &(RbCanNetworkConfig){ .paced = FALSE }), error);
  if (self->can == NULL)
    return FALSE;
  self->interface = rb_can_interface_new (self->can, rb_can_network_connector (rb_can_host_network (self->can)),
                                          settings->can, error);
  return self->interface != NULL;
}

static gboolean
open_ways (Ways *self, RbSimVehicle *vehicle, const Settings *settings, GError **error)
{
  if (settings->doip != NULL || settings->doips != NULL) {
    self->entity = rb_doip_entity_new (vehicle, settings->doip, settings->doips, error);
    if (self->entity == NULL)
      return FALSE;
  }
  if (settings->bus != NULL && !open_bus (self, vehicle, settings, error))
    return FALSE;
  return settings->can == NULL || open_interface (self, vehicle, settings, error);
}

static void
say_ready (RbCli *cli, const Ways *ways, const Settings *settings)
{
  g_autoptr (json_t) ready = json_pack ("{s:b}", "ready", TRUE);
  if (settings->doip != NULL)
    rb_json_set_string (ready, "doip", rb_doip_entity_address (ways->entity));
  if (settings->doips != NULL)
    rb_json_set_string (ready, "doips", rb_doip_entity_secured (ways->entity));
  if (ways->hub != NULL)
    rb_json_set_string (ready, "bus", settings->bus);
  if (ways->interface != NULL)
    rb_json_set_string (ready, "can", settings->can);
  g_autofree char *line = rb_json_to_text (ready);
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  rb_cli_put (cli, text);
}

static int
serve (RbCli *cli, const Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbSimVehicle) vehicle = rb_sim_vehicle_open (settings->model, settings->state, settings->vin, &error);
  g_auto (Ways) ways = { NULL };
  if (vehicle == NULL || !apply (vehicle, settings, &error) || !open_ways (&ways, vehicle, settings, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  rb_signals_set (on_terminate, loop);
  say_ready (cli, &ways, settings);
  if (cli->output_errno == 0)
    g_main_loop_run (loop);
  rb_signals_set (NULL, NULL);
  return RB_CLI_OK;
}

static gboolean
has_way (const Settings *settings)
{
  return settings->doip != NULL || settings->doips != NULL || settings->bus != NULL || settings->can != NULL;
}

static int
run (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { 0 };
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  if (settings.help_faults) {
    rb_cli_put (cli, rb_fault_help ());
    return RB_CLI_OK;
  }
  if (settings.model == NULL || settings.state == NULL || !has_way (&settings))
    return rb_cli_end (
      cli, RB_CLI_USAGE, "usage",
      "recall-sim needs --model FILE, --state DIR and a way in: --doip HOST:PORT, --doips HOST:PORT, --bus PATH or --can IFACE",
      NULL);
  return serve (cli, &settings);
}

static const RbOption options[] = {
  { "model", "FILE", "vehicle model", RB_OPTION_FILE (Settings, model) },
  { "state", "DIR", "folder of the vehicle's memory", RB_OPTION_FOLDER (Settings, state) },
  { "vin", "VIN", "another VIN than the seed's", RB_OPTION_TEXT (Settings, vin) },
  { "doip", "HOST:PORT", "serve DoIP; port 0 picks one", RB_OPTION_TEXT (Settings, doip) },
  { "doips", "HOST:PORT", "serve DoIP over TLS; --doip then asks for it", RB_OPTION_TEXT (Settings, doips) },
  { "bus", "PATH", "be a virtual CAN bus there", RB_OPTION_FILE (Settings, bus) },
  { "can", "IFACE", "be on that CAN interface", RB_OPTION_TEXT (Settings, can) },
  { "load", "PERCENT", "other traffic on each bus, in percent of its time (0)",
    RB_OPTION_NUMBER (Settings, load, 0, 90) },
  { "timing", "real|fast", "the model's times, or none", RB_OPTION_WORD (Settings, timing) },
  { "fault", "ECU:KIND[=ARG][@WHEN]", "inject a fault; may be repeated", RB_OPTION_TEXTS (Settings, faults) },
  { "log", "FILE", "append events there", RB_OPTION_FILE (Settings, log) },
  { "seed", "N", "seed of everything random", RB_OPTION_NUMBER (Settings, seed, 0, G_MAXINT64) },
  { "help-faults", NULL, "list the kinds of faults", RB_OPTION_FLAG (Settings, help_faults) },
  { NULL },
};

static const RbCliVerb verbs[] = {
  { "", "--model FILE --state DIR [--doip HOST:PORT] [--doips HOST:PORT] [--bus PATH] [--can IFACE]",
    "be a vehicle until SIGTERM", run, options },
  { NULL },
};

static const RbCliVerb *const groups[] = { verbs, rb_show_verbs, rb_fuses_verbs, NULL };

int
main (int argc, char **argv)
{
  static const RbCliProgram program = { "recall-sim", "A simulated vehicle.", groups };
  return rb_cli_main (&program, argc, argv);
}
