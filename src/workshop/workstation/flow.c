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

static const RbFlowStep steps[] = {
  { "vehicle", rb_vehicle_page_get_type, "Vehicle", "Which vehicle is in the bay, and how it is connected.",
    "Connect to the vehicle", RB_TASK_NONE, RB_TASK_OPEN, FALSE },
  { "connect", rb_connect_page_get_type, "Connection",
    "Nothing is written. Each line has to be good before the work goes on.", "Start the inspection", RB_TASK_CONNECT,
    RB_TASK_NONE, TRUE },
  { "inspect", rb_inspect_page_get_type, "Safety inspection",
    "Look at the vehicle and answer for what you see. Measured lines turn good by themselves.", "Finish the inspection",
    RB_TASK_NONE, RB_TASK_INSPECT, TRUE },
  { "plan", rb_plan_page_get_type, "Plan and authorise",
    "What is in the vehicle and what will be in it. Nothing is written before you authorise it.", "Authorise and start",
    RB_TASK_NONE, RB_TASK_AUTHORISE, TRUE },
  { "work", rb_work_page_get_type, "Work",
    "Leave the ignition and the charger as they are until every ECU has been read back.", "See the result", RB_TASK_RUN,
    RB_TASK_NONE, FALSE },
  { "verify", rb_verify_page_get_type, "Verification", "Read back from the vehicle in a new session after the work.",
    "Go to the signature", RB_TASK_NONE, RB_TASK_NONE, FALSE },
  { "sign", rb_sign_page_get_type, "Signature", "You answer for what this record says about the vehicle.",
    "Sign the record", RB_TASK_NONE, RB_TASK_SIGN, FALSE },
  { "record", rb_record_page_get_type, "Record", "The record is signed and kept on this workstation.",
    "Show the outbox", RB_TASK_NONE, RB_TASK_NONE, FALSE },
  { "outbox", rb_outbox_page_get_type, "Outbox", "Every record of this workstation, the newest first.", "Next vehicle",
    RB_TASK_RECORDS, RB_TASK_NONE, FALSE },
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
