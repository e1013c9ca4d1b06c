/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "net/http.h"
#include "outbox/receipt-store.h"
#include "outbox/stored.h"

/*
 * Uploading records to an OEM's intake: PUT of the envelope, and the receipt verified and kept. What may pass by itself
 * (no connection, 429, 502, 503, 504) is tried again with a delay that doubles, at random between half and all of it,
 * as long as the patience lasts; an intake's Retry-After is honoured. Blocking; an object is used by one thread.
 */
typedef struct _RbPush RbPush;
typedef struct {
  const char *url; /* of the intake: https://HOST:PORT */
  RbHttp *http; /* borrowed */
  RbReceiptStore *receipts; /* borrowed */
  gint64 patience_ms; /* for each record, from its first failure */
  guint32 seed; /* of the delays; 0: at random */
  GCancellable *cancellable; /* may be NULL */
} RbPushOptions;
RbPush *rb_push_new (const RbPushOptions *options);
void rb_push_free (RbPush *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPush, rb_push_free)

/* Errors: the reason word of the intake's problem document, else io, timeout, certificate, cancelled; those of
 * rb_receipt_store_accept(). */
gboolean rb_push_record (RbPush *self, const RbStored *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Is the intake not reachable or the log not to be believed, so that no other record succeeds now? */
gboolean rb_push_is_over (const GError *error);
/* The delay before attempt n (from 1) for a random number from 0 to 1: 1 s doubling, at most 30 min. */
gint64 rb_push_delay_ms (guint attempt, double random);
