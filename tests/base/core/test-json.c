/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"

#include "core/reason.h"

#include <string.h>

static json_t *
parse (const char *text, gsize max, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  return rb_json_parse (bytes, max, "thing", error);
}

/* What json-glib accepts and two readers of one signed document must never differ on. */
static void
test_refused (void)
{
  static const char *const bad[] = { "",
                                     "{",
                                     "{\"a\":1,\"a\":2}",
                                     "{\"a\":99999999999999999999}",
                                     "{\"a\":0x10}",
                                     "{\"a\":012}",
                                     "{'a':1}",
                                     "{\"a\":\"\\u0000x\"}",
                                     "{\"a\":1}x",
                                     "{\"a\":1,}",
                                     "{a:1}",
                                     "[1] // c",
                                     "{\"a\":\"\xff\"}" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (parse (bad[i], 1000, &error));
    g_assert_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED);
    g_assert_true (g_str_has_prefix (error->message, "thing: "));
  }
}

/* jansson 2.14 alone passes over a NUL that follows a number. */
static void
test_nul_is_refused (void)
{
  static const char text[] = "{\"a\":1}";
  for (gsize i = 0; i < sizeof text; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GString) with_nul = g_string_new (text);
    g_string_insert_len (with_nul, (gssize) i, "\0", 1);
    g_autoptr (GBytes) bytes = g_bytes_new (with_nul->str, with_nul->len);
    g_assert_null (rb_json_parse (bytes, 1000, "thing", &error));
    g_assert_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED);
  }
}

static void
test_depth (void)
{
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 64; i++)
    g_string_append_c (deep, '[');
  for (guint i = 0; i < 64; i++)
    g_string_append_c (deep, ']');
  g_autoptr (json_t) value = parse (deep->str, 1000, &error);
  g_assert_no_error (error);
  g_assert_nonnull (value);
  g_string_prepend_c (deep, '[');
  g_string_append_c (deep, ']');
  g_assert_null (parse (deep->str, 1000, &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED);
}

/* Brackets inside strings, and escaped quotes before them, are not depth. */
static void
test_depth_ignores_strings (void)
{
  g_autoptr (GString) text = g_string_new ("[\"\\\"");
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 200; i++)
    g_string_append_c (text, '[');
  g_string_append (text, "\"]");
  g_autoptr (json_t) value = parse (text->str, 1000, &error);
  g_assert_no_error (error);
  g_assert_nonnull (value);
}

static void
test_too_large (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (parse ("{\"a\":1}", 6, &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_TOO_LARGE);
}

static void
test_getters (void)
{
  g_autoptr (json_t) object
    = parse ("{\"s\":\"x\",\"i\":5,\"b\":true,\"o\":{},\"a\":[],\"t\":\"2026-11-23T07:00:00Z\"}", 1000, NULL);
  gint64 number = 0;
  gint64 moment = 0;
  gboolean truth = FALSE;
  g_assert_cmpstr (rb_json_string (object, "s", "thing", NULL), ==, "x");
  g_assert_true (rb_json_integer (object, "i", 0, 5, &number, "thing", NULL));
  g_assert_cmpint (number, ==, 5);
  g_assert_true (rb_json_boolean (object, "b", &truth, "thing", NULL));
  g_assert_true (truth);
  g_assert_nonnull (rb_json_object (object, "o", "thing", NULL));
  g_assert_nonnull (rb_json_array (object, "a", "thing", NULL));
  g_assert_true (rb_json_moment (object, "t", &moment, "thing", NULL));
  g_assert_cmpint (moment, ==, 1795417200);
  g_assert_cmpint (rb_json_integer_or (object, "missing", 7), ==, 7);
  g_assert_cmpstr (rb_json_string_or (object, "i", "fallback"), ==, "fallback");
}

static void
test_getters_name_the_member (void)
{
  g_autoptr (json_t) object = parse ("{\"i\":6,\"s\":1}", 1000, NULL);
  g_autoptr (GError) range = NULL;
  g_autoptr (GError) type = NULL;
  g_autoptr (GError) missing = NULL;
  gint64 number;
  g_assert_false (rb_json_integer (object, "i", 0, 5, &number, "thing", &range));
  g_assert_nonnull (strstr (range->message, "“i”"));
  g_assert_null (rb_json_string (object, "s", "thing", &type));
  g_assert_error (type, RB_CORE_ERROR, RB_REASON_MALFORMED);
  g_assert_null (rb_json_sha256 (object, "digest", "thing", &missing));
  g_assert_nonnull (strstr (missing->message, "“digest” is missing"));
}

static void
test_only (void)
{
  g_autoptr (json_t) object = parse ("{\"a\":1,\"b\":2}", 1000, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_json_only (object, "thing", NULL, "a", "b", "c", NULL));
  g_assert_false (rb_json_only (object, "thing", &error, "a", NULL));
  g_assert_nonnull (strstr (error->message, "“b”"));
}

static void
test_text_is_sorted (void)
{
  g_autoptr (json_t) object = json_object ();
  rb_json_set_integer (object, "z", 1);
  rb_json_set_string (object, "a", NULL);
  rb_json_set_moment (object, "m", 0);
  g_autofree char *text = rb_json_to_text (object);
  g_assert_cmpstr (text, ==, "{\"a\":null,\"m\":\"1970-01-01T00:00:00Z\",\"z\":1}");
}

static void
test_set_what_is_not_text (void)
{
  g_autoptr (json_t) object = json_object ();
  rb_json_set_string (object, "name",
                      "a\xff\xfe"
                      "b");
  rb_json_set_string (object, "none", NULL);
  g_assert_cmpstr (rb_json_string_or (object, "name", NULL), ==, "a\uFFFD\uFFFDb");
  g_assert_true (json_is_null (json_object_get (object, "none")));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/nul-is-refused", test_nul_is_refused);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/depth-ignores-strings", test_depth_ignores_strings);
  g_test_add_func ("/json/too-large", test_too_large);
  g_test_add_func ("/json/getters", test_getters);
  g_test_add_func ("/json/getters-name-the-member", test_getters_name_the_member);
  g_test_add_func ("/json/only", test_only);
  g_test_add_func ("/json/set-what-is-not-text", test_set_what_is_not_text);
  g_test_add_func ("/json/text-is-sorted", test_text_is_sorted);
  return g_test_run ();
}
