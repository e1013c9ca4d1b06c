/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_CONNECT_PAGE (rb_connect_page_get_type ())
G_DECLARE_FINAL_TYPE (RbConnectPage, rb_connect_page, RB, CONNECT_PAGE, RbPage)
