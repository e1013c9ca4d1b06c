/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_SIGN_PAGE (rb_sign_page_get_type ())
G_DECLARE_FINAL_TYPE (RbSignPage, rb_sign_page, RB, SIGN_PAGE, RbPage)
