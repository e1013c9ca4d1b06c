/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/show.h"

#include "core/files.h"
#include "core/json.h"
#include "sim-ecu/install.h"
#include "sim-ecu/sim-vehicle.h"

#include <string.h>

typedef struct {
  char *state, *director, *image;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->state);
  g_free (self->director);
  g_free (self->image);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static void
add_root (json_t *ecu, const RbMemory *memory, const char *store_name, const char *number, const char *digest)
{
  g_autoptr (RbStore) store
    = strcmp (store_name, "image") == 0 && !memory->full ? NULL : rb_memory_store (memory, store_name, NULL);
  gboolean has = store != NULL && rb_store_has_root (store);
  rb_json_set (ecu, number, has ? json_integer (rb_store_root_version (store)) : json_null ());
  rb_json_set_string (ecu, digest, has ? rb_store_root_sha256 (store) : NULL);
}

static json_t *
describe (const RbMemory *memory)
{
  json_t *ecu = json_object ();
  json_t *dtcs = json_array ();
  g_autofree char *sha256 = rb_memory_image_sha256 (memory);
  g_autofree char *key_id = rb_memory_key_id (memory);
  for (guint i = 0; memory->dtcs != NULL && memory->dtcs[i] != NULL; i++)
    json_array_append_new (dtcs, json_string (memory->dtcs[i]));
  rb_json_set_string (ecu, "serial", memory->serial);
  rb_json_set_string (ecu, "hardware_id", memory->hardware_id);
  rb_json_set_string (ecu, "image_sha256", sha256);
  add_root (ecu, memory, "director", "director_root", "director_root_sha256");
  add_root (ecu, memory, "image", "image_root", "image_root_sha256");
  rb_json_set_string (ecu, "key_id", key_id);
  rb_json_set_string (ecu, "boot", memory->valid ? "application" : "bootloader");
  rb_json_set (ecu, "dtcs", dtcs);
  rb_json_set_string (ecu, "fingerprint", memory->fingerprint);
  rb_json_set (ecu, "coding", json_deep_copy (memory->coding));
  return ecu;
}

static int
verb_show (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autofree char *vin = NULL;
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) memories = rb_sim_vehicle_memories (options.state, &vin, &error);
  if (memories == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *ecus = json_array ();
  rb_cli_say (cli, "vehicle %s", vin);
  for (guint i = 0; i < memories->len; i++) {
    const RbMemory *memory = memories->pdata[i];
    json_t *ecu = describe (memory);
    rb_cli_say (cli, "  %-20s %-14s image %.12s  Director root %d  key %.12s  %s", memory->serial, memory->hardware_id,
                rb_json_string_or (ecu, "image_sha256", "none"), (int) rb_json_integer_or (ecu, "director_root", 0),
                rb_json_string_or (ecu, "key_id", "none"), rb_json_string_or (ecu, "boot", ""));
    json_array_append_new (ecus, ecu);
  }
  rb_cli_event (cli, json_pack ("{s:s,s:o}", "vin", vin, "ecus", ecus));
  return RB_CLI_OK;
}

static const RbMemory *
find_primary (GPtrArray *memories, const char *state)
{
  g_autofree char *path = g_build_filename (state, "primary", NULL);
  g_autofree char *name = NULL;
  if (!g_file_get_contents (path, &name, NULL, NULL))
    return NULL;
  for (guint i = 0; i < memories->len; i++)
    if (strcmp (((RbMemory *) memories->pdata[i])->serial, name) == 0)
      return memories->pdata[i];
  return NULL;
}

static json_t *
offer_all (RbCli *cli, GPtrArray *memories, const RbMemory *primary, const char *vin, const char *director,
           const char *image)
{
  g_autofree RbVehicleEcu *ecus = g_new0 (RbVehicleEcu, memories->len);
  json_t *list = json_array ();
  for (guint i = 0; i < memories->len; i++) {
    const RbMemory *memory = memories->pdata[i];
    ecus[i] = (RbVehicleEcu){ memory->serial, memory->hardware_id };
  }
  for (guint i = 0; i < memories->len; i++) {
    RbMemory *memory = memories->pdata[i];
    g_autoptr (RbSource) from_director = rb_source_folder (director);
    g_autoptr (RbSource) from_image = rb_source_folder (image);
    g_autoptr (GError) error = NULL;
    gboolean accepted
      = rb_install_offer (memory, vin, ecus, memory == primary ? memories->len : 0, from_director, from_image, &error);
    const char *reason = rb_reason_word (rb_reason_of (error));
    rb_cli_say (cli, "  %-20s %s%s%s", memory->serial, accepted ? "accepts" : "refuses: ", accepted ? "" : reason, "");
    json_array_append_new (
      list, json_pack ("{s:s,s:b,s:s}", "serial", memory->serial, "accepted", accepted, "reason", reason));
  }
  return list;
}

static int
verb_offer (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autofree char *vin = NULL;
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbLock) lock = rb_files_is_folder (options.state) ? rb_sim_vehicle_lock (options.state, &error) : NULL;
  g_autoptr (GPtrArray) memories = error == NULL ? rb_sim_vehicle_memories (options.state, &vin, &error) : NULL;
  if (memories == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *list
    = offer_all (cli, memories, find_primary (memories, options.state), vin, options.director, options.image);
  rb_cli_event (cli, json_pack ("{s:o}", "ecus", list));
  return RB_CLI_OK;
}

#define STATE \
  { \
    "state", "DIR", "folder of the vehicle's memory", RB_OPTION_FOLDER (Options, state), .needed = TRUE \
  }

static const RbOption show_options[] = { STATE, { NULL } };

static const RbOption offer_options[] = {
  STATE,
  { "director", "DIR", "Director metadata", RB_OPTION_FOLDER (Options, director), .needed = TRUE },
  { "image", "DIR", "Image repository metadata", RB_OPTION_FOLDER (Options, image), .needed = TRUE },
  { NULL },
};

const RbCliVerb rb_show_verbs[] = {
  { "show", "--state DIR", "what is really on each ECU", verb_show, show_options },
  { "offer", "--state DIR --director DIR --image DIR", "hand the vehicle metadata as an update would", verb_offer,
    offer_options },
  { NULL },
};
