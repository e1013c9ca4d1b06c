/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/* Erasing, downloading and checking flash, and putting files into the staging area. RbService each. */
/* addressAndLengthFormatIdentifier, address and length; 0 or a code. */
guint8 rb_flashing_read_place (RbReader *request, guint32 *address, guint32 *length);
guint8 rb_flashing_erase (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_flashing_download (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_flashing_add_file (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_flashing_transfer (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_flashing_exit (RbEcu *self, RbReader *request, GByteArray *out);
/* SHA-256(nonce ‖ container), computed from flash */
guint8 rb_flashing_digest (RbEcu *self, RbReader *request, GByteArray *out);
/* Is what is in flash what the accepted Director targets assign, or does it carry a root? Then the application may
 * start. */
guint8 rb_flashing_dependencies (RbEcu *self, RbReader *request, GByteArray *out);
