/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"

/*
 * Several open campaigns of one vehicle. If two change one ECU, the OEM has to state the order: a campaign
 * names in “after” those done before it, directly or by one between, and in “supersedes” those whose place it takes.
 * Names are of campaigns of the same trust anchor. All take (element-type RbContents), each with the vehicle in its
 * scope.
 */

/* campaigns-conflict, naming both, where two change one ECU without an order, or each is said to come after the other.
 */
gboolean rb_order_check (GPtrArray *campaigns, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Must before be done before campaign? */
gboolean rb_order_is_before (GPtrArray *campaigns, RbContents *before, RbContents *campaign);
/* The campaign that supersedes this one; NULL: none. Borrowed from campaigns. */
RbContents *rb_order_superseded_by (GPtrArray *campaigns, RbContents *campaign);
/* Those that are not superseded, in the order of the work; after rb_order_check(). (element-type RbContents) (transfer
 * full) */
GPtrArray *rb_order_sort (GPtrArray *campaigns);
