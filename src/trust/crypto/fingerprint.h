/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * Digests as people compare them: eleven bits a word, most significant bits first. Four words are a label; twelve
 * (132 bits) or the full hex wherever a person compares in order to decide.
 */
#define RB_FINGERPRINT_WORDS 2048
#define RB_FINGERPRINT_LABEL 4
#define RB_FINGERPRINT_FULL 12
extern const char *const rb_fingerprint_words[RB_FINGERPRINT_WORDS];

/* The first n (at most 23) words of a SHA-256 in hex, joined by '-'. (transfer full) */
char *rb_fingerprint_of (const char *sha256_hex, guint n);
/* Is text that digest: its full hex, or its twelve words, with '-' or spaces between them? Case does not matter. */
gboolean rb_fingerprint_matches (const char *sha256_hex, const char *text);
