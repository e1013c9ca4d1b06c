/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"

/*
 * The tree of a bundle, and the order of its parts: each is verified by those before it.
 *   service/metadata/ service/targets/GROUP/, director/metadata/N.root.json image/metadata/, scopes/NAME.pieces,
 *   vins/VIN/director/ vins/VIN/she.json vins/regions/NAME.pieces, image/targets/
 */
typedef enum { RB_SHAPE_SERVICE, RB_SHAPE_METADATA, RB_SHAPE_SCOPES, RB_SHAPE_VINS, RB_SHAPE_IMAGES } RbShapePart;

/* FALSE: no file of that path belongs into a bundle. */
gboolean rb_shape_part (const char *path, RbShapePart *part) G_GNUC_WARN_UNUSED_RESULT;
/* The VIN to whose pack a file belongs, NULL: to none. (transfer full) */
char *rb_shape_vin (const char *path);
/* The target of the Service repository that is the table of a file of pieces: "scopes/NAME.table"; NULL: it is none.
 * (transfer full) */
char *rb_shape_table (const char *path);
/* The file of pieces of such a target, as a path in a bundle; NULL: it is no table. (transfer full) */
char *rb_shape_pieces (const char *table);
/* The target in the Image repository that an image's file stands for, and with consistent snapshots its digest. NULL:
 * not an image. digest (may be NULL) receives NULL for a plain name. (transfer full) */
char *rb_shape_image (const char *path, char **digest);
/* NAME without the hash before it; NULL: there is none. Borrowed from it. */
const char *rb_shape_without_hash (const char *name);
