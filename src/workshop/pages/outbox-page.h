/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_OUTBOX_PAGE (rb_outbox_page_get_type ())
G_DECLARE_FINAL_TYPE (RbOutboxPage, rb_outbox_page, RB, OUTBOX_PAGE, RbPage)
