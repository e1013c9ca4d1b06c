/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/error.h"

/*
 * Where private keys are in memory. After rb_secret_prepare() OpenSSL keeps them in locked pages that no core dump
 * holds, and clears all other memory that it gives back, so that what was decoded or computed leaves nothing behind.
 */

/* Call once, before anything else uses OpenSSL. The process makes no core dumps from then on. */
void rb_secret_prepare (void);
/* Other processes of the same user can neither read this one's memory nor trace it. Not for root, who can do both
 * anyway. */
void rb_secret_hide_process (void);
/* Ends that, for a verb that reads no key and no passphrase. Tests observe with strace what such a verb stores and in
 * which order. */
void rb_secret_show_process (void);
/* Clears and frees; NULL is fine. */
void rb_secret_free (char *text);
/* Contents of a file that may hold a key; they are cleared when the last reference goes. Errors as rb_files_read().
 * (transfer full) */
GBytes *rb_secret_read (const char *path, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
