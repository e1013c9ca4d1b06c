/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/row.h"
#include "session/workplace.h"

/* The links that are found on this computer, and the one used last. Signal: "chosen" (const char *uri). */
#define RB_TYPE_LINK_LIST (rb_link_list_get_type ())
G_DECLARE_FINAL_TYPE (RbLinkList, rb_link_list, RB, LINK_LIST, AdwBin)

/* Shows what the workplace has now; chosen is the URI that is entered, or "". */
void rb_link_list_show (RbLinkList *self, RbWorkplace *workplace, const char *entered);
