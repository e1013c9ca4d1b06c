/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/*
 * Identifiers that a tester writes (0x2E): the fingerprint (F15A, date and workshop code), which an ECU asks for before
 * each erasure where its simulation has "fingerprint", and coding and adaptation, the identifiers that its simulation
 * lists as "coding": the application has them, and an erasure loses them.
 */
guint8 rb_dids_write (RbEcu *self, RbReader *request, GByteArray *out);
/* 0 when it wrote the data to out; 0x31 where the ECU has no such identifier, 0x22 while it is not coded. */
guint8 rb_dids_read (RbEcu *self, guint16 did, GByteArray *out);
gboolean rb_dids_has_fingerprint (const RbModelEcu *model);
