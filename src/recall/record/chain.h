/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/outcome.h"

/*
 * Chains among records that are already verified, given in any order: one per (workstation, stream). A fork (two
 * records of one number), a wrong predecessor and a wrong beginning deny the later record (record-sequence). A record
 * given again, and another record with the same id, are denied as record-duplicate. A record that is not among those
 * given is a gap: only the caller knows whether it had to be there.
 */
typedef struct {
  char *workstation, *stream;
  gint64 after; /* the number before the gap; 0 when the chain does not begin with 1 */
  gint64 before;
} RbChainGap;
char *rb_chain_gap_text (const RbChainGap *self);

/* outcomes of RbVerifyOutcome, changed: sequence_checked where a neighbour was there, denied where wrong. Those with
 * another fault are left out. Gives the gaps. (element-type RbChainGap) (transfer full) */
GPtrArray *rb_chain_check (GPtrArray *outcomes);
