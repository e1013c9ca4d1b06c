/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <glib/gstdio.h>
#include <string.h>

/* The server of answers.py, with certificates that openssl made. */
typedef struct {
  GSubprocess *server;
  char *folder;
  guint plain, tls, mutual; /* ports */
} Net;

static void
run (const char *folder, const char *command)
{
  const char *argv[] = { "/bin/sh", "-ec", command, NULL };
  g_autoptr (GError) error = NULL;
  int status = 0;
  g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
}

static void
make_certificates (const char *folder)
{
  run (
    folder,
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=CA");
  run (
    folder,
    "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem -subj /CN=localhost;"
    "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > names;"
    "openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile names -out certificate.pem");
  run (folder, "cat certificate.pem key.pem > both.pem");
}

static void
net_begin (Net *net)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "answers.py", NULL);
  net->folder = g_dir_make_tmp ("recallbay-net-XXXXXX", &error);
  make_certificates (net->folder);
  g_autofree char *certificate = g_build_filename (net->folder, "certificate.pem", NULL);
  g_autofree char *key = g_build_filename (net->folder, "key.pem", NULL);
  g_autofree char *ca = g_build_filename (net->folder, "ca.pem", NULL);
  net->server = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                  "/usr/bin/python3", script, certificate, key, ca, NULL);
  g_assert_no_error (error);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (net->server));
  g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, &error);
  g_assert_nonnull (line);
  g_assert_cmpint (sscanf (line, "%u %u %u", &net->plain, &net->tls, &net->mutual), ==, 3);
}

static void
net_end (Net *net)
{
  g_subprocess_force_exit (net->server);
  g_subprocess_wait (net->server, NULL, NULL);
  g_object_unref (net->server);
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", net->folder);
  run (NULL, command);
  g_free (net->folder);
}

static GBytes *
get (guint port, const char *scheme, const char *path, const RbHttpOptions *options, gsize max, GError **error)
{
  g_autofree char *url = g_strdup_printf ("%s://127.0.0.1:%u/%s", scheme, port, path);
  g_autoptr (RbHttp) http = rb_http_new (options, error);
  return http == NULL ? NULL : rb_http_get (http, url, max, NULL, error);
}

static void
assert_text (GBytes *bytes, const char *text)
{
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), text, strlen (text));
}

static void
test_statuses (gconstpointer data)
{
  const Net *net = data;
  static const struct {
    const char *path;
    RbReason reason;
  } cases[] = { { "404", RB_REASON_MISSING }, { "403", RB_REASON_MISSING }, { "410", RB_REASON_MISSING },
                { "500", RB_REASON_IO },      { "503", RB_REASON_IO },      { "401", RB_REASON_IO },
                { "204", RB_REASON_IO },      { "302", RB_REASON_IO },      { "301", RB_REASON_IO } };
  g_autoptr (GError) none = NULL;
  g_autoptr (GBytes) good = get (net->plain, "http", "good", NULL, 100, &none);
  assert_text (good, "good bytes");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (get (net->plain, "http", cases[i].path, NULL, 100, &error));
    g_assert_error (error, RB_NET_ERROR, (int) cases[i].reason);
    g_assert_nonnull (strstr (error->message, cases[i].path));
  }
}

static void
test_size (gconstpointer data)
{
  const Net *net = data;
  g_autoptr (GError) exact = NULL, over = NULL, endless = NULL;
  g_autoptr (GBytes) good = get (net->plain, "http", "good", NULL, 10, &exact);
  assert_text (good, "good bytes");
  g_assert_null (get (net->plain, "http", "good", NULL, 9, &over));
  g_assert_error (over, RB_NET_ERROR, RB_REASON_TOO_LARGE);
  g_assert_null (get (net->plain, "http", "endless", NULL, 1000000, &endless));
  g_assert_error (endless, RB_NET_ERROR, RB_REASON_TOO_LARGE);
}

static void
test_time (gconstpointer data)
{
  const Net *net = data;
  const RbHttpOptions idle = { .idle_seconds = 1 }, total = { .total_seconds = 1 };
  g_autoptr (GError) silent = NULL, drip = NULL;
  gint64 begin = g_get_monotonic_time ();
  g_assert_null (get (net->plain, "http", "silent", &idle, 100, &silent));
  g_assert_error (silent, RB_NET_ERROR, RB_REASON_TIMEOUT);
  g_assert_null (get (net->plain, "http", "drip", &total, 1000000, &drip));
  g_assert_error (drip, RB_NET_ERROR, RB_REASON_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 25 * G_USEC_PER_SEC);
}

static void
test_broken (gconstpointer data)
{
  const Net *net = data;
  g_autoptr (GError) closed = NULL, refused = NULL, no_url = NULL;
  g_autoptr (RbHttp) http = rb_http_new (NULL, &no_url);
  g_assert_null (get (net->plain, "http", "short", NULL, 10000, &closed));
  g_assert_nonnull (closed);
  g_assert_null (get (1, "http", "good", NULL, 100, &refused));
  g_assert_nonnull (refused);
  g_assert_null (rb_http_get (http, "ftp://127.0.0.1/x", 100, NULL, &no_url));
  g_assert_error (no_url, RB_NET_ERROR, RB_REASON_USAGE);
  g_assert_true (rb_http_is_url ("https://a/") && rb_http_is_url ("http://a/"));
  g_assert_false (rb_http_is_url ("/a") || rb_http_is_url ("file:///a"));
}

static void
test_plain_bytes (gconstpointer data)
{
  const Net *net = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) asked = get (net->plain, "http", "encoding", NULL, 100, &error);
  assert_text (asked, "none");
}

static void
test_cancel (gconstpointer data)
{
  const Net *net = data;
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/silent", net->plain);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbHttp) http = rb_http_new (NULL, &error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (rb_http_get (http, url, 100, cancellable, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_CANCELLED);
}

static void
test_send (gconstpointer data)
{
  const Net *net = data;
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/place", net->plain);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbHttp) http = rb_http_new (NULL, &error);
  g_autoptr (GBytes) body = g_bytes_new_static ("hello", 5);
  guint status = 0;
  g_autoptr (GBytes) answer = rb_http_send (http, "PUT", url, "text/plain", body, 100, &status, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (status, ==, 201);
  assert_text (answer, "/place text/plain hello");
}

static void
test_tls (gconstpointer data)
{
  const Net *net = data;
  g_autofree char *ca = g_build_filename (net->folder, "ca.pem", NULL);
  g_autofree char *both = g_build_filename (net->folder, "both.pem", NULL);
  g_autoptr (GError) error = NULL, stranger = NULL, nobody = NULL, no_file = NULL;
  g_autoptr (GTlsCertificate) identity = g_tls_certificate_new_from_file (both, &error);
  const RbHttpOptions known = { .ca_file = ca }, person = { .ca_file = ca, .identity = identity },
                      wrong = { .ca_file = "/nowhere" };
  g_autoptr (GBytes) good = get (net->tls, "https", "good", &known, 100, &error);
  assert_text (good, "good bytes");
  g_assert_null (get (net->tls, "https", "good", NULL, 100, &stranger));
  g_assert_error (stranger, RB_NET_ERROR, RB_REASON_CERTIFICATE);
  g_autoptr (GBytes) mutual = get (net->mutual, "https", "good", &person, 100, &error);
  assert_text (mutual, "good bytes");
  g_assert_null (get (net->mutual, "https", "good", &known, 100, &nobody));
  g_assert_nonnull (nobody);
  g_assert_null (get (net->tls, "https", "good", &wrong, 100, &no_file));
  g_assert_nonnull (no_file);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run) (gconstpointer data);
  } cases[] = { { "/net/http/statuses", test_statuses },
                { "/net/http/size", test_size },
                { "/net/http/time", test_time },
                { "/net/http/broken", test_broken },
                { "/net/http/plain-bytes", test_plain_bytes },
                { "/net/http/cancel", test_cancel },
                { "/net/http/send", test_send },
                { "/net/http/tls", test_tls } };
  Net net = { 0 };
  g_test_init (&argc, &argv, NULL);
  net_begin (&net);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].name, &net, cases[i].run);
  int code = g_test_run ();
  net_end (&net);
  return code;
}
