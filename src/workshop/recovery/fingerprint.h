/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "keystore/identity.h"

/*
 * What a workstation writes into an ECU before it erases it (F15A): date, BCD yy mm dd in UTC, and in place of a
 * workshop code the first six bytes of the SHA-256 of the workstation's certificate, by which a record shows whose it
 * is.
 */
#define RB_FINGERPRINT_LENGTH 9
/* Of the identity of purpose RB_PURPOSE_WORKSTATION. Error: identity. (transfer full) */
GBytes *rb_fingerprint_new (RbIdentitySet *workstation, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
