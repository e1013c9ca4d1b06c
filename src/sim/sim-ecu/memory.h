/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/vehicle-model.h"
#include "sim-ecu/error.h"
#include "uptane/store.h"

/*
 * What one simulated ECU remembers without power: a folder with flash.bin (sparse; offset = address - base) and
 * state.json with everything else, its metadata and its key too. rb_memory_save() is the one commit point: what a
 * request changes is there whole or not at all. A write to flash is in the file before the tester hears of it, so that
 * killing the process loses exactly what was not written. Also read from outside, while the vehicle runs.
 */
typedef struct {
  guint32 address, length;
} RbSegment;

typedef struct {
  char *folder;
  char *name, *serial, *hardware_id;
  gboolean full; /* verification */
  guint32 flash_base, flash_size;
  GArray *segments; /* of RbSegment: what was downloaded completely */
  gboolean valid; /* the application may start */
  char *software;
  char *image_path; /* path of the installed image in the Image repository */
  char *assigned_sha256, *assigned_path, *assigned_version; /* by accepted Director targets; NULL */
  gint64 failures; /* of unlocking, in a row */
  gboolean locked_out; /* after too many of them */
  gint64 report_counter;
  char *key_pem; /* NULL: symmetric */
  guint8 she_uid[15], she_slot, she_key[16], she_master[16], she_proof[48];
  guint32 she_counter;
  gboolean she;
  GStrv dtcs;
  char *fingerprint; /* hex; NULL: none was written */
  json_t *coding; /* identifier, four hex digits → hex; an erasure loses it */
  json_t *stores; /* "director", "image", "service": rb_store_to_json() */
} RbMemory;

/* Opens DIR/ecus/SERIAL. */
RbMemory *rb_memory_open (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Makes it from an entry of seed.json; seed is the folder the entry's paths start at. */
gboolean rb_memory_make (const char *folder, const RbModelEcu *ecu, const json_t *entry, const char *seed,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_memory_free (RbMemory *self);
/* FALSE: it is there already. Not stored. */
gboolean rb_memory_add_dtc (RbMemory *self, const char *code);
/* state.json, whole and at once. */
gboolean rb_memory_save (RbMemory *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Erases length bytes at address to 0xFF; segments in it and the coding are gone and the application is not valid. */
gboolean rb_memory_erase (RbMemory *self, guint32 address, guint32 length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_memory_write (RbMemory *self, guint32 address, gconstpointer data, gsize length, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_memory_holds (const RbMemory *self, guint32 address, guint32 length);
/* Contents of the flash at that address. */
GBytes *rb_memory_read (const RbMemory *self, guint32 address, guint32 length, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The segment container computed from flash, each segment with address and length; empty when nothing is complete.
 * (transfer full) */
GBytes *rb_memory_container (const RbMemory *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* sha256 of it, hex; NULL when there is no complete image or it cannot be read. (transfer full) */
char *rb_memory_image_sha256 (const RbMemory *self);
/* "director", "image", "service": a copy. What is changed in it is kept with rb_memory_keep() and stored with
 * rb_memory_save(). */
RbStore *rb_memory_store (const RbMemory *self, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_memory_keep (RbMemory *self, const char *name, RbStore *store);
/* Fault: this process ends without clean-up at that write from now on (1 the next), of every ECU and file: before it,
 * after it, and with half of a block in flash. */
void rb_memory_cut_power_at (gint64 write);
/* Path of a file inside the folder. (transfer full) */
char *rb_memory_path (const RbMemory *self, const char *name);
/* sha256 of the SPKI or "she:SLOT:COUNTER". (transfer full) */
char *rb_memory_key_id (const RbMemory *self);
/* The image in flash is the one that the targets assign: its name and version are theirs. Not stored. */
void rb_memory_name_image (RbMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbMemory, rb_memory_free)
