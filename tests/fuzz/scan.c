/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner says of a text what jansson says; small texts find what large ones would. */
#include "../trust/uptane/scan-oracle.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const tables[] = { "targets", "meta" };
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++) {
    ScanVerdict verdict;
    g_autofree char *problem = scan_oracle_disagreement ((const char *) data, size, tables[i], &verdict);
    if (problem != NULL)
      g_error ("%s", problem);
  }
  return 0;
}
