/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/reference-values.h"
#include "record/error.h"

#include <jansson.h>

/* A record whose signatures and result hold, against the campaign it names. Errors: record-campaign, record-scope,
 * record-image, record-root, record-nonce, record-key-kind, record-method, record-vin. */
gboolean rb_campaign_check_record (const json_t *predicate, const RbReferenceValues *bundle, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
