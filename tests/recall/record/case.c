/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

#include "core/json.h"
#include "crypto/dsse.h"

void
case_set_up (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture_set_up (&self->fixture);
  self->outbox = rb_outbox_open (self->fixture.folder, &error);
  g_assert_no_error (error);
  g_autoptr (json_t) facts = fixture_facts (&self->fixture, FIXTURE_VIN);
  self->record = fixture_make (&self->fixture, self->outbox, facts);
}

void
case_tear_down (Case *self, gconstpointer data)
{
  rb_statement_record_free (self->record);
  rb_outbox_close (self->outbox);
  fixture_tear_down (&self->fixture);
}

GBytes *
case_payload (const RbStatementRecord *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDsse) dsse = rb_dsse_parse (record->envelope, RB_STATEMENT_MAX_BYTES, &error);
  g_assert_no_error (error);
  return g_bytes_ref (rb_dsse_payload (dsse));
}

json_t *
case_statement (const RbStatementRecord *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) payload = case_payload (record);
  json_t *statement = rb_json_parse (payload, RB_STATEMENT_MAX_BYTES, "record", &error);
  g_assert_no_error (error);
  return statement;
}

void
case_call_it_partial (json_t *predicate)
{
  rb_json_set_string (predicate, "type", "partial");
  rb_json_set_string (predicate, "result", "incomplete");
}
