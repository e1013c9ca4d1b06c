/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "keystore/identity.h"
#include "link/channel.h"
#include "model/profile.h"
#include "model/vehicle-model.h"
#include "uds/uds-client.h"
#include "vehicle/error.h"
#include "vehicle/ownership.h"

/*
 * Client of one ECU (the diagnostic server at one address), by its profile. Every call blocks; one
 * thread an ECU. Errors of link/ and uds/ pass through, prefixed with the ECU's name.
 */
typedef struct _RbEcuClient RbEcuClient;

/* Opens the channel. profile may be NULL (identification by common DIDs only); both are borrowed. */
RbEcuClient *rb_ecu_client_new (RbLink *link, const RbModelEcu *model, const RbProfile *profile, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_ecu_client_free (RbEcuClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbEcuClient, rb_ecu_client_free)
/* Before waits that a person notices, in the caller's thread: the ECU rejects for now, reason security-delay or
 * ecu-busy, and text says so with the ECU's name. text NULL: the wait is over. */
typedef void (*RbEcuClientWait) (RbReason reason, const char *text, gpointer user_data);
void rb_ecu_client_set_wait (RbEcuClient *self, RbEcuClientWait wait, gpointer user_data);
/* Longest block that turned out not to be too long for the ECU or its gateway, data bytes; 0: not known. For the next
 * unit of the same ECU when the link was lost meanwhile. */
gsize rb_ecu_client_block_limit (RbEcuClient *self);
void rb_ecu_client_limit_block (RbEcuClient *self, gsize block);
/* NRC of the last rejected request, 0. */
guint8 rb_ecu_client_last_nrc (RbEcuClient *self);
/* TesterPresent (3E 80) when the session needs it to outlast S3, and no response of the ECU is outstanding: then S3 is
 * stopped. From any thread. FALSE: it could not be sent. */
gboolean rb_ecu_client_tester_present (RbEcuClient *self);
/* Data of a DID that the ECU may not have now: *data is NULL where it says so (NRC 0x22, 0x31). (transfer full) */
gboolean rb_ecu_client_read_coding (RbEcuClient *self, guint16 did, GBytes **data, GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_ecu_client_write_did (RbEcuClient *self, guint16 did, GBytes *data, GCancellable *cancellable,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 19 02: records of three bytes and a status each; *dtcs is NULL where the ECU rejects it. (transfer full) */
gboolean rb_ecu_client_read_dtcs (RbEcuClient *self, guint8 mask, GBytes **dtcs, GCancellable *cancellable,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A request whose positive response has no data. */
gboolean rb_ecu_client_tell (RbEcuClient *self, const guint8 *request, gsize length, GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Has it sent response pending (0x78) to the request that is outstanding? From any thread. */
gboolean rb_ecu_client_is_pending (RbEcuClient *self);
/* Around a functional request that was not sent by this unit (vehicle/group.h): forgets what was received before, and
 * afterwards waits for the ECU's final response to that service until end, monotonic milliseconds. Nothing happens when
 * there is none. */
void rb_ecu_client_begin_group (RbEcuClient *self);
void rb_ecu_client_end_group (RbEcuClient *self, guint8 sid, gint64 end, GCancellable *cancellable);
/* Is the ECU in that diagnostic session, and unlocked, by the last responses? */
gboolean rb_ecu_client_is_unlocked (RbEcuClient *self, guint8 session);
/* Did its diagnostic session end without a request, and was none entered since? */
gboolean rb_ecu_client_lost_session (RbEcuClient *self);

/* Text of a DID without its padding (vehicle/did-text.h); wrong-answer, with the DID, where it is not printable ASCII.
 * (transfer full) */
char *rb_ecu_client_read_text (RbEcuClient *self, guint16 did, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Number of a DID of 1–4 bytes, big endian. */
gboolean rb_ecu_client_read_number (RbEcuClient *self, guint16 did, gint64 *value, GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean rb_ecu_client_session (RbEcuClient *self, guint8 session, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 0x29 with an identity of purpose RB_PURPOSE_ECU_AUTHENTICATION, or 0x27, as the profile says, in the session that is
 * active. ownership names vehicle and ECU in what is signed for 0x29; a profile of “bare-challenge” signs the server's
 * challenge only. */
gboolean rb_ecu_client_unlock (RbEcuClient *self, RbIdentity *identity, const RbOwnership *ownership,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Resets and waits until the ECU responds again, at most the profile's boot time. */
gboolean rb_ecu_client_reset (RbEcuClient *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called with the bytes that the ECU has acknowledged. */
typedef void (*RbEcuClientProgress) (guint64 done, guint64 total, gpointer user_data);
/* Erases and downloads each segment of a container (model/campaign.h), then has dependencies checked. Programming
 * session, unlocked. */
gboolean rb_ecu_client_write_image (RbEcuClient *self, GBytes *container, RbEcuClientProgress progress,
                                    gpointer user_data, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* SHA-256(nonce ‖ container) as the ECU computes it from flash, hex; programming session. (transfer full) */
char *rb_ecu_client_digest (RbEcuClient *self, GBytes *nonce, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Puts a file into the ECU's staging area. Unlocked. */
gboolean rb_ecu_client_stage (RbEcuClient *self, const char *path, GBytes *bytes, GCancellable *cancellable,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
typedef enum { RB_INSTALL_ALL, RB_INSTALL_DIRECTOR_ROOT, RB_INSTALL_IMAGE_ROOT } RbInstall;
/* Has the ECU verify and store what is staged; the ECU's own reason word becomes the error's. */
gboolean rb_ecu_client_install (RbEcuClient *self, RbInstall what, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_ecu_client_install_anchor (RbEcuClient *self, int repo, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_ecu_client_delete_metadata (RbEcuClient *self, int repo, const char *role, GCancellable *cancellable,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
