/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * Verified images in memory: an image file is opened and hashed once, and what happens to the file after that reaches
 * no ECU. Used from any thread. What is larger than the room that is left is not kept.
 */
typedef struct _RbImages RbImages;
/* max: bytes of all images. */
RbImages *rb_images_new (gsize max);
void rb_images_free (RbImages *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbImages, rb_images_free)

/* NULL: it is not kept; also of self NULL. (transfer full) */
GBytes *rb_images_get (RbImages *self, const char *sha256);
/* The bytes that are to be hashed: a copy in memory where there is room for it, else file itself, which may be a
 * mapping. self may be NULL. (transfer full) */
GBytes *rb_images_read (RbImages *self, GBytes *file);
/* Keeps what rb_images_read() has given and the digest was found right for; no more than there is room for. self may be
 * NULL. */
void rb_images_keep (RbImages *self, const char *sha256, GBytes *image, GBytes *file);
