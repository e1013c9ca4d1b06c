/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/error.h"

#include <jansson.h>

/*
 * The bytes a record carries as proof, verified again: what an ECU's entry calls verified is verified here, from the
 * entry and the record's own vehicle and campaign. Errors: key-not-proven, report-not-proven, record-malformed.
 */
gboolean rb_proof_check_ecu (const json_t *predicate, const json_t *ecu, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The manifest read after the work, where there is one and the Primary proved a new key: signed by that key, of this
 * vehicle, and holding the reports that the ECUs' entries hold. serial_out (may be NULL): the Primary's, borrowed. */
gboolean rb_proof_check_manifest (const json_t *predicate, const char **serial_out, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The statement's subjects are the manifests in the predicate, and no others. */
gboolean rb_proof_check_subjects (const json_t *statement, const json_t *predicate, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The subjects of a predicate with vehicleManifest. (transfer full) */
json_t *rb_proof_check_make_subjects (const json_t *predicate);
