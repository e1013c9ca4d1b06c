/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "intake/group-commit.h"
#include "intake/settings.h"

/*
 * The intake's HTTPS server, on the main context of its thread:
 *
 *   PUT /v1/records/DIGEST          an envelope (plain or gzip): 201 its receipt, 200 the same receipt again
 *   GET /v1/records/DIGEST          the envelope            } with a client certificate of the dealer (subject OU)
 *   GET /v1/records/DIGEST/receipt  its receipt             } whose workstation signed the record
 *   GET /v1/checkpoint, /v1/tile/…  the log (C2SP tlog-tiles), for every client
 *
 * Errors are problem+json (RFC 9457) with the member reason.
 */
typedef struct _RbServer RbServer;
/* commit and reader are borrowed; listen is HOST:PORT, port 0 picks one. Errors: usage, io. */
RbServer *rb_server_new (const RbSettings *settings, RbGroupCommit *commit, RbLedger *reader, const char *listen,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "https://HOST:PORT", borrowed */
const char *rb_server_url (RbServer *self);
/* Accepts no further connection; stopped is called when the requests under way are answered. */
void rb_server_stop (RbServer *self, GDestroyNotify stopped, gpointer data);
void rb_server_free (RbServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbServer, rb_server_free)
