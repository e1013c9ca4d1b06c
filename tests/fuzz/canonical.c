/* SPDX-License-Identifier: Apache-2.0 */
/* Forms A and B are JSON of the same value and their own canonical form; C is A where nothing is escaped. */
#include "core/json.h"
#include "fuzz.h"
#include "uptane/canonical.h"

#include <string.h>

static gboolean
holds_reals (const json_t *value)
{
  g_autofree char *text = rb_json_to_text (value);
  return strpbrk (text, ".eE") != NULL;
}

static void
judge (const json_t *value, RbCanonical form)
{
  g_autoptr (GBytes) bytes = rb_canonical_form (value, form);
  g_autoptr (json_t) again = rb_json_parse (bytes, G_MAXSIZE, "form", NULL);
  if (again == NULL)
    g_error ("a form that is no JSON");
  if (!json_equal (value, again) && !holds_reals (value))
    g_error ("another value");
  g_autoptr (GBytes) twice = rb_canonical_form (again, form);
  if (!g_bytes_equal (bytes, twice) && !holds_reals (value))
    g_error ("not its own form");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) text = g_bytes_new (data, size);
  g_autoptr (json_t) value = rb_json_parse (text, G_MAXSIZE, "text", NULL);
  if (value == NULL)
    return 0;
  judge (value, RB_CANONICAL_A);
  judge (value, RB_CANONICAL_B);
  g_autoptr (GBytes) c = rb_canonical_form (value, RB_CANONICAL_C);
  g_autoptr (GPtrArray) forms = rb_canonical_forms (value);
  if (forms->len < 1 || forms->len > 3 || g_bytes_get_size (c) > g_bytes_get_size (forms->pdata[0]))
    g_error ("form C is longer than form A");
  return 0;
}
