/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken is UTF-8 without NUL, and is the same value after it was written. */
#include "core/json.h"
#include "fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) text = g_bytes_new (data, size);
  g_autoptr (json_t) value = rb_json_parse (text, 1 << 20, "text", NULL);
  if (value == NULL)
    return 0;
  if (!g_utf8_validate_len ((const char *) data, size, NULL))
    g_error ("taken, but not UTF-8");
  g_autoptr (GBytes) written = rb_json_to_bytes (value);
  g_autoptr (json_t) again = rb_json_parse (written, G_MAXSIZE, "written", NULL);
  g_autofree char *pretty = rb_json_to_pretty (value);
  if (again == NULL)
    g_error ("written, but not read: %s", pretty);
  gint64 moment, number;
  if (rb_json_moment (value, "expires", &moment, "text", NULL)
      && rb_json_integer (value, "version", 1, 10, &number, "text", NULL) && (number < 1 || number > 10))
    g_error ("out of range");
  return 0;
}
