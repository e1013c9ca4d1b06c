/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include <jansson.h>

/*
 * The three canonical forms met in the field; they differ only for control and non-ASCII characters:
 * A sorted, compact, JSON escapes, raw UTF-8 (ota-tuf); B the same with \uXXXX in lower case for non-ASCII
 * (aktualizr); C only '"' and '\' escaped (OLPC: TUF, the reference implementation). Members are sorted by bytes of
 * UTF-8; ota-tuf and JavaScript sort by UTF-16 code unit, which differs where characters beyond the BMP stand beside
 * U+E000…U+FFFF.
 */
typedef enum { RB_CANONICAL_A, RB_CANONICAL_B, RB_CANONICAL_C } RbCanonical;
GBytes *rb_canonical_form (const json_t *value, RbCanonical form);
/* Those forms that differ for this value, in both orders, most usual first. (element-type GBytes) (transfer full) */
GPtrArray *rb_canonical_forms (const json_t *value);
/* A form of the value that text is form A of. (transfer full) */
GBytes *rb_canonical_from_form_a (GBytes *text, RbCanonical form);
/* Form A of a string or number; NULL: none can be read. (transfer full) */
char *rb_canonical_scalar (const char *text, gsize length);
/* Order of two names by UTF-16 code unit, from the first bytes in which their UTF-8 differs; -1: the name ends there.
 */
int rb_canonical_compare_utf16_bytes (int left, int right);
