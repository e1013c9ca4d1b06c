/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/entry.h"

/* The roots and the metadata that an ECU holds: what is not the campaign's, and how it is replaced. */

/* Of the newest claims; sets need_director_root, need_image_root, need_metadata. */
gboolean rb_holdings_observe (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An ECU whose roots come with its image holds others than the campaign's: its image is written, once in a run. Of the
 * newest observation. */
gboolean rb_holdings_want_image (const RbEcuJob *job);
/* Of such an ECU, once its image was written and started; sets need_director_root and need_image_root. root-not-proven
 * where it does not hold the campaign's. */
gboolean rb_holdings_read_back_roots (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Does the ECU hold a file of a higher version than the campaign's? It is an attacker's, and makes the ECU reject ours.
 */
gboolean rb_holdings_are_higher (RbEcuJob *job, const RbEcuJobContext *context, gboolean *higher, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* (RbEntryApply) */
gboolean rb_holdings_apply_director_root (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_holdings_apply_image_root (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_holdings_apply_drop (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_holdings_apply_metadata (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
