/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* What the scanner says of a text must be what jansson's tree says of it. The disagreement, or NULL. (transfer full) */
typedef enum { SCAN_REFUSES, SCAN_READS } ScanVerdict;
char *scan_oracle_disagreement (const char *text, gsize length, const char *table, ScanVerdict *verdict);
