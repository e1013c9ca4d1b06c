/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner against jansson on random, almost right and hostile texts; the number of rounds may be given. */
#include "core/json.h"
#include "scan-oracle.h"
#include "uptane/canonical.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static guint rounds = 2500;

static const char *const snippets[] = {
  "\"",
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  " ",
  "\n",
  "\t",
  "\r",
  "0",
  "-",
  "1",
  "9",
  ".",
  "e",
  "E",
  "+",
  "null",
  "true",
  "false",
  "nul",
  "\\u00e9",
  "\\u00E9",
  "\\u0000",
  "\\u0001",
  "\\u001f",
  "\\u001F",
  "\\u007f",
  "\\u0041",
  "\\ud83d\\ude00",
  "\\ud83d",
  "\\ude00",
  "\\ud83d\\u0041",
  "\\n",
  "\\t",
  "\\/",
  "\\b",
  "\\f",
  "\\r",
  "\\x",
  "\\\"",
  "\\\\",
  "\x01",
  "\x1f",
  "\x7f",
  "\xc3\xa9",
  "\xc3",
  "\xa9",
  "\xc0\x80",
  "\xed\xa0\x80",
  "\xf0\x9f\x98\x80",
  "\xf4\x90\x80\x80",
  "\xff",
  "\xef\xbb\xbf",
  "\xe2\x82",
  "-0",
  "00",
  "01",
  "1.0",
  "1e5",
  "1.",
  "1e",
  "-",
  "9007199254740993",
  "999999999999999999",
  "9223372036854775807",
  "9223372036854775808",
  "123456789012345678901234567890",
  "1e999",
  "\"a\":1,",
  ",\"a\":1",
  "\"signed\":{}",
  "\"targets\":{}",
  "\"signatures\":[]",
  "{\"targets\":{}}",
  "{}",
  "[]",
  "\"\"",
  "\"\":0",
  "/*",
  "'",
  "NaN",
};

static char *
random_name (GRand *random, gboolean hard)
{
  static const char *const hard_ones[]
    = { "caf\xc3\xa9", "\xf0\x9f\x98\x80", "a\"b", "a\\b", "a\nb", "", "\x7f", "\x01", "a/b" };
  if (hard && g_rand_int_range (random, 0, 4) == 0)
    return g_strdup (hard_ones[g_rand_int_range (random, 0, G_N_ELEMENTS (hard_ones))]);
  return g_strdup_printf ("%0*x", g_rand_int_range (random, 1, 20), g_rand_int_range (random, 0, 999));
}

static json_t *random_value (GRand *random, guint depth, gboolean hard);

static json_t *
random_object (GRand *random, guint depth, gboolean hard)
{
  json_t *object = json_object ();
  for (gint32 n = g_rand_int_range (random, 0, 6); n > 0; n--) {
    g_autofree char *name = random_name (random, hard && depth % 2 == 1);
    json_object_set_new (object, name, random_value (random, depth + 1, hard));
  }
  return object;
}

static json_t *
random_value (GRand *random, guint depth, gboolean hard)
{
  switch (g_rand_int_range (random, 0, depth > 4 ? 4 : 7)) {
  case 0: return json_integer (g_rand_int_range (random, -5, 99999));
  case 1: return json_boolean (g_rand_boolean (random));
  case 2: return json_null ();
  case 3: {
    g_autofree char *text = random_name (random, hard);
    return json_string (text);
  }
  case 4: {
    json_t *array = json_array ();
    for (gint32 n = g_rand_int_range (random, 0, 4); n > 0; n--)
      json_array_append_new (array, random_value (random, depth + 1, hard));
    return array;
  }
  default: return random_object (random, depth, hard);
  }
}

static json_t *
random_envelope (GRand *random, gboolean hard)
{
  json_t *part = random_object (random, 0, hard);
  json_object_set_new (part, "targets", random_object (random, 0, hard));
  json_t *envelope = json_pack ("{s:[{s:s,s:s}],s:o}", "signatures", "keyid", "k", "sig", "00", "signed", part);
  g_assert_nonnull (envelope);
  return envelope;
}

static char *
random_text (GRand *random, const json_t *envelope)
{
  static const gsize styles[] = {
    JSON_COMPACT | JSON_SORT_KEYS,    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII, JSON_COMPACT, JSON_SORT_KEYS,
    JSON_INDENT (1) | JSON_SORT_KEYS, JSON_COMPACT | JSON_SORT_KEYS | JSON_ESCAPE_SLASH
  };
  gint32 style = g_rand_int_range (random, 0, 3 * G_N_ELEMENTS (styles));
  g_autoptr (GBytes) b = NULL;
  if (style == G_N_ELEMENTS (styles)) {
    b = rb_canonical_form (envelope, RB_CANONICAL_B);
    return g_strndup (g_bytes_get_data (b, NULL), g_bytes_get_size (b));
  }
  char *text = json_dumps (envelope, style < (gint32) G_N_ELEMENTS (styles) ? styles[style] : styles[0]);
  char *copy = g_strdup (text);
  free (text);
  return copy;
}

static void
mutate (GRand *random, GString *text)
{
  gsize at = (gsize) g_rand_int_range (random, 0, (gint32) text->len + 1);
  gsize wanted = (gsize) g_rand_int_range (random, 1, 8);
  gsize some = MIN (text->len - at, wanted);
  g_autofree char *slice = g_strndup (&text->str[at], some);
  switch (g_rand_int_range (random, 0, 4)) {
  case 0: g_string_erase (text, (gssize) at, (gssize) some); break;
  case 1: g_string_insert (text, (gssize) at, slice); break;
  case 2: g_string_insert (text, (gssize) at, snippets[g_rand_int_range (random, 0, G_N_ELEMENTS (snippets))]); break;
  default:
    if (at < text->len)
      text->str[at] = (char) g_rand_int_range (random, 0, 256);
  }
}

static guint seen[3];

static void
judge (const char *text, gsize length)
{
  ScanVerdict verdict;
  g_autofree char *problem = scan_oracle_disagreement (text, length, "targets", &verdict);
  seen[verdict]++;
  if (problem != NULL)
    g_test_message ("%.*s", (int) length, text);
  g_assert_cmpstr (problem, ==, NULL);
}

static void
test_random (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20260823);
  memset (seen, 0, sizeof seen);
  for (guint i = 0; i < rounds; i++) {
    g_autoptr (json_t) envelope = random_envelope (random, i % 2 == 1);
    g_autofree char *text = random_text (random, envelope);
    judge (text, strlen (text));
  }
  g_test_message ("%u read, %u refused", seen[SCAN_READS], seen[SCAN_REFUSES]);
  g_assert_cmpuint (seen[SCAN_REFUSES], ==, 0);
  g_assert_cmpuint (seen[SCAN_READS], >, rounds / 4);
}

static void
test_mutated (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (4711);
  memset (seen, 0, sizeof seen);
  for (guint i = 0; i < rounds * 4; i++) {
    g_autoptr (json_t) envelope = random_envelope (random, i % 3 == 1);
    g_autofree char *good = random_text (random, envelope);
    g_autoptr (GString) text = g_string_new (good);
    for (gint32 n = g_rand_int_range (random, 1, 4); n > 0; n--)
      mutate (random, text);
    judge (text->str, text->len);
  }
  g_test_message ("%u read, %u refused", seen[SCAN_READS], seen[SCAN_REFUSES]);
  g_assert_cmpuint (seen[SCAN_READS], >, rounds / 20);
  g_assert_cmpuint (seen[SCAN_REFUSES], >, rounds / 20);
}

/* Every prefix of a text, and the text with each byte of it replaced by each of these. */
static void
test_each_place (void)
{
  static const char good[]
    = "{\"signatures\":[{\"keyid\":\"a\",\"sig\":\"b\"}],\"signed\":{\"a\":[1,-2,true,null],\"targets\":"
      "{\"a/b\":{\"length\":12},\"a\xc3\xa9\":\"\\n\\u00e9\"},\"version\":10}}";
  static const char bytes[] = { '\0', '\x1f', ' ', '"', '\\', '{', '}',    '[',    ']',    ',',   ':',
                                '0',  '-',    '.', 'e', 'u',  'n', '\x7f', '\x80', '\xc3', '\xf5' };
  for (gsize i = 0; i < strlen (good); i++) {
    judge (good, i);
    for (guint b = 0; b < sizeof bytes; b++) {
      g_autofree char *text = g_strdup (good);
      text[i] = bytes[b];
      judge (text, strlen (good));
    }
  }
}

/* What jansson writes sorted and compact is read in place, in the forms A and B. */
static void
test_canonical_is_read (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  for (guint i = 0; i < rounds; i++) {
    ScanVerdict verdict;
    g_autoptr (json_t) envelope = random_envelope (random, FALSE);
    g_autoptr (GBytes) bytes = rb_canonical_form (envelope, i % 2 == 0 ? RB_CANONICAL_A : RB_CANONICAL_B);
    g_autofree char *problem
      = scan_oracle_disagreement (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "targets", &verdict);
    g_assert_cmpstr (problem, ==, NULL);
    g_assert_cmpint (verdict, ==, SCAN_READS);
  }
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    rounds = (guint) g_ascii_strtoull (argv[1], NULL, 10);
  g_test_add_func ("/uptane/scan/jansson/random", test_random);
  g_test_add_func ("/uptane/scan/jansson/mutated", test_mutated);
  g_test_add_func ("/uptane/scan/jansson/each-place", test_each_place);
  g_test_add_func ("/uptane/scan/jansson/canonical-is-read", test_canonical_is_read);
  return g_test_run ();
}
