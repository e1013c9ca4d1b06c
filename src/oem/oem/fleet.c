/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/fleet.h"

#include "author/author.h"
#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <string.h>

#define FLASH_BLOCK 65536

static const struct {
  const char *name, *label, *supplier, *profile, *bus;
} first_ecus[] = {
  { "telematics", "Telematics unit (Primary)", "", "primary-asymmetric", "backbone" },
  { "gateway", "Central gateway", "", "full-asymmetric", "backbone" },
  { "steering", "Steering control", "supplier-a", "full-asymmetric", "can-drive" },
  { "brake", "Brake control", "supplier-a", "partial-asymmetric", "can-drive" },
  { "door", "Door control", "supplier-b", "partial-asymmetric", "can-body" },
  { "sensor", "Rain and light sensor", "supplier-b", "partial-she", "can-body" },
  { "lamp", "Lamp control", "supplier-b", "partial-asymmetric", "can-body" },
};

static const char *const profiles[] = { "primary-asymmetric",
                                        "full-asymmetric",
                                        "partial-asymmetric",
                                        "partial-application",
                                        "partial-image-root",
                                        "partial-she",
                                        NULL };

static void
ecu_free (RbFleetEcu *self)
{
  g_free (self->name);
  g_free (self->label);
  g_free (self->hardware_id);
  g_free (self->part_number);
  g_free (self);
}

static void
software_free (RbFleetSoftware *self)
{
  g_free (self->path);
  g_free (self->version);
  g_bytes_unref (self->image);
  g_free (self->sha256);
  json_decref (self->entry);
  g_free (self);
}

static RbFleetEcu *
ecu_new (guint index)
{
  RbFleetEcu *ecu = g_new0 (RbFleetEcu, 1);
  guint known = MIN (index, G_N_ELEMENTS (first_ecus) - 1);
  ecu->supplier = first_ecus[known].supplier;
  ecu->profile = first_ecus[known].profile;
  ecu->bus = first_ecus[known].bus;
  if (index == known) {
    ecu->name = g_strdup (first_ecus[known].name);
    ecu->label = g_strdup (first_ecus[known].label);
  } else {
    ecu->name = g_strdup_printf ("seat-%u", index - known);
    ecu->label = g_strdup_printf ("Seat control %u", index - known);
  }
  ecu->hardware_id = g_strdup_printf ("hw-%s-1", ecu->name);
  ecu->part_number = g_strdup_printf ("AM-%04u-01", 4100 + index);
  ecu->primary = strcmp (ecu->profile, "primary-asymmetric") == 0;
  ecu->full = ecu->primary || strcmp (ecu->profile, "full-asymmetric") == 0;
  ecu->she = strcmp (ecu->profile, "partial-she") == 0;
  return ecu;
}

RbFleet *
rb_fleet_new (guint ecus, guint vehicles, gsize image_size)
{
  RbFleet *self = g_new0 (RbFleet, 1);
  self->vehicles = vehicles;
  self->image_size = image_size;
  self->ecus = g_ptr_array_new_with_free_func ((GDestroyNotify) ecu_free);
  for (guint i = 0; i < ecus; i++)
    g_ptr_array_add (self->ecus, ecu_new (i));
  return self;
}

void
rb_fleet_free (RbFleet *self)
{
  g_ptr_array_unref (self->ecus);
  g_free (self);
}

const RbFleetEcu *
rb_fleet_ecu (const RbFleet *self, guint index)
{
  return self->ecus->pdata[index];
}

/* Check digit of ISO 3779 as North America uses it: position 9. */
static void
set_check_digit (char *vin)
{
  static const char letters[] = "ABCDEFGHJKLMNPRSTUVWXYZ";
  static const char values[] = "12345678123457923456789";
  static const guint weights[17] = { 8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2 };
  guint sum = 0;
  for (guint i = 0; i < 17; i++) {
    const char *letter = strchr (letters, vin[i]);
    guint value = letter == NULL ? (guint) (vin[i] - '0') : (guint) (values[letter - letters] - '0');
    sum += weights[i] * value;
  }
  vin[8] = sum % 11 == 10 ? 'X' : (char) ('0' + sum % 11);
}

char *
rb_fleet_vin (guint number)
{
  char *vin = g_strdup_printf (RB_FLEET_WMI "DM7AA0TA%06u", number);
  set_check_digit (vin);
  return vin;
}

char *
rb_fleet_serial (const RbFleetEcu *ecu, guint number)
{
  g_autofree char *name = g_ascii_strup (ecu->name, -1);
  return g_strdup_printf ("SN-%s-%04u", name, number);
}

static guint32
flash_size (const RbFleet *self)
{
  gsize size = (2 * self->image_size + FLASH_BLOCK - 1) / FLASH_BLOCK * FLASH_BLOCK;
  return (guint32) MAX (size, (gsize) 2 * FLASH_BLOCK);
}

/* of the Director root in images that carry it */
static guint32
carried_root_address (const RbFleet *self)
{
  return RB_FLEET_FLASH_ADDRESS + flash_size (self) / 4 * 3;
}

/* Bytes that look like code: a readable head, then splitmix64 from its digest. */
static void
write_segment (GByteArray *out, guint32 address, const char *head, gsize size)
{
  guint8 digest[RB_SHA256_LENGTH];
  rb_digest_sha256 (head, strlen (head), digest);
  RbReader reader = rb_reader_new (digest, sizeof digest);
  guint64 state = rb_reader_u64be (&reader);
  rb_writer_u32be (out, address);
  rb_writer_u32be (out, (guint32) size);
  gsize head_size = MIN (strlen (head), size);
  rb_writer_data (out, head, head_size);
  for (gsize left = size - head_size; left > 0;) {
    guint64 value = (state += 0x9e3779b97f4a7c15u);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    value ^= value >> 31;
    gsize part = MIN (left, sizeof value);
    rb_writer_data (out, &value, part);
    left -= part;
  }
}

/* A program and its parameters, and the root where the image carries it, each in its own place. */
static GBytes *
make_image (const RbFleet *self, const RbFleetEcu *ecu, const char *version, GBytes *root)
{
  gsize parameters = self->image_size / 4 / 16 * 16;
  GByteArray *out = g_byte_array_sized_new ((guint) self->image_size + 64);
  g_autofree char *program = g_strdup_printf ("%s program %s\n", ecu->hardware_id, version);
  g_autofree char *data = g_strdup_printf ("%s parameters %s\n", ecu->hardware_id, version);
  write_segment (out, RB_FLEET_FLASH_ADDRESS, program, self->image_size - parameters);
  write_segment (out, RB_FLEET_FLASH_ADDRESS + flash_size (self) / 2, data, parameters);
  if (ecu->root_in_image) {
    rb_writer_u32be (out, carried_root_address (self));
    rb_writer_u32be (out, (guint32) g_bytes_get_size (root));
    rb_writer_bytes (out, root);
  }
  return g_byte_array_free_to_bytes (out);
}

GPtrArray *
rb_fleet_software (const RbFleet *self, const char *version, gint64 counter, GBytes *director_root)
{
  GPtrArray *software = g_ptr_array_new_with_free_func ((GDestroyNotify) software_free);
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbFleetEcu *ecu = self->ecus->pdata[i];
    RbFleetSoftware *one = g_new0 (RbFleetSoftware, 1);
    const char *folder = ecu->supplier[0] == '\0' ? "oem" : ecu->supplier;
    one->path = g_strdup_printf ("%s/%s-%s.bin", folder, ecu->name, version);
    one->version = g_strdup (version);
    one->counter = counter;
    one->image = make_image (self, ecu, version, director_root);
    one->entry = rb_author_target (one->image, NULL);
    one->sha256 = g_strdup (rb_json_string_or (json_object_get (one->entry, "hashes"), "sha256", ""));
    g_ptr_array_add (software, one);
  }
  return software;
}

/* Takes custom. */
static json_t *
entry_with (const RbFleetSoftware *software, json_t *custom)
{
  json_t *entry = json_copy (software->entry);
  rb_json_set (entry, "custom", custom);
  return entry;
}

json_t *
rb_fleet_image_targets (const RbFleet *self, GPtrArray *software, const char *supplier)
{
  json_t *targets = json_object ();
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbFleetEcu *ecu = self->ecus->pdata[i];
    const RbFleetSoftware *one = software->pdata[i];
    if (strcmp (ecu->supplier, supplier) != 0)
      continue;
    json_t *custom
      = json_pack ("{s:[s],s:I,s:s,s:s,s:s}", "hardwareIds", ecu->hardware_id, "releaseCounter",
                   (json_int_t) one->counter, "name", ecu->name, "version", one->version, "targetFormat", "BINARY");
    rb_json_set (targets, one->path, entry_with (one, custom));
  }
  return targets;
}

json_t *
rb_fleet_director_targets (const RbFleet *self, GPtrArray *software, guint number)
{
  json_t *targets = json_object ();
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbFleetEcu *ecu = self->ecus->pdata[i];
    const RbFleetSoftware *one = software->pdata[i];
    g_autofree char *serial = rb_fleet_serial (ecu, number);
    json_t *custom = json_pack ("{s:{s:{s:s}},s:I}", "ecuIdentifiers", serial, "hardwareId", ecu->hardware_id,
                                "releaseCounter", (json_int_t) one->counter);
    rb_json_set (targets, one->path, entry_with (one, custom));
  }
  return targets;
}

json_t *
rb_fleet_director_members (const RbFleet *self, guint number)
{
  g_autofree char *vin = rb_fleet_vin (number);
  json_t *built = json_array (), *members = json_pack ("{s:s}", "vin", vin);
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbFleetEcu *ecu = self->ecus->pdata[i];
    g_autofree char *serial = rb_fleet_serial (ecu, number);
    if (!ecu->unbuilt || number != 1)
      json_array_append_new (built, json_pack ("{s:s,s:s}", "serial", serial, "hardware_id", ecu->hardware_id));
  }
  if (!self->unlisted)
    rb_json_set (members, "custom", json_pack ("{s:O}", "asBuilt", built));
  json_decref (built);
  return members;
}

/* Software of type approval, by its UN regulation. */
static const char *const type_approvals[][2] = {
  { "brake", "R13H 0001 AURORA" },
  { "steering", "R79 0004 AURORA" },
};

static json_t *
simulation_of (const RbFleet *self, const RbFleetEcu *ecu)
{
  gboolean slow_bus = strcmp (ecu->bus, "can-body") == 0;
  json_t *simulation
    = json_pack ("{s:s,s:{s:I,s:I},s:i,s:i,s:i,s:i}", "kind", "uptane", "flash", "address",
                 (json_int_t) RB_FLEET_FLASH_ADDRESS, "size", (json_int_t) flash_size (self), "block",
                 ecu->full ? 4098 : 1026, "erase_ms", ecu->full ? 300 : 600, "boot_ms", ecu->full ? 800 : 400,
                 /* the gateway has no room for a whole block, where the bus behind it is slower */
                 "block_size", slow_bus ? 16 : 0);
  rb_json_set_string (simulation, "part_number", ecu->part_number);
  rb_json_set_boolean (simulation, "fingerprint", TRUE);
  rb_json_set (simulation, "coding", json_pack ("[s,s]", RB_FLEET_CODING, RB_FLEET_ADAPTATION));
  rb_json_set_string (simulation, "hardware_version", RB_FLEET_HARDWARE_VERSION);
  if (ecu->root_in_image)
    rb_json_set_integer (simulation, "root_address", carried_root_address (self));
  for (guint i = 0; i < G_N_ELEMENTS (type_approvals); i++)
    if (strcmp (ecu->name, type_approvals[i][0]) == 0)
      rb_json_set_string (simulation, "rxswin", type_approvals[i][1]);
  return simulation;
}

/* One of each form that CAN addresses have: 29 bit normal fixed and mixed, extended, FD frames, and plain 11 bit. */
static json_t *
can_in_model (const RbFleet *self, guint index)
{
  const RbFleetEcu *ecu = self->ecus->pdata[index];
  guint number = 0x10 + index;
  gboolean mixed = strcmp (ecu->name, "lamp") == 0;
  gboolean wide = mixed || strcmp (ecu->name, "brake") == 0;
  guint first = ecu->primary ? 0x7e0 : 0x600; /* the Primary where every tester looks */
  guint form = mixed ? 0x18ce : 0x18da;
  g_autofree char *request
    = wide ? g_strdup_printf ("0x%04X%02XF1", form, number) : g_strdup_printf ("0x%03X", first + index);
  g_autofree char *response = wide ? g_strdup_printf ("0x%04XF1%02X", form, number)
                                   : g_strdup_printf ("0x%03X", first + (ecu->primary ? 8 : 0x80) + index);
  json_t *can = json_pack ("{s:s,s:s}", "request", request, "response", response);
  if (mixed || strcmp (ecu->name, "sensor") == 0)
    rb_json_set_integer (can, "extension", number);
  if (strcmp (ecu->name, "sensor") == 0)
    rb_json_set_integer (can, "response_extension", 0xf1);
  if (strcmp (ecu->name, "gateway") == 0 || strcmp (ecu->name, "steering") == 0)
    rb_json_set_boolean (can, "fd", TRUE);
  return can;
}

static json_t *
ecu_in_model (const RbFleet *self, guint index)
{
  const RbFleetEcu *ecu = self->ecus->pdata[index];
  g_autofree char *logical = g_strdup_printf ("0x%04X", 0x1001 + index);
  gboolean behind_gateway = strcmp (ecu->bus, "backbone") != 0;
  json_t *object
    = json_pack ("{s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:o,s:o}", "name", ecu->name, "label", ecu->label, "hardware_id",
                 ecu->hardware_id, "supplier", ecu->supplier, "profile", ecu->profile, "primary", ecu->primary,
                 "verification", ecu->full ? "full" : "partial", "bus", ecu->bus, "logical", logical, "can",
                 can_in_model (self, index), "simulation", simulation_of (self, ecu));
  rb_json_set_string (object, "gateway", behind_gateway ? "gateway" : NULL);
  if (ecu->optional)
    rb_json_set_boolean (object, "optional", TRUE);
  return object;
}

json_t *
rb_fleet_model (const RbFleet *self)
{
  json_t *ecus = json_array ();
  for (guint i = 0; i < self->ecus->len; i++)
    json_array_append_new (ecus, ecu_in_model (self, i));
  json_t *buses = json_pack ("[{s:s,s:s},{s:s,s:s,s:i,s:i},{s:s,s:s,s:i,s:i},{s:s,s:s,s:i}]", "name", "backbone",
                             "kind", "ethernet", "name", "diagnostic", "kind", "canfd", "bitrate", 500000,
                             "data_bitrate", 2000000, "name", "can-drive", "kind", "canfd", "bitrate", 500000,
                             "data_bitrate", 2000000, "name", "can-body", "kind", "can", "bitrate", 250000);
  json_t *model = json_pack ("{s:s,s:s,s:s,s:s,s:o,s:o}", "format", "recallbay-vehicle-model-1", "id", "aurora-compact",
                             "name", "Aurora Compact", "functional", "0xE400", "buses", buses, "ecus", ecus);
  g_autofree char *tester = g_strdup_printf ("0x%04X", self->tester);
  if (self->tester != 0)
    rb_json_set (model, "link", json_pack ("{s:s,s:s}", "tester", tester, "activation_type", "0xE0"));
  return model;
}

const char *const *
rb_fleet_profiles (void)
{
  return profiles;
}

static json_t *
identification (gboolean primary, gboolean full, gboolean she)
{
  json_t *object = json_pack ("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "vin", "F190", "serial", "F18C", "hardware_id",
                              "F191", "software", "F195", "boot", "FD00", "director_root", "FD01", "key_id", "FD03",
                              "stored_metadata", "FD04");
  if (full)
    rb_json_set_string (object, "image_root", "FD02");
  if (she)
    rb_json_set_string (object, "she_counter", "FD05");
  if (primary) {
    rb_json_set_string (object, "voltage", "FD10");
    rb_json_set_string (object, "ignition", "FD11");
    rb_json_set_string (object, "speed", "FD12");
  }
  return object;
}

static json_t *
key_of_profile (gboolean she)
{
  if (she)
    return json_pack ("{s:s,s:s,s:i}", "kind", "she", "she_load", "0250", "she_slot", 4);
  return json_pack ("{s:s,s:s,s:s}", "kind", "asymmetric", "make", "0230", "prove", "0231");
}

/* An ECU that hangs is taken off its supply. The Primary measures for all others: it has no such recipe. */
static json_t *
recipe (void)
{
  return json_pack ("{s:[{s:s,s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:s,s:s,s:i},{s:s,s:s,s:s,s:i}]}", "steps", "id",
                    "fuse-out", "text", "Pull the fuse of this ECU.", "check", "silent", "within_s", 15, "id",
                    "discharge", "text", "Wait until the ECU has no charge.", "wait_s", 1, "id", "fuse-in", "text",
                    "Put the fuse back.", "check", "responds", "within_s", 15, "id", "ignition-on", "text",
                    "Switch the ignition on.", "check", "ignition", "position", 2);
}

/* No routine overwrites the root of such an ECU: it is part of the image, and metadata are verified by it. */
static void
let_image_carry_root (json_t *profile)
{
  rb_json_set (profile, "metadata", json_pack ("{s:s,s:b}", "install", "0220", "root_in_image", TRUE));
  rb_json_set (
    profile, "order",
    json_pack ("[s,s,s,s,s,s,s,s]", "unlock", "image", "reset", "metadata", "coding", "key", "reset", "report"));
}

json_t *
rb_fleet_profile (const char *id)
{
  gboolean primary = strcmp (id, "primary-asymmetric") == 0;
  gboolean full = primary || strcmp (id, "full-asymmetric") == 0;
  gboolean she = strcmp (id, "partial-she") == 0;
  gboolean application = strcmp (id, "partial-application") == 0; /* its bootloader computes no digest */
  gboolean image_root = strcmp (id, "partial-image-root") == 0;
  g_autofree char *name = g_strdup_printf (
    "Aurora %s, %s verification, %s key%s%s", primary ? "Primary" : "Secondary", full ? "full" : "partial",
    she ? "SHE" : "Ed25519", application ? ", digest by the application" : "", image_root ? ", root in the image" : "");
  json_t *profile = json_pack (
    "{s:s,s:s,s:s,s:{s:i,s:i,s:i,s:i,s:i,s:i},s:{s:s},s:o,s:{s:s,s:s,s:s,s:s},s:{s:s,s:s,s:s,s:b},s:o,s:{s:s},"
    "s:[s,s,s,s,s,s,s,s,s,s],s:b}",
    "format", "recallbay-profile-1", "id", id, "name", name, "timing", "p2_ms", 50, "p2_star_ms", 5000, "s3_ms", 5000,
    "erase_ms", 60000, "boot_ms", 10000, "max_pending", 60, "unlock", "method", "authentication", "identification",
    identification (primary, full, she), "flash", "erase", "FF00", "digest", "0210", "dependencies", "FF01",
    "digest_by", application ? "application" : "bootloader", "metadata", "install", "0220", "anchor", "0221", "drop",
    "0222", "root_in_image", FALSE, "key", key_of_profile (she), "report", "routine", "0240", "order", "unlock",
    "roots", "drop", "metadata", "image", "reset", "coding", "key", "reset", "report", "abort_recoverable", TRUE);
  g_assert (profile != NULL);
  rb_json_set_string (json_object_get (profile, "flash"), "fingerprint", "F15A");
  rb_json_set (profile, "coding",
               json_pack ("[{s:s,s:s},{s:s,s:s}]", "did", RB_FLEET_CODING, "name", "Coding", "did", RB_FLEET_ADAPTATION,
                          "name", "Adaptation"));
  if (image_root)
    let_image_carry_root (profile);
  if (primary)
    rb_json_set_string (json_object_get (profile, "report"), "manifest", "0241");
  else
    json_object_set_new (profile, "recipe", recipe ());
  return profile;
}
