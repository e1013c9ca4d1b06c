/* SPDX-License-Identifier: Apache-2.0 */
/* A time that is taken is the same after it was written. */
#include "core/moment.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  gint64 moment, again;
  if (!rb_moment_from_text (text, &moment))
    return 0;
  g_autofree char *written = rb_moment_to_text (moment);
  if (!rb_moment_from_text (written, &again) || again != moment)
    g_error ("%s became %s", text, written);
  return 0;
}
