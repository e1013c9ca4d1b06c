/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/dsse.h"
#include "record/error.h"

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

typedef struct {
  char *digest;      /* sha256 of the PAE: the record's name */
  char *workstation; /* certificate id */
  char *stream;
  gint64 sequence;
  char *previous;    /* 64 zeros for the first */
  char *type, *result, *vin, *campaign;
  gint64 finished;
  GBytes *envelope;
  gboolean acknowledged; /* a receipt is kept */
} RbOutboxRecord;
void rb_outbox_record_free (RbOutboxRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbOutboxRecord, rb_outbox_record_free)

/* The place the next record of this workstation takes, after the last one's signed contents; in a new stream where these cannot be read. Only inside rb_outbox_begin() … rb_outbox_add(), so that
 * two programs cannot take the same one. */
typedef struct {
  char stream[33];
  gint64 sequence;
  char previous[65];
} RbOutboxPlace;
gboolean rb_outbox_begin (RbOutbox *self, const char *workstation, RbOutboxPlace *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds the record and ends what rb_outbox_begin() began. */
gboolean rb_outbox_add (RbOutbox *self, const RbOutboxRecord *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_outbox_abandon (RbOutbox *self);
/* Keeps a record of another workstation, with its own place in its own chain; one that is here already is fine. */
gboolean rb_outbox_keep (RbOutbox *self, const RbOutboxRecord *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the database holds, oldest first. The columns are an index that its owner can edit; what a record says is read from its signed
 * bytes: record/stored.h. (element-type RbOutboxRecord) (transfer full) */
GPtrArray *rb_outbox_rows (RbOutbox *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
