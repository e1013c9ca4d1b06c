/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/oem-folder.h"
#include "authority/role-plan.h"

/*
 * The contents of one repository before they are published: authoring/KIND.json. Versions that were given out, also to
 * drafts that were never published, are kept: none is used twice.
 */
typedef struct {
  char *kind;
  RbDialect dialect;
  char *oem; /* the OEM's folder */
  GPtrArray *roles; /* of RbRolePlan: root, timestamp, snapshot, targets */
  json_t *targets; /* path → entry */
  json_t *delegations; /* [{"name","threshold","keys","paths","hardware_ids","targets"}] */
  json_t *vehicles; /* VIN → {"targets": path → entry, "custom": member of its targets, "expires": RFC 3339}; the last
                       two where a campaign set them */
  json_t *versions; /* role, or VIN → version */
  json_t *drafts; /* role → sha256 of the payload of its newest draft */
  json_t *overrides; /* [{"at","reason","approved_by","text"}] */
} RbAuthoring;

gboolean rb_authoring_check_kind (const char *kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* roles: taken; all four. Error exists. */
RbAuthoring *rb_authoring_init (const char *oem, const char *kind, GPtrArray *roles, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Errors: not-found, malformed. */
RbAuthoring *rb_authoring_load (const char *oem, const char *kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_authoring_free (RbAuthoring *self);
gboolean rb_authoring_save (const RbAuthoring *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The next version of a role or VIN, given out now; stored by rb_authoring_save(). */
gint64 rb_authoring_next_version (RbAuthoring *self, const char *name);
/* The delegation of that name; NULL: none. Borrowed. */
json_t *rb_authoring_delegation (const RbAuthoring *self, const char *name);
/* The keys of a delegation. */
RbRolePlan *rb_authoring_delegation_plan (const RbAuthoring *self, const json_t *delegation, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The plan of a top-level or delegated role. (transfer full) */
RbRolePlan *rb_authoring_plan (const RbAuthoring *self, const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* `signed` of the next root, of roles (of RbRolePlan). (transfer full) */
json_t *rb_authoring_root_part (const RbAuthoring *self, GPtrArray *roles, gint64 version, gint64 expires);
/* `signed` of the top-level targets, or of a delegated role. */
json_t *rb_authoring_targets_part (const RbAuthoring *self, const char *role, gint64 version, gint64 expires,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbAuthoring, rb_authoring_free)
