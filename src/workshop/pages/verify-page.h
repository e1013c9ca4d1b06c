/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_VERIFY_PAGE (rb_verify_page_get_type ())
G_DECLARE_FINAL_TYPE (RbVerifyPage, rb_verify_page, RB, VERIFY_PAGE, RbPage)
