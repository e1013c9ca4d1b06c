/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/visit.h"

#include "core/json.h"
#include "core/moment.h"
#include "library/library.h"
#include "library/order.h"
#include "recovery/journal.h"

#include <string.h>

typedef struct {
  char *name; /* by which the library finds it */
  char *id;
  char *sha256; /* of campaign.json; NULL: not known */
  char *record; /* that completed it; NULL: it is open */
} Entry;

struct _RbVisit {
  GPtrArray *entries; /* of Entry, in order */
  guint at; /* the one that is worked on */
  gint64 began;
  json_t *inspection;
};

static void
entry_free (gpointer data)
{
  Entry *self = data;
  g_free (self->name);
  g_free (self->id);
  g_free (self->sha256);
  g_free (self->record);
  g_free (self);
}

void
rb_visit_free (RbVisit *self)
{
  g_ptr_array_unref (self->entries);
  json_decref (self->inspection);
  g_free (self);
}

/* While a visit is planned. */
typedef struct {
  const RbVisitOptions *options;
  RbLibrary *library;
  RbJournal *journal;
  GPtrArray *open; /* of RbContents: may be started, with the vehicle in scope */
  GPtrArray *sorted; /* those that stand, in order */
  GError *failure; /* the first read of the journal that failed: there is no plan then */
} Plan;

static void
plan_clear (Plan *self)
{
  g_clear_pointer (&self->library, rb_library_free);
  g_clear_pointer (&self->journal, rb_journal_close);
  g_clear_pointer (&self->open, g_ptr_array_unref);
  g_clear_pointer (&self->sorted, g_ptr_array_unref);
  g_clear_error (&self->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plan, plan_clear)

static const char *
id_of (RbContents *contents)
{
  return rb_contents_campaign (contents)->id;
}

static gboolean
is_started (Plan *self, const char *id)
{
  gint64 number = 0, started = 0;
  GError **error = self->failure == NULL ? &self->failure : NULL;
  return rb_journal_find (self->journal, self->options->vin, id, &number, &started, error) && number > 0;
}

static char *
final_record (Plan *self, const char *id)
{
  char *record = NULL;
  GError **error = self->failure == NULL ? &self->failure : NULL;
  return rb_journal_final_record (self->journal, self->options->vin, id, &record, error) ? record : NULL;
}

static gboolean
is_completed (Plan *self, const char *id)
{
  g_autofree char *record = final_record (self, id);
  return record != NULL;
}

/* One that comes after it was begun: the vehicle has passed it. */
static RbContents *
passed_by (Plan *self, RbContents *contents)
{
  for (guint i = 0; i < self->open->len; i++) {
    RbContents *later = self->open->pdata[i];
    if (later != contents && rb_order_is_before (self->open, contents, later)
        && (is_started (self, id_of (later)) || is_completed (self, id_of (later))))
      return later;
  }
  return NULL;
}

static Entry *
add (RbVisit *visit, Plan *self, const char *name, const char *id, const char *sha256)
{
  Entry *entry = g_new0 (Entry, 1);
  *entry = (Entry){ g_strdup (name), g_strdup (id), g_strdup (sha256), final_record (self, id) };
  g_ptr_array_add (visit->entries, entry);
  return entry;
}

static gboolean
add_contents (RbVisit *visit, Plan *self, RbContents *contents, GError **error)
{
  g_autofree char *name = rb_library_name (self->library, contents, error);
  if (name != NULL)
    add (visit, self, name, id_of (contents), rb_contents_campaign_sha256 (contents));
  return name != NULL;
}

/* "ID" or "ANCHOR/ID" */
static gboolean
is_named (RbContents *contents, const char *name)
{
  const char *id = rb_library_id (name);
  g_autofree char *full = g_strdup_printf ("%s/%s", rb_contents_anchor (contents), id_of (contents));
  return strcmp (id == name ? id_of (contents) : full, name) == 0;
}

/* NULL: not open, or the campaigns of several trust anchors have that id, which rb_library_open() refuses. */
static RbContents *
find (Plan *self, const char *name)
{
  RbContents *found = NULL;
  for (guint i = 0; i < self->open->len; i++) {
    if (!is_named (self->open->pdata[i], name))
      continue;
    if (found != NULL)
      return NULL;
    found = self->open->pdata[i];
  }
  return found;
}

/* A started recovery may be completed, also when a newer campaign was imported since. */
static gboolean
check_named (Plan *self, RbContents *named, GError **error)
{
  RbContents *by = rb_order_superseded_by (self->open, named);
  if (is_started (self, id_of (named)))
    return TRUE;
  if (!rb_order_check (self->open, error))
    return FALSE;
  if (by == NULL)
    by = passed_by (self, named);
  return by == NULL
         || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_CAMPAIGN_SUPERSEDED,
                            "campaign %s: campaign %s is done in its place", id_of (named), id_of (by));
}

/* The named one, behind those that come before it and are not past. */
static gboolean
add_named (RbVisit *visit, Plan *self, RbContents *named, GError **error)
{
  for (guint i = 0; self->sorted != NULL && i < self->sorted->len; i++) {
    RbContents *before = self->sorted->pdata[i];
    if (before != named && rb_order_is_before (self->open, before, named) && passed_by (self, before) == NULL
        && !add_contents (visit, self, before, error))
      return FALSE;
  }
  return add_contents (visit, self, named, error);
}

static gboolean
add_all (RbVisit *visit, Plan *self, GError **error)
{
  g_auto (GStrv) started = rb_journal_campaigns (self->journal, self->options->vin, error);
  if (started == NULL || !rb_order_check (self->open, error))
    return FALSE;
  for (guint i = 0; started[i] != NULL; i++) /* begun by campaigns that begin no vehicle any more */
    if (find (self, started[i]) == NULL)
      add (visit, self, started[i], started[i], NULL);
  for (guint i = 0; i < self->sorted->len; i++)
    if (!add_contents (visit, self, self->sorted->pdata[i], error))
      return FALSE;
  return visit->entries->len > 0
         || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_CAMPAIGN_UNKNOWN,
                            "vehicle %s: no campaign in the library is open for it", self->options->vin);
}

/* The first open one; where all are completed the last, whose record says that it still is. */
static void
skip_completed (RbVisit *self)
{
  while (self->at + 1 < self->entries->len && ((Entry *) self->entries->pdata[self->at])->record != NULL)
    self->at++;
}

static gboolean
choose (RbVisit *visit, Plan *self, GError **error)
{
  const char *name = self->options->campaign;
  RbContents *named = name == NULL ? NULL : find (self, name);
  if (name == NULL)
    return add_all (visit, self, error);
  if (named != NULL)
    return check_named (self, named, error) && add_named (visit, self, named, error);
  add (visit, self, name, rb_library_id (name), NULL);
  return TRUE;
}

static gboolean
fill (RbVisit *visit, Plan *self, GError **error)
{
  g_autoptr (GError) refused = NULL;
  gboolean good = choose (visit, self, &refused);
  if (self->failure != NULL)
    g_propagate_error (error, g_steal_pointer (&self->failure));
  else if (!good)
    g_propagate_error (error, g_steal_pointer (&refused));
  else
    return TRUE;
  return FALSE;
}

static gboolean
open_plan (Plan *self, GError **error)
{
  gint64 now = self->options->now > 0 ? self->options->now : rb_moment_now ();
  self->library = rb_library_new (self->options->data_dir);
  self->journal = rb_journal_open (self->options->data_dir, error);
  self->open = self->journal == NULL ? NULL : rb_library_for_vin (self->library, self->options->vin, now, NULL, error);
  self->sorted = self->open == NULL || !rb_order_check (self->open, NULL) ? NULL : rb_order_sort (self->open);
  return self->open != NULL;
}

RbVisit *
rb_visit_plan (const RbVisitOptions *options, GError **error)
{
  g_auto (Plan) plan = { .options = options };
  if (!open_plan (&plan, error))
    return NULL;
  RbVisit *self = g_new0 (RbVisit, 1);
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  if (!fill (self, &plan, error)) {
    rb_visit_free (self);
    return NULL;
  }
  skip_completed (self);
  return self;
}

static Entry *
present (RbVisit *self)
{
  return self->at < self->entries->len ? self->entries->pdata[self->at] : NULL;
}

const char *
rb_visit_campaign (RbVisit *self)
{
  const Entry *entry = present (self);
  return entry == NULL ? NULL : entry->name;
}

gboolean
rb_visit_is_last (RbVisit *self)
{
  return self->at + 1 >= self->entries->len;
}

void
rb_visit_complete (RbVisit *self, const char *record)
{
  Entry *entry = present (self);
  g_free (entry->record);
  entry->record = g_strdup (record);
  self->at++;
}

gint64
rb_visit_begin (RbVisit *self, gint64 now)
{
  if (self->began == 0)
    self->began = now;
  return self->began;
}

const json_t *
rb_visit_inspection (RbVisit *self)
{
  return self->inspection;
}

void
rb_visit_keep_inspection (RbVisit *self, const json_t *whole)
{
  json_decref (self->inspection);
  self->inspection = json_deep_copy (whole);
}

json_t *
rb_visit_json (RbVisit *self)
{
  json_t *list = json_array ();
  for (guint i = 0; i < self->entries->len; i++) {
    const Entry *entry = self->entries->pdata[i];
    if (entry->sha256 == NULL)
      continue;
    json_t *row = json_object ();
    rb_json_set_string (row, "id", entry->id);
    rb_json_set_string (row, "campaignSha256", entry->sha256);
    rb_json_set_string (row, "record", i == self->at ? NULL : entry->record);
    json_array_append_new (list, row);
  }
  if (json_array_size (list) > 1)
    return json_pack ("{s:o}", "campaigns", list);
  json_decref (list);
  return NULL;
}
