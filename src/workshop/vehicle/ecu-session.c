/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/ecu-session.h"

#define S3_MS 5000
#define NRC_LOCKED 0x33 /* securityAccessDenied */
#define NRC_NOT_AUTHENTICATED 0x34 /* authenticationRequired */
#define NRC_SUB_FUNCTION_NOT_IN_SESSION 0x7e
#define NRC_NOT_IN_SESSION 0x7f

void
rb_ecu_session_init (RbEcuSession *self, gint64 s3_ms)
{
  *self = (RbEcuSession){ .s3_ms = s3_ms > 0 ? s3_ms : S3_MS, .session = RB_ECU_SESSION_DEFAULT };
}

void
rb_ecu_session_end (RbEcuSession *self)
{
  self->session = RB_ECU_SESSION_DEFAULT;
  self->unlocked = self->lost = FALSE;
}

static void
lose (RbEcuSession *self)
{
  gboolean open = self->session != RB_ECU_SESSION_DEFAULT;
  rb_ecu_session_end (self);
  self->lost = open;
}

static void
expire (RbEcuSession *self, gint64 now)
{
  if (self->session != RB_ECU_SESSION_DEFAULT && now - self->heard >= self->s3_ms)
    lose (self);
}

void
rb_ecu_session_enter (RbEcuSession *self, guint8 session, gint64 now)
{
  rb_ecu_session_end (self);
  self->session = session;
  self->since = self->heard = now;
}

void
rb_ecu_session_unlock (RbEcuSession *self, gint64 now)
{
  self->unlocked = self->session != RB_ECU_SESSION_DEFAULT;
  self->heard = now;
}

void
rb_ecu_session_touch (RbEcuSession *self, gint64 now)
{
  self->heard = now;
}

void
rb_ecu_session_reject (RbEcuSession *self, guint8 nrc, gint64 now)
{
  gboolean locked = self->unlocked && (nrc == NRC_LOCKED || nrc == NRC_NOT_AUTHENTICATED);
  rb_ecu_session_touch (self, now);
  if (locked || nrc == NRC_SUB_FUNCTION_NOT_IN_SESSION || nrc == NRC_NOT_IN_SESSION)
    lose (self);
}

gboolean
rb_ecu_session_is_unlocked (RbEcuSession *self, guint8 session, gint64 now)
{
  expire (self, now);
  return self->unlocked && self->session == session;
}

gboolean
rb_ecu_session_is_lost (RbEcuSession *self, gint64 now)
{
  expire (self, now);
  return self->lost;
}

gboolean
rb_ecu_session_is_due (RbEcuSession *self, gint64 now)
{
  expire (self, now);
  return self->session != RB_ECU_SESSION_DEFAULT && now - self->heard >= self->s3_ms * 2 / 5;
}
