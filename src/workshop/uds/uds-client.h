/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/channel.h"
#include "uds/nrc.h"
#include "uds/timing.h"

/*
 * ISO 14229-1 client on one channel: one request at a time, blocking, cancellable; of one thread, but for
 * rb_uds_client_begin_idle(). Handles 0x78 (waits, bounded by number and time), 0x21/0x94 (repeats for a time), a
 * security delay (0x37 to the request for a seed or challenge: repeats for a time), no response (repeats where the
 * service allows it). A response that does not echo what its service echoes (sub-function, DID, RID, counter) is a late
 * one: it is dropped and counted. TesterPresent is the caller's (rb_uds_client_tester_present).
 *
 * A rejection is a value, not a hidden success: every call fails with RB_UDS_ERROR; rb_uds_client_last_nrc() returns
 * the NRC. Reasons: refused, ecu-locked (33/34/35), ecu-locked-out (36), security-delay (37), ecu-busy, voltage-low,
 * voltage-high, wrong-answer, no-answer; errors of the channel are passed on (link-lost, cancelled).
 */
typedef struct _RbUdsClient RbUdsClient;

RbUdsClient *rb_uds_client_new (RbChannel *channel, const RbUdsClientTiming *timing);
void rb_uds_client_free (RbUdsClient *self);
/* NRC of the last call that failed by a negative response, else 0. */
guint8 rb_uds_client_last_nrc (RbUdsClient *self);
/* Called (in the caller's thread) before each wait that the ECU asks for: 0x78, 0x21, 0x94, 0x37, and for which time in
 * a row. After waits for 0x21, 0x94 and 0x37 once more with count 0: they are over. */
typedef void (*RbUdsClientWait) (guint8 nrc, guint count, gpointer user_data);
void rb_uds_client_set_wait (RbUdsClient *self, RbUdsClientWait wait, gpointer user_data);

/* request → answer without the SID checks of the typed calls; answer[0] is SID|0x40. (transfer full) */
GBytes *rb_uds_client_request (RbUdsClient *self, GBytes *request, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 0x10; takes over P2/P2* from the answer. */
gboolean rb_uds_client_session_control (RbUdsClient *self, guint8 session, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 0x11 */
gboolean rb_uds_client_ecu_reset (RbUdsClient *self, guint8 kind, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 0x22 one DID; the data after the echo. (transfer full) */
GBytes *rb_uds_client_read_did (RbUdsClient *self, guint16 did, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_uds_client_write_did (RbUdsClient *self, guint16 did, GBytes *data, GCancellable *cancellable,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 0x31 01; what follows the routine id in the answer. option may be NULL. (transfer full) */
GBytes *rb_uds_client_start_routine (RbUdsClient *self, guint16 routine, GBytes *option, GCancellable *cancellable,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for a routine that changes nothing (a digest, a proof, a report): it is repeated when no response comes. */
GBytes *rb_uds_client_read_routine (RbUdsClient *self, guint16 routine, GBytes *option, GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 0x19 02 mask: DTC records of 4 bytes each. (transfer full) */
GBytes *rb_uds_client_read_dtcs (RbUdsClient *self, guint8 mask, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 0x27: seed of level (odd); empty when already unlocked (all zero). A response without seed is wrong-answer. (transfer
 * full) */
GBytes *rb_uds_client_request_seed (RbUdsClient *self, guint8 level, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_uds_client_send_key (RbUdsClient *self, guint8 level, GBytes *key, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 0x29 01: sends certificate (DER) and challenge, gives the server's challenge. (transfer full) */
GBytes *rb_uds_client_verify_certificate (RbUdsClient *self, GBytes *certificate, GBytes *challenge,
                                          GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 0x29 03 */
gboolean rb_uds_client_prove_ownership (RbUdsClient *self, GBytes *proof, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 0x34 with 4 byte address and size; *block is the data bytes a 0x36 may carry (maxNumberOfBlockLength - 2, bounded by
 * the channel). */
gboolean rb_uds_client_request_download (RbUdsClient *self, guint32 address, guint32 size, gsize *block,
                                         GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 0x38 01 (add file); *block as above. */
gboolean rb_uds_client_request_file_transfer (RbUdsClient *self, const char *path, guint32 size, gsize *block,
                                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* How many bytes the ECU has taken. */
typedef void (*RbUdsClientProgress) (gsize taken, gpointer user_data);
/*
 * All of data by 0x36 in blocks of block bytes; the counter starts at 1 and wraps FF → 00, and a block without answer
 * is repeated with the same counter. Each block is laid ready before the one before it is answered, so that after a
 * failure the ECU may have got one more than taken (may be NULL) has told of.
 */
gboolean rb_uds_client_transfer_data (RbUdsClient *self, const guint8 *data, gsize length, gsize block,
                                      RbUdsClientProgress taken, gpointer user_data, GCancellable *cancellable,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/*
 * A block that the gateway (DoIP NACK 04, header NACK 02), the transport (FC OVFLW) or the ECU (NRC 13, 31, although
 * 0x74 promised more) rejects because of its length is sent again in halves, and no longer one for as long as the
 * client lives; the limit can be read and given to the next client of the same ECU. Data bytes, 0: none.
 */
gsize rb_uds_client_block_limit (RbUdsClient *self);
void rb_uds_client_limit_block (RbUdsClient *self, gsize block);
/* 0x37 */
gboolean rb_uds_client_request_transfer_exit (RbUdsClient *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* From then to rb_uds_client_end_idle() no response is outstanding, and no request is sent but by the caller. Waits for
 * that; try: FALSE, and nothing to end, where it would have to wait. */
void rb_uds_client_begin_idle (RbUdsClient *self);
gboolean rb_uds_client_try_idle (RbUdsClient *self) G_GNUC_WARN_UNUSED_RESULT;
void rb_uds_client_end_idle (RbUdsClient *self);
/* 3E 80, no answer awaited. Where another thread may send requests, only between the two above. */
gboolean rb_uds_client_tester_present (RbUdsClient *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbUdsClient, rb_uds_client_free)
