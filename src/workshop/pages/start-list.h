/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/row.h"
#include "session/workplace.h"

/*
 * What comes before a new vehicle: recoveries that are not finished, and what the workstation lacks to start one, with
 * the command that provides it. Hidden when there is nothing of both. Signal: "resume" (const char *vin).
 */
#define RB_TYPE_START_LIST (rb_start_list_get_type ())
G_DECLARE_FINAL_TYPE (RbStartList, rb_start_list, RB, START_LIST, AdwBin)

void rb_start_list_show (RbStartList *self, RbWorkplace *workplace);
