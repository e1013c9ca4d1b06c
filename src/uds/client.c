/* SPDX-License-Identifier: Apache-2.0 */
#include "uds/client.h"

#include "core/bytes.h"
#include "core/moment.h"

#include <string.h>

RB_DEFINE_ERROR_DOMAIN (uds)

enum {
  SID_SESSION = 0x10,
  SID_RESET = 0x11,
  SID_READ_DTC = 0x19,
  SID_READ_DID = 0x22,
  SID_SECURITY_ACCESS = 0x27,
  SID_AUTHENTICATION = 0x29,
  SID_WRITE_DID = 0x2e,
  SID_ROUTINE = 0x31,
  SID_DOWNLOAD = 0x34,
  SID_TRANSFER = 0x36,
  SID_EXIT = 0x37,
  SID_FILE_TRANSFER = 0x38,
  SID_TESTER_PRESENT = 0x3e,
  NEGATIVE = 0x7f,
};

enum { NRC_BUSY = 0x21, NRC_PENDING = 0x78, NRC_NOT_NOW = 0x94 };

#define BUSY_DELAY_MS 100
#define OVERHEAD 2 /* service id and counter of a TransferData, counted by maxNumberOfBlockLength */

struct _RbClient {
  RbChannel *channel;
  RbClientTiming timing;
  guint8 last_nrc;
  RbClientPending pending;
  gpointer pending_data;
  RbChannelNext *next;    /* what may follow the answer to the request under way; NULL: nothing */
  const GBytes *under_way; /* the request that went out behind the answer before it; only compared */
  GBytes *stale;           /* answer to the block before: once more, where that was asked twice; or NULL */
  GBytes *said;            /* the last positive answer; or NULL */
};

RbClient *
rb_client_new (RbChannel *channel, const RbClientTiming *timing)
{
  RbClient *self = g_new0 (RbClient, 1);
  RbClientTiming *mine = &self->timing;
  self->channel = rb_channel_ref (channel);
  if (timing != NULL)
    *mine = *timing;
  mine->p2_ms = mine->p2_ms > 0 ? mine->p2_ms : 150;
  mine->p2_star_ms = mine->p2_star_ms > 0 ? mine->p2_star_ms : 5000;
  mine->allowance_ms = mine->allowance_ms > 0 ? mine->allowance_ms : 500;
  mine->max_pending = mine->max_pending > 0 ? mine->max_pending : 200;
  mine->pending_limit_ms = mine->pending_limit_ms > 0 ? mine->pending_limit_ms : 120000;
  mine->repeats = mine->repeats > 0 ? mine->repeats : 3;
  return self;
}

void
rb_client_free (RbClient *self)
{
  g_clear_pointer (&self->said, g_bytes_unref);
  rb_channel_unref (self->channel);
  g_free (self);
}

guint8
rb_client_last_nrc (RbClient *self)
{
  return self->last_nrc;
}

void
rb_client_set_pending (RbClient *self, RbClientPending pending, gpointer user_data)
{
  self->pending = pending;
  self->pending_data = user_data;
}

/* ISO 14229-1 annex A.1, and what each means for us */
static const struct {
  guint8 nrc;
  RbReason reason;
  const char *name;
} codes[] = {
  { 0x10, RB_REASON_REFUSED, "generalReject" },
  { 0x11, RB_REASON_REFUSED, "serviceNotSupported" },
  { 0x12, RB_REASON_REFUSED, "subFunctionNotSupported" },
  { 0x13, RB_REASON_REFUSED, "incorrectMessageLengthOrInvalidFormat" },
  { 0x14, RB_REASON_REFUSED, "responseTooLong" },
  { 0x21, RB_REASON_ECU_BUSY, "busyRepeatRequest" },
  { 0x22, RB_REASON_REFUSED, "conditionsNotCorrect" },
  { 0x24, RB_REASON_REFUSED, "requestSequenceError" },
  { 0x25, RB_REASON_NO_ANSWER, "noResponseFromSubnetComponent" },
  { 0x26, RB_REASON_REFUSED, "failurePreventsExecutionOfRequestedAction" },
  { 0x31, RB_REASON_REFUSED, "requestOutOfRange" },
  { 0x33, RB_REASON_ECU_LOCKED, "securityAccessDenied" },
  { 0x34, RB_REASON_ECU_LOCKED, "authenticationRequired" },
  { 0x35, RB_REASON_ECU_LOCKED, "invalidKey" },
  { 0x36, RB_REASON_ECU_LOCKED_OUT, "exceededNumberOfAttempts" },
  { 0x37, RB_REASON_ECU_LOCKED_OUT, "requiredTimeDelayNotExpired" },
  { 0x50, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidTimePeriod" },
  { 0x51, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidSignature" },
  { 0x52, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidChainOfTrust" },
  { 0x53, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidType" },
  { 0x54, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidFormat" },
  { 0x55, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidContent" },
  { 0x56, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidScope" },
  { 0x57, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidCertificate" },
  { 0x58, RB_REASON_ECU_LOCKED, "ownershipVerificationFailed" },
  { 0x59, RB_REASON_ECU_LOCKED, "challengeCalculationFailed" },
  { 0x5a, RB_REASON_ECU_LOCKED, "settingAccessRightsFailed" },
  { 0x70, RB_REASON_REFUSED, "uploadDownloadNotAccepted" },
  { 0x71, RB_REASON_REFUSED, "transferDataSuspended" },
  { 0x72, RB_REASON_REFUSED, "generalProgrammingFailure" },
  { 0x73, RB_REASON_REFUSED, "wrongBlockSequenceCounter" },
  { 0x78, RB_REASON_ECU_BUSY, "requestCorrectlyReceived-ResponsePending" },
  { 0x7e, RB_REASON_REFUSED, "subFunctionNotSupportedInActiveSession" },
  { 0x7f, RB_REASON_REFUSED, "serviceNotSupportedInActiveSession" },
  { 0x83, RB_REASON_IGNITION, "engineIsRunning" },
  { 0x84, RB_REASON_IGNITION, "engineIsNotRunning" },
  { 0x88, RB_REASON_MOVING, "vehicleSpeedTooHigh" },
  { 0x92, RB_REASON_VOLTAGE_HIGH, "voltageTooHigh" },
  { 0x93, RB_REASON_VOLTAGE_LOW, "voltageTooLow" },
  { 0x94, RB_REASON_ECU_BUSY, "resourceTemporarilyNotAvailable" },
};

const char *
rb_client_nrc_name (guint8 nrc)
{
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (codes[i].nrc == nrc)
      return codes[i].name;
  return "manufacturerSpecific";
}

static RbReason
nrc_reason (guint8 nrc)
{
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (codes[i].nrc == nrc)
      return codes[i].reason;
  return RB_REASON_REFUSED;
}

static gboolean
fail_nrc (RbClient *self, guint8 sid, guint8 nrc, GError **error)
{
  self->last_nrc = nrc;
  g_set_error (error, RB_UDS_ERROR, (int) nrc_reason (nrc), "the ECU answered %s (7F %02X %02X)", rb_client_nrc_name (nrc),
               sid, nrc);
  return FALSE;
}

/* Does answer belong to a request of that service? Answers of an earlier request are not ours. */
static gboolean
belongs (GBytes *answer, guint8 sid)
{
  RbReader reader = rb_reader_from_bytes (answer);
  guint8 first = rb_reader_u8 (&reader);
  if (first == NEGATIVE)
    return rb_reader_u8 (&reader) == sid && rb_reader_left (&reader) >= 1;
  return rb_reader_ok (&reader) && first == (sid | 0x40);
}

/* The NRC of a negative answer, 0 of a positive one. */
static guint8
nrc_of (GBytes *answer)
{
  RbReader reader = rb_reader_from_bytes (answer);
  if (rb_reader_u8 (&reader) != NEGATIVE)
    return 0;
  (void) rb_reader_u8 (&reader);
  return rb_reader_u8 (&reader);
}

/* How many bytes of the request a positive answer says again behind its service. */
static gsize
echoed (guint8 sid)
{
  switch (sid) {
  case SID_ROUTINE: return 3;
  case SID_READ_DID:
  case SID_WRITE_DID: return 2;
  case SID_SESSION:
  case SID_RESET:
  case SID_SECURITY_ACCESS:
  case SID_AUTHENTICATION:
  case SID_TRANSFER: return 1;
  default: return 0;
  }
}

/* Does a positive answer name what was asked, for services whose answers do? */
static gboolean
names (GBytes *answer, GBytes *request, guint8 sid)
{
  gsize n = echoed (sid);
  RbReader asked = rb_reader_from_bytes (request), said = rb_reader_from_bytes (answer);
  (void) rb_reader_u8 (&asked);
  (void) rb_reader_u8 (&said);
  const guint8 *one = rb_reader_take (&asked, n);
  const guint8 *other = rb_reader_take (&said, n);
  return n == 0 || (one != NULL && other != NULL && memcmp (one, other, n) == 0);
}

/* The answer to another service, or to the request before once more: links and gateways deliver some things twice. */
static gboolean
is_foreign (RbClient *self, GBytes *answer, GBytes *request, guint8 sid)
{
  return !belongs (answer, sid) || (self->stale != NULL && g_bytes_equal (answer, self->stale))
         || (self->said != NULL && g_bytes_equal (answer, self->said) && !names (answer, request, sid));
}

/* Waits for the final answer to one sent request, through foreign answers and 0x78. */
static GBytes *
await_answer (RbClient *self, GBytes *request, guint8 sid, GCancellable *cancellable, GError **error)
{
  gint64 wait = self->timing.p2_ms + self->timing.allowance_ms;
  gint64 end = g_get_monotonic_time () / 1000 + self->timing.pending_limit_ms;
  guint pending = 0;
  guint foreign = 0;
  for (;;) {
    g_autoptr (GBytes) answer = rb_channel_receive_then (self->channel, wait, self->next, cancellable, error);
    if (answer == NULL)
      return NULL;
    if (is_foreign (self, answer, request, sid)) {
      if (++foreign > 16) {
        g_set_error (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU answers something else than was asked");
        return NULL;
      }
      continue;
    }
    if (nrc_of (answer) != NRC_PENDING)
      return g_steal_pointer (&answer);
    if (++pending > self->timing.max_pending || g_get_monotonic_time () / 1000 > end) {
      self->last_nrc = NRC_PENDING;
      g_set_error (error, RB_UDS_ERROR, RB_REASON_ECU_BUSY, "the ECU asked for more time %u times and did not finish", pending);
      return NULL;
    }
    if (self->pending != NULL)
      self->pending (pending, self->pending_data);
    wait = self->timing.p2_star_ms + self->timing.allowance_ms;
  }
}

static gboolean
is_timeout (const GError *error)
{
  return g_error_matches (error, RB_LINK_ERROR, RB_REASON_TIMEOUT);
}

/* May a request without answer be sent again? What changes the ECU's state may not, but for TransferData whose
 * counter makes the repetition harmless (ISO 14229-1, TransferData: a repeated counter is answered, not written). */
static gboolean
repeatable (GBytes *request)
{
  RbReader reader = rb_reader_from_bytes (request);
  switch (rb_reader_u8 (&reader)) {
  case SID_READ_DID:
  case SID_READ_DTC:
  case SID_TRANSFER:
  case SID_SESSION:
  case SID_TESTER_PRESENT: return TRUE;
  default: return FALSE;
  }
}

static GBytes *
ask_once (RbClient *self, GBytes *request, guint8 sid, GCancellable *cancellable, GError **error)
{
  gboolean sent = self->under_way == request;
  self->under_way = NULL;
  if (!sent && !rb_channel_send (self->channel, request, cancellable, error))
    return NULL;
  return await_answer (self, request, sid, cancellable, error);
}

GBytes *
rb_client_request (RbClient *self, GBytes *request, GCancellable *cancellable, GError **error)
{
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  self->last_nrc = 0;
  if (self->under_way != request)
    rb_channel_drain (self->channel);
  for (guint attempt = 0;; attempt++) {
    g_autoptr (GError) failure = NULL;
    g_autoptr (GBytes) answer = ask_once (self, request, sid, cancellable, &failure);
    gboolean last = attempt + 1 >= self->timing.repeats;
    if (answer == NULL) {
      if (is_timeout (failure) && repeatable (request) && !last)
        continue;
      if (is_timeout (failure))
        g_set_error (error, RB_UDS_ERROR, RB_REASON_NO_ANSWER, "the ECU does not answer: %s", failure->message);
      else
        g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    guint8 nrc = nrc_of (answer);
    if (nrc == 0) {
      g_clear_pointer (&self->said, g_bytes_unref);
      self->said = g_bytes_ref (answer);
      return g_steal_pointer (&answer);
    }
    if ((nrc != NRC_BUSY && nrc != NRC_NOT_NOW) || last) {
      fail_nrc (self, sid, nrc, error);
      return NULL;
    }
    if (!rb_moment_pause (BUSY_DELAY_MS, cancellable, error))
      return NULL;
  }
}

/* Checks that the answer begins with the given echo after its service id. */
static GBytes *
ask_message (RbClient *self, GBytes *message, gconstpointer echo, gsize echo_length, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) answer = rb_client_request (self, message, cancellable, error);
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
ask (RbClient *self, GByteArray *request, gconstpointer echo, gsize echo_length, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) message = g_byte_array_free_to_bytes (request);
  return ask_message (self, message, echo, echo_length, cancellable, error);
}

static gboolean
ask_nothing (RbClient *self, GByteArray *request, gconstpointer echo, gsize echo_length, GCancellable *cancellable,
             GError **error)
{
  g_autoptr (GBytes) rest = ask (self, request, echo, echo_length, cancellable, error);
  return rest != NULL;
}

static GByteArray *
begin (guint8 sid)
{
  GByteArray *request = g_byte_array_new ();
  rb_writer_u8 (request, sid);
  return request;
}

gboolean
rb_client_session (RbClient *self, guint8 session, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_SESSION);
  rb_writer_u8 (request, session);
  g_autoptr (GBytes) rest = ask (self, request, &session, 1, cancellable, error);
  if (rest == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (rest);
  gint64 p2 = rb_reader_u16be (&reader);
  gint64 p2_star = rb_reader_u16be (&reader) * 10;
  if (rb_reader_ok (&reader) && p2 > 0 && p2_star > 0) {
    self->timing.p2_ms = p2;
    self->timing.p2_star_ms = p2_star;
  }
  return TRUE;
}

gboolean
rb_client_reset (RbClient *self, guint8 kind, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_RESET);
  rb_writer_u8 (request, kind);
  return ask_nothing (self, request, &kind, 1, cancellable, error);
}

GBytes *
rb_client_read_did (RbClient *self, guint16 did, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_READ_DID);
  const guint8 echo[] = { did >> 8, did & 0xff };
  rb_writer_u16be (request, did);
  return ask (self, request, echo, sizeof echo, cancellable, error);
}

gboolean
rb_client_write_did (RbClient *self, guint16 did, GBytes *data, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_WRITE_DID);
  const guint8 echo[] = { did >> 8, did & 0xff };
  rb_writer_u16be (request, did);
  rb_writer_bytes (request, data);
  return ask_nothing (self, request, echo, sizeof echo, cancellable, error);
}

GBytes *
rb_client_routine (RbClient *self, guint16 routine, GBytes *option, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_ROUTINE);
  const guint8 echo[] = { 0x01, routine >> 8, routine & 0xff };
  rb_writer_data (request, echo, sizeof echo);
  if (option != NULL)
    rb_writer_bytes (request, option);
  return ask (self, request, echo, sizeof echo, cancellable, error);
}

GBytes *
rb_client_read_dtcs (RbClient *self, guint8 mask, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_READ_DTC);
  const guint8 echo[] = { 0x02 };
  rb_writer_u8 (request, 0x02);
  rb_writer_u8 (request, mask);
  g_autoptr (GBytes) rest = ask (self, request, echo, sizeof echo, cancellable, error);
  if (rest == NULL)
    return NULL;
  if (g_bytes_get_size (rest) % 4 == 1)
    return g_bytes_new_from_bytes (rest, 1, g_bytes_get_size (rest) - 1);
  g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU's list of trouble codes has a wrong length");
  return NULL;
}

GBytes *
rb_client_seed (RbClient *self, guint8 level, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_SECURITY_ACCESS);
  rb_writer_u8 (request, level);
  g_autoptr (GBytes) seed = ask (self, request, &level, 1, cancellable, error);
  if (seed == NULL)
    return NULL;
  const guint8 *bytes = g_bytes_get_data (seed, NULL);
  for (gsize i = 0; i < g_bytes_get_size (seed); i++)
    if (bytes[i] != 0)
      return g_steal_pointer (&seed);
  return g_bytes_new (NULL, 0); /* an all-zero seed says: unlocked already */
}

gboolean
rb_client_key (RbClient *self, guint8 level, GBytes *key, GCancellable *cancellable, GError **error)
{
  GByteArray *request = begin (SID_SECURITY_ACCESS);
  guint8 send = (guint8) (level + 1);
  rb_writer_u8 (request, send);
  rb_writer_bytes (request, key);
  return ask_nothing (self, request, &send, 1, cancellable, error);
}

GBytes *
rb_client_verify_certificate (RbClient *self, GBytes *certificate, GBytes *challenge, GCancellable *cancellable,
                              GError **error)
{
  static const guint8 echo[] = { 0x01, 0x11 }; /* certificate verified, ownership verification necessary */
  GByteArray *request = begin (SID_AUTHENTICATION);
  rb_writer_u8 (request, 0x01);
  rb_writer_u8 (request, 0x00); /* communication configuration: no secured channel */
  rb_writer_field16 (request, g_bytes_get_data (certificate, NULL), g_bytes_get_size (certificate));
  rb_writer_field16 (request, g_bytes_get_data (challenge, NULL), g_bytes_get_size (challenge));
  g_autoptr (GBytes) rest = ask (self, request, echo, sizeof echo, cancellable, error);
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
rb_client_prove_ownership (RbClient *self, GBytes *proof, GCancellable *cancellable, GError **error)
{
  static const guint8 echo[] = { 0x03, 0x12 }; /* ownership verified, authentication complete */
  GByteArray *request = begin (SID_AUTHENTICATION);
  rb_writer_u8 (request, 0x03);
  rb_writer_field16 (request, g_bytes_get_data (proof, NULL), g_bytes_get_size (proof));
  rb_writer_u16be (request, 0); /* no ephemeral key */
  return ask_nothing (self, request, echo, sizeof echo, cancellable, error);
}

/* maxNumberOfBlockLength, of size bytes; it counts the whole TransferData message, and the link's own limit counts as well. */
static gboolean
take_block_length (RbClient *self, RbReader *reader, guint size, gsize *block, GError **error)
{
  guint64 told = rb_reader_ube (reader, size);
  gsize length = (gsize) MIN (told, (guint64) rb_channel_max_message (self->channel));
  if (!rb_reader_ok (reader) || length <= OVERHEAD) {
    g_set_error_literal (error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER, "the ECU offers no usable block length");
    return FALSE;
  }
  *block = length - OVERHEAD;
  return TRUE;
}

gboolean
rb_client_download (RbClient *self, guint32 address, guint32 size, gsize *block, GCancellable *cancellable,
                    GError **error)
{
  GByteArray *request = begin (SID_DOWNLOAD);
  rb_writer_u8 (request, 0x00);
  rb_writer_u8 (request, 0x44);
  rb_writer_u32be (request, address);
  rb_writer_u32be (request, size);
  g_autoptr (GBytes) rest = ask (self, request, NULL, 0, cancellable, error);
  if (rest == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (rest);
  guint size_of_length = rb_reader_u8 (&reader) >> 4; /* lengthFormatIdentifier */
  return take_block_length (self, &reader, size_of_length, block, error);
}

gboolean
rb_client_add_file (RbClient *self, const char *path, guint32 size, gsize *block, GCancellable *cancellable,
                    GError **error)
{
  static const guint8 echo[] = { 0x01 };
  GByteArray *request = begin (SID_FILE_TRANSFER);
  rb_writer_u8 (request, 0x01);
  rb_writer_field16 (request, path, strlen (path));
  rb_writer_u8 (request, 0x00); /* neither compressed nor encrypted */
  rb_writer_u8 (request, 0x04); /* bytes of each size that follows */
  rb_writer_u32be (request, size);
  rb_writer_u32be (request, size);
  g_autoptr (GBytes) rest = ask (self, request, echo, sizeof echo, cancellable, error);
  if (rest == NULL)
    return FALSE;
  RbReader reader = rb_reader_from_bytes (rest);
  guint size_of_length = rb_reader_u8 (&reader);
  return take_block_length (self, &reader, size_of_length, block, error);
}

/* NULL: there is no more. */
static GBytes *
next_block (RbReader *data, gsize block, guint8 counter)
{
  gsize length = MIN (block, rb_reader_left (data));
  if (length == 0)
    return NULL;
  GByteArray *request = g_byte_array_sized_new ((guint) (length + OVERHEAD));
  rb_writer_u8 (request, SID_TRANSFER);
  rb_writer_u8 (request, counter);
  rb_writer_data (request, rb_reader_take (data, length), length);
  return g_byte_array_free_to_bytes (request);
}

/* next NULL: nothing follows. */
static gboolean
transfer_block (RbClient *self, GBytes *request, guint8 counter, GBytes *next, GCancellable *cancellable, GError **error)
{
  const guint8 positive[] = { SID_TRANSFER | 0x40, counter };
  g_autoptr (GBytes) after = g_bytes_new (positive, sizeof positive);
  RbChannelNext following = { .after = after, .message = next };
  self->next = next == NULL ? NULL : &following;
  g_autoptr (GBytes) rest = ask_message (self, request, &counter, 1, cancellable, error);
  self->next = NULL;
  self->under_way = rest != NULL && following.sent ? next : NULL;
  g_clear_pointer (&self->stale, g_bytes_unref);
  if (next != NULL && rest != NULL)
    self->stale = g_steal_pointer (&after);
  return rest != NULL;
}

gboolean
rb_client_transfer (RbClient *self, const guint8 *data, gsize length, gsize block, RbClientTaken taken, gpointer user_data,
                    GCancellable *cancellable, GError **error)
{
  RbReader reader = rb_reader_new (data, length);
  guint8 counter = 1;
  gsize done = 0;
  g_autoptr (GBytes) request = next_block (&reader, block, counter);
  while (request != NULL) {
    g_autoptr (GBytes) next = next_block (&reader, block, (guint8) (counter + 1));
    if (!transfer_block (self, request, counter++, next, cancellable, error))
      return FALSE;
    done += g_bytes_get_size (request) - OVERHEAD;
    if (taken != NULL)
      taken (done, user_data);
    g_bytes_unref (request);
    request = g_steal_pointer (&next);
  }
  return TRUE;
}

gboolean
rb_client_transfer_exit (RbClient *self, GCancellable *cancellable, GError **error)
{
  return ask_nothing (self, begin (SID_EXIT), NULL, 0, cancellable, error);
}

gboolean
rb_client_keep_alive (RbClient *self, GError **error)
{
  static const guint8 present[] = { SID_TESTER_PRESENT, 0x80 };
  g_autoptr (GBytes) message = g_bytes_new_static (present, sizeof present);
  return rb_channel_send (self->channel, message, NULL, error);
}
