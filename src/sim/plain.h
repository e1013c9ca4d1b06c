/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim/ecu.h"

/*
 * What an ECU of kind "plain" does that others do not: SecurityAccess whose key is the seed xor A5A5A5A5, a fingerprint
 * to write (F15A), a CRC-32 over what was downloaded (0202), dependencies by that check (FF01). It knows nothing of
 * Uptane and needs no seed: for judging testers from outside.
 */
guint8 rb_plain_security_access (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_plain_write_did (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_plain_check_memory (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_plain_dependencies (RbEcu *self, RbReader *request, GByteArray *out);
/* 0 when it wrote the fingerprint's bytes to out. */
guint8 rb_plain_read_fingerprint (RbEcu *self, GByteArray *out);
gboolean rb_plain_is (const RbModelEcu *model);
