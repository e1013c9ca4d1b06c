/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vehicle/error.h"

/*
 * A text of an ECU's response (VIN, serial number, part number, software version): printable ASCII of at most 128
 * characters. Fields of fixed length are padded with NULs or spaces: these are no part of the text, at its beginning
 * and at its end. Only padding is "". (transfer full) Error wrong-answer: a byte that is not printable, a text that is
 * too long.
 */
char *rb_did_text_parse (const guint8 *data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
