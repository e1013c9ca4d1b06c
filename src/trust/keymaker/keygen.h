/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

/* Making signing and ECU keys. A test forbids these symbols in recallctl, recallbay and every other
 * program but recall-oem, recall-sim and the tests. RSA keys have 3072 bits. */
RbPrivateKey *rb_keygen_new (RbKeyType type, GError **error) G_GNUC_WARN_UNUSED_RESULT;
