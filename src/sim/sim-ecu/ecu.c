/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/ecu.h"

#include "core/json.h"
#include "sim-ecu/authentication.h"
#include "sim-ecu/dids.h"
#include "sim-ecu/dtc-service.h"
#include "sim-ecu/flashing.h"
#include "sim-ecu/fuses.h"
#include "sim-ecu/identification.h"
#include "sim-ecu/install.h"
#include "sim-ecu/keys.h"
#include "sim-ecu/lockout.h"
#include "sim-ecu/reference-ecu.h"
#include "sim-ecu/session-control.h"

#include <string.h>

#define PENDING_EVERY_MS 4000 /* within P2* of the 0x78 before */
#define DEFER_MS 1 /* the response pending (0x78) is sent by then, and the work begins */

/* diagnostic sessions in which a service is available: bit n for session n */
#define IN_DEFAULT 2
#define IN_PROGRAMMING 4
#define IN_EXTENDED 8
#define IN_ALL (IN_DEFAULT | IN_PROGRAMMING | IN_EXTENDED)

/* kinds of ECU that have the service */
enum { UPTANE = 1, PLAIN = 2, BOTH = 3 };

void
rb_ecu_answer_free (RbAnswer *self)
{
  g_clear_pointer (&self->message, g_bytes_unref);
  g_free (self);
}

RbEcu *
rb_ecu_new (RbSimVehicle *vehicle, const RbModelEcu *model, RbMemory *memory)
{
  RbEcu *self = g_new0 (RbEcu, 1);
  self->vehicle = vehicle;
  self->model = model;
  self->memory = memory;
  self->session = RB_ECU_DEFAULT;
  rb_lockout_begin (self, g_get_monotonic_time () / 1000);
  self->staging = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  return self;
}

void
rb_ecu_free (RbEcu *self)
{
  rb_session_control_forget (self);
  g_clear_pointer (&self->deferred, g_bytes_unref);
  g_hash_table_unref (self->staging);
  rb_memory_free (self->memory);
  g_free (self);
}

static guint8
ecu_reset (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (kind < 1 || kind > 3)
    return RB_NRC_SUB_FUNCTION;
  rb_session_control_enter_default (self);
  if (self->vehicle->real_timing)
    self->busy_until = self->last_request + rb_json_integer_or (self->model->simulation, "boot_ms", 500);
  rb_install_lose (self);
  const RbFault *stuck = rb_host_fault (self->vehicle, "stuck-download", self, 0);
  self->stuck = self->stuck && stuck != NULL && stuck->argument == 1;
  self->hung = rb_host_fault (self->vehicle, "hang", self, ++self->resets) != NULL;
  rb_host_log (self->vehicle, "reset", self, NULL);
  rb_writer_u8 (out, kind);
  return 0;
}

static guint8
control_communication (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_ok (request))
    return RB_NRC_LENGTH;
  if (kind > 3)
    return RB_NRC_SUB_FUNCTION;
  (void) rb_reader_u8 (request); /* communicationType: clients disagree about its bits */
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  self->silent = kind != 0;
  rb_host_log (self->vehicle, "communication", self, json_pack ("{s:i}", "control", kind));
  rb_writer_u8 (out, kind);
  return 0;
}

static guint8
tester_present (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (kind != 0)
    return RB_NRC_SUB_FUNCTION;
  rb_writer_u8 (out, 0);
  return 0;
}

/* Routines: preconditions and handlers. */
static const struct {
  guint16 id;
  guint sessions;
  gboolean needs_unlock;
  gboolean long_work;
  guint kinds;
  RbService run;
} routines[] = {
  { 0xff00, IN_PROGRAMMING, TRUE, TRUE, BOTH, rb_flashing_erase },
  { 0xff01, IN_PROGRAMMING, TRUE, TRUE, UPTANE, rb_flashing_dependencies },
  { 0xff01, IN_PROGRAMMING, TRUE, TRUE, PLAIN, rb_reference_ecu_dependencies },
  { 0x0202, IN_PROGRAMMING, TRUE, TRUE, PLAIN, rb_reference_ecu_check_memory },
  { 0x0210, IN_PROGRAMMING, FALSE, TRUE, UPTANE, rb_flashing_digest },
  { 0x0220, IN_PROGRAMMING | IN_EXTENDED, TRUE, TRUE, UPTANE, rb_install_metadata },
  { 0x0221, IN_PROGRAMMING | IN_EXTENDED, TRUE, TRUE, UPTANE, rb_install_anchor },
  { 0x0222, IN_PROGRAMMING | IN_EXTENDED, TRUE, TRUE, UPTANE, rb_install_drop },
  { 0x0230, IN_EXTENDED, TRUE, TRUE, UPTANE, rb_keys_make },
  { 0x0231, IN_DEFAULT | IN_EXTENDED, FALSE, FALSE, UPTANE, rb_keys_prove },
  { 0x0240, IN_DEFAULT | IN_EXTENDED, FALSE, TRUE, UPTANE, rb_keys_report },
  { 0x0241, IN_DEFAULT | IN_EXTENDED, FALSE, TRUE, UPTANE, rb_keys_manifest },
  { 0x0250, IN_EXTENDED, TRUE, TRUE, UPTANE, rb_keys_load_she },
};

static guint
kind_of (const RbEcu *self)
{
  return rb_ecu_state_is_plain (self->model) ? PLAIN : UPTANE;
}

/* Why a guarded service is rejected: authentication (0x29) or security access (0x27) is missing. */
static guint8
locked (const RbEcu *self)
{
  return kind_of (self) == UPTANE ? RB_NRC_NOT_AUTHENTICATED : RB_NRC_LOCKED;
}

/* 0, or the NRC by which the ECU rejects it now. */
static guint8
admit_routine (RbEcu *self, guint16 id, RbService *run)
{
  for (guint i = 0; i < G_N_ELEMENTS (routines); i++) {
    if (routines[i].id != id || (routines[i].kinds & kind_of (self)) == 0)
      continue;
    *run = routines[i].run;
    if ((routines[i].sessions & (1u << self->session)) == 0)
      return RB_NRC_NOT_IN_SESSION;
    return routines[i].needs_unlock && !self->unlocked ? locked (self) : 0;
  }
  return RB_NRC_RANGE;
}

static guint8
read_routine (RbEcu *self, RbReader *request, guint16 *id, RbService *run)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  *id = rb_reader_u16be (request);
  if (!rb_reader_ok (request))
    return RB_NRC_LENGTH;
  return kind != 1 ? RB_NRC_SUB_FUNCTION : admit_routine (self, *id, run);
}

static guint8
routine_control (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint16 id = 0;
  RbService run = NULL;
  guint8 nrc = read_routine (self, request, &id, &run);
  if (nrc != 0)
    return nrc;
  rb_writer_u8 (out, 1);
  rb_writer_u16be (out, id);
  return run (self, request, out);
}

static const struct {
  guint8 sid;
  guint sessions;
  gboolean needs_unlock;
  gboolean has_sub_function;
  guint kinds;
  RbService run;
} services[] = {
  { 0x10, IN_ALL, FALSE, TRUE, BOTH, rb_session_control_service },
  { 0x11, IN_ALL, FALSE, TRUE, BOTH, ecu_reset },
  { 0x14, IN_ALL, FALSE, FALSE, BOTH, rb_dtc_service_clear },
  { 0x19, IN_ALL, FALSE, TRUE, BOTH, rb_dtc_service_read },
  { 0x22, IN_ALL, FALSE, FALSE, BOTH, rb_identification_read },
  { 0x27, IN_PROGRAMMING | IN_EXTENDED, FALSE, TRUE, PLAIN, rb_reference_ecu_security_access },
  { 0x28, IN_PROGRAMMING | IN_EXTENDED, FALSE, TRUE, BOTH, control_communication },
  { 0x29, IN_PROGRAMMING | IN_EXTENDED, FALSE, TRUE, UPTANE, rb_authentication_service },
  { 0x2e, IN_PROGRAMMING | IN_EXTENDED, FALSE, FALSE, BOTH, rb_dids_write },
  { 0x31, IN_ALL, FALSE, TRUE, UPTANE, routine_control },
  { 0x31, IN_PROGRAMMING, FALSE, TRUE, PLAIN, routine_control },
  { 0x34, IN_PROGRAMMING, TRUE, FALSE, BOTH, rb_flashing_download },
  { 0x36, IN_PROGRAMMING | IN_EXTENDED, TRUE, FALSE, UPTANE, rb_flashing_transfer },
  { 0x36, IN_PROGRAMMING, TRUE, FALSE, PLAIN, rb_flashing_transfer },
  { 0x37, IN_PROGRAMMING | IN_EXTENDED, TRUE, FALSE, UPTANE, rb_flashing_exit },
  { 0x37, IN_PROGRAMMING, TRUE, FALSE, PLAIN, rb_flashing_exit },
  { 0x38, IN_PROGRAMMING | IN_EXTENDED, TRUE, FALSE, UPTANE, rb_flashing_add_file },
  { 0x3e, IN_ALL, FALSE, TRUE, BOTH, tester_present },
  { 0x85, IN_PROGRAMMING | IN_EXTENDED, FALSE, TRUE, BOTH, rb_dtc_service_control },
};

/* 0, or the NRC by which the ECU rejects it now. */
static guint8
admit (RbEcu *self, guint8 sid, RbService *run)
{
  if (rb_host_fault_of (self->vehicle, "refuse", self, sid, 0) != NULL)
    return RB_NRC_CONDITIONS;
  for (guint i = 0; i < G_N_ELEMENTS (services); i++) {
    if (services[i].sid != sid || (services[i].kinds & kind_of (self)) == 0)
      continue;
    *run = services[i].run;
    if ((services[i].sessions & (1u << self->session)) == 0)
      return RB_NRC_NOT_IN_SESSION;
    return services[i].needs_unlock && !self->unlocked ? locked (self) : 0;
  }
  return 0x11;
}

/* Is there work to be done for it, or is it rejected at once? */
static guint8
admit_request (RbEcu *self, GBytes *request)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint16 id = 0;
  RbService run = NULL;
  guint8 sid = rb_reader_u8 (&reader);
  guint8 nrc = admit (self, sid, &run);
  return nrc == 0 && sid == 0x31 ? read_routine (self, &reader, &id, &run) : nrc;
}

static guint8
serve (RbEcu *self, guint8 sid, RbReader *request, GByteArray *out)
{
  RbService run = NULL;
  guint8 nrc = admit (self, sid, &run);
  return nrc != 0 ? nrc : run (self, request, out);
}

static gboolean
is_slow (RbEcu *self)
{
  return rb_host_fault (self->vehicle, "slow", self, 0) != NULL;
}

/* Duration of a request in milliseconds, for which an ECU first sends response pending. */
static guint
work_ms (RbEcu *self, GBytes *request)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  if (sid == 0x37)
    return self->transfer.to_file ? 0 : (guint) rb_json_integer_or (self->model->simulation, "exit_ms", 100);
  if (sid != 0x31 || (rb_reader_u8 (&reader) & 0x7f) != 1)
    return 0;
  guint16 id = rb_reader_u16be (&reader);
  if (id == 0xff00)
    return (guint) rb_json_integer_or (self->model->simulation, "erase_ms", 300);
  for (guint i = 0; i < G_N_ELEMENTS (routines); i++)
    if (routines[i].id == id && routines[i].long_work)
      return MAX ((guint) rb_json_integer_or (self->model->simulation, "routine_ms", 50),
                  is_slow (self) ? DEFER_MS : 0);
  return 0;
}

static void
add_answer (GPtrArray *answers, guint delay, gconstpointer data, gsize length)
{
  RbAnswer *answer = g_new0 (RbAnswer, 1);
  answer->delay_ms = delay;
  answer->message = g_bytes_new (data, length);
  g_ptr_array_add (answers, answer);
}

/* Responses that are sent at once. */
static void
add_pending (RbEcu *self, GPtrArray *answers, guint8 sid)
{
  const guint8 pending[] = { 0x7f, sid, 0x78 };
  const RbFault *more = rb_host_fault (self->vehicle, "pending", self, 0);
  guint count = more == NULL ? 1 : (guint) more->argument;
  for (guint i = 0; i < count; i++)
    add_answer (answers, 0, pending, sizeof pending);
}

/* Those that come while the work goes on. Returns how long after the last of them the final response comes. */
static guint
add_more_pending (RbEcu *self, GPtrArray *answers, guint8 sid, guint work)
{
  const guint8 pending[] = { 0x7f, sid, 0x78 };
  if (!self->vehicle->real_timing)
    return 0;
  for (; work > PENDING_EVERY_MS; work -= PENDING_EVERY_MS)
    add_answer (answers, PENDING_EVERY_MS, pending, sizeof pending);
  return MAX (work, DEFER_MS) - DEFER_MS;
}

/* NRCs that are not sent in response to a functional request. */
static gboolean
stays_silent (guint8 nrc)
{
  return nrc == 0x11 || nrc == 0x12 || nrc == 0x31 || nrc == 0x7e || nrc == 0x7f;
}

static gboolean
suppressed (guint8 sid, GBytes *request)
{
  RbReader reader = rb_reader_from_bytes (request);
  (void) rb_reader_u8 (&reader);
  guint8 sub_function = rb_reader_u8 (&reader);
  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    if (services[i].sid == sid)
      return services[i].has_sub_function && rb_reader_ok (&reader) && (sub_function & 0x80) != 0;
  return FALSE;
}

void
rb_ecu_hear (RbEcu *self, gboolean hears, gint64 now)
{
  rb_session_control_expire (self, now);
  self->last_request = now;
  self->hearing = hears;
}

/* Faults count the requests to one ECU, not those to all of them. */
static gboolean
is_struck_silent (RbEcu *self, gboolean functional, gint64 now)
{
  gint64 request = functional ? -1 : (gint64) self->vehicle->requests;
  return rb_fuses_is_out (self) || self->hung || now < self->busy_until
         || rb_host_fault (self->vehicle, "no-answer", self, request) != NULL;
}

/* 3E 80 to all is taken beside a request that is being worked on, and only restarts S3 (ISO 14229-1, 14229-2). */
static gboolean
is_keep_alive (GBytes *request)
{
  static const guint8 keep_alive[] = { 0x3e, 0x80 };
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (request, &length);
  return length == sizeof keep_alive && memcmp (data, keep_alive, length) == 0;
}

/* A response after response pending is never suppressed (ISO 14229-1). */
static void
answer_one (RbEcu *self, GBytes *request, gboolean functional, guint work, GPtrArray *answers)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  const RbFault *slow = work == 0 ? NULL : rb_host_fault (self->vehicle, "slow", self, 0);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_writer_u8 (out, sid | 0x40);
  if (slow != NULL)
    g_usleep ((gulong) slow->argument * 1000);
  guint8 nrc = serve (self, sid, &reader, out);
  if (nrc != 0) {
    const guint8 negative[] = { 0x7f, sid, nrc };
    rb_host_log (self->vehicle, "refusal", self, json_pack ("{s:i,s:i}", "service", sid, "nrc", nrc));
    if (!functional || !stays_silent (nrc))
      add_answer (answers, 0, negative, sizeof negative);
    return;
  }
  guint rest = work == 0 ? 0 : add_more_pending (self, answers, sid, work);
  if (work > 0 || !suppressed (sid, request))
    add_answer (answers, rest, out->data, out->len);
  if (self->vehicle->real_timing && work > 0)
    self->working_until = self->last_request + work;
}

GPtrArray *
rb_ecu_work (RbEcu *self)
{
  GPtrArray *answers = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_answer_free);
  g_autoptr (GBytes) request = g_steal_pointer (&self->deferred);
  if (request != NULL)
    answer_one (self, request, FALSE, self->deferred_ms, answers);
  return answers;
}

static void
defer (RbEcu *self, GBytes *request, guint8 sid, guint work, GPtrArray *answers)
{
  add_pending (self, answers, sid);
  self->deferred = g_bytes_ref (request);
  self->deferred_ms = work;
  RbAnswer *later = g_new0 (RbAnswer, 1);
  later->delay_ms = DEFER_MS;
  later->work = self;
  g_ptr_array_add (answers, later);
}

/* A lost response leaves no trace: the request is carried out at once. */
static void
take_request (RbEcu *self, GBytes *request, gboolean functional, guint8 sid, GPtrArray *answers)
{
  guint work = work_ms (self, request);
  gint64 answered = functional ? -1 : (gint64) ++self->answered[sid];
  if (rb_host_fault_of (self->vehicle, "lose-session", self, sid, answered) != NULL)
    rb_session_control_lose (self);
  if (rb_host_fault_of (self->vehicle, "lose-answer", self, sid, answered) != NULL) {
    answer_one (self, request, functional, work, answers);
    g_ptr_array_set_size (answers, 0);
  } else if (work > 0 && admit_request (self, request) == 0)
    defer (self, request, sid, work, answers);
  else
    answer_one (self, request, functional, 0, answers);
}

GPtrArray *
rb_ecu_request (RbEcu *self, GBytes *request, gboolean functional, gint64 now)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  self->vehicle->requests += functional ? 0 : 1;
  rb_session_control_expire (self, now);
  if (!rb_reader_ok (&reader) || is_struck_silent (self, functional, now))
    return g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_answer_free);
  if (functional && is_keep_alive (request)) {
    self->last_request = now;
    return g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_answer_free);
  }
  /* the client did not wait: the work in progress is completed first */
  GPtrArray *answers = rb_ecu_work (self);
  self->last_request = now;
  if (!functional && rb_host_fault (self->vehicle, "busy", self, self->vehicle->requests) != NULL) {
    const guint8 busy[] = { 0x7f, sid, RB_NRC_BUSY };
    add_answer (answers, 0, busy, sizeof busy);
    return answers;
  }
  take_request (self, request, functional, sid, answers);
  return answers;
}
