/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* Services (ISO 14229-1) that the client requests, and the SID of negative responses. */
enum {
  RB_SID_SESSION = 0x10,
  RB_SID_RESET = 0x11,
  RB_SID_READ_DTC = 0x19,
  RB_SID_READ_DID = 0x22,
  RB_SID_SECURITY_ACCESS = 0x27,
  RB_SID_AUTHENTICATION = 0x29,
  RB_SID_WRITE_DID = 0x2e,
  RB_SID_ROUTINE = 0x31,
  RB_SID_DOWNLOAD = 0x34,
  RB_SID_TRANSFER = 0x36,
  RB_SID_EXIT = 0x37,
  RB_SID_FILE_TRANSFER = 0x38,
  RB_SID_TESTER_PRESENT = 0x3e,
  RB_SID_NEGATIVE = 0x7f,
};

/* Is it a response, positive or negative, to that service? */
gboolean rb_response_is_of (GBytes *response, guint8 sid);
/* The NRC of a negative response, 0 of a positive one. */
guint8 rb_response_nrc (GBytes *response);
/* Does a response of the service carry the echo of this request: sub-function, DID, RID or counter? A negative one
 * carries none, which is no contradiction. */
gboolean rb_response_echoes (GBytes *response, GBytes *request);
