/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/error.h"

#include <jansson.h>

/*
 * What a person does when an ECU does not go on by itself: member recipe of a profile, {"part"?, "steps": [{"id",
 * "text", "check"?, "position"?, "within_s"?, "wait_s"?}]}. Immutable.
 */
typedef enum {
  RB_RECIPE_CHECK_NONE, /* the person's word */
  RB_RECIPE_CHECK_SILENT, /* the ECU responds no more: its fuse is out */
  RB_RECIPE_CHECK_RESPONDS, /* the ECU responds */
  RB_RECIPE_CHECK_IGNITION, /* the Primary measures that position of the ignition */
} RbRecipeCheck;

typedef struct {
  char *id; /* "fuse-out" */
  char *text; /* what to do, for people */
  RbRecipeCheck check;
  gint64 position; /* of the ignition: 0 off, 1 accessory, 2 on */
  gint64 within_s; /* how long the check may take to hold; 60 unless the profile says otherwise */
  gint64 wait_s; /* pause after it, 0 */
  gboolean pause; /* only a pause: no person has to confirm it */
} RbRecipeStep;

typedef struct {
  char *part; /* number of the part that replaces the ECU; NULL: not known */
  GPtrArray *steps; /* of RbRecipeStep, not empty */
} RbRecipe;

/* Error malformed. (transfer full) */
RbRecipe *rb_recipe_parse (const json_t *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_recipe_free (RbRecipe *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRecipe, rb_recipe_free)
