/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_INSPECT_PAGE (rb_inspect_page_get_type ())
G_DECLARE_FINAL_TYPE (RbInspectPage, rb_inspect_page, RB, INSPECT_PAGE, RbPage)
