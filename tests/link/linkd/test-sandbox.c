/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/can.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linkd/landlock.h"
#include "linkd/sandbox.h"

/*
 * What a link process that hostile bytes have taken over would try, tried in a child that put on the rules of a kind of
 * link. A try counts as refused by EPERM, EACCES or ENOSYS; none of them ends so without the rules, which is tried too.
 */
static struct {
  int datagram, can, stream; /* sockets from before the rules */
  guint16 elsewhere, vehicle; /* ports of listeners here */
  char scratch[64];
} before;

static struct sockaddr_in
local (guint16 port)
{
  return (
    struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK), .sin_port = htons (port) };
}

static long
connect_to (guint16 port)
{
  struct sockaddr_in address = local (port);
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  long done = fd < 0 ? -1 : connect (fd, (struct sockaddr *) &address, sizeof address);
  int failure = errno;
  if (fd >= 0)
    close (fd);
  errno = failure;
  return done;
}

#define TRY(name, what) \
  static long name (void) \
  { \
    return what; \
  }
TRY (read_accounts, open ("/etc/passwd", O_RDONLY))
TRY (read_own_memory, open ("/proc/self/mem", O_RDWR))
TRY (read_parent, open ("/proc/1/cmdline", O_RDONLY))
TRY (list_root, open ("/", O_RDONLY | O_DIRECTORY))
TRY (write_file, open (before.scratch, O_WRONLY | O_CREAT, 0600))
TRY (make_folder, syscall (SYS_mkdirat, AT_FDCWD, "/nowhere/x", 0700))
TRY (remove_file, syscall (SYS_unlinkat, AT_FDCWD, "/nowhere/x", 0))
TRY (rename_file, syscall (SYS_renameat2, AT_FDCWD, "/nowhere/x", AT_FDCWD, "/nowhere/y", 0))
TRY (link_file, syscall (SYS_linkat, AT_FDCWD, "/nowhere/x", AT_FDCWD, "/nowhere/y", 0))
TRY (make_symlink, syscall (SYS_symlinkat, "x", AT_FDCWD, "/nowhere/y"))
TRY (change_mode, syscall (SYS_fchmodat, AT_FDCWD, "/nowhere/x", 0777))
TRY (make_memory_file, memfd_create ("x", MFD_CLOEXEC))
TRY (execute, execve ("/nowhere/x", (char *[]){ NULL }, (char *[]){ NULL }))
TRY (execute_open, syscall (SYS_execveat, AT_FDCWD, "/nowhere/x", NULL, NULL, 0))
TRY (trace, ptrace (PTRACE_ATTACH, 0x3ffffff, NULL, NULL))
TRY (read_other, process_vm_readv (0x3ffffff, NULL, 0, NULL, 0, 0))
TRY (write_other, process_vm_writev (0x3ffffff, NULL, 0, NULL, 0, 0))
TRY (open_process, syscall (SYS_pidfd_open, 0x3ffffff, 0))
TRY (steal_file, syscall (SYS_pidfd_getfd, -1, 0, 0))
TRY (signal_parent, kill (getppid (), 0))
TRY (signal_parents_thread, syscall (SYS_tgkill, getppid (), getppid (), 0))
TRY (queue_signal, syscall (SYS_rt_sigqueueinfo, 0x3ffffff, 0, NULL))
TRY (write_code, (long) mmap (NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
TRY (share_namespace, syscall (SYS_setns, -1, 0))
TRY (leave_namespace, syscall (SYS_unshare, 0x1))
TRY (mount_nothing, syscall (SYS_mount, "x", "/nowhere", "none", 0, NULL))
TRY (change_root, syscall (SYS_chroot, "/nowhere"))
TRY (use_ring, syscall (SYS_io_uring_setup, 0, NULL))
TRY (use_bpf, syscall (SYS_bpf, -1, NULL, 0))
TRY (count_events, syscall (SYS_perf_event_open, NULL, 0, -1, -1, 0))
TRY (use_keyring, syscall (SYS_keyctl, -1, 0, 0, 0, 0))
TRY (inotify, syscall (SYS_inotify_init1, 0))
TRY (raise_limit, setrlimit (RLIMIT_CORE, &(struct rlimit){ 0, 0 }))
TRY (dump_again, prctl (PR_SET_DUMPABLE, 1, 0, 0, 0))
TRY (outlive_parent, prctl (PR_SET_PDEATHSIG, 0, 0, 0, 0))
TRY (change_user, syscall (SYS_setuid, getuid ()))
TRY (type_on_terminal, ioctl (0, 0x5412 /* TIOCSTI */, "x"))
TRY (inet_socket, socket (AF_INET, SOCK_STREAM, 0))
TRY (inet6_socket, socket (AF_INET6, SOCK_STREAM, 0))
TRY (datagram_socket, socket (AF_INET, SOCK_DGRAM, 0))
TRY (raw_socket, socket (AF_INET, SOCK_RAW, 1))
TRY (packet_socket, socket (AF_PACKET, SOCK_RAW, 0))
TRY (unix_stream, socket (AF_UNIX, SOCK_STREAM, 0))
TRY (unix_packets, socket (AF_UNIX, SOCK_SEQPACKET, 0))
TRY (unix_datagrams, socket (AF_UNIX, SOCK_DGRAM, 0))
TRY (netlink_socket, socket (AF_NETLINK, SOCK_RAW, NETLINK_ROUTE))
TRY (can_socket, socket (AF_CAN, SOCK_RAW, 1))
TRY (isotp_socket, socket (AF_CAN, SOCK_DGRAM, 6))
TRY (vsock_socket, socket (AF_VSOCK, SOCK_STREAM, 0))
TRY (socket_pair, socketpair (AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 }))
TRY (connect_elsewhere, connect_to (before.elsewhere))
TRY (listen_here, listen (before.stream, 1))
TRY (accept_here, accept (before.stream, NULL, NULL))

static long
connect_old_socket (void)
{
  struct sockaddr_in address = local (before.elsewhere);
  return connect (before.stream, (struct sockaddr *) &address, sizeof address);
}

static long
send_elsewhere (void)
{
  struct sockaddr_in address = local (9);
  return sendto (before.datagram, "x", 1, 0, (struct sockaddr *) &address, sizeof address);
}

static long
bind_elsewhere (void)
{
  struct sockaddr_in address = local (0);
  return bind (before.stream, (struct sockaddr *) &address, sizeof address);
}

/* A raw CAN socket sends to whatever interface the address names. */
static long
message_elsewhere (void)
{
  struct sockaddr_in address = local (9);
  struct iovec part = { (void *) "x", 1 };
  struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1 };
  return sendmsg (before.datagram, &message, 0);
}

static long
make_process (void)
{
  long child = syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (child == 0)
    _exit (0);
  return child;
}

static long
make_code (void)
{
  void *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect (page, 4096, PROT_READ | PROT_EXEC);
}

enum {
  ENTER = 1,
  NARROW = 2,
  BOTH = 3,
  NOT_STREAM = 4 /* not where sendmsg is needed, over a socket that is connected */
};
#define ALL 0xff
#define IS(kind) (1u << RB_SANDBOX_##kind)

/* by which step a try is refused, and for which kinds the first one refuses it */
static const struct {
  const char *name;
  long (*attempt) (void);
  guint when;
  guint kinds;
} tries[] = {
#define T(function, when, kinds) \
  { \
#function, function, when, kinds \
  }
  T (read_accounts, BOTH, ALL),
  T (read_own_memory, BOTH, ALL),
  T (read_parent, BOTH, ALL),
  T (list_root, BOTH, ALL),
  T (write_file, BOTH, ALL),
  T (make_folder, BOTH, ALL),
  T (remove_file, BOTH, ALL),
  T (rename_file, BOTH, ALL),
  T (link_file, BOTH, ALL),
  T (make_symlink, BOTH, ALL),
  T (change_mode, BOTH, ALL),
  T (make_memory_file, BOTH, ALL),
  T (execute, BOTH, ALL),
  T (execute_open, BOTH, ALL),
  T (trace, BOTH, ALL),
  T (read_other, BOTH, ALL),
  T (write_other, BOTH, ALL),
  T (open_process, BOTH, ALL),
  T (steal_file, BOTH, ALL),
  T (signal_parent, BOTH, ALL),
  T (signal_parents_thread, BOTH, ALL),
  T (queue_signal, BOTH, ALL),
  T (make_process, BOTH, ALL),
  T (share_namespace, BOTH, ALL),
  T (leave_namespace, BOTH, ALL),
  T (mount_nothing, BOTH, ALL),
  T (change_root, BOTH, ALL),
  T (use_ring, BOTH, ALL),
  T (use_bpf, BOTH, ALL),
  T (count_events, BOTH, ALL),
  T (use_keyring, BOTH, ALL),
  T (inotify, BOTH, ALL),
  T (raise_limit, BOTH, ALL),
  T (change_user, BOTH, ALL),
  T (type_on_terminal, BOTH, ALL),
  T (listen_here, BOTH, ALL),
  T (accept_here, BOTH, ALL),
  T (socket_pair, BOTH, ALL),
  T (dump_again, NARROW, 0),
  T (outlive_parent, NARROW, 0),
  T (write_code, BOTH, ALL & ~(IS (DOIP) | IS (DOIPS))),
  T (make_code, BOTH, ALL & ~(IS (DOIP) | IS (DOIPS))),
  T (packet_socket, BOTH, ALL),
  T (vsock_socket, BOTH, ALL),
  T (unix_stream, BOTH, ALL),
  T (isotp_socket, BOTH, ALL),
  T (raw_socket, NARROW, 0),
  T (inet_socket, BOTH, ALL & ~(IS (DOIP) | IS (DOIPS))),
  T (inet6_socket, BOTH, ALL & ~(IS (DOIP) | IS (DOIPS))),
  T (datagram_socket, BOTH, ALL & ~(IS (DOIP) | IS (DOIPS) | IS (SEARCH))),
  T (unix_packets, BOTH, ALL & ~IS (BUS)),
  T (unix_datagrams, BOTH, ALL & ~(IS (CAN) | IS (SEARCH))),
  T (netlink_socket, BOTH, ALL & ~(IS (CAN) | IS (USB) | IS (SEARCH))),
  T (can_socket, BOTH, ALL & ~(IS (CAN) | IS (SEARCH))),
  T (connect_elsewhere, BOTH, ALL),
  T (connect_old_socket, NARROW, 0),
  T (bind_elsewhere, NARROW, 0),
  T (send_elsewhere, NARROW, 0),
  T (message_elsewhere, NARROW | NOT_STREAM, 0),
};

/* What these need is not everywhere without rules: rights, CAN, IPv6, vsock, a keyring. */
static const char *const uncertain[] = { "read_parent",     "raw_socket",      "packet_socket",
                                         "can_socket",      "isotp_socket",    "vsock_socket",
                                         "inet6_socket",    "mount_nothing",   "change_root",
                                         "use_bpf",         "count_events",    "use_keyring",
                                         "use_ring",        "steal_file",      "leave_namespace",
                                         "write_code",      "make_code",       "type_on_terminal",
                                         "share_namespace", "read_own_memory", NULL };

static gboolean
is_refused (int failure)
{
  return failure == EPERM || failure == EACCES || failure == ENOSYS;
}

static RbSandbox
sandbox_of (RbSandboxKind kind)
{
  gboolean inet = kind == RB_SANDBOX_DOIP || kind == RB_SANDBOX_DOIPS;
  return (RbSandbox){ .kind = kind, .ports = { inet ? before.vehicle : 0 } };
}

static void
put_on (RbSandboxKind kind, guint steps)
{
  RbSandbox sandbox = sandbox_of (kind);
  g_autoptr (GError) error = NULL;
  if (steps >= ENTER && !rb_sandbox_enter (&sandbox, &error))
    g_error ("%s", error->message);
  if (steps >= NARROW && !rb_sandbox_narrow (&sandbox, &error))
    g_error ("%s", error->message);
}

typedef struct {
  RbSandboxKind kind;
  guint steps;
} Case;

typedef void (*Work) (const Case *way, int out);

/* Runs it in a child; gives what it wrote. */
static gsize
in_child (Work work, const Case *way, void *said, gsize room)
{
  int ends[2], status;
  g_assert_cmpint (pipe (ends), ==, 0);
  pid_t child = fork ();
  if (child == 0) {
    work (way, ends[1]);
    _exit (0);
  }
  close (ends[1]);
  gsize got = 0;
  ssize_t more;
  while (got < room && (more = read (ends[0], (char *) said + got, room - got)) > 0)
    got += (gsize) more;
  close (ends[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  return got;
}

static void
try_all (const Case *way, int out)
{
  int failures[G_N_ELEMENTS (tries)];
  put_on (way->kind, way->steps);
  for (guint i = 0; i < G_N_ELEMENTS (tries); i++) {
    errno = 0;
    long done = tries[i].attempt ();
    failures[i] = done == -1 ? errno : 0;
  }
  if (write (out, failures, sizeof failures) != sizeof failures)
    _exit (3);
}

static gboolean
by_landlock (const char *name)
{
  static const char *const names[]
    = { "read_accounts", "read_own_memory", "read_parent", "list_root", "write_file", "connect_elsewhere", NULL };
  return g_strv_contains (names, name);
}

/* A kernel without landlock, or with one that knows no ports, keeps it from files and ports only with the second step.
 */
static gboolean
kernel_cannot (const char *name, const Case *way)
{
  g_auto (RbLandlock) rules = rb_landlock_new ();
  guint needed = strcmp (name, "connect_elsewhere") == 0 ? 4 : 1;
  return way->steps == ENTER && by_landlock (name) && rules.version < needed;
}

static gboolean
has_to_be_refused (guint i, const Case *way)
{
  gboolean stream = way->kind == RB_SANDBOX_DOIP || way->kind == RB_SANDBOX_DOIPS;
  if (way->steps == NARROW)
    return (tries[i].when & NOT_STREAM) == 0 || !stream;
  return (tries[i].when & ENTER) != 0 && (tries[i].kinds & (1u << way->kind)) != 0
         && !kernel_cannot (tries[i].name, way);
}

static void
test_refused (gconstpointer data)
{
  const Case *way = data;
  int failures[G_N_ELEMENTS (tries)];
  guint bad = 0;
  g_assert_cmpuint (in_child (try_all, way, failures, sizeof failures), ==, sizeof failures);
  for (guint i = 0; i < G_N_ELEMENTS (tries); i++) {
    if (way->steps > 0 && has_to_be_refused (i, way) && !is_refused (failures[i])) {
      bad++;
      g_test_message ("%s: not refused: %s", tries[i].name, g_strerror (failures[i]));
    }
    if (way->steps == 0 && is_refused (failures[i]) && !g_strv_contains (uncertain, tries[i].name)) {
      bad++;
      g_test_message ("%s: refused without any rules: %s", tries[i].name, g_strerror (failures[i]));
    }
  }
  g_assert_cmpuint (bad, ==, 0);
}

static void *
add_one (void *data)
{
  ++*(int *) data;
  return data;
}

/* What a link needs while it is used. */
static void
use_all (const Case *way, int out)
{
  char *memory = NULL;
  int count = 0, pair[2];
  pthread_t thread;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
    _exit (10);
  put_on (way->kind, way->steps);
  memory = malloc (8 << 20);
  memset (memory, 1, 8 << 20);
  int event = eventfd (0, EFD_CLOEXEC), timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct pollfd polled = { pair[1], POLLIN, 0 };
  const struct itimerspec soon = { .it_value.tv_nsec = 1 };
  char text[4] = "";
  guint64 ticks = 0;
  if (event < 0 || timer < 0 || timerfd_settime (timer, 0, &soon, NULL) != 0
      || read (timer, &ticks, sizeof ticks) != sizeof ticks)
    _exit (11);
  if (send (pair[0], "abc", 3, MSG_NOSIGNAL) != 3 || poll (&polled, 1, 1000) != 1
      || recv (pair[1], text, sizeof text, 0) != 3)
    _exit (12);
  if (pthread_create (&thread, NULL, add_one, &count) != 0 || pthread_join (thread, NULL) != 0 || count != 1)
    _exit (13);
  free (memory);
  if (write (out, text, 3) != 3)
    _exit (14);
}

static void
test_useful (gconstpointer data)
{
  char text[4] = "";
  g_assert_cmpuint (in_child (use_all, data, text, 3), ==, 3);
  g_assert_cmpstr (text, ==, "abc");
}

static void
reach_vehicle (const Case *way, int out)
{
  put_on (way->kind, way->steps);
  if (write (out, connect_to (before.vehicle) == 0 ? "y" : "n", 1) != 1)
    _exit (3);
}

static void
test_vehicle_is_reached (gconstpointer data)
{
  char text[2] = "";
  g_assert_cmpuint (in_child (reach_vehicle, data, text, 1), ==, 1);
  g_assert_cmpstr (text, ==, "y");
}

/* Threads from before the second step are bound by it too. */
static void *
try_later (void *data)
{
  int *pipe_ends = data;
  char byte;
  if (read (pipe_ends[0], &byte, 1) != 1)
    return NULL;
  errno = 0;
  pipe_ends[1] = open ("/etc/passwd", O_RDONLY) < 0 && socket (AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
  return data;
}

static void
bind_threads (const Case *way, int out)
{
  RbSandbox sandbox = sandbox_of (way->kind);
  int wait[2], shared[2];
  pthread_t thread;
  if (pipe (wait) != 0 || !rb_sandbox_enter (&sandbox, NULL))
    _exit (4);
  shared[0] = wait[0];
  if (pthread_create (&thread, NULL, try_later, shared) != 0 || !rb_sandbox_narrow (&sandbox, NULL)
      || write (wait[1], "x", 1) != 1)
    _exit (5);
  pthread_join (thread, NULL);
  if (write (out, &shared[1], sizeof shared[1]) != sizeof shared[1])
    _exit (6);
}

static void
test_threads_are_bound (gconstpointer data)
{
  int failure = 0;
  g_assert_cmpuint (in_child (bind_threads, data, &failure, sizeof failure), ==, sizeof failure);
  g_assert_true (is_refused (failure));
}

static void
detach (const Case *way, int out)
{
  struct rlimit core, files;
  int last = out;
  if (dup2 (out, 600) != 600 || !rb_sandbox_detach ((guint) last, NULL))
    _exit (7);
  int signal_of_death = 0;
  prctl (PR_GET_PDEATHSIG, &signal_of_death);
  getrlimit (RLIMIT_CORE, &core);
  getrlimit (RLIMIT_FSIZE, &files);
  const int facts[] = { signal_of_death,     prctl (PR_GET_DUMPABLE), prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
                        (int) core.rlim_max, (int) files.rlim_max,    fcntl (600, F_GETFD),
                        (int) way->kind };
  if (write (out, facts, sizeof facts) != sizeof facts)
    _exit (8);
}

static void
test_detached (void)
{
  const Case way = { RB_SANDBOX_NONE, 0 };
  int facts[7];
  g_assert_cmpuint (in_child (detach, &way, facts, sizeof facts), ==, sizeof facts);
  const int wanted[] = { SIGKILL, 0, 1, 0, 0, -1, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_cmpint (facts[i], ==, wanted[i]);
}

static void
test_uris (void)
{
  static const struct {
    const char *uri;
    RbSandbox wanted;
  } uris[] = { { "doip://192.0.2.1", { RB_SANDBOX_DOIP, { 13400 }, FALSE, 0 } },
               { "doip://192.0.2.1:13401", { RB_SANDBOX_DOIP, { 13401 }, FALSE, 0 } },
               { "doip://[2001:db8::1]:99", { RB_SANDBOX_DOIP, { 99 }, FALSE, 0 } },
               { "doip://gateway", { RB_SANDBOX_DOIP, { 13400 }, TRUE, 0 } },
               { "doips://192.0.2.1", { RB_SANDBOX_DOIPS, { 3496 }, FALSE, 0 } },
               { "can:can0", { RB_SANDBOX_CAN, { 0 }, FALSE, 0 } },
               { "canfd:can0", { RB_SANDBOX_CAN, { 0 }, FALSE, 0 } },
               { "usb:", { RB_SANDBOX_USB, { 0 }, FALSE, 0 } },
               { "bus:/tmp/bus", { RB_SANDBOX_BUS, { 0 }, FALSE, 0 } },
               { "file:///etc/passwd", { RB_SANDBOX_NONE, { 0 }, FALSE, 0 } },
               { "", { RB_SANDBOX_NONE, { 0 }, FALSE, 0 } } };
  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    RbSandbox got = rb_sandbox_for_uri (uris[i].uri);
    g_assert_cmpint (got.kind, ==, uris[i].wanted.kind);
    g_assert_cmpuint (got.ports[0], ==, uris[i].wanted.ports[0]);
    g_assert_cmpint (got.names, ==, uris[i].wanted.names);
  }
}

static int
listener (guint16 *port)
{
  struct sockaddr_in address = local (0);
  socklen_t length = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (fd, 100), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &length), ==, 0);
  *port = ntohs (address.sin_port);
  return fd;
}

static void
add_cases (const char *word, RbSandboxKind kind)
{
  static Case cases[32];
  static guint n = 0;
  for (guint steps = ENTER; steps <= NARROW; steps++) {
    Case *way = &cases[n++];
    *way = (Case){ kind, steps };
    g_autofree char *refused = g_strdup_printf ("/link/sandbox/%s/%s", word, steps == ENTER ? "enter" : "narrow");
    g_autofree char *useful = g_strdup_printf ("/link/sandbox/%s/%s-useful", word, steps == ENTER ? "enter" : "narrow");
    g_test_add_data_func (refused, way, test_refused);
    g_test_add_data_func (useful, way, test_useful);
    g_autofree char *reached = g_strdup_printf ("/link/sandbox/%s/vehicle-is-reached", word);
    if (steps == ENTER && (kind == RB_SANDBOX_DOIP || kind == RB_SANDBOX_DOIPS))
      g_test_add_data_func (reached, way, test_vehicle_is_reached);
    if (steps == NARROW) {
      g_autofree char *threads = g_strdup_printf ("/link/sandbox/%s/threads", word);
      g_test_add_data_func (threads, way, test_threads_are_bound);
    }
  }
}

int
main (int argc, char **argv)
{
  static const Case nothing = { RB_SANDBOX_NONE, 0 };
  g_test_init (&argc, &argv, NULL);
  int first = listener (&before.elsewhere), second = listener (&before.vehicle);
  before.datagram = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  before.stream = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_snprintf (before.scratch, sizeof before.scratch, "%s/recallbay-sandbox-%d", g_get_tmp_dir (), getpid ());
  g_test_add_data_func ("/link/sandbox/without", &nothing, test_refused);
  add_cases ("none", RB_SANDBOX_NONE);
  add_cases ("doip", RB_SANDBOX_DOIP);
  add_cases ("doips", RB_SANDBOX_DOIPS);
  add_cases ("can", RB_SANDBOX_CAN);
  add_cases ("usb", RB_SANDBOX_USB);
  add_cases ("bus", RB_SANDBOX_BUS);
  add_cases ("search", RB_SANDBOX_SEARCH);
  g_test_add_func ("/link/sandbox/detached", test_detached);
  g_test_add_func ("/link/sandbox/uris", test_uris);
  int result = g_test_run ();
  unlink (before.scratch);
  close (first);
  close (second);
  return result;
}
