/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>

/*
 * Options of a command line as a table. Parsing, --help, the completion of the shells and the check of the man pages
 * read the same table. An option's value is stored at an offset in a settings structure of the caller, who initialises
 * it with the defaults and releases it. Errors: RB_CORE_ERROR, usage.
 */
typedef enum {
  RB_OPTION_FLAG, /* gboolean, without a value */
  RB_OPTION_TEXT, /* char *, UTF-8 in every locale */
  RB_OPTION_TEXTS, /* GStrv; the option may be repeated */
  RB_OPTION_WORD, /* char *, one of the words that "value" lists: "real|fast" */
  RB_OPTION_LINK, /* char *, a link URI */
  RB_OPTION_FILE, /* char *, a path in the file system's own bytes */
  RB_OPTION_FILES, /* GStrv */
  RB_OPTION_FOLDER, /* char * */
  RB_OPTION_NUMBER, /* gint64 from low to high */
} RbOptionKind;

typedef struct {
  const char *name; /* without the dashes; NULL ends a table */
  const char *value; /* name of the value in --help: "FILE"; NULL for a flag */
  const char *summary; /* one line */
  RbOptionKind kind;
  gsize at; /* offset of the member */
  gint64 low, high;
  gboolean needed; /* usage error without it */
  char letter; /* "-o" besides "--output"; 0: none */
} RbOption;

/* Offset of a member, which has to be of the type that the kind stores. */
#define RB_OPTION_AT(type, member, stored) \
  (offsetof (type, member) + 0 * sizeof (_Generic(((type *) 0)->member, stored : 1)))
#define RB_OPTION_FLAG(type, member) .kind = RB_OPTION_FLAG, .at = RB_OPTION_AT (type, member, gboolean)
#define RB_OPTION_TEXT(type, member) .kind = RB_OPTION_TEXT, .at = RB_OPTION_AT (type, member, char *)
#define RB_OPTION_TEXTS(type, member) .kind = RB_OPTION_TEXTS, .at = RB_OPTION_AT (type, member, GStrv)
#define RB_OPTION_WORD(type, member) .kind = RB_OPTION_WORD, .at = RB_OPTION_AT (type, member, char *)
#define RB_OPTION_LINK(type, member) .kind = RB_OPTION_LINK, .at = RB_OPTION_AT (type, member, char *)
#define RB_OPTION_FILE(type, member) .kind = RB_OPTION_FILE, .at = RB_OPTION_AT (type, member, char *)
#define RB_OPTION_FILES(type, member) .kind = RB_OPTION_FILES, .at = RB_OPTION_AT (type, member, GStrv)
#define RB_OPTION_FOLDER(type, member) .kind = RB_OPTION_FOLDER, .at = RB_OPTION_AT (type, member, char *)
#define RB_OPTION_NUMBER(type, member, least, most) \
  .kind = RB_OPTION_NUMBER, .at = RB_OPTION_AT (type, member, gint64), .low = (least), .high = (most)

/* Where options are looked for and stored: first the verb's own, then the common ones. */
typedef struct {
  const RbOption *own; /* may be NULL */
  gpointer settings; /* of own */
  const RbOption *common;
  gpointer common_settings;
  GHashTable *given; /* set of the RbOption that were taken; may be NULL */
} RbOptionSet;

/* One option at arguments[*at], which begins with '-', with its value; moves *at behind them. */
gboolean rb_option_take (const RbOptionSet *set, char **arguments, guint *at, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A value as on the command line. */
gboolean rb_option_store (const RbOption *option, gpointer settings, const char *value, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Whether each needed option of the table has been stored. */
gboolean rb_option_check_needed (const RbOption *options, gconstpointer settings, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The option without its dashes and "=VALUE"; NULL: the table has none. */
const RbOption *rb_option_find (const RbOption *options, const char *name);
/* "-o, --output FILE". (transfer full) */
char *rb_option_label (const RbOption *option);
/* Name of a kind in --help --json: "flag", "text", "word", "link", "file", "folder", "number". Static. */
const char *rb_option_kind_name (RbOptionKind kind);
/* Whether it may be repeated. */
gboolean rb_option_is_list (RbOptionKind kind);
