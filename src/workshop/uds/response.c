/* SPDX-License-Identifier: Apache-2.0 */
#include "uds/response.h"

#include "core/bytes.h"

#include <string.h>

gboolean
rb_response_is_of (GBytes *response, guint8 sid)
{
  RbReader reader = rb_reader_from_bytes (response);
  guint8 first = rb_reader_u8 (&reader);
  if (first == RB_SID_NEGATIVE)
    return rb_reader_u8 (&reader) == sid && rb_reader_left (&reader) >= 1;
  return rb_reader_ok (&reader) && first == (sid | 0x40);
}

guint8
rb_response_nrc (GBytes *response)
{
  RbReader reader = rb_reader_from_bytes (response);
  if (rb_reader_u8 (&reader) != RB_SID_NEGATIVE)
    return 0;
  (void) rb_reader_u8 (&reader);
  return rb_reader_u8 (&reader);
}

/* Number of request bytes that a positive response echoes after the SID. */
static gsize
echo_length (guint8 sid)
{
  switch (sid) {
  case RB_SID_ROUTINE: return 3; /* sub-function and RID */
  case RB_SID_READ_DID:
  case RB_SID_WRITE_DID: return 2;
  case RB_SID_SESSION:
  case RB_SID_RESET:
  case RB_SID_READ_DTC:
  case RB_SID_SECURITY_ACCESS:
  case RB_SID_AUTHENTICATION:
  case RB_SID_TRANSFER:
  case RB_SID_FILE_TRANSFER: return 1;
  default: return 0;
  }
}

gboolean
rb_response_echoes (GBytes *response, GBytes *request)
{
  RbReader asked = rb_reader_from_bytes (request), got = rb_reader_from_bytes (response);
  if (rb_reader_u8 (&got) == RB_SID_NEGATIVE)
    return TRUE;
  gsize n = echo_length (rb_reader_u8 (&asked));
  const guint8 *one = rb_reader_take (&asked, n);
  const guint8 *other = rb_reader_take (&got, n);
  return n == 0 || (one != NULL && other != NULL && memcmp (one, other, n) == 0);
}
