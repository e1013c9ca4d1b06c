/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/file-set.h"
#include "oem/pki.h"
#include "oem/she-plan.h"
#include "oem/demo-incident.h"

/* The OEM's folder (oem/office.h) of a demonstration, and the spare parts on its dealer's shelf. */
typedef struct _RbOfficeDemo RbOfficeDemo;
/* incident and pki are borrowed. */
RbOfficeDemo *rb_office_demo_new (const RbDemoIncident *incident, const RbPki *pki);
void rb_office_demo_free (RbOfficeDemo *self);
/* A vehicle as built; she may be NULL. */
void rb_office_demo_add_vehicle (RbOfficeDemo *self, guint number, RbShePlan *she);
/* Everything below oem/, and vehicle/parts.json: spare parts as recall-sim's seed describes ECUs. campaign: bytes as
 * published. */
gboolean rb_office_demo_add_files (RbOfficeDemo *self, GBytes *campaign, RbFileSet *pack, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbOfficeDemo, rb_office_demo_free)
