/* SPDX-License-Identifier: Apache-2.0 */
#include "linkd/sandbox.h"

#include "frame/doip.h"
#include "linkd/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_PORT = 53, MAX_FILES = 1024 };
#ifndef __has_feature
#define __has_feature(name) 0 /* clang's; GCC has macros */
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) \
  || __has_feature(thread_sanitizer)
#define MAX_MEMORY RLIM_INFINITY /* their shadow takes terabytes of addresses */
#else
#define MAX_MEMORY (G_GUINT64_CONSTANT (8) << 30) /* address space: thread stacks count in full */
#endif

/* System calls of every kind of link, always. */
static const int everyday[] = {
  SCMP_SYS (read),
  SCMP_SYS (write),
  SCMP_SYS (readv),
  SCMP_SYS (writev),
  SCMP_SYS (recvmsg),
  SCMP_SYS (recvfrom),
  SCMP_SYS (recv),
  SCMP_SYS (close),
  SCMP_SYS (shutdown),
  SCMP_SYS (getsockopt),
  SCMP_SYS (setsockopt),
  SCMP_SYS (getsockname),
  SCMP_SYS (getpeername),
  SCMP_SYS (fcntl),
  SCMP_SYS (fstat),
  SCMP_SYS (lseek),
  SCMP_SYS (poll),
  SCMP_SYS (ppoll),
  SCMP_SYS (epoll_create1),
  SCMP_SYS (epoll_ctl),
  SCMP_SYS (epoll_wait),
  SCMP_SYS (epoll_pwait),
  SCMP_SYS (eventfd2),
  SCMP_SYS (timerfd_create),
  SCMP_SYS (timerfd_settime),
  SCMP_SYS (timerfd_gettime),
  SCMP_SYS (pipe2),
  SCMP_SYS (futex),
  SCMP_SYS (set_robust_list),
  SCMP_SYS (rseq),
  SCMP_SYS (exit),
  SCMP_SYS (exit_group),
  SCMP_SYS (munmap),
  SCMP_SYS (mremap),
  SCMP_SYS (brk),
  SCMP_SYS (madvise),
  SCMP_SYS (membarrier),
  SCMP_SYS (getrandom),
  SCMP_SYS (clock_gettime),
  SCMP_SYS (clock_getres),
  SCMP_SYS (clock_nanosleep),
  SCMP_SYS (nanosleep),
  SCMP_SYS (gettimeofday),
  SCMP_SYS (time),
  SCMP_SYS (getpid),
  SCMP_SYS (gettid),
  SCMP_SYS (getppid),
  SCMP_SYS (getuid),
  SCMP_SYS (geteuid),
  SCMP_SYS (getgid),
  SCMP_SYS (getegid),
  SCMP_SYS (sched_yield),
  SCMP_SYS (sched_getaffinity),
  SCMP_SYS (sched_getattr),
  SCMP_SYS (rt_sigaction),
  SCMP_SYS (rt_sigprocmask),
  SCMP_SYS (rt_sigreturn),
  SCMP_SYS (sigaltstack),
  SCMP_SYS (restart_syscall),
  SCMP_SYS (sysinfo),
  SCMP_SYS (uname),
};

/* To open files; which ones landlock decides. */
static const int opening_files[]
  = { SCMP_SYS (openat),     SCMP_SYS (open),   SCMP_SYS (newfstatat), SCMP_SYS (stat),       SCMP_SYS (lstat),
      SCMP_SYS (statx),      SCMP_SYS (statfs), SCMP_SYS (fstatfs),    SCMP_SYS (getdents64), SCMP_SYS (readlink),
      SCMP_SYS (readlinkat), SCMP_SYS (access), SCMP_SYS (faccessat),  SCMP_SYS (faccessat2), SCMP_SYS (pread64) };
static const int opening_sockets[] = { SCMP_SYS (connect), SCMP_SYS (bind),     SCMP_SYS (sendto),
                                       SCMP_SYS (sendmsg), SCMP_SYS (sendmmsg), SCMP_SYS (recvmmsg) };
/* enter alone: to put on the second filter */
static const int narrowing[] = { SCMP_SYS (prctl), SCMP_SYS (seccomp) };

static gboolean
allow_all (scmp_filter_ctx filter, const int *calls, gsize n)
{
  gboolean good = TRUE;
  for (gsize i = 0; i < n; i++)
    good = seccomp_rule_add (filter, SCMP_ACT_ALLOW, calls[i], 0) == 0 && good;
  return good;
}

static gboolean
allow_if (scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
  return seccomp_rule_add (filter, SCMP_ACT_ALLOW, call, 1, condition) == 0;
}

/* SCMP_A0_32 and its like with one value are no standard C, which clang refuses. */
static struct scmp_arg_cmp
argument_is (guint argument, guint32 value)
{
  return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value };
}

/* Threads but no processes; glibc goes back from clone3, whose flags a filter cannot see, to clone. */
static gboolean
allow_threads (scmp_filter_ctx filter)
{
  return seccomp_rule_add (filter, SCMP_ACT_ERRNO (ENOSYS), SCMP_SYS (clone3), 0) == 0
         && allow_if (filter, SCMP_SYS (clone), SCMP_A0 (SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
         && allow_if (filter, SCMP_SYS (tgkill), argument_is (0, (guint32) getpid ()))
         && allow_if (filter, SCMP_SYS (prctl), argument_is (0, PR_SET_NAME))
         && allow_if (filter, SCMP_SYS (prctl), argument_is (0, PR_SET_TIMERSLACK))
         && allow_if (filter, SCMP_SYS (prlimit64), SCMP_A2 (SCMP_CMP_EQ, 0));
}

static gboolean
allow_memory (scmp_filter_ctx filter, gboolean code)
{
  const int calls[] = { SCMP_SYS (mmap), SCMP_SYS (mprotect) };
  if (code)
    return allow_all (filter, calls, G_N_ELEMENTS (calls));
  return allow_if (filter, SCMP_SYS (mmap), SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))
         && allow_if (filter, SCMP_SYS (mprotect), SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Permitted ioctls of open files: sockets their state (SIOC…, FIONREAD, FIONBIO), USB adapters all that usbfs has
 * ('U'). */
static gboolean
allow_ioctl (scmp_filter_ctx filter, RbSandboxKind kind)
{
  enum { TYPE = 0xff00, SOCKET = 0x8900, TERMINAL = 0x5400, USB = 'U' << 8, FIONREAD_ = 0x541b, FIONBIO_ = 0x5421 };
  gboolean good = allow_if (filter, SCMP_SYS (ioctl), argument_is (1, FIONREAD_))
                  && allow_if (filter, SCMP_SYS (ioctl), argument_is (1, FIONBIO_));
  if (kind == RB_SANDBOX_CAN || kind == RB_SANDBOX_SEARCH)
    good = good && allow_if (filter, SCMP_SYS (ioctl), SCMP_A1_32 (SCMP_CMP_MASKED_EQ, TYPE, SOCKET));
  if (kind == RB_SANDBOX_USB || kind == RB_SANDBOX_SEARCH)
    good = good && allow_if (filter, SCMP_SYS (ioctl), SCMP_A1_32 (SCMP_CMP_MASKED_EQ, TYPE, USB));
  return good;
}

typedef struct {
  RbSandboxKind kind;
  int family, type; /* type 0: any */
} Family;

/* An interface's name and flags are asked on a local datagram socket, its queue by netlink. */
static const Family families[] = {
  { RB_SANDBOX_DOIP, AF_INET, 0 },
  { RB_SANDBOX_DOIP, AF_INET6, 0 },
  { RB_SANDBOX_DOIPS, AF_INET, 0 },
  { RB_SANDBOX_DOIPS, AF_INET6, 0 },
  { RB_SANDBOX_CAN, AF_CAN, SOCK_RAW },
  { RB_SANDBOX_CAN, AF_UNIX, SOCK_DGRAM },
  { RB_SANDBOX_CAN, AF_NETLINK, 0 },
  { RB_SANDBOX_USB, AF_NETLINK, 0 },
  { RB_SANDBOX_BUS, AF_UNIX, SOCK_SEQPACKET },
  { RB_SANDBOX_SEARCH, AF_INET, SOCK_DGRAM },
  { RB_SANDBOX_SEARCH, AF_INET6, SOCK_DGRAM },
  { RB_SANDBOX_SEARCH, AF_CAN, SOCK_RAW },
  { RB_SANDBOX_SEARCH, AF_UNIX, SOCK_DGRAM },
  { RB_SANDBOX_SEARCH, AF_NETLINK, 0 },
};

static gboolean
allow_families (scmp_filter_ctx filter, RbSandboxKind kind)
{
  enum { TYPE = 0xf };
  gboolean good = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++) {
    const Family *family = &families[i];
    if (family->kind != kind)
      continue;
    const struct scmp_arg_cmp conditions[]
      = { argument_is (0, (guint32) family->family),
          SCMP_A1_32 (SCMP_CMP_MASKED_EQ, family->type == 0 ? 0 : TYPE, (guint32) family->type) };
    good = seccomp_rule_add_array (filter, SCMP_ACT_ALLOW, SCMP_SYS (socket), 2, conditions) == 0 && good;
  }
  return good;
}

/* Over sockets that are open: a raw CAN socket would send to any interface that an address names. */
static gboolean
allow_sending (scmp_filter_ctx filter, RbSandboxKind kind)
{
  gboolean stream = kind == RB_SANDBOX_DOIP || kind == RB_SANDBOX_DOIPS;
  return allow_if (filter, SCMP_SYS (sendto), SCMP_A4 (SCMP_CMP_EQ, 0))
         && (!stream || seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (sendmsg), 0) == 0);
}

static gboolean
fill (scmp_filter_ctx filter, const RbSandbox *self, gboolean opened)
{
  gboolean libraries = !opened && (self->kind == RB_SANDBOX_DOIP || self->kind == RB_SANDBOX_DOIPS);
  gboolean files = !opened || (self->kind == RB_SANDBOX_USB && self->landlock > 0);
  if (!allow_all (filter, everyday, G_N_ELEMENTS (everyday)) || !allow_threads (filter)
      || !allow_memory (filter, libraries) || !allow_ioctl (filter, self->kind)
      || (files && !allow_all (filter, opening_files, G_N_ELEMENTS (opening_files))))
    return FALSE;
  if (opened)
    return allow_sending (filter, self->kind);
  return allow_all (filter, opening_sockets, G_N_ELEMENTS (opening_sockets))
         && allow_all (filter, narrowing, G_N_ELEMENTS (narrowing)) && allow_families (filter, self->kind);
}

/* On every thread that there is. Refused calls fail with EPERM, as libraries expect of a kernel that keeps something
 * from them. */
static gboolean
put_on (const RbSandbox *self, gboolean opened, GError **error)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (EPERM));
  int failure = filter == NULL ? -ENOMEM : seccomp_attr_set (filter, SCMP_FLTATR_CTL_TSYNC, 1);
  if (failure == 0)
    failure = fill (filter, self, opened) ? seccomp_load (filter) : -EINVAL;
  if (filter != NULL)
    seccomp_release (filter);
  if (failure == 0)
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED,
               "the link process cannot confine itself, so it does not touch a vehicle: %s", g_strerror (-failure));
  return FALSE;
}

static const char *const name_files[] = {
  "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", NULL
};
static const char *const library_files[] = { "/etc/ld.so.cache", "/usr/lib", "/lib", "/lib64", "/usr/local/lib", NULL };
static const char *const usb_files[] = { "/sys/bus/usb", "/sys/devices", "/sys/class", "/run/udev", NULL };
static const char *const usb_devices[] = { "/dev/bus/usb", NULL };

static gboolean
put_on_landlock (RbSandbox *self, GError **error)
{
  gboolean inet = self->kind == RB_SANDBOX_DOIP || self->kind == RB_SANDBOX_DOIPS,
           usb = self->kind == RB_SANDBOX_USB || self->kind == RB_SANDBOX_SEARCH;
  g_auto (RbLandlock) rules = rb_landlock_new ();
  self->landlock = rules.version;
  if (rules.version == 0)
    return TRUE;
  if (inet)
    rb_landlock_allow_reading (&rules, library_files);
  if (inet && self->names)
    rb_landlock_allow_reading (&rules, name_files);
  if (usb)
    rb_landlock_allow_reading (&rules, usb_files);
  if (usb)
    rb_landlock_allow_device (&rules, usb_devices);
  for (guint i = 0; i < G_N_ELEMENTS (self->ports); i++)
    rb_landlock_allow_port (&rules, self->ports[i]);
  if (inet && self->names)
    rb_landlock_allow_port (&rules, DNS_PORT);
  return rb_landlock_enforce (&rules, error);
}

static void
read_vehicle (RbSandbox *self, const char *host, guint16 port)
{
  g_autoptr (GSocketConnectable) address = g_network_address_parse (host, port, NULL);
  if (address == NULL)
    return;
  self->ports[0] = g_network_address_get_port (G_NETWORK_ADDRESS (address));
  self->names = !g_hostname_is_ip_address (g_network_address_get_hostname (G_NETWORK_ADDRESS (address)));
}

RbSandbox
rb_sandbox_for_uri (const char *uri)
{
  static const struct {
    const char *scheme;
    RbSandboxKind kind;
    guint16 port;
  } schemes[] = { { "doip://", RB_SANDBOX_DOIP, RB_DOIP_PORT },
                  { "doips://", RB_SANDBOX_DOIPS, RB_DOIP_TLS_PORT },
                  { "can:", RB_SANDBOX_CAN, 0 },
                  { "canfd:", RB_SANDBOX_CAN, 0 },
                  { "usb:", RB_SANDBOX_USB, 0 },
                  { "bus:", RB_SANDBOX_BUS, 0 } };
  RbSandbox self = { 0 };
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++) {
    if (!g_str_has_prefix (uri, schemes[i].scheme))
      continue;
    self.kind = schemes[i].kind;
    if (schemes[i].port != 0)
      read_vehicle (&self, &uri[strlen (schemes[i].scheme)], schemes[i].port);
  }
  return self;
}

static gboolean
limit (int what, guint64 most)
{
  const struct rlimit both = { most, most };
  return setrlimit (what, &both) == 0;
}

gboolean
rb_sandbox_detach (guint last_file, GError **error)
{
  if (prctl (PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl (PR_SET_DUMPABLE, 0) == 0
      && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && close_range (last_file + 1, ~0u, 0) == 0
      && limit (RLIMIT_CORE, 0) && limit (RLIMIT_FSIZE, 0) && limit (RLIMIT_NOFILE, MAX_FILES)
      && limit (RLIMIT_AS, MAX_MEMORY))
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "the link process cannot detach itself: %s",
               g_strerror (errno));
  return FALSE;
}

gboolean
rb_sandbox_enter (RbSandbox *self, GError **error)
{
  /* without it neither landlock nor seccomp is for a user who is not root */
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED, "the link process cannot give up rights: %s",
                           g_strerror (errno));
  return put_on_landlock (self, error) && put_on (self, FALSE, error);
}

gboolean
rb_sandbox_narrow (const RbSandbox *self, GError **error)
{
  return put_on (self, TRUE, error);
}
