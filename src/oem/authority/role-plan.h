/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "author/author.h"
#include "authority/key-card.h"

/* The keys of one role, by their cards, and how many of them must sign. */
typedef struct {
  char *name;
  guint threshold;
  GPtrArray *cards; /* of RbKeyCard, owned */
} RbRolePlan;

void rb_role_plan_free (RbRolePlan *self);
/* "ROLE=THRESHOLD:KEY,KEY": keys are names in folder/keys. Errors: usage, not-found, key-retired, illegal-threshold,
 * same-person. */
RbRolePlan *rb_role_plan_parse (const char *text, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* {"threshold","keys":[names]} */
json_t *rb_role_plan_to_json (const RbRolePlan *self);
RbRolePlan *rb_role_plan_load (const char *name, const json_t *value, const char *folder, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A threshold that its keys can meet, each key of another person, none retired. Errors: illegal-threshold, same-person,
 * key-retired. */
gboolean rb_role_plan_check (const RbRolePlan *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One key, one role: plans of RbRolePlan, all of one repository. Error policy. */
gboolean rb_role_plan_check_all (GPtrArray *plans, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* No key of one is in the other. Error policy. */
gboolean rb_role_plan_check_apart (const RbRolePlan *one, const RbRolePlan *other, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
RbRolePlan *rb_role_plan_find (GPtrArray *plans, const char *name); /* borrowed; NULL: none */
/* (transfer container) of RbPublicKey, borrowed */
GPtrArray *rb_role_plan_keys (const RbRolePlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRolePlan, rb_role_plan_free)
