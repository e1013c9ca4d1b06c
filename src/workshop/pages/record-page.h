/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_RECORD_PAGE (rb_record_page_get_type ())
G_DECLARE_FINAL_TYPE (RbRecordPage, rb_record_page, RB, RECORD_PAGE, RbPage)
