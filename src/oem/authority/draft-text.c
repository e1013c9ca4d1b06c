/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/draft-text.h"

#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/fingerprint.h"

#include <string.h>

#define MAX_PART (256 * 1024 * 1024)

typedef struct {
  const RbDraft *draft;
  const RbDraftDocument *document;
  json_t *before; /* `signed` of what is published; NULL: nothing is */
  GPtrArray *lines; /* of char */
} Text;

static void
text_clear (Text *self)
{
  json_decref (self->before);
  g_clear_pointer (&self->lines, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Text, text_clear)

static void G_GNUC_PRINTF (2, 3) say (Text *self, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_ptr_array_add (self->lines, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

char *
rb_draft_text_key (const RbDraft *self, RbPublicKey *key)
{
  const RbKeyCard *card = rb_key_card_of (self->cards, key);
  if (card != NULL)
    return rb_key_card_text (card);
  g_autofree char *label = rb_fingerprint_of (rb_key_public_id (key), RB_FINGERPRINT_LABEL);
  return g_strdup_printf ("unknown holder (%s)", label);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Names of the keys of list that others has not, sorted. (transfer full) */
static GPtrArray *
names_apart (const RbDraft *draft, GPtrArray *list, GPtrArray *others)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; list != NULL && i < list->len; i++) {
    gboolean common = FALSE;
    for (guint j = 0; others != NULL && j < others->len; j++)
      common = common || rb_key_public_equal (list->pdata[i], others->pdata[j]);
    if (!common)
      g_ptr_array_add (names, rb_draft_text_key (draft, list->pdata[i]));
  }
  g_ptr_array_sort (names, compare_names);
  return names;
}

static void
say_names (Text *self, const char *role, GPtrArray *names, const char *verb)
{
  for (guint i = 0; i < names->len; i++)
    say (self, "%s: %s %s.", role, (const char *) names->pdata[i], verb);
}

/* Two states of one role; NULL: it is not there. */
static void
compare_roles (Text *self, const char *name, const RbMetadataRole *before, const RbMetadataRole *after)
{
  g_autoptr (GPtrArray) old = before == NULL ? NULL : rb_metadata_role_keys (before);
  g_autoptr (GPtrArray) new = after == NULL ? NULL : rb_metadata_role_keys (after);
  g_autoptr (GPtrArray) leaving = names_apart (self->draft, old, new);
  g_autoptr (GPtrArray) coming = names_apart (self->draft, new, old);
  say_names (self, name, leaving, "leaves");
  say_names (self, name, coming, "comes");
  if (after == NULL)
    say (self, "%s: the role ends.", name);
  else if (before == NULL)
    say (self, "%s: %" G_GINT64_FORMAT " of %u keys sign.", name, after->threshold, new->len);
  else if (before->threshold != after->threshold || old->len != new->len)
    say (self, "%s: %" G_GINT64_FORMAT " of %u keys sign, before %" G_GINT64_FORMAT " of %u.", name, after->threshold,
         new->len, before->threshold, old->len);
  else
    say (self, "%s: %" G_GINT64_FORMAT " of %u keys sign, as before.", name, after->threshold, new->len);
}

static RbMetadataRole *
role_of (const json_t *keys, const json_t *role)
{
  return role == NULL ? NULL : rb_metadata_role_new (keys, role, NULL);
}

static void
say_root (Text *self)
{
  const json_t *roles = json_object_get (self->document->part, "roles");
  const json_t *old_roles = json_object_get (self->before, "roles");
  g_autoptr (json_t) all = old_roles == NULL ? json_object () : json_copy ((json_t *) old_roles);
  const char *name;
  json_t *unused;
  json_object_update_missing (all, (json_t *) roles);
  json_object_foreach (all, name, unused) {
    g_autoptr (RbMetadataRole) before
      = role_of (json_object_get (self->before, "keys"), json_object_get (old_roles, name));
    g_autoptr (RbMetadataRole) after
      = role_of (json_object_get (self->document->part, "keys"), json_object_get (roles, name));
    compare_roles (self, name, before, after);
  }
}

/* First hash, hardware ids and counter of an entry. (transfer full) */
static char *
entry_text (const json_t *entry)
{
  const json_t *custom = json_object_get (entry, "custom");
  g_autofree char *more = custom == NULL ? NULL : rb_json_to_text (custom);
  const char *sha256 = rb_json_string_or (json_object_get (entry, "hashes"), "sha256", "none");
  return g_strdup_printf ("%" JSON_INTEGER_FORMAT " bytes, SHA-256 %s%s%s",
                          json_integer_value (json_object_get (entry, "length")), sha256, more == NULL ? "" : ", ",
                          more == NULL ? "" : more);
}

static void
say_targets (Text *self)
{
  json_t *after = json_object_get (self->document->part, "targets"),
         *before = json_object_get (self->before, "targets");
  const char *path;
  json_t *entry;
  json_object_foreach (before, path, entry)
    if (json_object_get (after, path) == NULL)
      say (self, "%s vanishes.", path);
  json_object_foreach (after, path, entry) {
    const json_t *old = json_object_get (before, path);
    g_autofree char *text = entry_text (entry), *old_text = old == NULL ? NULL : entry_text (old);
    if (old == NULL)
      say (self, "%s appears: %s.", path, text);
    else if (!json_equal (old, entry))
      say (self, "%s changes: %s; before: %s.", path, text, old_text);
  }
}

static json_t *
find_delegation (const json_t *part, const char *name)
{
  size_t i;
  json_t *role;
  json_array_foreach (json_object_get (json_object_get (part, "delegations"), "roles"), i, role)
    if (strcmp (rb_json_string_or (role, "name", ""), name) == 0)
      return role;
  return NULL;
}

static void
compare_delegation (Text *self, const char *name)
{
  json_t *before = find_delegation (self->before, name), *after = find_delegation (self->document->part, name);
  g_autofree char *label = g_strdup_printf ("delegation %s", name);
  g_autoptr (RbMetadataRole) old
    = role_of (json_object_get (json_object_get (self->before, "delegations"), "keys"), before);
  g_autoptr (RbMetadataRole) new
    = role_of (json_object_get (json_object_get (self->document->part, "delegations"), "keys"), after);
  compare_roles (self, label, old, new);
  for (guint i = 0; i < 2; i++) {
    static const char *const members[] = { "paths", "hardwareIds" };
    const json_t *was = json_object_get (before, members[i]), *is = json_object_get (after, members[i]);
    g_autofree char *text = is == NULL ? NULL : rb_json_to_text (is);
    if (is != NULL && (was == NULL || !json_equal (was, is)))
      say (self, "%s: %s %s.", label, i == 0 ? "paths" : "hardware identifiers", text);
  }
}

static void
say_delegations (Text *self)
{
  const json_t *parts[] = { self->before, self->document->part };
  for (guint i = 0; i < 2; i++) {
    size_t j;
    json_t *role;
    json_array_foreach (json_object_get (json_object_get (parts[i], "delegations"), "roles"), j, role)
      if (i == 0 || find_delegation (self->before, rb_json_string_or (role, "name", "")) == NULL)
        compare_delegation (self, rb_json_string_or (role, "name", ""));
  }
}

static void
say_head (Text *self)
{
  const RbDraftDocument *document = self->document;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (document->payload);
  gint64 version = rb_json_integer_or (document->part, "version", 0);
  const char *expires = rb_json_string_or (document->part, "expires", "never");
  if (self->before == NULL)
    say (self, "%s %s %" G_GINT64_FORMAT ": nothing is published of this role.", document->kind, document->role,
         version);
  else
    say (self, "%s %s %" G_GINT64_FORMAT " follows version %" G_GINT64_FORMAT ".", document->kind, document->role,
         version, rb_json_integer_or (self->before, "version", 0));
  say (self, "SHA-256 of the bytes to be signed: %s.", sha256);
  if (self->before == NULL)
    say (self, "It expires at %s.", expires);
  else
    say (self, "It expires at %s, the published one at %s.", expires,
         rb_json_string_or (self->before, "expires", "never"));
}

GStrv
rb_draft_text_changes (const RbDraft *self, const RbDraftDocument *document, GError **error)
{
  g_auto (Text) text = { self, document, NULL, g_ptr_array_new_with_free_func (g_free) };
  if (document->published != NULL) {
    g_autoptr (json_t) envelope = rb_json_parse (document->published, MAX_PART, "published", error);
    json_t *part = envelope == NULL ? NULL : rb_json_object (envelope, "signed", "published", error);
    if (part == NULL)
      return NULL;
    text.before = json_incref (part);
  }
  say_head (&text);
  if (strcmp (document->role, "root") == 0)
    say_root (&text);
  else {
    say_targets (&text);
    say_delegations (&text);
  }
  g_ptr_array_add (text.lines, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&text.lines), FALSE);
}

static json_t *
names_json (const RbDraft *draft, GPtrArray *keys, GPtrArray *others)
{
  g_autoptr (GPtrArray) names = names_apart (draft, keys, others);
  json_t *list = json_array ();
  for (guint i = 0; i < names->len; i++)
    json_array_append_new (list, json_string (names->pdata[i]));
  return list;
}

json_t *
rb_draft_text_status (const RbDraft *self, GError **error)
{
  g_autoptr (json_t) list = json_array ();
  for (guint i = 0; i < self->documents->len; i++) {
    const RbDraftDocument *document = self->documents->pdata[i];
    g_autoptr (GPtrArray) requirements = rb_draft_requirements (self, document, error);
    if (requirements == NULL)
      return NULL;
    json_t *thresholds = json_array ();
    gboolean complete = TRUE;
    for (guint j = 0; j < requirements->len; j++) {
      const RbDraftRequirement *one = requirements->pdata[j];
      complete = complete && rb_draft_requirement_is_met (one);
      json_array_append_new (thresholds, json_pack ("{s:s,s:I,s:i,s:o,s:o}", "side", one->side, "threshold",
                                                    (json_int_t) one->threshold, "have", (int) one->signers->len,
                                                    "signed", names_json (self, one->signers, NULL), "missing",
                                                    names_json (self, one->keys, one->signers)));
    }
    json_array_append_new (list, json_pack ("{s:s,s:s,s:I,s:b,s:o}", "kind", document->kind, "role", document->role,
                                            "version", (json_int_t) rb_json_integer_or (document->part, "version", 0),
                                            "complete", (int) complete, "thresholds", thresholds));
  }
  return g_steal_pointer (&list);
}
