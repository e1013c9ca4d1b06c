/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session-rows.h"

static void
found_free (gpointer data)
{
  RbSessionFound *self = data;
  g_free (self->id);
  g_free (self->name);
  g_free (self->title);
  g_free (self->oem);
  g_free (self);
}

static void
ecu_free (gpointer data)
{
  RbSessionEcu *self = data;
  g_free (self->serial);
  g_free (self->name);
  g_free (self->hardware_id);
  g_free (self->software);
  g_free (self->target);
  g_free (self->step);
  g_free (self->text);
  g_free (self->dtcs);
  g_free (self);
}

static void
record_free (gpointer data)
{
  RbSessionRecord *self = data;
  g_free (self->digest);
  g_free (self->vin);
  g_free (self->campaign);
  g_free (self->result);
  g_free (self);
}

static void
answer_free (gpointer data)
{
  RbSessionAnswer *self = data;
  g_free (self->item);
  g_free (self->note);
  g_free (self);
}

GPtrArray *
rb_session_rows_new_found (void)
{
  return g_ptr_array_new_with_free_func (found_free);
}

GPtrArray *
rb_session_rows_new_ecus (void)
{
  return g_ptr_array_new_with_free_func (ecu_free);
}

GPtrArray *
rb_session_rows_new_records (void)
{
  return g_ptr_array_new_with_free_func (record_free);
}

GPtrArray *
rb_session_rows_new_answers (void)
{
  return g_ptr_array_new_with_free_func (answer_free);
}
