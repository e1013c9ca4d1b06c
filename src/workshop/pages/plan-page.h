/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_PLAN_PAGE (rb_plan_page_get_type ())
G_DECLARE_FINAL_TYPE (RbPlanPage, rb_plan_page, RB, PLAN_PAGE, RbPage)
