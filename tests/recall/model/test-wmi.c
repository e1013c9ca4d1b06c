/* SPDX-License-Identifier: Apache-2.0 */
#include "model/wmi.h"

typedef const char *const Set[8];

static void
assert_set (GStrv set, const char *expected)
{
  g_autofree char *text = g_strjoinv (" ", set);
  g_assert_cmpstr (text, ==, expected);
  g_strfreev (set);
}

static void
test_valid (void)
{
  static const char *const good[] = { "1", "1RB", "WVWZZZ1K", "00000000" };
  static const char *const bad[] = { "", "1rb", "1OB", "IQO", "1RBDM7AA2", "1 B", "1R-" };
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (rb_wmi_is_valid (good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (rb_wmi_is_valid (bad[i]));
  g_assert_false (rb_wmi_is_valid (NULL));
}

static void
test_holds (void)
{
  static Set set = { "2XY", "1RB" };
  g_assert_true (rb_wmi_holds (set, "1RBDM7AA2TA000001"));
  g_assert_false (rb_wmi_holds (set, "1RADM7AA2TA000001"));
  g_assert_false (rb_wmi_holds (set, "1R"));
  g_assert_false (rb_wmi_holds (&set[2], "1RBDM7AA2TA000001"));
  g_assert_false (rb_wmi_holds (NULL, "1RBDM7AA2TA000001"));
}

static void
test_intersect (void)
{
  static Set one = { "1", "2XYZ", "3AB" }, two = { "1RB", "1RC", "2X", "4" };
  assert_set (rb_wmi_intersect (one, two), "1RB 1RC 2XYZ");
  assert_set (rb_wmi_intersect (two, one), "1RB 1RC 2XYZ");
  assert_set (rb_wmi_intersect (one, NULL), "");
  assert_set (rb_wmi_intersect (&one[2], two), "");
  assert_set (rb_wmi_intersect (NULL, NULL), "");
}

static void
test_unite (void)
{
  static Set one = { "2XY", "1RB", "2XY" }, two = { "1RBDM", "1", "2XZ" };
  assert_set (rb_wmi_unite (one, NULL), "1RB 2XY");
  assert_set (rb_wmi_unite (one, two), "1 2XY 2XZ");
  assert_set (rb_wmi_unite (NULL, NULL), "");
}

/* Sets of drawn prefixes against the meaning of each function, VIN by VIN. */
static void
test_meaning (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261123);
  for (guint round = 0; round < 2000; round++) {
    char text[6][4] = { { 0 } };
    const char *one[4] = { NULL }, *two[4] = { NULL };
    for (guint i = 0; i < 6; i++) {
      for (int at = g_rand_int_range (rand, 1, 4); at > 0; at--)
        text[i][at - 1] = (char) ('A' + g_rand_int_range (rand, 0, 2));
      *(i < 3 ? &one[i] : &two[i - 3]) = text[i];
    }
    g_auto (GStrv) both = rb_wmi_intersect (one, two);
    g_auto (GStrv) either = rb_wmi_unite (one, two);
    for (guint number = 0; number < 16; number++) {
      const char vin[]
        = { (char) ('A' + (number & 1)), (char) ('A' + (number >> 1 & 1)), (char) ('A' + (number >> 2 & 1)), 'A', 0 };
      gboolean a = rb_wmi_holds (one, vin), b = rb_wmi_holds (two, vin);
      g_assert_cmpint (rb_wmi_holds ((const char *const *) both, vin), ==, a && b);
      g_assert_cmpint (rb_wmi_holds ((const char *const *) either, vin), ==, a || b);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wmi/valid", test_valid);
  g_test_add_func ("/wmi/holds", test_holds);
  g_test_add_func ("/wmi/intersect", test_intersect);
  g_test_add_func ("/wmi/unite", test_unite);
  g_test_add_func ("/wmi/meaning", test_meaning);
  return g_test_run ();
}
