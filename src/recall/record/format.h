/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Constants of a record's envelope and statement: data/doc/record-format.md. */
#define RB_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define RB_STATEMENT_PREDICATE_TYPE "https://recallbay.org/recovery/v1"
#define RB_STATEMENT_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define RB_STATEMENT_NO_PREVIOUS "0000000000000000000000000000000000000000000000000000000000000000"
#define RB_STATEMENT_MAX_BYTES (4 * 1024 * 1024)
