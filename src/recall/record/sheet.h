/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/error.h"

/*
 * The certificate on paper: one A4 page as PDF, drawn from the signed record only, which is verified first (its own
 * chains). Nothing but a completed record says that the vehicle may be released; any other says do not. (transfer full)
 */
GBytes *rb_sheet_draw (GBytes *envelope, GError **error) G_GNUC_WARN_UNUSED_RESULT;
