/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/push.h"

#include "core/json.h"
#include "core/moment.h"

#include <string.h>

#define FIRST_DELAY_MS 1000
#define MAX_DELAY_MS (30 * 60 * 1000)
#define MAX_ANSWER (64 * 1024)

struct _RbPush {
  RbPushOptions options;
  char *url; /* without a slash at its end */
  GRand *random;
  RbTiles tiles;
};

/* Which answers may be others later. */
static gboolean
is_passing (guint status)
{
  return status == 429 || status == 502 || status == 503 || status == 504;
}

static GBytes *
get_tile (guint level, guint64 number, guint width, gpointer data, GError **error)
{
  RbPush *self = data;
  g_autofree char *path = rb_tiles_path ((int) level, number, width);
  g_autofree char *url = g_strdup_printf ("%s/v1/tile/%s", self->url, path);
  return rb_http_get (self->options.http, url, RB_TILES_WIDTH * sizeof (RbMerkleHash), self->options.cancellable,
                      error);
}

RbPush *
rb_push_new (const RbPushOptions *options)
{
  RbPush *self = g_new0 (RbPush, 1);
  self->options = *options;
  self->url = g_strdup (options->url);
  while (g_str_has_suffix (self->url, "/"))
    self->url[strlen (self->url) - 1] = '\0';
  self->random = options->seed == 0 ? g_rand_new () : g_rand_new_with_seed (options->seed);
  self->tiles = (RbTiles){ get_tile, NULL, self };
  return self;
}

void
rb_push_free (RbPush *self)
{
  g_rand_free (self->random);
  g_free (self->url);
  g_free (self);
}

gint64
rb_push_delay_ms (guint attempt, double random)
{
  gint64 whole = FIRST_DELAY_MS;
  for (guint i = 1; i < attempt && whole < MAX_DELAY_MS; i++)
    whole *= 2;
  whole = MIN (whole, MAX_DELAY_MS);
  return whole / 2 + (gint64) ((double) (whole / 2) * random);
}

/* Failures that may pass by themselves. */
static gboolean
is_offline (const GError *error)
{
  RbReason reason = rb_reason_of (error);
  return error->domain == RB_NET_ERROR && (reason == RB_REASON_IO || reason == RB_REASON_TIMEOUT);
}

gboolean
rb_push_is_over (const GError *error)
{
  return error->domain == RB_NET_ERROR || rb_reason_of (error) == RB_REASON_LOG_FORK;
}

/* The intake's problem document, as an error. */
static void
set_problem (GBytes *body, guint status, GError **error)
{
  g_autoptr (json_t) problem = rb_json_parse (body, MAX_ANSWER, "answer", NULL);
  RbReason reason = rb_reason_from_word (rb_json_string_or (problem, "reason", ""));
  const char *detail = rb_json_string_or (problem, "detail", "");
  if (is_passing (status))
    g_set_error (error, RB_NET_ERROR, RB_REASON_IO, "the intake answers %u: %s", status, detail);
  else
    rb_reason_deny (error, RB_RECORD_ERROR, reason == RB_REASON_NONE ? RB_REASON_IO : reason,
                    "the intake answers %u: %s", status, detail);
}

/* The receipt, not verified. *retry_after in seconds, 0: not said. */
static GBytes *
send (RbPush *self, const RbStored *record, guint *retry_after, GError **error)
{
  g_autofree char *url = g_strdup_printf ("%s/v1/records/%s", self->url, record->outcome->digest);
  const RbHttpRequest request = { .method = "PUT",
                                  .url = url,
                                  .content_type = "application/json",
                                  .body = record->envelope,
                                  .gzip = TRUE,
                                  .max = MAX_ANSWER };
  RbHttpAnswer answer = { 0 };
  g_autoptr (GBytes) body = rb_http_exchange (self->options.http, &request, &answer, self->options.cancellable, error);
  *retry_after = answer.retry_after;
  if (body == NULL)
    return NULL;
  if (answer.status == 200 || answer.status == 201)
    return g_steal_pointer (&body);
  set_problem (body, answer.status, error);
  return NULL;
}

static gboolean
attempt (RbPush *self, const RbStored *record, guint *retry_after, GError **error)
{
  g_autoptr (GBytes) receipt = send (self, record, retry_after, error);
  g_autofree char *digest
    = receipt == NULL ? NULL : rb_receipt_store_accept (self->options.receipts, receipt, &self->tiles, error);
  if (digest == NULL)
    return FALSE;
  return strcmp (digest, record->outcome->digest) == 0
         || rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_LOG_PROOF, "the intake answers with the receipt of %.16s",
                            digest);
}

gboolean
rb_push_record (RbPush *self, const RbStored *record, GError **error)
{
  gint64 end = 0;
  for (guint n = 1;; n++) {
    g_autoptr (GError) problem = NULL;
    guint retry_after = 0;
    if (attempt (self, record, &retry_after, &problem))
      return TRUE;
    gint64 now = g_get_monotonic_time () / 1000;
    gint64 delay = MAX (rb_push_delay_ms (n, g_rand_double (self->random)), (gint64) retry_after * 1000);
    end = end == 0 ? now + self->options.patience_ms : end;
    if (!is_offline (problem) || now + delay > end) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
    if (!rb_moment_pause (delay, self->options.cancellable, error))
      return FALSE;
  }
}
