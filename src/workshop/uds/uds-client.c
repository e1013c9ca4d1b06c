/* SPDX-License-Identifier: Apache-2.0 */
#include "uds/uds-client.h"

#include "core/bytes.h"
#include "core/moment.h"
#include "uds/response.h"

#include <string.h>

#define BUSY_PAUSE_MS 100
#define DELAY_PAUSE_MS 500 /* each request for a seed keeps S3 off as well */
#define MAX_FOREIGN 16
#define LONG_BLOCK 512
#define LONG_REPEATS 5
#define LONG_MS 20000
#define MIN_BLOCK 16 /* data bytes; a rejection of a shorter block has another cause */
#define TRANSFER_DATA_HEADER \
  2 /* SID and block sequence counter of a TransferData, counted by maxNumberOfBlockLength \
     */

struct _RbUdsClient {
  RbChannel *channel;
  GRecMutex exchange; /* from a request to its final response */
  RbUdsClientTiming timing;
  guint8 last_nrc;
  RbUdsClientWait wait;
  gpointer wait_data;
  RbChannelFollowUp *next; /* what may follow the response to the request in flight; NULL: nothing */
  const GBytes *sent_ahead; /* the request that went out behind the response before it; only compared */
  gsize block_limit; /* longest block that was not too long, data bytes; 0: not known */
  gboolean unsent; /* the request was not sent */
  gboolean harmless; /* the request changes nothing */
  gboolean mismatched; /* a positive response of the same service was among them since the request was sent */
};

RbUdsClient *
rb_uds_client_new (RbChannel *channel, const RbUdsClientTiming *timing)
{
  RbUdsClient *self = g_new0 (RbUdsClient, 1);
  self->channel = rb_channel_ref (channel);
  self->timing = rb_timing_bounded (timing);
  g_rec_mutex_init (&self->exchange);
  return self;
}

void
rb_uds_client_free (RbUdsClient *self)
{
  rb_channel_unref (self->channel);
  g_rec_mutex_clear (&self->exchange);
  g_free (self);
}

guint8
rb_uds_client_last_nrc (RbUdsClient *self)
{
  return self->last_nrc;
}

void
rb_uds_client_set_wait (RbUdsClient *self, RbUdsClientWait wait, gpointer user_data)
{
  self->wait = wait;
  self->wait_data = user_data;
}

static void
tell_wait (RbUdsClient *self, guint8 nrc, guint count)
{
  if (self->wait != NULL)
    self->wait (nrc, count, self->wait_data);
}

static gint64
now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* waited_ms: since the ECU rejected the request with this code for the first time. */
static void
fail_nrc (RbUdsClient *self, guint8 sid, guint8 nrc, gint64 waited_ms, GError **error)
{
  g_autofree char *waited
    = waited_ms == 0 ? g_strdup ("") : g_strdup_printf (", repeated for %.1f s", (double) waited_ms / 1000);
  self->last_nrc = nrc;
  g_set_error (error, RB_UDS_ERROR, (int) rb_nrc_reason (nrc), "the ECU rejected the request with %s (7F %02X %02X)%s",
               rb_nrc_name (nrc), sid, nrc, waited);
}

/* A late response to an earlier request, or a duplicate from a gateway, is dropped. */
static gboolean
is_unrelated (RbUdsClient *self, GBytes *response, GBytes *request, guint8 sid)
{
  if (!rb_response_is_of (response, sid))
    return TRUE;
  if (rb_response_echoes (response, request))
    return FALSE;
  self->mismatched = TRUE;
  return TRUE;
}

typedef struct {
  gint64 due; /* the response must begin by then */
  gint64 end; /* the ECU must be done by then */
  guint pending, foreign;
} Wait;

static gboolean
fail_pending (RbUdsClient *self, guint pending, GError **error)
{
  self->last_nrc = RB_NRC_RESPONSE_PENDING;
  g_set_error (error, RB_UDS_ERROR, RB_REASON_ECU_BUSY,
               "the ECU asked for more time %u times and did not finish within %.0f s", pending,
               (double) self->timing.pending_limit_ms / 1000);
  return FALSE;
}

/* NRC 0x78: P2* from now, but not beyond the end. */
static gboolean
extend (RbUdsClient *self, Wait *wait, gint64 now, GError **error)
{
  if (++wait->pending > self->timing.max_pending || now > wait->end)
    return fail_pending (self, wait->pending, error);
  tell_wait (self, RB_NRC_RESPONSE_PENDING, wait->pending);
  wait->due = MIN (now + self->timing.p2_star_ms + self->timing.allowance_ms, wait->end + 1);
  return TRUE;
}

/* FALSE: too many. */
static gboolean
count_foreign (Wait *wait, GError **error)
{
  if (++wait->foreign <= MAX_FOREIGN)
    return TRUE;
  g_set_error (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU sent %u responses that do not match the request",
               wait->foreign);
  return FALSE;
}

static gboolean
is_timeout (const GError *error)
{
  return g_error_matches (error, RB_LINK_ERROR, RB_REASON_TIMEOUT);
}

/* Waits for the final response to a request that was sent; skips unrelated responses and response pending (0x78). */
static GBytes *
await_response (RbUdsClient *self, GBytes *request, guint8 sid, GCancellable *cancellable, GError **error)
{
  gint64 now = now_ms ();
  Wait wait
    = { .due = now + self->timing.p2_ms + self->timing.allowance_ms, .end = now + self->timing.pending_limit_ms };
  for (;;) {
    g_autoptr (GError) failure = NULL;
    g_autoptr (GBytes) response
      = rb_channel_receive_and_send (self->channel, MAX (wait.due - now, 1), self->next, cancellable, &failure);
    now = now_ms ();
    if (response == NULL) {
      if (is_timeout (failure) && wait.pending > 0 && now > wait.end)
        fail_pending (self, wait.pending, error);
      else
        g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    gboolean foreign = is_unrelated (self, response, request, sid);
    if (!foreign && rb_response_nrc (response) != RB_NRC_RESPONSE_PENDING)
      return g_steal_pointer (&response);
    if (foreign ? !count_foreign (&wait, error) : !extend (self, &wait, now, error))
      return NULL;
  }
}

/* May a request without response be sent again? What changes the ECU's state may not, but for TransferData whose
 * counter makes the repetition harmless (ISO 14229-1, TransferData: a repeated counter is answered, not written). A
 * request that did not get out (no flow control) was received by no ECU. */
static gboolean
repeatable (const RbUdsClient *self, GBytes *request)
{
  if (self->unsent || self->harmless)
    return TRUE;
  RbReader reader = rb_reader_from_bytes (request);
  switch (rb_reader_u8 (&reader)) {
  case RB_SID_READ_DID:
  case RB_SID_READ_DTC:
  case RB_SID_TRANSFER:
  case RB_SID_SESSION:
  case RB_SID_TESTER_PRESENT: return TRUE;
  default: return FALSE;
  }
}

/* A block or a proof is many frames, any of which a bad link may lose: it is repeated more often, for a time. */
static guint
repeats_of (const RbUdsClient *self, guint8 sid, gint64 since)
{
  gboolean is_long
    = !self->unsent && !self->mismatched && (sid == RB_SID_TRANSFER || self->harmless) && now_ms () - since < LONG_MS;
  return is_long ? LONG_REPEATS * self->timing.repeats : self->timing.repeats;
}

static GBytes *
send_and_await (RbUdsClient *self, GBytes *request, guint8 sid, GCancellable *cancellable, GError **error)
{
  gboolean sent = self->sent_ahead == request;
  self->sent_ahead = NULL;
  self->mismatched = FALSE;
  self->unsent = !sent && !rb_channel_send (self->channel, request, cancellable, error);
  if (self->unsent)
    return NULL;
  return await_response (self, request, sid, cancellable, error);
}

/* Does a security delay end that request only for now? A key is never sent twice: the ECU counts it. */
static gboolean
waits_for_delay (GBytes *request)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  guint8 sub_function = rb_reader_u8 (&reader);
  return (sid == RB_SID_SECURITY_ACCESS && sub_function % 2 == 1)
         || (sid == RB_SID_AUTHENTICATION && sub_function != 0x03);
}

typedef struct {
  gint64 since; /* the first time; 0: not yet */
  guint count;
} Rejected;

/* How long to pause before the request is sent again; 0: it is not. All rejections of one request share one time. */
static gint64
pause_of (RbUdsClient *self, GBytes *request, guint8 nrc, Rejected *rejected)
{
  gboolean busy = nrc == RB_NRC_BUSY_REPEAT || nrc == RB_NRC_NOT_AVAILABLE_NOW;
  gboolean delay = nrc == RB_NRC_DELAY_NOT_EXPIRED && waits_for_delay (request);
  gint64 limit = busy ? self->timing.busy_ms : delay ? self->timing.delay_ms : 0;
  gint64 now = now_ms ();
  if (rejected->since == 0)
    rejected->since = now;
  if (now - rejected->since >= limit)
    return 0;
  tell_wait (self, nrc, ++rejected->count);
  return MIN (busy ? BUSY_PAUSE_MS : DELAY_PAUSE_MS, limit);
}

static void
fail_silent (RbUdsClient *self, GError *failure, GError **error)
{
  g_autoptr (GError) mine = failure;
  if (!is_timeout (mine))
    g_propagate_error (error, g_steal_pointer (&mine));
  else if (self->mismatched)
    g_set_error (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU's response does not match the request: %s",
                 mine->message);
  else
    g_set_error (error, RB_UDS_ERROR, RB_REASON_NO_ANSWER, "the ECU does not respond: %s", mine->message);
}

static GBytes *
ask_until (RbUdsClient *self, GBytes *request, Rejected *rejected, GCancellable *cancellable, GError **error)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  gint64 start = now_ms ();
  guint silent = 0;
  self->last_nrc = 0;
  if (self->sent_ahead != request)
    rb_channel_drain (self->channel);
  for (;;) {
    g_autoptr (GError) failure = NULL;
    g_autoptr (GBytes) response = send_and_await (self, request, sid, cancellable, &failure);
    if (response == NULL) {
      if (is_timeout (failure) && repeatable (self, request) && ++silent < repeats_of (self, sid, start))
        continue;
      fail_silent (self, g_steal_pointer (&failure), error);
      return NULL;
    }
    guint8 nrc = rb_response_nrc (response);
    if (nrc == 0)
      return g_steal_pointer (&response);
    gint64 pause = pause_of (self, request, nrc, rejected);
    if (pause == 0) {
      fail_nrc (self, sid, nrc, now_ms () - rejected->since, error);
      return NULL;
    }
    if (!rb_moment_pause (pause, cancellable, error))
      return NULL;
  }
}

GBytes *
rb_uds_client_request (RbUdsClient *self, GBytes *request, GCancellable *cancellable, GError **error)
{
  g_autoptr (GRecMutexLocker) exchange = g_rec_mutex_locker_new (&self->exchange);
  Rejected rejected = { 0 };
  GBytes *response = ask_until (self, request, &rejected, cancellable, error);
  if (rejected.count > 0)
    tell_wait (self, 0, 0);
  return response;
}

/* Checks that the answer begins with the given echo after its service id. */
static GBytes *
exchange_bytes (RbUdsClient *self, GBytes *message, gconstpointer echo, gsize echo_length, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GBytes) answer = rb_uds_client_request (self, message, cancellable, error);
  if (answer == NULL)
    return NULL;
  RbReader reader = rb_reader_from_bytes (answer);
  (void) rb_reader_u8 (&reader);
  const guint8 *got = rb_reader_take (&reader, echo_length);
  if (got == NULL || (echo_length > 0 && memcmp (got, echo, echo_length) != 0)) {
    g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU's answer is not to what was asked");
    return NULL;
  }
  return rb_reader_take_bytes (&reader, rb_reader_left (&reader));
}

/* request is taken */
static GBytes *
exchange (RbUdsClient *self, GByteArray *request, gconstpointer echo, gsize echo_length, GCancellable *cancellable,
          GError **error)
{
  g_autoptr (GBytes) message = g_byte_array_free_to_bytes (request);
  return exchange_bytes (self, message, echo, echo_length, cancellable, error);
}

static gboolean
exchange_no_data (RbUdsClient *self, GByteArray *request, gconstpointer echo, gsize echo_length,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) rest = exchange (self, request, echo, echo_length, cancellable, error);
  return rest != NULL;
}

static GByteArray *
request_new (guint8 sid)
{
  GByteArray *request = g_byte_array_new ();
  rb_writer_u8 (request, sid);
  return request;
}

gboolean
rb_uds_client_session_control (RbUdsClient *self, guint8 session, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_SESSION);
  rb_writer_u8 (request, session);
  g_autoptr (GBytes) rest = exchange (self, request, &session, 1, cancellable, error);
  if (rest == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (rest);
  gint64 p2 = rb_reader_u16be (&reader);
  gint64 p2_star = rb_reader_u16be (&reader) * 10;
  if (rb_reader_ok (&reader))
    rb_timing_announce (&self->timing, p2, p2_star);
  return TRUE;
}

gboolean
rb_uds_client_ecu_reset (RbUdsClient *self, guint8 kind, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_RESET);
  rb_writer_u8 (request, kind);
  return exchange_no_data (self, request, &kind, 1, cancellable, error);
}

GBytes *
rb_uds_client_read_did (RbUdsClient *self, guint16 did, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_READ_DID);
  const guint8 echo[] = { did >> 8, did & 0xff };
  rb_writer_u16be (request, did);
  return exchange (self, request, echo, sizeof echo, cancellable, error);
}

gboolean
rb_uds_client_write_did (RbUdsClient *self, guint16 did, GBytes *data, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_WRITE_DID);
  const guint8 echo[] = { did >> 8, did & 0xff };
  rb_writer_u16be (request, did);
  rb_writer_bytes (request, data);
  return exchange_no_data (self, request, echo, sizeof echo, cancellable, error);
}

GBytes *
rb_uds_client_start_routine (RbUdsClient *self, guint16 routine, GBytes *option, GCancellable *cancellable,
                             GError **error)
{
  GByteArray *request = request_new (RB_SID_ROUTINE);
  const guint8 echo[] = { 0x01, routine >> 8, routine & 0xff };
  rb_writer_data (request, echo, sizeof echo);
  if (option != NULL)
    rb_writer_bytes (request, option);
  return exchange (self, request, echo, sizeof echo, cancellable, error);
}

GBytes *
rb_uds_client_read_routine (RbUdsClient *self, guint16 routine, GBytes *option, GCancellable *cancellable,
                            GError **error)
{
  self->harmless = TRUE;
  GBytes *results = rb_uds_client_start_routine (self, routine, option, cancellable, error);
  self->harmless = FALSE;
  return results;
}

GBytes *
rb_uds_client_read_dtcs (RbUdsClient *self, guint8 mask, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_READ_DTC);
  const guint8 echo[] = { 0x02 };
  rb_writer_u8 (request, 0x02);
  rb_writer_u8 (request, mask);
  g_autoptr (GBytes) rest = exchange (self, request, echo, sizeof echo, cancellable, error);
  if (rest == NULL)
    return NULL;
  if (g_bytes_get_size (rest) % 4 == 1)
    return g_bytes_new_from_bytes (rest, 1, g_bytes_get_size (rest) - 1);
  g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER,
                       "the ECU's list of trouble codes has a wrong length");
  return NULL;
}

GBytes *
rb_uds_client_request_seed (RbUdsClient *self, guint8 level, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_SECURITY_ACCESS);
  rb_writer_u8 (request, level);
  g_autoptr (GBytes) seed = exchange (self, request, &level, 1, cancellable, error);
  if (seed == NULL)
    return NULL;
  const guint8 *bytes = g_bytes_get_data (seed, NULL);
  for (gsize i = 0; i < g_bytes_get_size (seed); i++)
    if (bytes[i] != 0)
      return g_steal_pointer (&seed);
  if (bytes == NULL) {
    g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER,
                         "the ECU's response to the request for a seed has no seed");
    return NULL;
  }
  return g_bytes_new (NULL, 0); /* an all-zero seed: the ECU is unlocked already */
}

gboolean
rb_uds_client_send_key (RbUdsClient *self, guint8 level, GBytes *key, GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_SECURITY_ACCESS);
  guint8 send = (guint8) (level + 1);
  rb_writer_u8 (request, send);
  rb_writer_bytes (request, key);
  return exchange_no_data (self, request, &send, 1, cancellable, error);
}

GBytes *
rb_uds_client_verify_certificate (RbUdsClient *self, GBytes *certificate, GBytes *challenge, GCancellable *cancellable,
                                  GError **error)
{
  static const guint8 echo[] = { 0x01, 0x11 }; /* certificate verified, ownership verification necessary */
  GByteArray *request = request_new (RB_SID_AUTHENTICATION);
  rb_writer_u8 (request, 0x01);
  rb_writer_u8 (request, 0x00); /* communication configuration: no secured channel */
  rb_writer_field16 (request, g_bytes_get_data (certificate, NULL), g_bytes_get_size (certificate));
  rb_writer_field16 (request, g_bytes_get_data (challenge, NULL), g_bytes_get_size (challenge));
  g_autoptr (GBytes) rest = exchange (self, request, echo, sizeof echo, cancellable, error);
  if (rest == NULL)
    return NULL;
  RbReader reader = rb_reader_from_bytes (rest);
  GBytes *server = rb_reader_take_bytes (&reader, rb_reader_u16be (&reader));
  if (server != NULL && g_bytes_get_size (server) >= 16)
    return server;
  g_clear_pointer (&server, g_bytes_unref);
  g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU's authentication challenge is too short");
  return NULL;
}

gboolean
rb_uds_client_prove_ownership (RbUdsClient *self, GBytes *proof, GCancellable *cancellable, GError **error)
{
  static const guint8 echo[] = { 0x03, 0x12 }; /* ownership verified, authentication complete */
  GByteArray *request = request_new (RB_SID_AUTHENTICATION);
  rb_writer_u8 (request, 0x03);
  rb_writer_field16 (request, g_bytes_get_data (proof, NULL), g_bytes_get_size (proof));
  rb_writer_u16be (request, 0); /* no ephemeral key */
  return exchange_no_data (self, request, echo, sizeof echo, cancellable, error);
}

/* maxNumberOfBlockLength, of size bytes; it counts the whole TransferData message, and the link's own limit counts as
 * well. */
static gboolean
take_block_length (RbUdsClient *self, RbReader *reader, guint size, gsize *block, GError **error)
{
  guint64 told = rb_reader_ube (reader, size);
  gsize length = (gsize) MIN (told, (guint64) rb_channel_max_message (self->channel));
  if (!rb_reader_ok (reader) || length <= TRANSFER_DATA_HEADER) {
    g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU offers no usable block length");
    return FALSE;
  }
  *block = length - TRANSFER_DATA_HEADER;
  return TRUE;
}

gboolean
rb_uds_client_request_download (RbUdsClient *self, guint32 address, guint32 size, gsize *block,
                                GCancellable *cancellable, GError **error)
{
  GByteArray *request = request_new (RB_SID_DOWNLOAD);
  rb_writer_u8 (request, 0x00);
  rb_writer_u8 (request, 0x44);
  rb_writer_u32be (request, address);
  rb_writer_u32be (request, size);
  g_autoptr (GBytes) rest = exchange (self, request, NULL, 0, cancellable, error);
  if (rest == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (rest);
  guint size_of_length = rb_reader_u8 (&reader) >> 4; /* lengthFormatIdentifier */
  return take_block_length (self, &reader, size_of_length, block, error);
}

gboolean
rb_uds_client_request_file_transfer (RbUdsClient *self, const char *path, guint32 size, gsize *block,
                                     GCancellable *cancellable, GError **error)
{
  static const guint8 echo[] = { 0x01 };
  GByteArray *request = request_new (RB_SID_FILE_TRANSFER);
  rb_writer_u8 (request, 0x01);
  rb_writer_field16 (request, path, strlen (path));
  rb_writer_u8 (request, 0x00); /* neither compressed nor encrypted */
  rb_writer_u8 (request, 0x04); /* bytes of each size that follows */
  rb_writer_u32be (request, size);
  rb_writer_u32be (request, size);
  g_autoptr (GBytes) rest = exchange (self, request, echo, sizeof echo, cancellable, error);
  if (rest == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (rest);
  guint size_of_length = rb_reader_u8 (&reader);
  return take_block_length (self, &reader, size_of_length, block, error);
}

typedef struct {
  const guint8 *data;
  gsize length, done;
  gsize block; /* data bytes of a request */
  gsize accepted; /* longest request that the ECU has accepted */
  guint8 counter; /* of the next request */
} Transfer;

/* The request that is skip bytes and as many requests ahead. NULL: there is no more. */
static GBytes *
block_at (const Transfer *self, gsize skip, guint8 ahead)
{
  gsize from = self->done + skip;
  gsize length = MIN (self->block, self->length - from);
  if (length == 0)
    return NULL;
  GByteArray *request = g_byte_array_sized_new ((guint) (length + TRANSFER_DATA_HEADER));
  rb_writer_u8 (request, RB_SID_TRANSFER);
  rb_writer_u8 (request, (guint8) (self->counter + ahead));
  rb_writer_data (request, &self->data[from], length);
  return g_byte_array_free_to_bytes (request);
}

/* next NULL: nothing follows. */
static gboolean
transfer_block (RbUdsClient *self, GBytes *request, guint8 counter, GBytes *next, GCancellable *cancellable,
                GError **error)
{
  const guint8 positive[] = { RB_SID_TRANSFER | 0x40, counter };
  g_autoptr (GBytes) after = g_bytes_new (positive, sizeof positive);
  RbChannelFollowUp following = { .after = after, .message = next };
  self->next = next == NULL ? NULL : &following;
  g_autoptr (GBytes) rest = exchange_bytes (self, request, &counter, 1, cancellable, error);
  self->next = NULL;
  self->sent_ahead = rest != NULL && following.sent ? next : NULL;
  return rest != NULL;
}

/* The gateway or the ECU rejected the block for its length: the same bytes can be sent again in shorter blocks. */
static gboolean
is_too_long (RbUdsClient *self, const Transfer *transfer, gsize size, const GError *error)
{
  gboolean by_ecu = self->last_nrc == RB_NRC_WRONG_LENGTH || self->last_nrc == RB_NRC_OUT_OF_RANGE;
  return g_error_matches (error, RB_LINK_ERROR, RB_REASON_BLOCK_TOO_LONG) || (by_ecu && size > transfer->accepted);
}

/* On a link that loses frames a shorter block gets through. One that did not get out can be cut now; after one that may
 * have been received only the next download is cut. */
static gboolean
is_worth_cutting (RbUdsClient *self, gsize size, const GError *error)
{
  gboolean silent = rb_reason_of (error) == RB_REASON_NO_ANSWER && size >= LONG_BLOCK;
  if (silent && !self->unsent)
    self->block_limit = size / 2;
  return silent && self->unsent;
}

/* Half as long, from now on. FALSE: it is too short already. */
static gboolean
shorten (RbUdsClient *self, Transfer *transfer, gsize size)
{
  if (size / 2 < MIN_BLOCK)
    return FALSE;
  g_debug ("a block of %" G_GSIZE_FORMAT " bytes is too long", size);
  self->block_limit = transfer->block = size / 2;
  return TRUE;
}

void
rb_uds_client_limit_block (RbUdsClient *self, gsize block)
{
  self->block_limit = block;
}

gsize
rb_uds_client_block_limit (RbUdsClient *self)
{
  return self->block_limit;
}

gboolean
rb_uds_client_transfer_data (RbUdsClient *self, const guint8 *data, gsize length, gsize block,
                             RbUdsClientProgress taken, gpointer user_data, GCancellable *cancellable, GError **error)
{
  g_autoptr (GRecMutexLocker) exchange = g_rec_mutex_locker_new (&self->exchange);
  gsize limit = self->block_limit == 0 ? block : MIN (block, self->block_limit);
  Transfer transfer = { .data = data, .length = length, .block = limit, .counter = 1 };
  g_autoptr (GBytes) request = block_at (&transfer, 0, 0);
  while (request != NULL) {
    gsize size = g_bytes_get_size (request) - TRANSFER_DATA_HEADER;
    g_autoptr (GBytes) next = block_at (&transfer, size, 1);
    g_autoptr (GError) failure = NULL;
    if (transfer_block (self, request, transfer.counter, next, cancellable, &failure)) {
      transfer.done += size;
      transfer.accepted = MAX (transfer.accepted, size);
      transfer.counter++;
      if (taken != NULL)
        taken (transfer.done, user_data);
    } else if ((is_too_long (self, &transfer, size, failure) || is_worth_cutting (self, size, failure))
               && shorten (self, &transfer, size)) {
      g_clear_pointer (&next, g_bytes_unref);
      next = block_at (&transfer, 0, 0);
    } else {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    g_bytes_unref (request);
    request = g_steal_pointer (&next);
  }
  return TRUE;
}

gboolean
rb_uds_client_request_transfer_exit (RbUdsClient *self, GCancellable *cancellable, GError **error)
{
  return exchange_no_data (self, request_new (RB_SID_EXIT), NULL, 0, cancellable, error);
}

gboolean
rb_uds_client_try_idle (RbUdsClient *self)
{
  return g_rec_mutex_trylock (&self->exchange);
}

void
rb_uds_client_begin_idle (RbUdsClient *self)
{
  g_rec_mutex_lock (&self->exchange);
}

void
rb_uds_client_end_idle (RbUdsClient *self)
{
  g_rec_mutex_unlock (&self->exchange);
}

gboolean
rb_uds_client_tester_present (RbUdsClient *self, GError **error)
{
  static const guint8 present[] = { RB_SID_TESTER_PRESENT, 0x80 };
  g_autoptr (GBytes) message = g_bytes_new_static (present, sizeof present);
  return rb_channel_send (self->channel, message, NULL, error);
}
