/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/statement.h"

/*
 * The records of one data dir, in DATA/recallbay.db (which other parts share; every part has its own tables and
 * its own schema version). Records are only ever added: triggers refuse to change or delete one. A stream is 128
 * random bits made with the data dir; records of one (workstation, stream) are numbered from 1 and each
 * names the digest of the one before. Not thread safe: one object a thread.
 */
typedef struct _RbOutbox RbOutbox;
RbOutbox *rb_outbox_open (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_outbox_close (RbOutbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbOutbox, rb_outbox_close)

/* The place the next record of this workstation takes, after the last one's signed contents; in a new stream where
 * these cannot be read. Only inside rb_outbox_begin() … rb_outbox_add(), so that two programs cannot take the same one.
 */
gboolean rb_outbox_begin (RbOutbox *self, const char *workstation, RbStatementPlace *place, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Adds the record and ends what rb_outbox_begin() began. */
gboolean rb_outbox_add (RbOutbox *self, const RbStatementRecord *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_outbox_abandon (RbOutbox *self);
/* Makes, signs, verifies (by its own chains) and stores a record. Errors: those of rb_statement_make_at(), database.
 * Nothing is stored when it fails. (transfer full) */
RbStatementRecord *rb_outbox_make (RbOutbox *self, const RbStatementRequest *request, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Keeps a record of another workstation, with its own place in its own chain; one that is here already is fine. */
gboolean rb_outbox_keep (RbOutbox *self, const RbStatementRecord *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All records, oldest first. The columns are an index that its owner can edit; the contents are read
 * from its signed bytes: outbox/stored.h. (element-type RbStatementRecord) (transfer full) */
GPtrArray *rb_outbox_rows (RbOutbox *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
