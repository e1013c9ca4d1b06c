/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/sql.h"
#include "log/tiles.h"

/*
 * Tiles of a log in a database, inside the caller's transaction: tiles that are read are kept until the shelf is
 * cleared.
 */
typedef struct _RbShelf RbShelf;
/* sql is borrowed. */
RbShelf *rb_shelf_new (RbSql *sql);
void rb_shelf_free (RbShelf *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbShelf, rb_shelf_free)
/* Forgets what was read or written: at the begin of each transaction. */
void rb_shelf_clear (RbShelf *self);
const RbTiles *rb_shelf_tiles (RbShelf *self); /* borrowed */
/* Writes the tiles that changed since the shelf was cleared to the database. */
gboolean rb_shelf_store (RbShelf *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
