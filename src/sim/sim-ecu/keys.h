/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/* The ECU's own key: made inside, proven, used for reports; or a SHE key that is loaded. RbService each. */
guint8 rb_keys_make (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_keys_prove (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_keys_report (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_keys_manifest (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_keys_load_she (RbEcu *self, RbReader *request, GByteArray *out);
/* FD05 FD06 FD07 */
guint8 rb_keys_read_did (RbEcu *self, guint16 did, GByteArray *out);
