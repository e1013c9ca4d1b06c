/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/memory.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_STATE (64 * 1024 * 1024)
#define MAX_IMAGE (G_GUINT64_CONSTANT (1) << 31)
#define ERASE_CHUNK 65536

/* Counters of this process: they are lost with the power. */
static gint64 writes_to_cut;

void
rb_memory_cut_power_at (gint64 write)
{
  writes_to_cut = write;
}

/* Before and after each write, and in the middle of one to flash. */
static void
pass_write (void)
{
  if (writes_to_cut > 0 && --writes_to_cut == 0)
    _exit (0);
}

char *
rb_memory_path (const RbMemory *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

void
rb_memory_free (RbMemory *self)
{
  g_free (self->folder);
  g_free (self->name);
  g_free (self->serial);
  g_free (self->hardware_id);
  g_array_unref (self->segments);
  g_free (self->software);
  g_free (self->image_path);
  g_free (self->assigned_sha256);
  g_free (self->assigned_path);
  g_free (self->assigned_version);
  g_free (self->key_pem);
  g_strfreev (self->dtcs);
  g_free (self->fingerprint);
  json_decref (self->coding);
  json_decref (self->stores);
  g_free (self);
}

static RbMemory *
memory_new (const char *folder)
{
  RbMemory *self = g_new0 (RbMemory, 1);
  self->folder = g_strdup (folder);
  self->segments = g_array_new (FALSE, FALSE, sizeof (RbSegment));
  self->coding = json_object ();
  self->stores = json_object ();
  return self;
}

static json_t *
segments_to_json (const RbMemory *self)
{
  json_t *list = json_array ();
  for (guint i = 0; i < self->segments->len; i++) {
    const RbSegment *segment = &g_array_index (self->segments, RbSegment, i);
    json_array_append_new (list, json_pack ("[I,I]", (json_int_t) segment->address, (json_int_t) segment->length));
  }
  return list;
}

gboolean
rb_memory_add_dtc (RbMemory *self, const char *code)
{
  if (self->dtcs != NULL && g_strv_contains ((const char *const *) self->dtcs, code))
    return FALSE;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  if (self->dtcs != NULL)
    g_strv_builder_addv (builder, (const char **) self->dtcs);
  g_strv_builder_add (builder, code);
  g_strfreev (self->dtcs);
  self->dtcs = g_strv_builder_end (builder);
  return TRUE;
}

static json_t *
she_to_json (const RbMemory *self)
{
  if (!self->she)
    return json_null ();
  g_autofree char *uid = rb_bytes_to_hex (self->she_uid, 15);
  g_autofree char *key = rb_bytes_to_hex (self->she_key, 16);
  g_autofree char *master = rb_bytes_to_hex (self->she_master, 16);
  g_autofree char *proof = rb_bytes_to_hex (self->she_proof, 48);
  return json_pack ("{s:s,s:i,s:I,s:s,s:s,s:s}", "uid", uid, "slot", (int) self->she_slot, "counter",
                    (json_int_t) self->she_counter, "key", key, "master", master, "proof", proof);
}

gboolean
rb_memory_save (RbMemory *self, GError **error)
{
  g_autoptr (json_t) state = json_object ();
  g_autofree char *path = rb_memory_path (self, "state.json");
  json_t *dtcs = json_array ();
  for (guint i = 0; self->dtcs != NULL && self->dtcs[i] != NULL; i++)
    json_array_append_new (dtcs, json_string (self->dtcs[i]));
  rb_json_set_string (state, "name", self->name);
  rb_json_set_string (state, "serial", self->serial);
  rb_json_set_string (state, "hardware_id", self->hardware_id);
  rb_json_set_boolean (state, "full", self->full);
  rb_json_set_integer (state, "flash_base", self->flash_base);
  rb_json_set_integer (state, "flash_size", self->flash_size);
  rb_json_set (state, "segments", segments_to_json (self));
  rb_json_set_boolean (state, "valid", self->valid);
  rb_json_set_string (state, "software", self->software);
  rb_json_set_string (state, "image_path", self->image_path);
  rb_json_set_string (state, "assigned_sha256", self->assigned_sha256);
  rb_json_set_string (state, "assigned_path", self->assigned_path);
  rb_json_set_string (state, "assigned_version", self->assigned_version);
  rb_json_set_integer (state, "failures", self->failures);
  rb_json_set_boolean (state, "locked_out", self->locked_out);
  rb_json_set_integer (state, "report_counter", self->report_counter);
  rb_json_set_string (state, "key_pem", self->key_pem);
  rb_json_set (state, "she", she_to_json (self));
  rb_json_set (state, "dtcs", dtcs);
  rb_json_set_string (state, "fingerprint", self->fingerprint);
  rb_json_set (state, "coding", json_incref (self->coding));
  rb_json_set (state, "stores", json_incref (self->stores));
  g_autoptr (GBytes) bytes = rb_json_to_bytes (state);
  pass_write ();
  gboolean saved = rb_files_write_private (path, bytes, error);
  pass_write ();
  return saved;
}

static void
read_segments (RbMemory *self, const json_t *list)
{
  for (gsize i = 0; i < json_array_size (list); i++) {
    const json_t *pair = json_array_get (list, i);
    RbSegment segment = { (guint32) json_integer_value (json_array_get (pair, 0)),
                          (guint32) json_integer_value (json_array_get (pair, 1)) };
    g_array_append_val (self->segments, segment);
  }
}

static void
read_she (RbMemory *self, const json_t *she)
{
  self->she = json_is_object (she);
  if (!self->she)
    return;
  self->she_slot = (guint8) rb_json_integer_or (she, "slot", 0);
  self->she_counter = (guint32) rb_json_integer_or (she, "counter", 0);
  if (!rb_bytes_from_hex_exact (rb_json_string_or (she, "uid", ""), self->she_uid, 15)
      || !rb_bytes_from_hex_exact (rb_json_string_or (she, "key", ""), self->she_key, 16)
      || !rb_bytes_from_hex_exact (rb_json_string_or (she, "master", ""), self->she_master, 16))
    self->she = FALSE;
  if (!rb_bytes_from_hex_exact (rb_json_string_or (she, "proof", ""), self->she_proof, 48))
    memset (self->she_proof, 0, sizeof self->she_proof);
}

static void
read_dtcs (RbMemory *self, const json_t *list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (gsize i = 0; i < json_array_size (list); i++)
    g_strv_builder_add (builder, json_string_value (json_array_get (list, i)));
  self->dtcs = g_strv_builder_end (builder);
}

static void
read_coding (RbMemory *self, const json_t *coding)
{
  if (json_is_object (coding))
    json_object_update (self->coding, (json_t *) coding);
}

/* A memory of before has each store in a folder of its own. */
static gboolean
read_stores (RbMemory *self, const json_t *stores, GError **error)
{
  static const char *const names[] = { "director", "image", "service" };
  if (json_is_object (stores))
    return json_object_update (self->stores, (json_t *) stores) == 0;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = rb_memory_path (self, names[i]);
    g_autoptr (RbStore) store = rb_files_is_folder (path) ? rb_store_open (path, error) : NULL;
    if (store != NULL)
      rb_memory_keep (self, names[i], store);
    else if (rb_files_is_folder (path))
      return FALSE;
  }
  return TRUE;
}

static char *
copy_string (const json_t *state, const char *member)
{
  return g_strdup (rb_json_string_or (state, member, NULL));
}

RbMemory *
rb_memory_open (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "state.json", NULL);
  g_autoptr (json_t) state = rb_json_load (path, MAX_STATE, error);
  if (state == NULL)
    return NULL;
  RbMemory *self = memory_new (folder);
  self->name = copy_string (state, "name");
  self->serial = copy_string (state, "serial");
  self->hardware_id = copy_string (state, "hardware_id");
  self->full = rb_json_boolean_or (state, "full", FALSE);
  self->flash_base = (guint32) rb_json_integer_or (state, "flash_base", 0);
  self->flash_size = (guint32) rb_json_integer_or (state, "flash_size", 0);
  read_segments (self, json_object_get (state, "segments"));
  self->valid = rb_json_boolean_or (state, "valid", FALSE);
  self->software = copy_string (state, "software");
  self->image_path = copy_string (state, "image_path");
  self->assigned_sha256 = copy_string (state, "assigned_sha256");
  self->assigned_path = copy_string (state, "assigned_path");
  self->assigned_version = copy_string (state, "assigned_version");
  self->failures = rb_json_integer_or (state, "failures", 0);
  self->locked_out = rb_json_boolean_or (state, "locked_out", FALSE);
  self->report_counter = rb_json_integer_or (state, "report_counter", 0);
  self->key_pem = copy_string (state, "key_pem");
  self->fingerprint = copy_string (state, "fingerprint");
  read_she (self, json_object_get (state, "she"));
  read_dtcs (self, json_object_get (state, "dtcs"));
  read_coding (self, json_object_get (state, "coding"));
  if (!read_stores (self, json_object_get (state, "stores"), error)) {
    rb_memory_free (self);
    return NULL;
  }
  return self;
}

static int
open_flash (const RbMemory *self, int flags, GError **error)
{
  g_autofree char *path = rb_memory_path (self, "flash.bin");
  int fd = open (path, flags | O_CLOEXEC, 0600);
  if (fd < 0)
    g_set_error (error, RB_SIM_ERROR, RB_REASON_IO, "%s: %s", path, g_strerror (errno));
  return fd;
}

static gboolean
write_at (int fd, const guint8 *data, gsize length, off_t offset, GError **error)
{
  RbReader reader = rb_reader_new (data, length);
  while (rb_reader_left (&reader) > 0) {
    gsize left = rb_reader_left (&reader);
    RbReader ahead = reader;
    ssize_t written = pwrite (fd, rb_reader_take (&ahead, left), left, offset + (off_t) reader.offset);
    if (written <= 0) {
      g_set_error (error, RB_SIM_ERROR, RB_REASON_IO, "flash: %s", g_strerror (errno));
      return FALSE;
    }
    (void) rb_reader_take (&reader, (gsize) written);
  }
  return TRUE;
}

gboolean
rb_memory_holds (const RbMemory *self, guint32 address, guint32 length)
{
  return address >= self->flash_base && length > 0 && length <= self->flash_size
         && address - self->flash_base <= self->flash_size - length;
}

gboolean
rb_memory_write (RbMemory *self, guint32 address, gconstpointer data, gsize length, GError **error)
{
  int fd = open_flash (self, O_WRONLY | O_CREAT, error);
  if (fd < 0)
    return FALSE;
  off_t offset = (off_t) (address - self->flash_base);
  pass_write ();
  gboolean written = write_at (fd, data, length / 2, offset, error);
  pass_write ();
  written
    = written
      && write_at (fd, (const guint8 *) data + length / 2, length - length / 2, offset + (off_t) (length / 2), error);
  pass_write ();
  close (fd);
  return written;
}

gboolean
rb_memory_erase (RbMemory *self, guint32 address, guint32 length, GError **error)
{
  g_autofree guint8 *blank = g_malloc (ERASE_CHUNK);
  memset (blank, 0xff, ERASE_CHUNK);
  for (guint i = self->segments->len; i > 0; i--) {
    const RbSegment *segment = &g_array_index (self->segments, RbSegment, i - 1);
    if (segment->address < address + length && address < segment->address + segment->length)
      g_array_remove_index (self->segments, i - 1);
  }
  self->valid = FALSE;
  json_object_clear (self->coding);
  if (!rb_memory_save (self, error))
    return FALSE;
  for (guint32 done = 0; done < length; done += ERASE_CHUNK)
    if (!rb_memory_write (self, address + done, blank, MIN (ERASE_CHUNK, length - done), error))
      return FALSE;
  return TRUE;
}

static gint
compare_segments (gconstpointer a, gconstpointer b)
{
  const RbSegment *left = a;
  const RbSegment *right = b;
  return left->address < right->address ? -1 : left->address > right->address;
}

GBytes *
rb_memory_read (const RbMemory *self, guint32 address, guint32 length, GError **error)
{
  g_autofree guint8 *data = g_malloc (length);
  int fd = open_flash (self, O_RDONLY, error);
  if (fd < 0)
    return NULL;
  ssize_t got = pread (fd, data, length, (off_t) (address - self->flash_base));
  close (fd);
  if (got == (ssize_t) length)
    return g_bytes_new_take (g_steal_pointer (&data), length);
  g_set_error_literal (error, RB_SIM_ERROR, RB_REASON_IO, "flash is shorter than its segments");
  return NULL;
}

GBytes *
rb_memory_container (const RbMemory *self, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GArray) sorted = g_array_copy (self->segments);
  g_array_sort (sorted, compare_segments);
  for (guint i = 0; i < sorted->len; i++) {
    const RbSegment *segment = &g_array_index (sorted, RbSegment, i);
    g_autoptr (GBytes) data = rb_memory_read (self, segment->address, segment->length, error);
    if (data == NULL)
      return NULL;
    rb_writer_u32be (out, segment->address);
    rb_writer_u32be (out, segment->length);
    rb_writer_bytes (out, data);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

char *
rb_memory_image_sha256 (const RbMemory *self)
{
  g_autoptr (GBytes) container = self->segments->len == 0 ? NULL : rb_memory_container (self, NULL);
  return container == NULL ? NULL : rb_digest_sha256_hex_of (container);
}

RbStore *
rb_memory_store (const RbMemory *self, const char *name, GError **error)
{
  return rb_store_from_json (json_object_get (self->stores, name), error);
}

void
rb_memory_keep (RbMemory *self, const char *name, RbStore *store)
{
  rb_json_set (self->stores, name, rb_store_to_json (store));
}

char *
rb_memory_key_id (const RbMemory *self)
{
  if (self->she)
    return g_strdup_printf ("she:%u:%u", self->she_slot, self->she_counter);
  g_autoptr (RbPrivateKey) key = self->key_pem == NULL ? NULL : rb_key_private_from_pem (self->key_pem, NULL, NULL);
  return key == NULL ? NULL : g_strdup (rb_key_public_id (rb_key_private_public (key)));
}

static gboolean
load_image (RbMemory *self, GBytes *image, GError **error)
{
  RbReader reader = rb_reader_from_bytes (image);
  if (!rb_memory_erase (self, self->flash_base, self->flash_size, error))
    return FALSE;
  while (rb_reader_left (&reader) > 0) {
    RbSegment segment = { rb_reader_u32be (&reader), 0 };
    segment.length = rb_reader_u32be (&reader);
    const guint8 *data = rb_reader_take (&reader, segment.length);
    if (data == NULL || !rb_memory_holds (self, segment.address, segment.length)) {
      g_set_error (error, RB_SIM_ERROR, RB_REASON_MALFORMED, "seed of %s: its image does not fit its flash",
                   self->name);
      return FALSE;
    }
    if (!rb_memory_write (self, segment.address, data, segment.length, error))
      return FALSE;
    g_array_append_val (self->segments, segment);
  }
  self->valid = TRUE;
  return TRUE;
}

static char *
seed_path (const json_t *entry, const char *member, const char *seed)
{
  const char *path = rb_json_string_or (entry, member, NULL);
  return path == NULL || !rb_files_path_is_safe (path) ? NULL : g_build_filename (seed, path, NULL);
}

static gboolean
copy_from_seed (RbMemory *self, const json_t *entry, const char *member, const char *seed, const char *name,
                GError **error)
{
  g_autofree char *from = seed_path (entry, member, seed);
  g_autofree char *to = rb_memory_path (self, name);
  return from == NULL || rb_files_copy_tree (from, to, error);
}

static gboolean
read_store (RbMemory *self, const json_t *entry, const char *member, const char *seed, const char *name, GError **error)
{
  g_autofree char *path = seed_path (entry, member, seed);
  g_autoptr (RbStore) store = path == NULL ? NULL : rb_store_open (path, error);
  if (store != NULL)
    rb_memory_keep (self, name, store);
  return path == NULL || store != NULL;
}

static gboolean
read_key (RbMemory *self, const json_t *entry, const char *seed, GError **error)
{
  g_autofree char *path = seed_path (entry, "key", seed);
  if (path == NULL)
    return TRUE;
  g_autoptr (GBytes) pem = rb_files_read (path, MAX_STATE, error);
  if (pem == NULL)
    return FALSE;
  self->key_pem = g_strndup (g_bytes_get_data (pem, NULL), g_bytes_get_size (pem));
  return TRUE;
}

static gboolean
read_image (RbMemory *self, const json_t *entry, const char *seed, GError **error)
{
  g_autofree char *path = seed_path (entry, "image", seed);
  g_autoptr (GBytes) image = path == NULL ? NULL : rb_files_map (path, MAX_IMAGE, error);
  return path == NULL || (image != NULL && load_image (self, image, error));
}

gboolean
rb_memory_make (const char *folder, const RbModelEcu *ecu, const json_t *entry, const char *seed, GError **error)
{
  const json_t *flash = json_object_get (ecu->simulation, "flash");
  g_autoptr (RbMemory) self = memory_new (folder);
  self->name = g_strdup (ecu->name);
  self->serial = g_strdup (rb_json_string (entry, "serial", "seed", error));
  if (self->serial == NULL || !rb_files_make_folder (folder, error))
    return FALSE;
  self->hardware_id = g_strdup (ecu->hardware_id);
  self->full = ecu->full_verification;
  self->flash_base = (guint32) rb_json_integer_or (flash, "address", 0);
  self->flash_size = (guint32) rb_json_integer_or (flash, "size", 1024 * 1024);
  self->software = g_strdup (rb_json_string_or (entry, "software", ""));
  self->image_path = g_strdup (rb_json_string_or (entry, "image_path", ""));
  self->valid = rb_json_boolean_or (entry, "valid", FALSE);
  read_she (self, json_object_get (entry, "she"));
  read_dtcs (self, json_object_get (entry, "dtcs"));
  if (!read_key (self, entry, seed, error) || !read_image (self, entry, seed, error))
    return FALSE;
  read_coding (self, json_object_get (entry, "coding"));
  return read_store (self, entry, "director", seed, "director", error)
         && read_store (self, entry, "image_store", seed, "image", error)
         && copy_from_seed (self, entry, "service_root", seed, "service-root.json", error)
         && copy_from_seed (self, entry, "dealer_ca", seed, "dealer-ca.pem", error) && rb_memory_save (self, error);
}

void
rb_memory_name_image (RbMemory *memory)
{
  g_free (memory->software);
  g_free (memory->image_path);
  memory->software = g_strdup_printf ("%s %s", memory->name, memory->assigned_version);
  memory->image_path = g_strdup (memory->assigned_path);
}
