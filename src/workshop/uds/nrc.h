/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

RB_DECLARE_ERROR_DOMAIN (uds);
#define RB_UDS_ERROR (rb_uds_error_quark ())

/* Negative response codes (ISO 14229-1 annex A.1). */
enum {
  RB_NRC_WRONG_LENGTH = 0x13,
  RB_NRC_CONDITIONS_NOT_CORRECT = 0x22,
  RB_NRC_OUT_OF_RANGE = 0x31,
  RB_NRC_BUSY_REPEAT = 0x21,
  RB_NRC_DELAY_NOT_EXPIRED = 0x37,
  RB_NRC_RESPONSE_PENDING = 0x78,
  RB_NRC_NOT_AVAILABLE_NOW = 0x94
};

/* "securityAccessDenied"; static, "manufacturerSpecific" for a code without a name. */
const char *rb_nrc_name (guint8 nrc);
/* Reason word of the NRC; refused for an NRC that has none of its own. */
RbReason rb_nrc_reason (guint8 nrc);
