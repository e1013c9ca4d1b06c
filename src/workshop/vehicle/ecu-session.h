/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * The diagnostic session of one ECU as the tester knows it (ISO 14229-1, 10.2; S3 of ISO 14229-2). A session other than
 * the default one ends when the ECU is asked nothing for S3, is reset, loses the link, or says by NRC 0x7E or 0x7F that
 * it is not in it; what was unlocked ends with it, and with a change of session. Time is given by the caller, monotonic
 * milliseconds. One thread.
 */
enum { RB_ECU_SESSION_DEFAULT = 1, RB_ECU_SESSION_PROGRAMMING = 2, RB_ECU_SESSION_EXTENDED = 3 };

typedef struct {
  gint64 s3_ms;
  guint8 session; /* as last entered; RB_ECU_SESSION_DEFAULT once it has ended */
  gboolean unlocked;
  gboolean lost; /* it ended other than by a request of ours, and none was entered since */
  gint64 since; /* entered then */
  gint64 heard; /* the last request ended, or was sent when it has no response, then */
} RbEcuSession;

/* s3_ms 0: 5 s (ISO 14229-2). Default session, locked. */
void rb_ecu_session_init (RbEcuSession *self, gint64 s3_ms);
/* The ECU responded positively to 0x10. */
void rb_ecu_session_enter (RbEcuSession *self, guint8 session, gint64 now);
void rb_ecu_session_unlock (RbEcuSession *self, gint64 now);
/* A request was responded to, or one without response was sent. It may have lasted longer than S3, in which the session
 * lasts too: ask the questions below before a request. */
void rb_ecu_session_touch (RbEcuSession *self, gint64 now);
/* A request other than 0x10 was rejected with that NRC. */
void rb_ecu_session_reject (RbEcuSession *self, guint8 nrc, gint64 now);
/* After a reset. */
void rb_ecu_session_end (RbEcuSession *self);
/* Is it in that session, and unlocked? */
gboolean rb_ecu_session_is_unlocked (RbEcuSession *self, guint8 session, gint64 now);
/* Did the session end without a request of ours? */
gboolean rb_ecu_session_is_lost (RbEcuSession *self, gint64 now);
/* Is it time for TesterPresent (two fifths of S3: 2 s of 5 s, as S3client of ISO 14229-2)? Never in the default
 * session. */
gboolean rb_ecu_session_is_due (RbEcuSession *self, gint64 now);
