/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/flow.h"

#include "pages/connect-page.h"
#include "pages/inspect-page.h"
#include "pages/outbox-page.h"
#include "pages/plan-page.h"
#include "pages/record-page.h"
#include "pages/sign-page.h"
#include "pages/vehicle-page.h"
#include "pages/verify-page.h"
#include "pages/work-page.h"

#include <glib/gi18n-lib.h>

static const RbFlowStep steps[] = {
  { "vehicle", rb_vehicle_page_get_type, N_ ("Vehicle"),
    N_ ("Identify the vehicle in the bay and select its connection."), N_ ("Connect to the vehicle"), RB_TASK_NONE,
    RB_TASK_OPEN, FALSE },
  { "connect", rb_connect_page_get_type, N_ ("Connection"),
    N_ ("Nothing is written. All checks must pass before you can continue."), N_ ("Start the inspection"),
    RB_TASK_CONNECT, RB_TASK_NONE, TRUE },
  { "inspect", rb_inspect_page_get_type, N_ ("Safety inspection"),
    N_ ("Inspect the vehicle and confirm each item. Measured items update automatically."),
    N_ ("Finish the inspection"), RB_TASK_NONE, RB_TASK_INSPECT, TRUE },
  { "plan", rb_plan_page_get_type, N_ ("Plan and authorise"),
    N_ ("What the vehicle has and what it will have. Nothing is written before you authorise it."),
    N_ ("Authorise and start"), RB_TASK_NONE, RB_TASK_AUTHORISE, TRUE },
  { "work", rb_work_page_get_type, N_ ("Work"),
    N_ ("Do not change the ignition or the charger until every ECU is read back."), N_ ("See the result"), RB_TASK_RUN,
    RB_TASK_NONE, FALSE },
  { "verify", rb_verify_page_get_type, N_ ("Verification"), N_ ("What the vehicle reported after the work."),
    N_ ("Go to the signature"), RB_TASK_NONE, RB_TASK_NONE, TRUE },
  { "sign", rb_sign_page_get_type, N_ ("Signature"),
    N_ ("You are responsible for what this record states about the vehicle."), N_ ("Sign the record"), RB_TASK_NONE,
    RB_TASK_SIGN, TRUE },
  { "record", rb_record_page_get_type, N_ ("Record"), N_ ("The record is signed and stored on this workstation."),
    N_ ("Show the outbox"), RB_TASK_NONE, RB_TASK_NONE, FALSE },
  { "outbox", rb_outbox_page_get_type, N_ ("Outbox"), N_ ("All records of this workstation, newest first."),
    N_ ("Next vehicle"), RB_TASK_RECORDS, RB_TASK_NONE, FALSE },
};

guint
rb_flow_n_steps (void)
{
  return G_N_ELEMENTS (steps);
}

const RbFlowStep *
rb_flow_step (guint i)
{
  g_return_val_if_fail (i < G_N_ELEMENTS (steps), NULL);
  return &steps[i];
}
