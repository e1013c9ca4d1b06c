/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-can/can-network.h"

#include "core/json.h"

#include <string.h>

#define NEVER G_MAXINT64
#define STEPS_AT_ONCE 512
#define DEFAULT_BITRATE 500000
#define DEFAULT_DATA_BITRATE 2000000
#define GATEWAY_US 100
#define LOAD_FIRST_ID 0x100
#define LOAD_LAST_ID 0x4ff
/* ISO 15765-2: functional addressing, from the client; normal fixed and mixed addressing */
#define FUNCTIONAL_FIXED (RB_CAN_EXTENDED | 0x18db33f1u)
#define FUNCTIONAL_MIXED (RB_CAN_EXTENDED | 0x18cd33f1u)
#define PHYSICAL_MIXED (RB_CAN_EXTENDED | 0x18ce0000u)
#define WITHOUT_ADDRESSES (~(guint32) 0xffff)

/* One bus and what the gateway does for it. */
typedef struct {
  RbCanNetwork *network;
  const char *name; /* of the model; NULL: of none */
  RbCanBus *wire;
  guint inside, outside; /* the gateway's places on this bus and, for it, on the connector's */
  GHashTable *requests, *answers; /* identifiers that go in and out */
  guint load_place;
  gint64 load_at; /* next frame of other traffic */
} Bus;

struct _RbCanNetwork {
  RbCanNetworkConfig config;
  GPtrArray *buses; /* of Bus, the connector's first */
  GPtrArray *ecus; /* of RbCanEcu */
  gint64 gateway_ns;
  GRand *random;
};

static void
bus_free (gpointer data)
{
  Bus *self = data;
  rb_can_bus_free (self->wire);
  g_hash_table_unref (self->requests);
  g_hash_table_unref (self->answers);
  g_free (self);
}

static Bus *
add_bus (RbCanNetwork *self, const char *name, const RbCanBusConfig *config)
{
  Bus *bus = g_new0 (Bus, 1);
  bus->network = self;
  bus->name = name;
  bus->wire = rb_can_bus_new (config);
  bus->requests = g_hash_table_new (NULL, NULL);
  bus->answers = g_hash_table_new (NULL, NULL);
  bus->load_at = NEVER;
  g_ptr_array_add (self->buses, bus);
  return bus;
}

static Bus *
connector (const RbCanNetwork *self)
{
  return self->buses->pdata[0];
}

static RbCanNetwork *
network_new (const RbCanNetworkConfig *config)
{
  RbCanNetwork *self = g_new0 (RbCanNetwork, 1);
  self->config = *config;
  self->buses = g_ptr_array_new_with_free_func (bus_free);
  self->ecus = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_can_ecu_free);
  self->random = g_rand_new_with_seed (config->seed);
  return self;
}

RbCanNetwork *
rb_can_network_new_bare (const RbCanBusConfig *config)
{
  RbCanNetwork *self = network_new (&(RbCanNetworkConfig){ .paced = config->paced });
  (void) add_bus (self, NULL, config);
  return self;
}

void
rb_can_network_free (RbCanNetwork *self)
{
  g_ptr_array_unref (self->ecus);
  g_ptr_array_unref (self->buses);
  g_rand_free (self->random);
  g_free (self);
}

RbCanBus *
rb_can_network_connector (RbCanNetwork *self)
{
  return connector (self)->wire;
}

static Bus *
find_bus (RbCanNetwork *self, const char *name)
{
  for (guint i = 0; i < self->buses->len; i++) {
    Bus *bus = self->buses->pdata[i];
    if (g_strcmp0 (bus->name, name) == 0)
      return bus;
  }
  return NULL;
}

RbCanBus *
rb_can_network_wire (RbCanNetwork *self, const char *name)
{
  Bus *bus = find_bus (self, name);
  return bus == NULL ? NULL : bus->wire;
}

/* The gateway */

static void
pass_in (gpointer node, const RbCanFrame *frame, gint64 at)
{
  Bus *bus = node;
  if (!frame->own && g_hash_table_contains (bus->requests, GUINT_TO_POINTER (frame->id))
      && !rb_can_bus_send (bus->wire, bus->inside, frame, at + bus->network->gateway_ns))
    g_debug ("the gateway lost a frame inwards");
}

static void
pass_out (gpointer node, const RbCanFrame *frame, gint64 at)
{
  Bus *bus = node;
  if (!frame->own && g_hash_table_contains (bus->answers, GUINT_TO_POINTER (frame->id))
      && !rb_can_bus_send (connector (bus->network)->wire, bus->outside, frame, at + bus->network->gateway_ns))
    g_debug ("the gateway lost a frame outwards");
}

/* Other traffic */

static gboolean
is_taken (const RbCanNetwork *self, guint32 id)
{
  for (guint i = 0; i < self->buses->len; i++) {
    const Bus *bus = self->buses->pdata[i];
    if (g_hash_table_contains (bus->requests, GUINT_TO_POINTER (id))
        || g_hash_table_contains (bus->answers, GUINT_TO_POINTER (id)))
      return TRUE;
  }
  return FALSE;
}

static void
hear_nothing (gpointer node, const RbCanFrame *frame, gint64 at)
{
}

static void
make_load (RbCanNetwork *self, Bus *bus)
{
  RbCanFrame frame = { .length = 8 };
  do
    frame.id = (guint32) g_rand_int_range (self->random, LOAD_FIRST_ID, LOAD_LAST_ID + 1);
  while (is_taken (self, frame.id));
  for (guint i = 0; i < 8; i++)
    frame.data[i] = (guint8) g_rand_int (self->random);
  if (!rb_can_bus_send (bus->wire, bus->load_place, &frame, bus->load_at))
    g_debug ("the bus is full");
  bus->load_at += rb_can_bus_time (bus->wire, &frame) * 100 / self->config.load;
}

static void
add_load (RbCanNetwork *self)
{
  for (guint i = 0; i < self->buses->len && self->config.load > 0 && self->config.paced; i++) {
    Bus *bus = self->buses->pdata[i];
    bus->load_place = rb_can_bus_join (bus->wire, hear_nothing, NULL);
    bus->load_at = 0;
  }
}

/* Making it from the model */

static gboolean
is_can (const RbModelBus *bus)
{
  return strcmp (bus->kind, "ethernet") != 0;
}

static gboolean
has_can_ecu (const RbVehicleModel *model, const char *bus)
{
  for (guint i = 0; i < model->ecus->len; i++) {
    const RbModelEcu *ecu = model->ecus->pdata[i];
    if (ecu->can_request != 0 && strcmp (ecu->bus, bus) == 0)
      return TRUE;
  }
  return FALSE;
}

static const RbModelBus *
connector_bus (const RbVehicleModel *model)
{
  const RbModelBus *first = NULL;
  for (guint i = 0; i < model->buses->len; i++) {
    const RbModelBus *bus = model->buses->pdata[i];
    if (is_can (bus) && strcmp (bus->name, "diagnostic") == 0)
      return bus;
    if (first == NULL && is_can (bus) && has_can_ecu (model, bus->name))
      first = bus;
  }
  return first;
}

static Bus *
add_model_bus (RbCanNetwork *self, const RbModelBus *bus)
{
  const RbCanBusConfig config
    = { .fd = bus == NULL || strcmp (bus->kind, "canfd") == 0,
        .bitrate = (guint32) (bus == NULL || bus->bitrate == 0 ? DEFAULT_BITRATE : bus->bitrate),
        .data_bitrate = (guint32) (bus == NULL || bus->data_bitrate == 0 ? DEFAULT_DATA_BITRATE : bus->data_bitrate),
        .paced = self->config.paced };
  return add_bus (self, bus == NULL ? NULL : bus->name, &config);
}

static void
add_buses (RbCanNetwork *self, const RbVehicleModel *model)
{
  const RbModelBus *outer = connector_bus (model);
  (void) add_model_bus (self, outer);
  for (guint i = 0; i < model->buses->len; i++) {
    const RbModelBus *bus = model->buses->pdata[i];
    if (bus == outer || !is_can (bus) || !has_can_ecu (model, bus->name))
      continue;
    Bus *inner = add_model_bus (self, bus);
    inner->inside = rb_can_bus_join (inner->wire, pass_out, inner);
    inner->outside = rb_can_bus_join (connector (self)->wire, pass_in, inner);
  }
}

static GPtrArray *
serve_request (gpointer data, GBytes *request, gboolean functional, gint64 now)
{
  RbEcu *ecu = data;
  ecu->over_can = TRUE;
  GPtrArray *answers = rb_ecu_request (ecu, request, functional, now);
  ecu->vehicle->effect = RB_EFFECT_NONE; /* a bus has no connection to lose */
  return answers;
}

static void
serve_hears (gpointer data, gboolean hears, gint64 now)
{
  rb_ecu_hear (data, hears, now);
}

static guint8
small (const RbModelEcu *model, const char *member)
{
  return (guint8) CLAMP (rb_json_integer_or (model->simulation, member, 0), 0, 255);
}

static gboolean
is_mixed (const RbModelEcu *model)
{
  return (model->can_request & WITHOUT_ADDRESSES) == PHYSICAL_MIXED && model->can_extension >= 0;
}

static guint32
functional_of (const RbModelEcu *ecu, const RbVehicleModel *model)
{
  if ((ecu->can_request & RB_CAN_EXTENDED) == 0)
    return model->can_functional;
  return is_mixed (ecu) ? FUNCTIONAL_MIXED : FUNCTIONAL_FIXED;
}

static void
add_ecu (RbCanNetwork *self, const RbVehicleModel *model, RbEcu *ecu)
{
  const RbModelEcu *known = ecu->model;
  Bus *bus = find_bus (self, known->bus);
  if (bus == NULL)
    bus = connector (self);
  const RbFault *limit = rb_host_fault (ecu->vehicle, "overflow", ecu, 0);
  const RbCanEcuConfig config = {
    .isotp = { .max_message = limit == NULL ? 0 : (gsize) limit->argument,
               .tx_id = known->can_response,
               .rx_id = known->can_request,
               .tx_extension = known->can_response_extension,
               .rx_extension = known->can_extension,
               .fd = known->can_fd,
               .brs = known->can_fd,
               .pad = TRUE,
               .padding = 0xcc,
               .block_size = small (known, "block_size"),
               .st_min = small (known, "st_min") },
    .functional = functional_of (known, model),
    .functional_extension = is_mixed (known) ? known->can_extension : -1,
  };
  const RbCanServer server = { .data = ecu, .request = serve_request, .hears = serve_hears };
  g_hash_table_add (bus->requests, GUINT_TO_POINTER (known->can_request));
  g_hash_table_add (bus->requests, GUINT_TO_POINTER (config.functional));
  g_hash_table_add (bus->answers, GUINT_TO_POINTER (known->can_response));
  rb_can_network_add (self, bus->wire, &config, &server);
}

RbCanNetwork *
rb_can_network_new (RbSimVehicle *vehicle, const RbCanNetworkConfig *config)
{
  RbCanNetwork *self = network_new (config);
  gint64 latency = GATEWAY_US;
  add_buses (self, vehicle->model);
  for (guint i = 0; i < vehicle->ecus->len; i++) {
    RbEcu *ecu = vehicle->ecus->pdata[i];
    latency = rb_json_integer_or (ecu->model->simulation, "gateway_us", latency);
    if (ecu->model->can_request != 0)
      add_ecu (self, vehicle->model, ecu);
  }
  self->gateway_ns = config->paced ? CLAMP (latency, 0, 1000000) * 1000 : 0;
  add_load (self);
  return self;
}

void
rb_can_network_add (RbCanNetwork *self, RbCanBus *wire, const RbCanEcuConfig *config, const RbCanServer *server)
{
  g_ptr_array_add (self->ecus, rb_can_ecu_new (wire, config, server));
}

/* Running */

typedef struct {
  gint64 at;
  Bus *wire, *load;
  RbCanEcu *ecu;
} Next;

static Next
find_next (const RbCanNetwork *self)
{
  Next next = { .at = NEVER };
  for (guint i = 0; i < self->buses->len; i++) {
    Bus *bus = self->buses->pdata[i];
    gint64 due = rb_can_bus_due (bus->wire);
    if (due < next.at)
      next = (Next){ .at = due, .wire = bus };
    if (bus->load_at < next.at)
      next = (Next){ .at = bus->load_at, .load = bus };
  }
  for (guint i = 0; i < self->ecus->len; i++) {
    RbCanEcu *ecu = self->ecus->pdata[i];
    gint64 due = rb_can_ecu_due (ecu);
    if (due < next.at)
      next = (Next){ .at = due, .ecu = ecu };
  }
  return next;
}

gint64
rb_can_network_due (const RbCanNetwork *self)
{
  return find_next (self).at;
}

void
rb_can_network_run (RbCanNetwork *self, gint64 now)
{
  for (guint i = 0; i < STEPS_AT_ONCE; i++) {
    const Next next = find_next (self);
    if (next.at > now)
      return;
    if (next.load != NULL) {
      /* what the clock did before the vehicle was there is not made up for */
      next.load->load_at = MAX (next.load->load_at, now - 10000000);
      make_load (self, next.load);
    } else if (next.ecu != NULL) {
      rb_can_ecu_step (next.ecu, next.at);
    } else {
      rb_can_bus_step (next.wire->wire, now);
    }
  }
}
