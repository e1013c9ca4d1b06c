/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"

/*
 * JSON text, token by token and without a tree, as core/json.h takes it. Each function is given where its text begins
 * and returns where it ends, RB_TOKENS_FAILED: no parser would take it. Objects are taken member by member.
 */
#define RB_TOKENS_FAILED G_MAXSIZE
#define RB_TOKENS_MAX_DIGITS 18 /* fit a signed 64 bit integer, whatever they are */

/* What was met that a canonical form does not have, or that not every form writes alike. */
enum {
  RB_TOKENS_MET_SPACE = 1 << 0,
  RB_TOKENS_MET_DISORDER = 1 << 1, /* members out of order, or twice */
  RB_TOKENS_MET_NAME = 1 << 7, /* escapes in a member's name */
  RB_TOKENS_MET_NUMBER = 1 << 2, /* anything but an integer as a computer writes it */
  RB_TOKENS_MET_ESCAPE = 1 << 3, /* one that no form writes */
  RB_TOKENS_MET_CONTROL = 1 << 4, /* escaped control characters: raw in form C */
  RB_TOKENS_MET_WIDE = 1 << 5, /* raw characters beyond ASCII: escaped in form B */
  RB_TOKENS_MET_WIDE_ESCAPE = 1 << 6, /* those characters as form B writes them */
};
#define RB_TOKENS_MET_LAYOUT (RB_TOKENS_MET_SPACE | RB_TOKENS_MET_DISORDER)
#define RB_TOKENS_MET_FOREIGN (RB_TOKENS_MET_LAYOUT | RB_TOKENS_MET_NAME | RB_TOKENS_MET_NUMBER | RB_TOKENS_MET_ESCAPE)

typedef struct {
  const char *text; /* borrowed */
  gsize length;
  guint depth; /* of open objects and arrays */
  guint met;
  gboolean escaped; /* is an escape in the string taken last? */
  const char *problem; /* why no parser would take it; static */
  gsize problem_at;
} RbTokens;

typedef struct {
  gsize at;
  gsize length;
} RbTokensSpan;

/* The members of one object; zeroes to begin with. */
typedef struct {
  RbTokensSpan name; /* between its quotes */
  gboolean begun;
  gboolean ended; /* at the closing brace */
} RbTokensMembers;

/* The next byte, -1 at the end. */
static inline int
rb_tokens_peek (const RbTokens *self, gsize at)
{
  return at < self->length ? (guchar) self->text[at] : -1;
}

/* Notes why no parser would take the text. problem is static. */
gsize rb_tokens_fail (RbTokens *self, gsize at, const char *problem);
gsize rb_tokens_skip_space (RbTokens *self, gsize at);
gsize rb_tokens_take_value (RbTokens *self, gsize at);
/* After the bracket that opens. */
gsize rb_tokens_enter (RbTokens *self, gsize at);
/* To the next member's value, or past the end of the object. */
gsize rb_tokens_next_member (RbTokens *self, gsize at, RbTokensMembers *members);
/* Does the member taken last have that name, without escapes? */
gboolean rb_tokens_is_named (const RbTokens *self, const RbTokensMembers *members, const char *wanted);
