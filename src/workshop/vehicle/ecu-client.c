/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/ecu-client.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "uds/response.h"
#include "vehicle/did-text.h"
#include "vehicle/ecu-client-inside.h"
#include "vehicle/unlock.h"

#include <string.h>

#define PROBE_MS 100
#define BUSY_NOTICED 10 /* rejections as busy in a row, about a second */

static gint64
now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* After every exchange but 0x10: what it tells of the session, and the ECU's name before an error. */
gboolean
rb_ecu_client_prefixed (RbEcuClient *self, gboolean good, GError **error)
{
  guint8 nrc = rb_uds_client_last_nrc (self->client);
  g_atomic_int_set (&self->pending, FALSE);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  if (good)
    rb_ecu_session_touch (&self->session, now_ms ());
  else if (nrc != 0)
    rb_ecu_session_reject (&self->session, nrc, now_ms ());
  if (!good)
    g_prefix_error (error, "%s: ", self->model->label);
  return good;
}

gboolean
rb_ecu_client_fail (RbEcuClient *self, GError **error, RbReason reason, const char *text)
{
  g_set_error (error, RB_VEHICLE_ERROR, (int) reason, "%s: %s", self->model->label, text);
  return FALSE;
}

static RbAddress
address_of (const RbModelEcu *model)
{
  return (RbAddress){ .logical = model->logical,
                      .request = model->can_request,
                      .response = model->can_response,
                      .extension = model->can_extension,
                      .response_extension = model->can_response_extension,
                      .fd = model->can_fd,
                      .padding = 0xcc };
}

/* (RbUdsClientWait) */
static void
on_client_waits (guint8 nrc, guint count, gpointer user_data)
{
  RbEcuClient *self = user_data;
  guint noticed = nrc == RB_NRC_DELAY_NOT_EXPIRED ? 1 : BUSY_NOTICED;
  g_autofree char *text = NULL;
  if (nrc == RB_NRC_RESPONSE_PENDING)
    g_atomic_int_set (&self->pending, TRUE);
  if (self->wait == NULL || nrc == RB_NRC_RESPONSE_PENDING || (count == 0 ? !self->waiting : count != noticed))
    return;
  self->waiting = count > 0;
  if (count > 0)
    text = g_strdup_printf ("%s: the ECU rejects the request for now: %s (NRC %02X)", self->model->label,
                            rb_nrc_name (nrc), nrc);
  self->wait (count == 0 ? RB_REASON_NONE : rb_nrc_reason (nrc), text, self->wait_data);
}

RbEcuClient *
rb_ecu_client_new (RbLink *link, const RbModelEcu *model, const RbProfile *profile, GError **error)
{
  const RbAddress address = address_of (model);
  RbChannel *channel = rb_channel_open (link, &address, error);
  if (channel == NULL) {
    g_prefix_error (error, "%s: ", model->label);
    return NULL;
  }
  RbEcuClient *self = g_new0 (RbEcuClient, 1);
  RbUdsClientTiming timing = { 0 };
  if (profile != NULL)
    timing = (RbUdsClientTiming){ .p2_ms = profile->p2_ms,
                                  .p2_star_ms = profile->p2_star_ms,
                                  .p2_max_ms = profile->p2_max_ms,
                                  .p2_star_max_ms = profile->p2_star_max_ms,
                                  .max_pending = profile->max_pending,
                                  .pending_limit_ms = profile->erase_ms,
                                  .busy_ms = profile->busy_ms,
                                  .delay_ms = profile->security_delay_ms };
  self->model = model;
  self->profile = profile;
  self->channel = channel;
  self->client = self->usual = rb_uds_client_new (channel, &timing);
  rb_uds_client_set_wait (self->client, on_client_waits, self);
  g_mutex_init (&self->lock);
  rb_ecu_session_init (&self->session, profile == NULL ? 0 : profile->s3_ms);
  return self;
}

void
rb_ecu_client_free (RbEcuClient *self)
{
  rb_uds_client_free (self->usual);
  rb_channel_unref (self->channel);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
rb_ecu_client_set_wait (RbEcuClient *self, RbEcuClientWait wait, gpointer user_data)
{
  self->wait = wait;
  self->wait_data = user_data;
}

gsize
rb_ecu_client_block_limit (RbEcuClient *self)
{
  return rb_uds_client_block_limit (self->client);
}

void
rb_ecu_client_limit_block (RbEcuClient *self, gsize block)
{
  rb_uds_client_limit_block (self->client, block);
}

guint8
rb_ecu_client_last_nrc (RbEcuClient *self)
{
  return rb_uds_client_last_nrc (self->client);
}

gboolean
rb_ecu_client_tester_present (RbEcuClient *self)
{
  g_autoptr (GError) error = NULL;
  if (!rb_uds_client_try_idle (self->usual))
    return TRUE;
  g_mutex_lock (&self->lock);
  gboolean due = rb_ecu_session_is_due (&self->session, now_ms ());
  gboolean held = !due || rb_uds_client_tester_present (self->usual, &error);
  if (due && held)
    rb_ecu_session_touch (&self->session, now_ms ());
  g_mutex_unlock (&self->lock);
  rb_uds_client_end_idle (self->usual);
  return held;
}

gboolean
rb_ecu_client_prefixed_did (RbEcuClient *self, guint16 did, gboolean good, GError **error)
{
  if (!good)
    g_prefix_error (error, "%s: DID %04X: ", self->model->label, did);
  return good;
}

void
rb_ecu_client_take_digest (RbReader *reader, char hex[65])
{
  const guint8 *digest = rb_reader_take (reader, RB_SHA256_LENGTH);
  g_autofree char *text = digest == NULL ? g_strdup ("") : rb_bytes_to_hex (digest, RB_SHA256_LENGTH);
  g_strlcpy (hex, text, 65);
}

/* Of this ECU, and for good: not one that is busy. */
gboolean
rb_ecu_client_was_rejected (RbEcuClient *self, const GError *failure)
{
  return rb_uds_client_last_nrc (self->client) != 0 && rb_reason_of (failure) != RB_REASON_ECU_BUSY;
}

gboolean
rb_ecu_client_read_coding (RbEcuClient *self, guint16 did, GBytes **data, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_clear_pointer (data, g_bytes_unref);
  *data = rb_uds_client_read_did (self->client, did, cancellable, &failure);
  guint8 nrc = rb_uds_client_last_nrc (self->client);
  if (*data != NULL || nrc == RB_NRC_CONDITIONS_NOT_CORRECT || nrc == RB_NRC_OUT_OF_RANGE)
    return rb_ecu_client_prefixed (self, TRUE, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return rb_ecu_client_prefixed_did (self, did, FALSE, error);
}

gboolean
rb_ecu_client_write_did (RbEcuClient *self, guint16 did, GBytes *data, GCancellable *cancellable, GError **error)
{
  return rb_ecu_client_prefixed (self, rb_uds_client_write_did (self->client, did, data, cancellable, error), error);
}

gboolean
rb_ecu_client_read_dtcs (RbEcuClient *self, guint8 mask, GBytes **dtcs, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_clear_pointer (dtcs, g_bytes_unref);
  *dtcs = rb_uds_client_read_dtcs (self->client, mask, cancellable, &failure);
  if (*dtcs != NULL || rb_ecu_client_was_rejected (self, failure))
    return rb_ecu_client_prefixed (self, TRUE, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return rb_ecu_client_prefixed (self, FALSE, error);
}

gboolean
rb_ecu_client_tell (RbEcuClient *self, const guint8 *request, gsize length, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) message = g_bytes_new (request, length);
  g_autoptr (GBytes) response = rb_uds_client_request (self->client, message, cancellable, error);
  return rb_ecu_client_prefixed (self, response != NULL, error);
}

gboolean
rb_ecu_client_is_pending (RbEcuClient *self)
{
  return g_atomic_int_get (&self->pending);
}

void
rb_ecu_client_begin_group (RbEcuClient *self)
{
  rb_uds_client_begin_idle (self->usual);
  rb_channel_drain (self->channel);
}

/* The first final response to sid, if any. */
static void
await_group (RbEcuClient *self, guint8 sid, gint64 end, GCancellable *cancellable)
{
  for (gint64 left = end - now_ms (); left > 0; left = end - now_ms ()) {
    g_autoptr (GBytes) response = rb_channel_receive (self->channel, left, cancellable, NULL);
    if (response == NULL)
      return;
    guint8 nrc = rb_response_nrc (response);
    if (!rb_response_is_of (response, sid) || nrc == RB_NRC_RESPONSE_PENDING)
      continue;
    if (nrc != 0)
      g_debug ("%s: functional request %02X: NRC %02X", self->model->label, sid, nrc);
    return;
  }
}

void
rb_ecu_client_end_group (RbEcuClient *self, guint8 sid, gint64 end, GCancellable *cancellable)
{
  await_group (self, sid, end, cancellable);
  rb_uds_client_end_idle (self->usual);
}

gboolean
rb_ecu_client_is_unlocked (RbEcuClient *self, guint8 session)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  return rb_ecu_session_is_unlocked (&self->session, session, now_ms ());
}

gboolean
rb_ecu_client_lost_session (RbEcuClient *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  return rb_ecu_session_is_lost (&self->session, now_ms ());
}

char *
rb_ecu_client_read_text (RbEcuClient *self, guint16 did, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, did, cancellable, error);
  gsize length = 0;
  const guint8 *data = bytes == NULL ? NULL : g_bytes_get_data (bytes, &length);
  char *text = bytes == NULL ? NULL : rb_did_text_parse (data, length, error);
  rb_ecu_client_prefixed_did (self, did, text != NULL, error);
  return text;
}

gboolean
rb_ecu_client_read_number (RbEcuClient *self, guint16 did, gint64 *value, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, did, cancellable, error);
  if (!rb_ecu_client_prefixed (self, bytes != NULL, error))
    return FALSE;
  gsize length = g_bytes_get_size (bytes);
  RbReader reader = rb_reader_from_bytes (bytes);
  if (length < 1 || length > 4)
    return rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "a number it sent has a wrong length");
  *value = (gint64) rb_reader_ube (&reader, (guint) length);
  return TRUE;
}

gboolean
rb_ecu_client_session (RbEcuClient *self, guint8 session, GCancellable *cancellable, GError **error)
{
  if (!rb_uds_client_session_control (self->client, session, cancellable, error)) {
    g_prefix_error (error, "%s: ", self->model->label);
    return FALSE;
  }
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  rb_ecu_session_enter (&self->session, session, now_ms ());
  return TRUE;
}

gboolean
rb_ecu_client_unlock (RbEcuClient *self, RbIdentity *identity, const RbOwnership *ownership, GCancellable *cancellable,
                      GError **error)
{
  if (!rb_ecu_client_prefixed (
        self, rb_unlock_ecu (self->client, self->profile, identity, ownership, cancellable, error), error))
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  rb_ecu_session_unlock (&self->session, now_ms ());
  return TRUE;
}

/* TRUE when it responded or rejected; FALSE with *silent when it does not respond yet, or is busy with its start. */
static gboolean
answers (RbEcuClient *self, gboolean *silent, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, 0xf186, cancellable, &failure);
  *silent
    = bytes == NULL && (rb_reason_of (failure) == RB_REASON_NO_ANSWER || rb_reason_of (failure) == RB_REASON_ECU_BUSY);
  if (bytes != NULL || *silent || failure->domain == RB_UDS_ERROR)
    return bytes != NULL || !*silent;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
wait_for_boot (RbEcuClient *self, GCancellable *cancellable, GError **error)
{
  gint64 limit = self->profile == NULL || self->profile->boot_ms <= 0 ? 10000 : self->profile->boot_ms;
  gint64 end = g_get_monotonic_time () / 1000 + limit + PROBE_MS;
  const RbUdsClientTiming quick
    = { .p2_ms = PROBE_MS, .allowance_ms = PROBE_MS, .pending_limit_ms = limit, .busy_ms = PROBE_MS, .repeats = 1 };
  g_autoptr (RbUdsClient) prober = rb_uds_client_new (self->channel, &quick);
  gboolean silent = TRUE;
  gboolean good = FALSE;
  self->client = prober;
  while (!good && silent && g_get_monotonic_time () / 1000 < end)
    good = answers (self, &silent, cancellable, error);
  self->client = self->usual;
  if (good || !silent)
    return rb_ecu_client_prefixed (self, good, error);
  return rb_ecu_client_fail (self, error, RB_REASON_BOOT_FAILED, "it does not answer after its reset");
}

gboolean
rb_ecu_client_reset (RbEcuClient *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  /* an ECU may reset without answering: whether it came back decides */
  if (!rb_uds_client_ecu_reset (self->client, 0x01, cancellable, &failure)
      && rb_reason_of (failure) != RB_REASON_NO_ANSWER) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return rb_ecu_client_prefixed (self, FALSE, error);
  }
  g_mutex_lock (&self->lock);
  rb_ecu_session_end (&self->session);
  g_mutex_unlock (&self->lock);
  return wait_for_boot (self, cancellable, error);
}

typedef struct {
  RbEcuClientProgress progress; /* may be NULL */
  gpointer user_data;
  guint64 before; /* this range */
  guint64 total;
} Report;

static void
report_taken (gsize taken, gpointer user_data)
{
  const Report *report = user_data;
  if (report->progress != NULL)
    report->progress (report->before + taken, report->total, report->user_data);
}

/* report may be NULL */
static gboolean
send_data (RbEcuClient *self, const guint8 *data, gsize length, gsize block, Report *report, GCancellable *cancellable,
           GError **error)
{
  if (!rb_uds_client_transfer_data (self->client, data, length, block, report == NULL ? NULL : report_taken, report,
                                    cancellable, error))
    return FALSE;
  if (report != NULL)
    report->before += length;
  return rb_uds_client_request_transfer_exit (self->client, cancellable, error);
}

/* A routine that answers a status, 00 when all is well; option may be NULL. The error is prefixed. */
static gboolean
routine_succeeds (RbEcuClient *self, guint16 routine, GBytes *option, const char *otherwise, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (GBytes) answer = rb_uds_client_start_routine (self->client, routine, option, cancellable, error);
  if (!rb_ecu_client_prefixed (self, answer != NULL, error))
    return FALSE;
  RbReader reader = rb_reader_from_bytes (answer);
  guint8 status = rb_reader_u8 (&reader);
  return (rb_reader_ok (&reader) && status == 0) || rb_ecu_client_fail (self, error, RB_REASON_REFUSED, otherwise);
}

static gboolean
erase (RbEcuClient *self, guint32 address, guint32 length, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) option = g_byte_array_new ();
  rb_writer_u8 (option, 0x44);
  rb_writer_u32be (option, address);
  rb_writer_u32be (option, length);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&option));
  return routine_succeeds (self, self->profile->routine_erase, bytes, "erasing failed", cancellable, error);
}

static gboolean
try_segment (RbEcuClient *self, guint32 address, const guint8 *data, guint32 length, Report *report,
             GCancellable *cancellable, GError **error)
{
  gsize block = 0;
  if (!erase (self, address, length, cancellable, error))
    return FALSE;
  if (!rb_ecu_client_prefixed (
        self, rb_uds_client_request_download (self->client, address, length, &block, cancellable, error), error))
    return FALSE;
  if (self->profile->max_block > 0)
    block = MIN (block, self->profile->max_block);
  return rb_ecu_client_prefixed (self, send_data (self, data, length, block, report, cancellable, error), error);
}

/* Did blocks turn out to be too long in this attempt, and the ECU give the download up over it? */
static gboolean
deserves_another (RbEcuClient *self, gsize limit, const GError *error)
{
  gsize now = rb_uds_client_block_limit (self->client);
  return rb_reason_of (error) == RB_REASON_REFUSED && now != 0 && (limit == 0 || now < limit);
}

/* From the erasure again, with the shorter blocks, as often as they get shorter. */
static gboolean
write_segment (RbEcuClient *self, guint32 address, const guint8 *data, guint32 length, Report *report,
               GCancellable *cancellable, GError **error)
{
  for (;;) {
    g_autoptr (GError) failure = NULL;
    gsize limit = rb_uds_client_block_limit (self->client);
    if (try_segment (self, address, data, length, report, cancellable, &failure))
      return TRUE;
    if (!deserves_another (self, limit, failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
}

static gboolean
check_dependencies (RbEcuClient *self, GCancellable *cancellable, GError **error)
{
  guint16 routine = self->profile->routine_dependencies;
  return routine == 0
         || routine_succeeds (self, routine, NULL, "it does not accept the image that was written", cancellable, error);
}

gboolean
rb_ecu_client_write_image (RbEcuClient *self, GBytes *container, RbEcuClientProgress progress, gpointer user_data,
                           GCancellable *cancellable, GError **error)
{
  Report report = { progress, user_data, 0, g_bytes_get_size (container) };
  RbReader reader = rb_reader_from_bytes (container);
  while (rb_reader_left (&reader) > 0) {
    guint32 address = rb_reader_u32be (&reader);
    guint32 length = rb_reader_u32be (&reader);
    const guint8 *data = rb_reader_take (&reader, length);
    report.before += 8;
    if (data == NULL)
      return rb_ecu_client_fail (self, error, RB_REASON_MALFORMED, "its image is not a segment container");
    if (!write_segment (self, address, data, length, &report, cancellable, error))
      return FALSE;
  }
  return check_dependencies (self, cancellable, error);
}

char *
rb_ecu_client_digest (RbEcuClient *self, GBytes *nonce, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) answer
    = rb_uds_client_read_routine (self->client, self->profile->routine_digest, nonce, cancellable, error);
  if (!rb_ecu_client_prefixed (self, answer != NULL, error))
    return NULL;
  RbReader reader = rb_reader_from_bytes (answer);
  guint8 status = rb_reader_u8 (&reader);
  char hex[65];
  rb_ecu_client_take_digest (&reader, hex);
  if (status == 0 && rb_reader_done (&reader))
    return g_strdup (hex);
  rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "it gives no digest of its flash");
  return NULL;
}

static gboolean
try_stage (RbEcuClient *self, const char *path, const guint8 *data, gsize length, GCancellable *cancellable,
           GError **error)
{
  gsize block = 0;
  return rb_ecu_client_prefixed (
    self,
    rb_uds_client_request_file_transfer (self->client, path, (guint32) length, &block, cancellable, error)
      && send_data (self, data, length, block, NULL, cancellable, error),
    error);
}

gboolean
rb_ecu_client_stage (RbEcuClient *self, const char *path, GBytes *bytes, GCancellable *cancellable, GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  for (;;) {
    g_autoptr (GError) failure = NULL;
    gsize limit = rb_uds_client_block_limit (self->client);
    if (try_stage (self, path, data, length, cancellable, &failure))
      return TRUE;
    if (!deserves_another (self, limit, failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
}

/* An ECU evaluates metadata; a word of anything else, of the link or of this computer, is not its to say. */
static RbReason
reason_of_ecu (const char *word)
{
  RbReason reason = rb_reason_from_word (word);
  return reason >= RB_REASON_BAD_KEY_ID && reason <= RB_REASON_PIN_MISMATCH ? reason : RB_REASON_NONE;
}

/* 00, or 01 and the ECU's reason word. */
static gboolean
judge_answer (RbEcuClient *self, GBytes *answer, const char *what, GError **error)
{
  if (!rb_ecu_client_prefixed (self, answer != NULL, error))
    return FALSE;
  RbReader reader = rb_reader_from_bytes (answer);
  guint8 status = rb_reader_u8 (&reader);
  if (status == 0 && rb_reader_ok (&reader))
    return TRUE;
  gsize length = MIN (rb_reader_left (&reader), 40);
  g_autofree char *word = g_strndup ((const char *) rb_reader_take (&reader, length), length);
  RbReason reason = reason_of_ecu (word);
  g_set_error (error, RB_VEHICLE_ERROR, (int) (reason == RB_REASON_NONE ? RB_REASON_REFUSED : reason),
               "%s: it refuses %s (%s)", self->model->label, what,
               reason == RB_REASON_NONE ? "without a known reason" : word);
  return FALSE;
}

static GBytes *
one_byte (guint8 value)
{
  return g_bytes_new (&value, 1);
}

gboolean
rb_ecu_client_install (RbEcuClient *self, RbInstall what, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) option = one_byte ((guint8) what);
  g_autoptr (GBytes) answer
    = rb_uds_client_start_routine (self->client, self->profile->routine_install, option, cancellable, error);
  return judge_answer (self, answer, what == RB_INSTALL_ALL ? "the new metadata" : "the new root", error);
}

gboolean
rb_ecu_client_install_anchor (RbEcuClient *self, int repo, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) option = one_byte ((guint8) repo);
  g_autoptr (GBytes) answer
    = rb_uds_client_start_routine (self->client, self->profile->routine_anchor, option, cancellable, error);
  return judge_answer (self, answer, "the new anchor", error);
}

gboolean
rb_ecu_client_delete_metadata (RbEcuClient *self, int repo, const char *role, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) option = g_byte_array_new ();
  rb_writer_u8 (option, (guint8) repo);
  rb_writer_data (option, role, strlen (role));
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&option));
  g_autoptr (GBytes) answer
    = rb_uds_client_start_routine (self->client, self->profile->routine_drop, bytes, cancellable, error);
  return judge_answer (self, answer, "to drop metadata", error);
}
