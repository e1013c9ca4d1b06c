/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/session-control.h"

#include <string.h>

#define P2_MS 50
#define P2_STAR_10MS 500
#define S3_MS 5000

static void
transfer_clear (RbTransfer *self)
{
  g_free (self->path);
  if (self->file != NULL)
    g_byte_array_unref (self->file);
  memset (self, 0, sizeof *self);
}

void
rb_session_control_forget (RbEcu *self)
{
  self->unlocked = self->fingerprinted = FALSE;
  self->seed = 0;
  self->working_until = 0;
  g_clear_pointer (&self->server_challenge, g_bytes_unref);
  g_clear_pointer (&self->client_challenge, g_bytes_unref);
  g_clear_pointer (&self->client_key, rb_key_public_unref);
  g_hash_table_remove_all (self->staging);
  if (self->transfer.active && !self->transfer.to_file)
    self->stuck = rb_host_fault (self->vehicle, "stuck-download", self, 0) != NULL;
  transfer_clear (&self->transfer);
}

/* The default session: what 0x28 and 0x85 have set ends with it (ISO 14229-1), and not between the others. */
void
rb_session_control_enter_default (RbEcu *self)
{
  rb_session_control_forget (self);
  self->session = RB_ECU_DEFAULT;
  self->dtc_off = self->silent = FALSE;
}

void
rb_session_control_lose_power (RbEcu *self)
{
  rb_session_control_enter_default (self);
  self->hung = self->stuck = FALSE;
  rb_host_log (self->vehicle, "power", self, NULL);
}

guint8
rb_session_control_service (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 session = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (session < RB_ECU_DEFAULT || session > RB_ECU_EXTENDED)
    return RB_NRC_SUB_FUNCTION;
  if (session == RB_ECU_EXTENDED && !self->memory->valid)
    return 0x7e; /* the bootloader has no extended session */
  if (session == RB_ECU_DEFAULT)
    rb_session_control_enter_default (self);
  rb_session_control_forget (self);
  self->session = session;
  rb_host_log (self->vehicle, "session", self, json_pack ("{s:i}", "session", session));
  rb_writer_u8 (out, session);
  rb_writer_u16be (out, P2_MS);
  rb_writer_u16be (out, P2_STAR_10MS);
  return 0;
}

void
rb_session_control_lose (RbEcu *self)
{
  rb_host_log (self->vehicle, "session-end", self, NULL);
  rb_session_control_enter_default (self);
}

void
rb_session_control_expire (RbEcu *self, gint64 now)
{
  /* S3 runs from the answer, not from the request (ISO 14229-2) */
  if (self->session == RB_ECU_DEFAULT || self->hearing
      || now - MAX (self->last_request, self->working_until) <= S3_MS + 200)
    return;
  rb_session_control_lose (self);
}
