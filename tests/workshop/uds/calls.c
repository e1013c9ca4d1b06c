/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include "core/bytes.h"

#include <string.h>

typedef struct {
  RbUdsClient *client;
  char **words;
  guint count;
  GCancellable *cancellable;
} Call;

static guint32
number (Call *call, guint i)
{
  g_assert_cmpuint (i, <, call->count);
  return (guint32) g_ascii_strtoull (call->words[i], NULL, 16);
}

static GBytes *
bytes (Call *call, guint i)
{
  if (i >= call->count)
    return g_bytes_new (NULL, 0);
  GBytes *found = rb_bytes_from_hex (call->words[i]);
  g_assert_nonnull (found);
  return found;
}

static char *
taken (GBytes *answer)
{
  g_autoptr (GBytes) mine = answer;
  return mine == NULL ? NULL : rb_bytes_hex (mine);
}

static char *
done (gboolean good)
{
  return good ? g_strdup ("") : NULL;
}

static char *
do_session (Call *call, GError **error)
{
  return done (rb_uds_client_session_control (call->client, (guint8) number (call, 1), call->cancellable, error));
}

static char *
do_reset (Call *call, GError **error)
{
  return done (rb_uds_client_ecu_reset (call->client, (guint8) number (call, 1), call->cancellable, error));
}

static char *
do_read_did (Call *call, GError **error)
{
  return taken (rb_uds_client_read_did (call->client, (guint16) number (call, 1), call->cancellable, error));
}

static char *
do_write_did (Call *call, GError **error)
{
  g_autoptr (GBytes) data = bytes (call, 2);
  return done (rb_uds_client_write_did (call->client, (guint16) number (call, 1), data, call->cancellable, error));
}

static char *
do_routine (Call *call, GError **error)
{
  g_autoptr (GBytes) option = call->count > 2 ? bytes (call, 2) : NULL;
  return taken (
    rb_uds_client_start_routine (call->client, (guint16) number (call, 1), option, call->cancellable, error));
}

static char *
do_dtcs (Call *call, GError **error)
{
  return taken (rb_uds_client_read_dtcs (call->client, (guint8) number (call, 1), call->cancellable, error));
}

static char *
do_seed (Call *call, GError **error)
{
  return taken (rb_uds_client_request_seed (call->client, (guint8) number (call, 1), call->cancellable, error));
}

static char *
do_key (Call *call, GError **error)
{
  g_autoptr (GBytes) key = bytes (call, 2);
  return done (rb_uds_client_send_key (call->client, (guint8) number (call, 1), key, call->cancellable, error));
}

static char *
do_certificate (Call *call, GError **error)
{
  g_autoptr (GBytes) certificate = bytes (call, 1);
  g_autoptr (GBytes) challenge = bytes (call, 2);
  return taken (rb_uds_client_verify_certificate (call->client, certificate, challenge, call->cancellable, error));
}

static char *
do_ownership (Call *call, GError **error)
{
  g_autoptr (GBytes) proof = bytes (call, 1);
  return done (rb_uds_client_prove_ownership (call->client, proof, call->cancellable, error));
}

static char *
do_download (Call *call, GError **error)
{
  gsize block = 0;
  if (!rb_uds_client_request_download (call->client, number (call, 1), number (call, 2), &block, call->cancellable,
                                       error))
    return NULL;
  return g_strdup_printf ("%" G_GSIZE_FORMAT, block);
}

static char *
do_add_file (Call *call, GError **error)
{
  gsize block = 0;
  if (!rb_uds_client_request_file_transfer (call->client, call->words[1], number (call, 2), &block, call->cancellable,
                                            error))
    return NULL;
  return g_strdup_printf ("%" G_GSIZE_FORMAT, block);
}

static char *
do_transfer (Call *call, GError **error)
{
  gsize length;
  g_autoptr (GBytes) data = bytes (call, 1);
  gconstpointer start = g_bytes_get_data (data, &length);
  return done (rb_uds_client_transfer_data (call->client, start, length, length, NULL, NULL, call->cancellable, error));
}

static char *
do_exit (Call *call, GError **error)
{
  return done (rb_uds_client_request_transfer_exit (call->client, call->cancellable, error));
}

static char *
do_keep_alive (Call *call, GError **error)
{
  return done (rb_uds_client_tester_present (call->client, error));
}

static const struct {
  const char *name;
  char *(*run) (Call *call, GError **error);
} calls[] = {
  { "session", do_session },     { "reset", do_reset },       { "read-did", do_read_did },
  { "write-did", do_write_did }, { "routine", do_routine },   { "dtcs", do_dtcs },
  { "seed", do_seed },           { "key", do_key },           { "certificate", do_certificate },
  { "ownership", do_ownership }, { "download", do_download }, { "add-file", do_add_file },
  { "transfer", do_transfer },   { "exit", do_exit },         { "keep-alive", do_keep_alive },
};

char *
calls_do (RbUdsClient *client, const char *line, GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  Call call = { .client = client, .words = words, .count = g_strv_length (words), .cancellable = cancellable };
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    if (strcmp (calls[i].name, words[0]) == 0)
      return calls[i].run (&call, error);
  g_error ("no call “%s”", words[0]);
}
