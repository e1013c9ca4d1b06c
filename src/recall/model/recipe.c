/* SPDX-License-Identifier: Apache-2.0 */
#include "model/recipe.h"

#include "model/member.h"

#include <string.h>

enum { MAX_STEPS = 32, MAX_TEXT = 500, MAX_PART = 64, MAX_SECONDS = 600, DEFAULT_WITHIN_S = 60, MAX_POSITION = 15 };

static void
step_free (gpointer data)
{
  RbRecipeStep *self = data;
  g_free (self->id);
  g_free (self->text);
  g_free (self);
}

void
rb_recipe_free (RbRecipe *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->steps);
  g_free (self->part);
  g_free (self);
}

/* Absent: value stays. */
static gboolean
read_number (const json_t *json, const char *member, gint64 most, gint64 *value, const char *what, GError **error)
{
  return json_object_get (json, member) == NULL || rb_json_integer (json, member, 0, most, value, what, error);
}

static gboolean
read_check (RbRecipeStep *step, const json_t *json, const char *what, GError **error)
{
  static const char *const words[] = { "silent", "responds", "ignition" };
  static const RbRecipeCheck checks[] = { RB_RECIPE_CHECK_SILENT, RB_RECIPE_CHECK_RESPONDS, RB_RECIPE_CHECK_IGNITION };
  gboolean checked = json_object_get (json, "check") != NULL;
  guint word = 0;
  if (checked && !rb_member_choice (json, "check", words, G_N_ELEMENTS (words), &word, what, error))
    return FALSE;
  step->check = checked ? checks[word] : RB_RECIPE_CHECK_NONE;
  step->within_s = DEFAULT_WITHIN_S;
  if (!read_number (json, "within_s", MAX_SECONDS, &step->within_s, what, error)
      || !read_number (json, "wait_s", MAX_SECONDS, &step->wait_s, what, error)
      || !read_number (json, "position", MAX_POSITION, &step->position, what, error))
    return FALSE;
  step->pause = !checked && step->wait_s > 0;
  if ((step->check == RB_RECIPE_CHECK_IGNITION) != (json_object_get (json, "position") != NULL))
    return rb_member_refuse (error, what, "member “position” belongs to the check “ignition”");
  return checked || json_object_get (json, "within_s") == NULL
         || rb_member_refuse (error, what, "member “within_s” belongs to a check");
}

static gboolean
is_first (const RbRecipe *self, const RbRecipeStep *step)
{
  for (guint i = 0; i < self->steps->len; i++)
    if (g_strcmp0 (((const RbRecipeStep *) self->steps->pdata[i])->id, step->id) == 0)
      return self->steps->pdata[i] == step;
  return FALSE;
}

static gboolean
read_step (RbRecipe *self, const json_t *json, guint index, GError **error)
{
  g_autofree char *what = g_strdup_printf ("profile, recipe, step %u", index + 1);
  RbRecipeStep *step = g_new0 (RbRecipeStep, 1);
  g_ptr_array_add (self->steps, step);
  if (!rb_json_only (json, what, error, "id", "text", "check", "position", "within_s", "wait_s", NULL)
      || !rb_member_id (json, "id", &step->id, what, error)
      || !rb_member_text (json, "text", MAX_TEXT, &step->text, what, error) || !read_check (step, json, what, error))
    return FALSE;
  return is_first (self, step) || rb_member_refuse (error, what, "member “id” is there twice");
}

RbRecipe *
rb_recipe_parse (const json_t *json, GError **error)
{
  const char *what = "profile, recipe";
  g_autoptr (RbRecipe) self = g_new0 (RbRecipe, 1);
  self->steps = g_ptr_array_new_with_free_func (step_free);
  if (!json_is_object (json)) {
    rb_member_refuse (error, what, "it is not an object");
    return NULL;
  }
  const json_t *steps = rb_json_only (json, what, error, "part", "steps", NULL)
                            && rb_member_text_or_none (json, "part", MAX_PART, &self->part, what, error)
                          ? rb_json_array (json, "steps", what, error)
                          : NULL;
  if (steps == NULL)
    return NULL;
  if (json_array_size (steps) < 1 || json_array_size (steps) > MAX_STEPS) {
    rb_member_refuse (error, what, "member “steps” has not 1…%d entries", MAX_STEPS);
    return NULL;
  }
  for (guint i = 0; i < json_array_size (steps); i++)
    if (!read_step (self, json_array_get (steps, i), i, error))
      return NULL;
  return g_steal_pointer (&self);
}
