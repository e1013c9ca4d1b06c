/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"

/*
 * Restrictions that the link process puts on itself, for its lifetime, in two steps. enter, before the first byte from
 * outside and the first thread: what opening its kind of link takes. narrow, once the link is open: what using it
 * takes; no socket of any kind and (but for the files of USB adapters) no file is opened any more.
 *
 * Both are seccomp filters, and no kernel without them is good enough. Landlock adds to enter, as far as the kernel has
 * it, which files can be opened and which TCP ports reached; USB adapters are reopened only where it has.
 */
typedef enum {
  RB_SANDBOX_NONE,
  RB_SANDBOX_DOIP,
  RB_SANDBOX_DOIPS,
  RB_SANDBOX_CAN,
  RB_SANDBOX_USB,
  RB_SANDBOX_BUS,
  RB_SANDBOX_SEARCH
} RbSandboxKind;

typedef struct {
  RbSandboxKind kind;
  guint16 ports[2]; /* of the vehicle, 0 none */
  gboolean names; /* the vehicle is given by name */
  guint landlock; /* version of the kernel's landlock, 0 without; set by enter */
} RbSandbox;

/* For the link that uri names; NONE if uri is not one of a link. */
RbSandbox rb_sandbox_for_uri (const char *uri);
/* No core dump, no debugger, no inherited file above last_file, bounded memory; it ends with the thread that started
 * it. */
gboolean rb_sandbox_detach (guint last_file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_sandbox_enter (RbSandbox *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_sandbox_narrow (const RbSandbox *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
