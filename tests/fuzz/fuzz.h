/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* A fuzz target: one input for one parser. It aborts where the parser breaks a promise, else returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
