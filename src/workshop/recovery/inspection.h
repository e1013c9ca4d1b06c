/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "model/profile.h"
#include "recovery/error.h"
#include <jansson.h>

/* The safety inspection of one vehicle against a campaign's checklist, as the record will hold it. */
typedef struct _RbInspection RbInspection;
RbInspection *rb_inspection_new (const RbCampaign *campaign); /* borrows campaign */
void rb_inspection_free (RbInspection *self);
/* The inspector from now on, by pseudonym; NULL: not known yet. */
void rb_inspection_set_person (RbInspection *self, const char *person);
void rb_inspection_answer (RbInspection *self, const char *item, gboolean passed, const char *note, gint64 at);
/* Takes the answers to lasting items that an earlier run, or another workstation, recorded: whole is that inspection as
 * JSON; NULL, and what is none: nothing is taken. */
void rb_inspection_resume (RbInspection *self, const char *whole);
/* Takes the answers to the same questions of another campaign, given in the same visit; NULL: none. */
void rb_inspection_share (RbInspection *self, const json_t *whole);
gboolean rb_inspection_is_answered (RbInspection *self, const char *item);
void rb_inspection_measured (RbInspection *self, const char *item, gint64 value, gboolean good, gint64 at);
/* Every manual item answered with yes? inspection-missing, inspection-failed. */
gboolean rb_inspection_answers_pass (RbInspection *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_inspection_complete (RbInspection *self, gint64 at);
json_t *rb_inspection_json (RbInspection *self); /* borrowed */
/* The DID of a measure ("voltage"), 0 when the profile has none. */
guint16 rb_inspection_did (const RbProfile *profile, const char *measure);
/* What is measured, for people: "11.50 V", "0.0 km/h", "off"; in the language of the program. (transfer full) */
char *rb_inspection_value_text (const RbChecklistItem *item, gint64 value);
/* Sets the error of a measured item outside its limits: voltage-low, voltage-high, ignition, moving, inspection-failed.
 * FALSE. */
gboolean rb_inspection_refuse (const RbChecklistItem *item, gint64 value, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbInspection, rb_inspection_free)
