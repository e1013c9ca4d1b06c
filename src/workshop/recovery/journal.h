/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/error.h"

/*
 * The local memory of recoveries, in DATA/recallbay.db (tables of its own, schema version of its own; WAL,
 * synchronous=FULL). A write to a vehicle is an intent row before and a result after, so that killing the program at
 * any instant loses nothing that was acknowledged. It is for people and records and never trusted over the vehicle.
 * Usable from several threads at once.
 */
typedef struct _RbJournal RbJournal;
RbJournal *rb_journal_open (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_journal_close (RbJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbJournal, rb_journal_close)

/* The open recovery of that campaign on that vehicle: its number, 0 when there is none. *started: when its first run
 * started. */
gboolean rb_journal_find (RbJournal *self, const char *vin, const char *campaign, gint64 *number, gint64 *started,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_journal_begin (RbJournal *self, const char *vin, const char *campaign, gint64 now, gint64 *number,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Closes a recovery with its final record. */
gboolean rb_journal_finish (RbJournal *self, gint64 number, const char *record, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* *record: that completed the newest finished recovery of that campaign on that vehicle; NULL: none. (transfer full) */
gboolean rb_journal_final_record (RbJournal *self, const char *vin, const char *campaign, char **record, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Whose campaign it is: two OEMs may give campaigns the same id. */
gboolean rb_journal_set_owner (RbJournal *self, gint64 number, const char *anchor, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Is a recovery of the anchor's campaign open? One without an owner, or with anchor NULL, is of whatever anchor is
 * asked for. */
gboolean rb_journal_is_open (RbJournal *self, const char *anchor, const char *campaign);

/* A step that writes begins; *row names it. */
gboolean rb_journal_intend (RbJournal *self, gint64 number, const char *serial, const char *step, gint64 now,
                            gint64 *row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Its result, once: reason "ok" or a word; detail (key id, digest) may be NULL. Error database where the step has one
 * already. */
gboolean rb_journal_result (RbJournal *self, gint64 row, const char *reason, const char *detail, gint64 now,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Who, by pseudonym, works on an ECU in this recovery: the last one who wrote to it. Noted before the step. */
gboolean rb_journal_perform (RbJournal *self, gint64 number, const char *serial, const char *person, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* *person NULL: nothing was written to it. (transfer full) */
gboolean rb_journal_performer (RbJournal *self, gint64 number, const char *serial, char **person, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Coding and adaptation as they were read before the first erasure of this recovery: on the disk when this returns. A
 * value that is there already stays. */
gboolean rb_journal_keep_coding (RbJournal *self, gint64 number, const char *serial, guint16 did, GBytes *value,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the open recovery of that campaign on that vehicle; *value NULL: none. (transfer full) */
gboolean rb_journal_coding (RbJournal *self, const char *vin, const char *campaign, const char *serial, guint16 did,
                            GBytes **value, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Before the vehicle's network is prepared (recovery/network.h), and after that is undone: a program that is killed
 * between leaves it so. */
gboolean rb_journal_prepare (RbJournal *self, gint64 number, gboolean prepared, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_journal_is_prepared (RbJournal *self, gint64 number); /* TRUE when it cannot be read */
/* Bytes acknowledged; written at most every 250 ms and when all are. A power cut may take the last of it, never of a
 * step. */
void rb_journal_progress (RbJournal *self, gint64 row, guint64 done, guint64 total);
/* Steps that wrote in this recovery, all runs; G_MAXUINT when it cannot be read: a vehicle is not called untouched
 * then. */
guint rb_journal_writes (RbJournal *self, gint64 number);
/* The newest step's row, 0 when there is none; and when the first step after a row was intended, 0 when none was: the
 * first write of a run. */
gint64 rb_journal_last_row (RbJournal *self);
gint64 rb_journal_first_after (RbJournal *self, gint64 number, gint64 row);
/* Does the journal show that the step gave that detail for this ECU in this campaign? *record is NULL when not; else
 * the digest of the record that closed the recovery, "" when it is not closed. (transfer full) FALSE: it cannot be
 * read, which is no reason to write anything again. */
gboolean rb_journal_shows (RbJournal *self, const char *vin, const char *campaign, const char *serial, const char *step,
                           const char *detail, char **record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  gint64 recovery;
  char *vin, *campaign, *serial, *step, *reason, *detail;
  gint64 intended, finished; /* finished 0: the program ended in it */
  guint64 done;
} RbJournalRow;
/* vin may be NULL. (element-type RbJournalRow) (transfer full) */
GPtrArray *rb_journal_list (RbJournal *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The newest inspection of a recovery, as JSON. *whole NULL: none. (transfer full) */
gboolean rb_journal_keep_inspection (RbJournal *self, gint64 number, const char *whole, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_journal_inspection (RbJournal *self, gint64 number, char **whole, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The vehicle was handed over, or left, with that record. The recovery may be resumed here; until then it holds no
 * campaign in the library. */
gboolean rb_journal_pause (RbJournal *self, gint64 number, const char *record, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* First write of the recovery, at this workstation or before it was taken over; 0: none. */
gint64 rb_journal_first_write (RbJournal *self, gint64 number);
/* Campaigns with a recovery of the vehicle that is not finished. (transfer full) */
GStrv rb_journal_campaigns (RbJournal *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A step that was carried out, with its result: "key" with a key id, "image" with a digest. */
typedef struct {
  char *serial, *step, *detail;
  char *record; /* "": the journal; else the hand-over that shows it */
} RbJournalEvidence;
void rb_journal_evidence_free (RbJournalEvidence *self);
/* All of a recovery. (element-type RbJournalEvidence) (transfer full) */
GPtrArray *rb_journal_evidence (RbJournal *self, gint64 number, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  const char *vin, *campaign;
  const char *record; /* digest of the hand-over */
  gint64 started; /* of the recovery there */
  gint64 first_write; /* 0: none */
  const char *inspection; /* may be NULL */
  GPtrArray *evidence; /* of RbJournalEvidence */
} RbJournalTaken;
/* The recovery goes on here with that evidence. *number: the recovery, begun where none is open. */
gboolean rb_journal_take_over (RbJournal *self, const RbJournalTaken *taken, gint64 *number, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Has a recovery of this vehicle that is not finished written to it? campaign NULL: of any. Reads only and needs no
 * room on the disk; a journal that is there and cannot be read may hold such a recovery. */
gboolean rb_journal_was_started (const char *data_dir, const char *vin, const char *campaign);
