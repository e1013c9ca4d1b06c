/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

/* The recovery of a vehicle as a table of screens, in order. */
typedef struct {
  const char *name;
  GType (*type) (void);
  const char *title; /* this and the next two: English, to be translated when shown */
  const char *lead; /* one sentence under the heading */
  const char *primary; /* the primary button */
  RbSessionTask on_enter; /* begins with the screen */
  RbSessionTask action; /* of the primary button; the next screen comes when it went well */
  gboolean back; /* one may go back from here */
} RbFlowStep;
guint rb_flow_n_steps (void);
const RbFlowStep *rb_flow_step (guint i);
