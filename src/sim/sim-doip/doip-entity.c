/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-doip/doip-entity.h"

#include "crypto/digest.h"
#include "frame/doip.h"
#include "sim-doip/doip-discovery.h"
#include "sim-doip/doip-tls-server.h"
#include "sim-doip/doip-listen.h"
#include "sim-doip/doip-tester.h"

#include <string.h>

#define MAX_SOCKETS 8
#define MAX_DATA (512 * 1024)
#define MAX_BUFFER (MAX_DATA + 4096)
#define ALIVE_MS 500 /* T_TCP_Alive_Check */
#define INITIAL_MS 2000 /* T_TCP_Initial_Inactivity */
#define GENERAL_US 300000000 /* T_TCP_General_Inactivity */
#define SOCKETS_FULL 0x01

static void
ask_ecu (RbDoipTester *self, RbEcu *ecu, GBytes *uds, gboolean functional)
{
  ecu->over_can = FALSE;
  g_autoptr (GPtrArray) answers = rb_ecu_request (ecu, uds, functional, g_get_monotonic_time () / 1000);
  rb_doip_tester_send_answers (self, ecu->model->logical, answers);
}

/* Fault: the gateway takes less than the ECU. */
static gboolean
is_too_long (RbEcu *ecu, gsize length)
{
  const RbFault *limit = rb_host_fault (ecu->vehicle, "long-nack", ecu, 0);
  return limit != NULL && length > (gsize) limit->argument;
}

/* FALSE when the connection was reset by a fault. */
static gboolean
take_diagnostic (RbDoipTester *self, const guint8 *payload, gsize length)
{
  RbDoipEntity *entity = self->entity;
  guint16 source, target;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  if (!rb_doip_addresses_parse (payload, length, &source, &target))
    return TRUE;
  gboolean functional = target == entity->vehicle->model->functional;
  RbEcu *ecu = rb_sim_vehicle_by_logical (entity->vehicle, target);
  guint8 code = !self->active || source != self->address       ? 0x02
                : !functional && ecu == NULL                   ? 0x03
                : ecu != NULL && is_too_long (ecu, length - 4) ? 0x04
                                                               : 0;
  rb_doip_diagnostic_ack_write (out, code == 0 ? RB_DOIP_DIAGNOSTIC_ACK : RB_DOIP_DIAGNOSTIC_NACK, target, source,
                                code);
  rb_doip_tester_write (self, out);
  if (code != 0)
    return TRUE;
  g_autoptr (GBytes) uds = g_bytes_new (&payload[4], length - 4);
  for (guint i = 0; functional && i < entity->vehicle->ecus->len; i++)
    ask_ecu (self, entity->vehicle->ecus->pdata[i], uds, TRUE);
  if (!functional)
    ask_ecu (self, ecu, uds, FALSE);
  if (entity->vehicle->effect != RB_EFFECT_DROP_LINK)
    return TRUE;
  entity->vehicle->effect = RB_EFFECT_NONE;
  rb_doip_tester_reset (self);
  return FALSE;
}

static RbDoipTester *
holder_of (RbDoipTester *self, guint16 address)
{
  for (guint i = 0; i < self->entity->testers->len; i++) {
    RbDoipTester *other = self->entity->testers->pdata[i];
    if (other != self && other->active && other->address == address)
      return other;
  }
  return NULL;
}

static gboolean
is_contested (RbDoipTester *holder)
{
  for (guint i = 0; i < holder->entity->testers->len; i++)
    if (((RbDoipTester *) holder->entity->testers->pdata[i])->address_holder == holder)
      return TRUE;
  return FALSE;
}

/* The holder has not said that it is alive. */
static gboolean
on_silence (gpointer data)
{
  RbDoipTester *self = data;
  self->timer = 0;
  rb_doip_tester_close (self->address_holder);
  return G_SOURCE_REMOVE;
}

static void
check_alive (RbDoipTester *self, RbDoipTester *holder, guint16 wanted)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  self->address_holder = holder;
  self->wanted = wanted;
  self->timer = g_timeout_add (ALIVE_MS, on_silence, self);
  rb_doip_write (out, RB_DOIP_ALIVE_CHECK_REQUEST, NULL, 0);
  rb_doip_tester_write (holder, out);
}

/* All have had their time: who was silent goes, and its place with it. */
static gboolean
on_silence_of_some (gpointer data)
{
  RbDoipTester *self = data;
  RbDoipEntity *entity = self->entity;
  self->timer = 0;
  for (guint i = entity->testers->len; i > 0; i--) {
    RbDoipTester *other = entity->testers->pdata[i - 1];
    if (other->active && other->alive_check_pending)
      rb_doip_tester_close (other);
  }
  return G_SOURCE_REMOVE;
}

static void
check_all_alive (RbDoipTester *self, guint16 wanted)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_write (out, RB_DOIP_ALIVE_CHECK_REQUEST, NULL, 0);
  self->awaiting_socket = TRUE;
  self->wanted = wanted;
  self->timer = g_timeout_add (ALIVE_MS, on_silence_of_some, self);
  for (guint i = 0; i < self->entity->testers->len; i++) {
    RbDoipTester *other = self->entity->testers->pdata[i];
    other->alive_check_pending = other->active;
    if (other->active)
      rb_doip_tester_write (other, out);
  }
}

static void
deny_activation (RbDoipTester *self, guint8 code)
{
  self->address_holder = NULL;
  self->awaiting_socket = FALSE;
  rb_doip_tester_answer_activation (self, self->wanted, code);
  rb_doip_tester_close (self);
}

static gboolean
anybody_asked (const RbDoipEntity *self)
{
  for (guint i = 0; i < self->testers->len; i++) {
    const RbDoipTester *tester = self->testers->pdata[i];
    if (tester->active && tester->alive_check_pending)
      return TRUE;
  }
  return FALSE;
}

/* FALSE when the tester is gone. */
static gboolean
take_alive_response (RbDoipTester *self, const guint8 *payload, gsize length)
{
  RbReader reader = rb_reader_new (payload, length);
  RbDoipEntity *entity = self->entity;
  if (!self->active)
    return TRUE;
  if (rb_reader_u16be (&reader) != self->address) {
    rb_doip_tester_close (self);
    return FALSE;
  }
  self->alive_check_pending = FALSE;
  gboolean full = !anybody_asked (entity);
  for (guint i = entity->testers->len; i > 0; i--) {
    RbDoipTester *other = entity->testers->pdata[i - 1];
    if (other->address_holder == self)
      deny_activation (other, 0x03);
    else if (other->awaiting_socket && full)
      deny_activation (other, SOCKETS_FULL);
  }
  return TRUE;
}

/* A vehicle whose model names its tester knows no other. */
static gboolean
is_known (const RbDoipTester *self, guint16 source)
{
  const RbVehicleModel *model = self->entity->vehicle->model;
  return model->tester != 0 ? source == model->tester : source >= 0x0e00 && source <= 0x0fff;
}

static gboolean
has_type (const RbDoipTester *self, guint8 type)
{
  const RbVehicleModel *model = self->entity->vehicle->model;
  return model->activation_type != 0 ? type == model->activation_type : type <= 1;
}

static gboolean
on_confirmed (gpointer data)
{
  RbDoipTester *self = data;
  self->timer = 0;
  rb_doip_tester_answer_activation (self, self->wanted, RB_DOIP_ACTIVATED);
  return G_SOURCE_REMOVE;
}

/* Fault: a person has to confirm the connection, and does so after a time, or never. */
static gboolean
asks_for_confirmation (RbDoipTester *self, guint16 source)
{
  RbSimVehicle *vehicle = self->entity->vehicle;
  const RbFault *fault = self->active ? NULL : rb_host_fault (vehicle, "confirm", vehicle->ecus->pdata[0], 0);
  if (fault == NULL)
    return FALSE;
  self->wanted = source;
  rb_doip_tester_answer_activation (self, source, RB_DOIP_CONFIRMATION_REQUIRED);
  g_source_set_ready_time (self->idle, g_get_monotonic_time () + GENERAL_US);
  if (fault->argument > 0)
    self->timer = g_timeout_add ((guint) fault->argument, on_confirmed, self);
  return TRUE;
}

/* FALSE when the tester is gone. */
static gboolean
take_activation (RbDoipTester *self, const guint8 *payload, gsize length)
{
  guint16 source;
  guint8 type;
  if (!rb_doip_activation_request_parse (payload, length, &source, &type))
    return TRUE;
  gboolean secured = self->stream != G_IO_STREAM (self->connection);
  RbDoipTester *holder = holder_of (self, source);
  guint8 code = self->entity->tls_server != NULL && !secured ? RB_DOIP_TLS_REQUIRED
                : !is_known (self, source)                   ? RB_DOIP_SOURCE_UNKNOWN
                : self->active && source != self->address    ? 0x02
                : !has_type (self, type)                     ? RB_DOIP_TYPE_UNSUPPORTED
                : holder != NULL && is_contested (holder)    ? 0x03
                                                             : RB_DOIP_ACTIVATED;
  if (code == RB_DOIP_ACTIVATED && holder != NULL) {
    check_alive (self, holder, source);
    return TRUE;
  }
  if (code == RB_DOIP_ACTIVATED && !self->active && rb_doip_tester_count_active (self->entity) >= MAX_SOCKETS) {
    check_all_alive (self, source);
    return TRUE;
  }
  if (code == RB_DOIP_ACTIVATED && asks_for_confirmation (self, source))
    return TRUE;
  rb_doip_tester_answer_activation (self, source, code);
  if (code == RB_DOIP_ACTIVATED)
    return TRUE;
  rb_doip_tester_close (self);
  return FALSE;
}

/* A gateway, or a node that is one ECU. */
static void
write_status (gpointer data, GByteArray *out)
{
  RbDoipEntity *self = data;
  rb_doip_status_write (out, self->vehicle->ecus->len == 1 ? 1 : 0, MAX_SOCKETS, (guint8) self->testers->len, MAX_DATA);
}

static void
take_status_request (RbDoipTester *self)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  write_status (self->entity, out);
  rb_doip_tester_write (self, out);
}

static void
take_power_request (RbDoipTester *self)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_discovery_power (out);
  rb_doip_tester_write (self, out);
}

/* FALSE when the tester is gone. */
static gboolean
take_message (RbDoipTester *self, guint16 type, const guint8 *payload, gsize length)
{
  g_source_set_ready_time (self->idle, g_get_monotonic_time () + GENERAL_US);
  switch (type) {
  case RB_DOIP_ROUTING_ACTIVATION_REQUEST: return take_activation (self, payload, length);
  case RB_DOIP_DIAGNOSTIC: return take_diagnostic (self, payload, length);
  case RB_DOIP_ALIVE_CHECK_RESPONSE: return take_alive_response (self, payload, length);
  case RB_DOIP_ENTITY_STATUS_REQUEST: take_status_request (self); return TRUE;
  case RB_DOIP_POWER_MODE_REQUEST: take_power_request (self); return TRUE;
  default: return TRUE; /* a refusal is not refused: two would do so for ever */
  }
}

static guint32
most_payload (const RbDoipTester *self)
{
  RbSimVehicle *vehicle = self->entity->vehicle;
  const RbFault *limit = rb_host_fault (vehicle, "long-header", vehicle->ecus->pdata[0], 0);
  return limit == NULL ? MAX_DATA + 4 : (guint32) limit->argument + 4;
}

/* What ISO 13400-2 has the header handler look at, in its order; -1: nothing is wrong with it. */
static int
fault_of (const RbDoipTester *self, const RbDoipHeader *header)
{
  gsize least = 0, most = 0;
  switch (header->type) {
  case RB_DOIP_ROUTING_ACTIVATION_REQUEST:
    least = 7;
    most = 11;
    break;
  case RB_DOIP_DIAGNOSTIC:
    least = 5;
    most = MAX_DATA + 4;
    break;
  case RB_DOIP_ALIVE_CHECK_RESPONSE: least = most = 2; break;
  case RB_DOIP_HEADER_NACK: most = 1; break;
  case RB_DOIP_ENTITY_STATUS_REQUEST:
  case RB_DOIP_POWER_MODE_REQUEST: break;
  default: return RB_DOIP_UNKNOWN_TYPE;
  }
  if (header->length > most_payload (self))
    return RB_DOIP_TOO_LARGE;
  gboolean odd
    = header->type == RB_DOIP_ROUTING_ACTIVATION_REQUEST && header->length != least && header->length != most;
  return odd || header->length < least || header->length > most ? RB_DOIP_BAD_LENGTH : -1;
}

/* FALSE when the tester is gone. What is of an unknown type or too large is passed over. */
static gboolean
nack_header (RbDoipTester *self, guint8 code, guint32 length)
{
  rb_doip_tester_send_nack (self, code);
  if (code == RB_DOIP_BAD_PATTERN || code == RB_DOIP_BAD_LENGTH) {
    rb_doip_tester_close (self);
    return FALSE;
  }
  g_byte_array_remove_range (self->buffer, 0, RB_DOIP_HEADER);
  self->to_skip = length;
  return TRUE;
}

static void
skip (RbDoipTester *self)
{
  guint32 skipped = MIN (self->to_skip, self->buffer->len);
  g_byte_array_remove_range (self->buffer, 0, skipped);
  self->to_skip -= skipped;
}

/* One whole message from the buffer. FALSE when there is none, or the tester is gone. */
static gboolean
take_one (RbDoipTester *self)
{
  RbDoipHeader header;
  if (self->to_skip > 0)
    skip (self);
  RbDoipHeaderState state = rb_doip_header_parse (self->buffer->data, self->buffer->len, &header);
  if (state == RB_DOIP_HEADER_SHORT)
    return FALSE;
  int fault = state == RB_DOIP_HEADER_BAD ? RB_DOIP_BAD_PATTERN : fault_of (self, &header);
  if (fault >= 0)
    return nack_header (self, (guint8) fault, header.length);
  if (self->buffer->len - RB_DOIP_HEADER < header.length)
    return FALSE;
  g_autofree guint8 *payload = g_memdup2 (&self->buffer->data[RB_DOIP_HEADER], header.length);
  g_byte_array_remove_range (self->buffer, 0, RB_DOIP_HEADER + header.length);
  return take_message (self, header.type, payload, header.length);
}

/* One read and all whole messages of it. FALSE: there is no more now, or the tester is gone. */
static gboolean
take_some (RbDoipTester *self)
{
  g_autofree char *chunk = g_malloc (65536);
  g_autoptr (GError) error = NULL;
  GPollableInputStream *in = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (self->stream));
  gssize got = g_pollable_input_stream_read_nonblocking (in, chunk, 65536, NULL, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return FALSE;
  if (got <= 0 || self->buffer->len + (gsize) got > MAX_BUFFER) {
    rb_doip_tester_close (self);
    return FALSE;
  }
  RbDoipEntity *entity = self->entity;
  rb_writer_data (self->buffer, chunk, (gsize) got);
  while (take_one (self))
    ;
  return g_ptr_array_find (entity->testers, self, NULL);
}

/* TLS may hold more than the socket shows: read until there is nothing. */
static gboolean
on_readable (GObject *stream, gpointer data)
{
  RbDoipTester *self = data;
  RbDoipEntity *entity = self->entity;
  while (take_some (self))
    ;
  return g_ptr_array_find (entity->testers, self, NULL) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
on_idle (gpointer data)
{
  rb_doip_tester_close (data);
  return G_SOURCE_REMOVE;
}

/* Takes stream. */
static void
accept_client (gpointer data, GSocketConnection *connection, GIOStream *stream)
{
  RbDoipEntity *self = data;
  RbDoipTester *tester = g_new0 (RbDoipTester, 1);
  tester->entity = self;
  tester->connection = g_object_ref (connection);
  tester->stream = stream;
  tester->buffer = g_byte_array_new ();
  tester->delayed = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_doip_tester_source_drop);
  g_socket_set_option (g_socket_connection_get_socket (connection), 6 /* IPPROTO_TCP */, 1 /* TCP_NODELAY */, 1, NULL);
  tester->source
    = g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream)), NULL);
  g_source_set_callback (tester->source, G_SOURCE_FUNC (on_readable), tester, NULL);
  g_source_attach (tester->source, NULL);
  tester->idle = g_timeout_source_new (INITIAL_MS);
  g_source_set_callback (tester->idle, on_idle, tester, NULL);
  g_source_attach (tester->idle, NULL);
  g_ptr_array_add (self->testers, tester);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *object, gpointer data)
{
  RbDoipEntity *self = data;
  if (self->testers->len > MAX_SOCKETS) /* one more than there are places, to be told so */
    return TRUE;
  if (service == self->secured_service)
    rb_doip_tls_server_accept (self->tls_server, connection, accept_client, self);
  else
    accept_client (self, connection, g_object_ref (G_IO_STREAM (connection)));
  return TRUE;
}

static RbDoipAnnouncement
announcement_of (RbDoipEntity *self)
{
  RbDoipAnnouncement announcement = { .logical = rb_doip_tester_entity_address (self) };
  guint8 digest[RB_SHA256_LENGTH];
  g_strlcpy (announcement.vin, self->vehicle->vin, sizeof announcement.vin);
  rb_digest_sha256 (announcement.vin, strlen (announcement.vin), digest);
  memcpy (announcement.eid, digest, 6);
  announcement.eid[0] = 0x02; /* a locally administered address */
  memcpy (announcement.gid, announcement.eid, 6);
  return announcement;
}

static gboolean
start_discovery (RbDoipEntity *self, GInetSocketAddress *address, GError **error)
{
  const RbDoipAnnouncement announcement = announcement_of (self);
  self->discovery = rb_doip_discovery_new (&announcement, address, write_status, self, error);
  return self->discovery != NULL;
}

/* The bound socket; NULL with error. (transfer full) */
static GSocketAddress *
serve (RbDoipEntity *self, GSocketService **service, const char *where, char **text, GError **error)
{
  *service = g_socket_service_new ();
  g_signal_connect (*service, "incoming", G_CALLBACK (on_incoming), self);
  return rb_doip_listen_at (G_SOCKET_LISTENER (*service), where, text, error);
}

static gboolean
serve_plain (RbDoipEntity *self, const char *where, GError **error)
{
  g_autoptr (GSocketAddress) bound = serve (self, &self->service, where, &self->address, error);
  return bound != NULL && start_discovery (self, G_INET_SOCKET_ADDRESS (bound), error);
}

static gboolean
serve_secured (RbDoipEntity *self, const char *where, GError **error)
{
  self->tls_server = rb_doip_tls_server_new (self->vehicle->state_dir, error);
  g_autoptr (GSocketAddress) bound
    = self->tls_server == NULL ? NULL : serve (self, &self->secured_service, where, &self->secured_address, error);
  return bound != NULL;
}

RbDoipEntity *
rb_doip_entity_new (RbSimVehicle *vehicle, const char *plain, const char *secured, GError **error)
{
  g_autoptr (RbDoipEntity) self = g_new0 (RbDoipEntity, 1);
  self->vehicle = vehicle;
  self->testers = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_doip_tester_free);
  if ((secured != NULL && !serve_secured (self, secured, error))
      || (plain != NULL && !serve_plain (self, plain, error)))
    return NULL;
  return g_steal_pointer (&self);
}

static void
service_stop (GSocketService *service)
{
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  g_object_unref (service);
}

void
rb_doip_entity_free (RbDoipEntity *self)
{
  g_clear_pointer (&self->service, service_stop);
  g_clear_pointer (&self->secured_service, service_stop);
  g_clear_pointer (&self->tls_server, rb_doip_tls_server_free);
  g_ptr_array_unref (self->testers);
  g_clear_pointer (&self->discovery, rb_doip_discovery_free);
  g_free (self->address);
  g_free (self->secured_address);
  g_free (self);
}

const char *
rb_doip_entity_address (RbDoipEntity *self)
{
  return self->address;
}

const char *
rb_doip_entity_secured (RbDoipEntity *self)
{
  return self->secured_address;
}
