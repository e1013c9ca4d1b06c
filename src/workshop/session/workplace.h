/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <gio/gio.h>

/*
 * What a workstation has before a vehicle is chosen: OEMs that it trusts, campaigns that it has imported, recoveries
 * that are not finished, and the links that are found now. Everything here is called on the main thread; reading and
 * searching run in threads of their own.
 *
 * Signal: "changed" (a read or a search ended).
 */
#define RB_TYPE_WORKPLACE (rb_workplace_get_type ())
G_DECLARE_FINAL_TYPE (RbWorkplace, rb_workplace, RB, WORKPLACE, GObject)

/* A recovery of this workstation that has written to its vehicle and is not finished. */
typedef struct {
  char *vin, *campaign;
} RbWorkplaceOpen;

RbWorkplace *rb_workplace_new (const char *data_dir);
/* Reads the data directory again. */
void rb_workplace_read (RbWorkplace *self);
/* FALSE until the first read has ended. */
gboolean rb_workplace_is_read (RbWorkplace *self);
const GError *rb_workplace_error (RbWorkplace *self); /* of the last read; NULL: none */
guint rb_workplace_n_anchors (RbWorkplace *self);
guint rb_workplace_n_campaigns (RbWorkplace *self);
GPtrArray *rb_workplace_open (RbWorkplace *self); /* of RbWorkplaceOpen */
const char *rb_workplace_last_link (RbWorkplace *self); /* URI of the link used last, "" when there is none */

/* Searches for links; does nothing while a search runs. */
void rb_workplace_search (RbWorkplace *self);
gboolean rb_workplace_is_searching (RbWorkplace *self);
GPtrArray *rb_workplace_links (RbWorkplace *self); /* of RbLinkEntry, of the last search that did not fail */

/* Keeps the URI of the link that was used last. A failure is logged: the work does not depend on it. Any thread. */
void rb_workplace_keep_link (const char *data_dir, const char *uri);
