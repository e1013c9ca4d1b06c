/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_WORK_PAGE (rb_work_page_get_type ())
G_DECLARE_FINAL_TYPE (RbWorkPage, rb_work_page, RB, WORK_PAGE, RbPage)
