/* SPDX-License-Identifier: Apache-2.0 */
/* ECU version reports, their signature not judged and judged. */
#include "core/json.h"
#include "fuzz.h"
#include "uptane/report.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint8 raw[32]
    = { 0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d, 0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f, 0x0d, 0x73,
        0x65, 0x32, 0x15, 0x77, 0x1d, 0xe2, 0x43, 0xa6, 0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29 };
  static RbPublicKey *key;
  if (key == NULL)
    key = rb_key_public_from_ed25519 (raw, sizeof raw, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (json_t) part = rb_report_verify (bytes, NULL, "ECU-1", NULL);
  g_autoptr (json_t) proven = rb_report_verify (bytes, key, "ECU-1", NULL);
  if (proven != NULL && part == NULL)
    g_error ("a signature made it good");
  return 0;
}
