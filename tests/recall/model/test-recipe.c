/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "model/recipe.h"

static RbRecipe *
parse (const char *text, GError **error)
{
  g_autoptr (json_t) json = json_loads (text, 0, NULL);
  g_assert_nonnull (json);
  return rb_recipe_parse (json, error);
}

static void
test_steps (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbRecipe) recipe
    = parse ("{\"part\": \"8W0\", \"steps\": [{\"id\": \"out\", \"text\": \"Pull it.\", \"check\": \"silent\"},"
             " {\"id\": \"pause\", \"text\": \"Wait.\", \"wait_s\": 30},"
             " {\"id\": \"in\", \"text\": \"Put it back.\", \"check\": \"responds\", \"within_s\": 5, \"wait_s\": 1},"
             " {\"id\": \"key\", \"text\": \"Switch on.\", \"check\": \"ignition\", \"position\": 2},"
             " {\"id\": \"look\", \"text\": \"Look at it.\"}]}",
             &error);
  static const struct {
    RbRecipeCheck check;
    gint64 within_s, wait_s, position;
    gboolean pause;
  } wanted[] = { { RB_RECIPE_CHECK_SILENT, 60, 0, 0, FALSE },
                 { RB_RECIPE_CHECK_NONE, 60, 30, 0, TRUE },
                 { RB_RECIPE_CHECK_RESPONDS, 5, 1, 0, FALSE },
                 { RB_RECIPE_CHECK_IGNITION, 60, 0, 2, FALSE },
                 { RB_RECIPE_CHECK_NONE, 60, 0, 0, FALSE } };
  g_assert_no_error (error);
  g_assert_cmpstr (recipe->part, ==, "8W0");
  g_assert_cmpuint (recipe->steps->len, ==, G_N_ELEMENTS (wanted));
  for (guint i = 0; i < recipe->steps->len; i++) {
    const RbRecipeStep *step = recipe->steps->pdata[i];
    g_assert_cmpint (step->check, ==, wanted[i].check);
    g_assert_cmpint (step->within_s, ==, wanted[i].within_s);
    g_assert_cmpint (step->wait_s, ==, wanted[i].wait_s);
    g_assert_cmpint (step->position, ==, wanted[i].position);
    g_assert_cmpint (step->pause, ==, wanted[i].pause);
  }
}

static void
test_twice (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (parse (
    "{\"steps\": [{\"id\": \"out\", \"text\": \"Pull it.\"}, {\"id\": \"out\", \"text\": \"Again.\"}]}", &error));
  g_assert_error (error, RB_MODEL_ERROR, RB_REASON_MALFORMED);
  g_assert_cmpstr (error->message, ==, "profile, recipe, step 2: member “id” is there twice");
}

static void
test_without_part (void)
{
  g_autoptr (RbRecipe) recipe = parse ("{\"steps\": [{\"id\": \"out\", \"text\": \"Pull it.\"}]}", NULL);
  g_assert_null (recipe->part);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recipe/steps", test_steps);
  g_test_add_func ("/recipe/twice", test_twice);
  g_test_add_func ("/recipe/without-part", test_without_part);
  return g_test_run ();
}
