/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "model/reference-values.h"

/*
 * A bundle opened to verify records by: the campaign it carries, its vehicle model, images and what its Directors
 * assign. With a Service repository root the metadata is verified down from it, at the time the campaign was issued
 * (records are verified years later); without one the bundle is taken as given. Images always match their digest.
 */
typedef struct _RbReferenceBundle RbReferenceBundle;
RbReferenceBundle *rb_reference_bundle_open (const char *bundle, const char *service_root, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Of contents that are verified already, with a trust list that may be newer than theirs. Borrows list. */
RbReferenceBundle *rb_reference_bundle_of (RbContents *contents, const RbTrustList *list);
void rb_reference_bundle_free (RbReferenceBundle *self);
const RbReferenceValues *rb_reference_bundle_values (const RbReferenceBundle *self); /* borrowed */
/* "none" or "service-root". Static. */
const char *rb_reference_bundle_anchor (const RbReferenceBundle *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbReferenceBundle, rb_reference_bundle_free)
