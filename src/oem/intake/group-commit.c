/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/group-commit.h"

#include "core/moment.h"

#define MAX_GROUP 256

struct _RbGroupCommit {
  RbLedger *ledger;
  GMutex *lock; /* borrowed */
  GFunc after_commit;
  gpointer after_data;
  GMainContext *context;
  GAsyncQueue *queue; /* of Job; END ends the thread */
  GThread *thread;
};

typedef struct {
  RbLedgerUpload *upload;
  RbGroupCommitDone done;
  gpointer data;
  GError *error;
} Job;

static Job END;

static void
job_free (gpointer data)
{
  Job *job = data;
  rb_ledger_upload_free (job->upload);
  g_clear_error (&job->error);
  g_free (job);
}

static gboolean
answer (gpointer data)
{
  Job *job = data;
  job->done (job->upload, job->error, job->data);
  return G_SOURCE_REMOVE;
}

/* Always from the context's own thread, also while it waits for this one. */
static void
send_answer (RbGroupCommit *self, Job *job)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, answer, job, job_free);
  g_source_attach (source, self->context);
}

/* Waits for one job and takes those that wait behind it. FALSE at the end. */
static gboolean
take_group (RbGroupCommit *self, GPtrArray *jobs)
{
  Job *job = g_async_queue_pop (self->queue);
  while (job != NULL && job != &END) {
    g_ptr_array_add (jobs, job);
    job = jobs->len < MAX_GROUP ? g_async_queue_try_pop (self->queue) : NULL;
  }
  return job != &END;
}

static void
commit_group (RbGroupCommit *self, GPtrArray *jobs)
{
  g_autoptr (GPtrArray) uploads = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < jobs->len; i++)
    g_ptr_array_add (uploads, ((Job *) jobs->pdata[i])->upload);
  g_mutex_lock (self->lock);
  gboolean stored = uploads->len == 0 || rb_ledger_receive (self->ledger, uploads, rb_moment_now (), &error);
  g_mutex_unlock (self->lock);
  if (!stored)
    g_warning ("%u uploads not stored: %s", jobs->len, error->message);
  for (guint i = 0; i < jobs->len; i++) {
    Job *job = jobs->pdata[i];
    job->error = error == NULL ? NULL : g_error_copy (error);
    send_answer (self, job);
  }
  if (stored && jobs->len > 0)
    self->after_commit (self, self->after_data);
}

static gpointer
run (gpointer data)
{
  RbGroupCommit *self = data;
  for (gboolean more = TRUE; more;) {
    g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
    more = take_group (self, jobs);
    commit_group (self, jobs);
  }
  return NULL;
}

RbGroupCommit *
rb_group_commit_new (RbLedger *ledger, GMutex *lock, GFunc after_commit, gpointer data)
{
  RbGroupCommit *self = g_new0 (RbGroupCommit, 1);
  self->ledger = ledger;
  self->lock = lock;
  self->after_commit = after_commit;
  self->after_data = data;
  self->context = g_main_context_ref_thread_default ();
  self->queue = g_async_queue_new ();
  self->thread = g_thread_new ("group-commit", run, self);
  return self;
}

void
rb_group_commit_submit (RbGroupCommit *self, RbLedgerUpload *upload, RbGroupCommitDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  job->upload = upload;
  job->done = done;
  job->data = data;
  g_async_queue_push (self->queue, job);
}

void
rb_group_commit_free (RbGroupCommit *self)
{
  g_async_queue_push (self->queue, &END);
  g_thread_join (self->thread);
  g_async_queue_unref (self->queue);
  rb_ledger_close (self->ledger);
  g_main_context_unref (self->context);
  g_free (self);
}
