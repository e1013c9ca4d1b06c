/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uds/uds-client.h"

/* A typed call as a line of words, numbers in hex: "read-did f190", "transfer 01 aabb". The result is hex ("" when
 * the call only succeeds, the block size in decimal for downloads); NULL on error. (transfer full) */
char *calls_do (RbUdsClient *client, const char *line, GCancellable *cancellable, GError **error);
