/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "author/author.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "keymaker/keygen.h"
#include "oem/vin-writer.h"

#include <string.h>

#define FAR (FIXTURE_NOW + 365 * FIXTURE_DAY)

static const char profile_json[]
  = "{\"format\":\"recallbay-profile-1\",\"id\":\"any\",\"name\":\"Any\",\"timing\":{\"p2_ms\":50,\"p2_star_ms\":5000,\"s3_ms\":5000,"
    "\"erase_ms\":1000,\"boot_ms\":1000,\"max_pending\":10},\"unlock\":{\"method\":\"authentication\"},\"identification\":{"
    "\"vin\":\"F190\",\"serial\":\"F18C\",\"hardware_id\":\"F191\",\"software\":\"F195\",\"boot\":\"FD00\",\"director_root\":\"FD01\","
    "\"key_id\":\"FD03\",\"stored_metadata\":\"FD04\"},\"flash\":{\"erase\":\"FF00\",\"digest\":\"0210\",\"dependencies\":\"FF01\","
    "\"digest_by\":\"bootloader\"},\"metadata\":{\"install\":\"0220\",\"anchor\":\"0221\",\"drop\":\"0222\",\"root_in_image\":false},"
    "\"key\":{\"kind\":\"asymmetric\",\"make\":\"0230\",\"prove\":\"0231\"},\"report\":{\"routine\":\"0240\"},"
    "\"order\":[\"unlock\",\"roots\",\"drop\",\"metadata\",\"image\",\"reset\",\"key\",\"reset\",\"report\"],\"abort_recoverable\":true}";

static const char model_json[]
  = "{\"format\":\"recallbay-vehicle-model-1\",\"id\":\"two\",\"name\":\"Two\",\"buses\":[],\"ecus\":["
    "{\"name\":\"primary\",\"label\":\"Primary\",\"hardware_id\":\"hw-primary\",\"supplier\":\"\",\"profile\":\"any\",\"primary\":true,"
    "\"verification\":\"full\",\"bus\":\"ethernet\",\"gateway\":null,\"logical\":\"0x1001\"},"
    "{\"name\":\"door\",\"label\":\"Door\",\"hardware_id\":\"hw-door\",\"supplier\":\"\",\"profile\":\"any\",\"primary\":false,"
    "\"verification\":\"partial\",\"bus\":\"ethernet\",\"gateway\":null,\"logical\":\"0x1002\"}]}";

static RbPrivateKey *
new_key (void)
{
  g_autoptr (GError) error = NULL;
  RbPrivateKey *key = rb_keygen_new (RB_KEY_ED25519, &error);
  g_assert_no_error (error);
  return key;
}

void
fixture_init (Fixture *self)
{
  static const guint8 primary[] = { 0, 0, 0x10, 0, 0, 0, 0, 4, 1, 2, 3, 4 };
  static const guint8 door[] = { 0, 0, 0x20, 0, 0, 0, 0, 3, 5, 6, 7 };
  self->written = 0;
  self->region_table = self->also_table = NULL;
  self->service = new_key ();
  self->new_service = new_key ();
  self->director = new_key ();
  self->new_director = new_key ();
  self->image = new_key ();
  self->new_image = new_key ();
  self->primary_image = g_bytes_new_static (primary, sizeof primary);
  self->door_image = g_bytes_new_static (door, sizeof door);
}

void
fixture_clear (Fixture *self)
{
  rb_key_private_unref (self->service);
  rb_key_private_unref (self->new_service);
  rb_key_private_unref (self->director);
  rb_key_private_unref (self->new_director);
  rb_key_private_unref (self->image);
  rb_key_private_unref (self->new_image);
  g_bytes_unref (self->primary_image);
  g_bytes_unref (self->door_image);
  g_clear_pointer (&self->region_table, g_bytes_unref);
  g_clear_pointer (&self->also_table, g_bytes_unref);
}

FixtureBundle
fixture_good (void)
{
  return (FixtureBundle){ .id = "R-1",
                          .title = "A recall",
                          .version = 1,
                          .issued = FIXTURE_NOW,
                          .expires = FIXTURE_NOW + 60 * FIXTURE_DAY,
                          .service_expires = FIXTURE_NOW + 30 * FIXTURE_DAY,
                          .pack_expires = FIXTURE_NOW + 60 * FIXTURE_DAY,
                          .scope = FIXTURE_VIN,
                          .pack_vin = FIXTURE_VIN };
}

static void
put (const char *folder, const char *name, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_true (rb_files_make_folder (parent, &error));
  g_assert_true (rb_files_write (path, bytes, &error));
}

static GBytes *
sign (RbDialect dialect, json_t *part, RbPrivateKey *one, RbPrivateKey *two)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) owned = part;
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_ptr_array_add (keys, one);
  if (two != NULL && two != one)
    g_ptr_array_add (keys, two);
  GBytes *envelope = rb_author_sign (dialect, owned, keys, &error);
  g_assert_no_error (error);
  return envelope;
}

/* A root whose roles all have key, signed by key and (may be NULL) previous. */
static GBytes *
make_root_of (RbDialect dialect, gint64 version, RbPrivateKey *key, RbPrivateKey *previous, gboolean consistent)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_ptr_array_add (keys, rb_key_private_public (key));
  const RbAuthorRole roles[]
    = { { "root", keys, 1 }, { "timestamp", keys, 1 }, { "snapshot", keys, 1 }, { "targets", keys, 1 } };
  json_t *part = rb_author_root (dialect, version, FAR, roles, G_N_ELEMENTS (roles));
  if (consistent)
    rb_json_set_boolean (part, "consistent_snapshot", TRUE);
  return sign (dialect, part, key, previous);
}

static GBytes *
make_root (RbDialect dialect, gint64 version, RbPrivateKey *key, RbPrivateKey *previous)
{
  return make_root_of (dialect, version, key, previous, FALSE);
}

GBytes *
fixture_anchor (const Fixture *self)
{
  return make_root (RB_DIALECT_TUF, 1, self->service, NULL);
}

static void
put_role (const char *folder, const char *before, const char *name, GBytes *bytes)
{
  g_autofree char *file = g_strconcat (before, name, NULL);
  put (folder, file, bytes);
}

static void
put_roles (const char *folder, const char *where, RbDialect dialect, RbPrivateKey *key, gint64 version, json_t *targets,
           gint64 expires, json_t *extra, gboolean consistent)
{
  g_autoptr (json_t) owned = targets;
  g_autoptr (GBytes) targets_json
    = sign (dialect, rb_author_targets (dialect, version, expires, targets, NULL, 0, extra), key, NULL);
  g_autoptr (GHashTable) files = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (files, (char *) "targets.json", targets_json);
  g_autoptr (GBytes) snapshot = sign (dialect, rb_author_snapshot (dialect, version, expires, files), key, NULL);
  g_autoptr (GBytes) timestamp = sign (dialect, rb_author_timestamp (dialect, version, expires, snapshot), key, NULL);
  g_autofree char *place = g_build_filename (folder, where, NULL);
  g_autofree char *versioned = g_strdup_printf ("%" G_GINT64_FORMAT ".", version);
  put_role (place, consistent ? versioned : "", "targets.json", targets_json);
  put_role (place, consistent ? versioned : "", "snapshot.json", snapshot);
  put (place, "timestamp.json", timestamp);
}

static void
put_root (const char *folder, const char *where, gint64 version, GBytes *root)
{
  g_autofree char *name = g_strdup_printf ("%s/%" G_GINT64_FORMAT ".root.json", where, version);
  put (folder, name, root);
}

static json_t *
named_root (GBytes *root, gboolean wrong, gboolean pinned)
{
  g_autofree char *sha256 = rb_digest_sha256_hex_of (root);
  if (wrong)
    sha256[0] = sha256[0] == '0' ? '1' : '0';
  return json_pack ("{s:i,s:s,s:b}", "version", 2, "sha256", sha256, "pinned", pinned);
}

static json_t *
named_ecu (const char *hardware_id, const char *path, GBytes *image)
{
  g_autofree char *sha256 = rb_digest_sha256_hex_of (image);
  return json_pack ("{s:s,s:s,s:s,s:s,s:b}", "hardware_id", hardware_id, "profile", "profiles/any.json", "image", path,
                    "image_sha256", sha256, "new_key", 1);
}

/* Writes a file of pieces with one VIN and returns its table. */
static GBytes *
put_pieces (const char *folder, const char *inner, const char *vin, GBytes *contents)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, inner, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_true (rb_files_make_folder (parent, &error));
  g_autoptr (RbVinWriter) writer = rb_vin_writer_new (parent, &error);
  g_assert_no_error (error);
  g_assert_true (rb_vin_writer_add (writer, vin, contents, &error));
  GBytes *table = rb_vin_writer_finish (writer, path, &error);
  g_assert_no_error (error);
  return table;
}

static json_t *
named_scope (const FixtureBundle *bundle, GBytes *table)
{
  g_autofree char *sha256 = table == NULL ? NULL : rb_digest_sha256_hex_of (table);
  g_autofree char *path = g_strdup_printf ("scopes/%s.table", bundle->id);
  if (bundle->scope == NULL)
    return json_pack ("{s:b}", "all", 1);
  if (table == NULL)
    return json_pack ("{s:[s]}", "vins", bundle->scope);
  if (bundle->other_scope)
    sha256[0] = sha256[0] == '0' ? '1' : '0';
  return json_pack ("{s:s,s:s}", "table", path, "sha256", sha256);
}

static GBytes *
make_campaign (const Fixture *self, const FixtureBundle *bundle, GBytes *director, GBytes *image, GBytes *scope_table)
{
  g_autofree char *nonce = g_strnfill (64, 'a');
  json_t *scope = named_scope (bundle, scope_table);
  g_autoptr (json_t) json = json_pack (
    "{s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:{s:o,s:o},s:[o,o],s:{s:s,s:i,s:[{s:s,s:s,s:s}]},s:b,s:[s,s]}",
    "format", "recallbay-campaign-1", "id", bundle->id, "version", (json_int_t) bundle->version, "title", bundle->title,
    "oem", "Fixture", "oem_number", "F-1", "scenario", "director", "market", "DE", "nonce", nonce, "scope", scope,
    "vehicle_model", "models/two.json", "roots", "director", named_root (director, bundle->wrong_root, FALSE), "image",
    named_root (image, FALSE, bundle->says_pinned), "ecus",
    named_ecu (bundle->unknown_hardware ? "hw-roof" : "hw-primary", "primary.bin", self->primary_image),
    named_ecu ("hw-door", "parts/door.bin", self->door_image), "checklist", "id", "c", "version", 1, "items", "id", "i",
    "text", "?", "kind", "manual", "second_person", 0, "organisations", "One", "Two");
  g_assert_nonnull (json);
  rb_json_set_moment (json, "issued", bundle->issued);
  rb_json_set_moment (json, "expires", bundle->expires);
  return rb_json_to_bytes (json);
}

static void
put_target (const char *folder, json_t *targets, const char *path, GBytes *bytes)
{
  g_autofree char *place = g_build_filename (folder, "service", "targets", NULL);
  put (place, path, bytes);
  rb_json_set (targets, path, rb_author_target (bytes, NULL));
}

static GBytes *
make_trust_list (const FixtureBundle *bundle)
{
  g_autoptr (json_t) list
    = json_pack ("{s:s,s:I,s:s,s:i,s:s,s:[s],s:[],s:[],s:[]}", "format", "recallbay-trust-list-1", "version",
                 (json_int_t) MAX (bundle->list_version, 1), "oem", "Fixture", "max_age_days", 30, "minimum_version",
                 bundle->minimum_version == NULL ? "0.0.1" : bundle->minimum_version, "wmis",
                 bundle->wmi == NULL ? FIXTURE_WMI : bundle->wmi, "dealer_cas", "revoked", "withdrawn");
  g_assert_nonnull (list);
  rb_json_set_moment (list, "issued", FIXTURE_NOW);
  if (bundle->withdrawn != NULL) {
    json_t *entry = json_pack ("{s:s,s:s}", "campaign", bundle->withdrawn, "reason", "another one replaces it");
    rb_json_set_moment (entry, "since", FIXTURE_NOW);
    json_array_append_new (json_object_get (list, "withdrawn"), entry);
  }
  return rb_json_to_bytes (list);
}

static void
put_tables (const Fixture *self, const FixtureBundle *bundle, const char *folder, json_t *targets, GBytes *scope)
{
  g_autofree char *scope_path = g_strdup_printf ("scopes/%s.table", bundle->id);
  g_autofree char *region_path = g_strdup_printf ("regions/%s.table", bundle->region);
  g_autofree char *also_path = g_strdup_printf ("regions/%s.table", bundle->also_region);
  if (bundle->also_region != NULL)
    rb_json_set (targets, also_path, rb_author_target (self->also_table, NULL));
  if (scope != NULL)
    put_target (folder, targets, scope_path, scope);
  if (bundle->region != NULL)
    put_target (folder, targets, region_path, self->region_table);
}

static void
put_service (const Fixture *self, const FixtureBundle *bundle, const char *folder, GBytes *campaign, GBytes *scope)
{
  json_t *targets = json_object ();
  g_autofree char *path
    = g_strdup_printf ("campaigns/%s.json", bundle->campaign_file == NULL ? bundle->id : bundle->campaign_file);
  g_autoptr (GBytes) model = g_bytes_new_static (model_json, strlen (model_json));
  g_autoptr (GBytes) profile = g_bytes_new_static (profile_json, strlen (profile_json));
  g_autoptr (GBytes) list = make_trust_list (bundle);
  g_autoptr (GBytes) root = fixture_anchor (self);
  g_autoptr (GBytes) second = make_root (RB_DIALECT_TUF, 2, self->new_service, self->service);
  put_root (folder, "service/metadata", 1, root);
  if (bundle->service_rotated)
    put_root (folder, "service/metadata", 2, second);
  put_tables (self, bundle, folder, targets, scope);
  put_target (folder, targets, "models/two.json", model);
  put_target (folder, targets, "profiles/any.json", profile);
  if (!bundle->no_trust_list)
    put_target (folder, targets, "trust/trust-list.json", list);
  if (!bundle->no_campaign)
    put_target (folder, targets, path, campaign);
  if (bundle->second_campaign)
    put_target (folder, targets, "campaigns/second.json", campaign);
  put_roles (folder, "service/metadata", RB_DIALECT_TUF, bundle->service_rotated ? self->new_service : self->service,
             bundle->service_version > 0 ? bundle->service_version : self->written + 2, targets,
             bundle->service_expires, NULL, FALSE);
}

static void
assign (json_t *targets, const char *path, GBytes *image, const char *serial, const char *hardware_id)
{
  g_autoptr (json_t) custom = json_pack ("{s:{s:{s:s}}}", "ecuIdentifiers", serial, "hardwareId", hardware_id);
  rb_json_set (targets, path, rb_author_target (image, custom));
}

/* Members of the Director targets beside their entries. */
static json_t *
pack_members (const FixtureBundle *bundle)
{
  const char *vin = bundle->pack_claims == NULL ? bundle->pack_vin : bundle->pack_claims;
  json_t *members = *vin == '\0' ? json_object () : json_pack ("{s:s}", "vin", vin);
  if (bundle->custom != NULL)
    rb_json_set (members, "custom", json_loads (bundle->custom, JSON_DECODE_ANY, NULL));
  return members;
}

static void
put_pack (const Fixture *self, const FixtureBundle *bundle, const char *folder)
{
  json_t *targets = json_object ();
  g_autofree char *where = g_strdup_printf ("vins/%s/director", bundle->pack_vin);
  g_autoptr (json_t) extra = pack_members (bundle);
  if (!bundle->no_primary)
    assign (targets, "primary.bin", self->primary_image, "SN-1", "hw-primary");
  assign (targets, bundle->other_image ? "other.bin" : "parts/door.bin",
          bundle->other_image ? self->primary_image : self->door_image, "SN-2",
          bundle->unknown_ecu ? "hw-roof" : "hw-door");
  put_roles (folder, where, RB_DIALECT_UPTANE, self->new_director,
             bundle->pack_version > 0 ? bundle->pack_version : self->written + 2, targets, bundle->pack_expires, extra,
             bundle->consistent && bundle->region == NULL);
}

static GBytes *
read_role (const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  GBytes *bytes = rb_files_read (path, 1 << 20, &error);
  g_assert_no_error (error);
  return bytes;
}

/* The files of the pack become an entry of the region's file. */
static void
move_pack (Fixture *self, const FixtureBundle *bundle, const char *folder)
{
  g_autofree char *pack = g_build_filename (folder, "vins", bundle->pack_vin, NULL);
  g_autofree char *director = g_build_filename (pack, "director", NULL);
  g_autofree char *pieces = g_strdup_printf ("vins/regions/%s.pieces", bundle->region);
  g_autoptr (GBytes) timestamp = read_role (director, "timestamp.json");
  g_autoptr (GBytes) snapshot = read_role (director, "snapshot.json");
  g_autoptr (GBytes) targets = read_role (director, "targets.json");
  g_autoptr (GBytes) entry = rb_vin_pack_to_entry (timestamp, snapshot, targets, NULL);
  g_clear_pointer (&self->also_table, g_bytes_unref);
  self->also_table = g_steal_pointer (&self->region_table);
  self->region_table = put_pieces (folder, pieces, bundle->pack_vin, entry);
  if (!bundle->pack_stays)
    g_assert_true (rb_files_remove_tree (pack, NULL));
}

static json_t *
image_entry (GBytes *image, const char *hardware_id)
{
  g_autoptr (json_t) custom = json_pack ("{s:[s]}", "hardwareIds", hardware_id);
  return rb_author_target (image, custom);
}

static void
put_images (const Fixture *self, const FixtureBundle *bundle, const char *folder)
{
  json_t *targets = json_object ();
  rb_json_set (targets, "primary.bin", image_entry (self->primary_image, "hw-primary"));
  rb_json_set (targets, "parts/door.bin", image_entry (self->door_image, bundle->unknown_ecu ? "hw-roof" : "hw-door"));
  rb_json_set (targets, "other.bin", image_entry (self->primary_image, "hw-door"));
  put_roles (folder, "image/metadata", RB_DIALECT_UPTANE, self->new_image, 3, targets, FAR, NULL, bundle->consistent);
  put (folder, "image/targets/primary.bin", self->primary_image);
  put (folder, "image/targets/parts/door.bin", self->door_image);
}

void
fixture_write (Fixture *self, const FixtureBundle *bundle, const char *folder)
{
  self->written++;
  g_autoptr (GBytes) director_first = make_root (RB_DIALECT_UPTANE, 1, self->director, NULL);
  g_autoptr (GBytes) director
    = make_root_of (RB_DIALECT_UPTANE, 2, self->new_director, self->director, bundle->consistent);
  g_autoptr (GBytes) director_third = make_root (RB_DIALECT_UPTANE, 3, self->new_director, NULL);
  g_autoptr (GBytes) image_first = make_root (RB_DIALECT_UPTANE, 1, self->image, NULL);
  g_autoptr (GBytes) image = make_root_of (RB_DIALECT_UPTANE, 2, self->new_image,
                                           bundle->image_pinned ? NULL : self->image, bundle->consistent);
  g_autofree char *scope_pieces = g_strdup_printf ("scopes/%s.pieces", bundle->id);
  g_autoptr (GBytes) scope = bundle->scope_in_table ? put_pieces (folder, scope_pieces, bundle->scope, NULL) : NULL;
  g_autoptr (GBytes) campaign = make_campaign (self, bundle, director, image, scope);
  if (bundle->pack_vin != NULL)
    put_pack (self, bundle, folder);
  if (bundle->region != NULL)
    move_pack (self, bundle, folder);
  put_service (self, bundle, folder, campaign, scope);
  put_root (folder, "director/metadata", 1, director_first);
  put_root (folder, "director/metadata", 2, director);
  if (bundle->extra_root)
    put_root (folder, "director/metadata", 3, director_third);
  put_root (folder, "image/metadata", 1, image_first);
  put_root (folder, "image/metadata", 2, image);
  put_images (self, bundle, folder);
}
