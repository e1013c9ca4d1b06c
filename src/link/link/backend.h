/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"
#include "link/link-entry.h"

/*
 * Inside link/ and its tests only: what a kind of link has to do. link.c and channel.c keep references, check
 * arguments and pass on; every slot may block and must return soon after its cancellable is cancelled.
 *
 * state is the backend's own, made by open; it is used from several threads at once, one thread a channel.
 */
typedef struct {
  const char *scheme; /* "doip": what stands before ':' in a URI */

  /* Opens the link. rest is the URI after "scheme:". Fills info (already zeroed; strings are freed by link.c).
   * Errors: link-refused, link-none, link-lost, usage. Returns the state. */
  gpointer (*open) (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error);
  /* For a link with options, in place of open; options may be NULL. */
  gpointer (*open_with) (const char *rest, const RbLinkOptions *options, RbLinkInfo *info, GCancellable *cancellable,
                         GError **error);
  /* Closes and frees; no other call is in progress. */
  void (*close) (gpointer state);
  /* Is the peer connected? May send a heartbeat and wait for it, at most 2 s. */
  gboolean (*is_alive) (gpointer state);
  /* Appends RbLinkEntry to list; finding nothing is no error. May be NULL. */
  gboolean (*discover) (GPtrArray *list, gint64 timeout_ms, GCancellable *cancellable, GError **error);

  /* As rb_link_watch_testers() and rb_link_heard_tester(). NULL: this kind of link has one client by itself. */
  gboolean (*watch_testers) (gpointer state, const guint32 *ids, guint n, GError **error);
  gboolean (*heard_tester) (gpointer state, guint32 *id, GError **error);
  /* Makes ready to talk to address; returns the channel's own state, NULL with error ecu-missing, in-use. */
  gpointer (*channel_open) (gpointer state, const RbAddress *address, GError **error);
  void (*channel_close) (gpointer state, gpointer channel);
  /* As rb_channel_send(), rb_channel_receive(), rb_channel_drain(), rb_channel_max_message(). */
  gboolean (*send) (gpointer state, gpointer channel, GBytes *message, GCancellable *cancellable, GError **error);
  GBytes *(*receive) (gpointer state, gpointer channel, gint64 first_ms, GCancellable *cancellable, GError **error);
  /* As rb_channel_receive_and_send(), with next->sent FALSE before. NULL: the message is never sent by it. */
  GBytes *(*receive_and_send) (gpointer state, gpointer channel, gint64 first_ms, RbChannelFollowUp *next,
                               GCancellable *cancellable, GError **error);
  void (*drain) (gpointer state, gpointer channel);
  gsize (*max_message) (gpointer state, gpointer channel);
} RbLinkBackend;

RbLink *rb_link_open_with_backend (const RbLinkBackend *backend, const char *uri, const char *rest,
                                   const RbLinkOptions *options, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* A link on a backend of the caller's own, as tests do. Takes state. */
RbLink *rb_link_new_with_backend (const RbLinkBackend *backend, const char *uri, gpointer state);
const RbLinkBackend *rb_link_backend (RbLink *self);
gpointer rb_link_state (RbLink *self);
