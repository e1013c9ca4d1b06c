/* SPDX-License-Identifier: Apache-2.0 */
#include "session/workplace.h"

#include "core/files.h"
#include "library/library.h"
#include "library/trust.h"
#include "link/link.h"
#include "recovery/journal.h"

#include <string.h>

#define SEARCH_MS 1000
#define MAX_URI 256
#define LAST_LINK "last-link"
#define DATABASE "recallbay.db"

/* Of one read of the data directory. */
typedef struct {
  guint n_anchors, n_campaigns;
  GPtrArray *open; /* of RbWorkplaceOpen */
  char *last_link;
} Holdings;

struct _RbWorkplace {
  GObject parent_instance;
  char *data_dir;
  Holdings *holdings; /* NULL until read */
  GError *error;
  GPtrArray *links;
  gboolean searching;
};

G_DEFINE_FINAL_TYPE (RbWorkplace, rb_workplace, G_TYPE_OBJECT)

static guint changed;

static void
open_free (gpointer data)
{
  RbWorkplaceOpen *self = data;
  g_free (self->vin);
  g_free (self->campaign);
  g_free (self);
}

static void
holdings_free (gpointer data)
{
  Holdings *self = data;
  g_clear_pointer (&self->open, g_ptr_array_unref);
  g_free (self->last_link);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Holdings, holdings_free)

/* in a thread */

/* "" where none is kept, or something that is not a URI. */
static char *
read_last_link (const char *data_dir)
{
  g_autofree char *path = g_build_filename (data_dir, LAST_LINK, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_URI, NULL);
  if (bytes == NULL)
    return g_strdup ("");
  g_autofree char *uri = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_strchomp (uri);
  return g_utf8_validate (uri, -1, NULL) && strchr (uri, ':') != NULL ? g_steal_pointer (&uri) : g_strdup ("");
}

static gboolean
has_vin (GPtrArray *open, const char *vin)
{
  for (guint i = 0; i < open->len; i++)
    if (strcmp (((const RbWorkplaceOpen *) open->pdata[i])->vin, vin) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
add_open (GPtrArray *open, RbJournal *journal, const char *vin, GError **error)
{
  g_auto (GStrv) campaigns = rb_journal_campaigns (journal, vin, error);
  for (guint i = 0; campaigns != NULL && campaigns[i] != NULL; i++) {
    RbWorkplaceOpen *row = g_new0 (RbWorkplaceOpen, 1);
    *row = (RbWorkplaceOpen){ g_strdup (vin), g_strdup (campaigns[i]) };
    g_ptr_array_add (open, row);
  }
  return campaigns != NULL;
}

/* A journal is not made for this: without its file there is no open recovery. */
static gboolean
read_open (const char *data_dir, GPtrArray *open, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, DATABASE, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autoptr (RbJournal) journal = rb_journal_open (data_dir, error);
  g_autoptr (GPtrArray) steps = journal == NULL ? NULL : rb_journal_list (journal, NULL, error);
  if (steps == NULL)
    return FALSE;
  for (guint i = steps->len; i > 0; i--) {
    const char *vin = ((const RbJournalRow *) steps->pdata[i - 1])->vin;
    if (!has_vin (open, vin) && !add_open (open, journal, vin, error))
      return FALSE;
  }
  return TRUE;
}

static void
read_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const char *data_dir = data;
  GError *error = NULL;
  g_autoptr (Holdings) found = g_new0 (Holdings, 1);
  found->open = g_ptr_array_new_with_free_func (open_free);
  found->last_link = read_last_link (data_dir);
  g_autoptr (GPtrArray) anchors = rb_trust_list (data_dir, &error);
  g_autoptr (RbLibrary) library = anchors == NULL ? NULL : rb_library_new (data_dir);
  g_autoptr (GPtrArray) campaigns = library == NULL ? NULL : rb_library_list (library, &error);
  if (campaigns == NULL || !read_open (data_dir, found->open, &error)) {
    g_task_return_error (task, error);
    return;
  }
  found->n_anchors = anchors->len;
  found->n_campaigns = campaigns->len;
  g_task_return_pointer (task, g_steal_pointer (&found), holdings_free);
}

static void
search_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GPtrArray *found = rb_link_discover (SEARCH_MS, cancellable, &error);
  if (found == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, found, (GDestroyNotify) g_ptr_array_unref);
}

/* on the main loop */

static void
on_read (GObject *object, GAsyncResult *result, gpointer data)
{
  RbWorkplace *self = RB_WORKPLACE (object);
  g_autoptr (GError) error = NULL;
  g_autoptr (Holdings) found = g_task_propagate_pointer (G_TASK (result), &error);
  g_clear_error (&self->error);
  if (found == NULL)
    self->error = g_steal_pointer (&error);
  else {
    g_clear_pointer (&self->holdings, holdings_free);
    self->holdings = g_steal_pointer (&found);
  }
  g_signal_emit (self, changed, 0);
}

void
rb_workplace_read (RbWorkplace *self)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, on_read, NULL);
  g_task_set_task_data (task, g_strdup (self->data_dir), g_free);
  g_task_run_in_thread (task, read_thread);
}

static void
on_searched (GObject *object, GAsyncResult *result, gpointer data)
{
  RbWorkplace *self = RB_WORKPLACE (object);
  g_autoptr (GError) error = NULL;
  GPtrArray *found = g_task_propagate_pointer (G_TASK (result), &error);
  self->searching = FALSE;
  if (found == NULL)
    g_debug ("search for links: %s", error->message);
  else {
    g_ptr_array_unref (self->links);
    self->links = found;
  }
  g_signal_emit (self, changed, 0);
}

void
rb_workplace_search (RbWorkplace *self)
{
  if (self->searching)
    return;
  g_autoptr (GTask) task = g_task_new (self, NULL, on_searched, NULL);
  self->searching = TRUE;
  g_task_run_in_thread (task, search_thread);
  g_signal_emit (self, changed, 0);
}

gboolean
rb_workplace_is_read (RbWorkplace *self)
{
  return self->holdings != NULL || self->error != NULL;
}

const GError *
rb_workplace_error (RbWorkplace *self)
{
  return self->error;
}

guint
rb_workplace_n_anchors (RbWorkplace *self)
{
  return self->holdings == NULL ? 0 : self->holdings->n_anchors;
}

guint
rb_workplace_n_campaigns (RbWorkplace *self)
{
  return self->holdings == NULL ? 0 : self->holdings->n_campaigns;
}

GPtrArray *
rb_workplace_open (RbWorkplace *self)
{
  return self->holdings == NULL ? NULL : self->holdings->open;
}

const char *
rb_workplace_last_link (RbWorkplace *self)
{
  return self->holdings == NULL ? "" : self->holdings->last_link;
}

gboolean
rb_workplace_is_searching (RbWorkplace *self)
{
  return self->searching;
}

GPtrArray *
rb_workplace_links (RbWorkplace *self)
{
  return self->links;
}

void
rb_workplace_keep_link (const char *data_dir, const char *uri)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (data_dir, LAST_LINK, NULL);
  if (strlen (uri) < MAX_URI && !rb_files_write_private_text (path, uri, &error))
    g_debug ("last link: %s", error->message);
}

static void
finalize (GObject *object)
{
  RbWorkplace *self = RB_WORKPLACE (object);
  g_free (self->data_dir);
  g_clear_pointer (&self->holdings, holdings_free);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->links);
  G_OBJECT_CLASS (rb_workplace_parent_class)->finalize (object);
}

static void
rb_workplace_class_init (RbWorkplaceClass *class)
{
  G_OBJECT_CLASS (class)->finalize = finalize;
  changed = g_signal_new ("changed", RB_TYPE_WORKPLACE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
rb_workplace_init (RbWorkplace *self)
{
  self->links = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_link_entry_free);
}

RbWorkplace *
rb_workplace_new (const char *data_dir)
{
  RbWorkplace *self = g_object_new (RB_TYPE_WORKPLACE, NULL);
  self->data_dir = g_strdup (data_dir);
  return self;
}
