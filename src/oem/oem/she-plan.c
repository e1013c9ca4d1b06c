/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/she-plan.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/she.h"

#include <string.h>

#define SLOT 4
#define MASTER_SLOT 1

struct _RbShePlan {
  char *vin;
  char *serial;
  guint8 uid[15], key[16], master[16], new_key[16];
};

static void
fill_random (guint8 *out, gsize length)
{
  g_autoptr (GBytes) random = rb_digest_random (length);
  memcpy (out, g_bytes_get_data (random, NULL), length);
}

RbShePlan *
rb_she_plan_new (const char *vin, const char *serial)
{
  RbShePlan *self = g_new0 (RbShePlan, 1);
  self->vin = g_strdup (vin);
  self->serial = g_strdup (serial);
  fill_random (self->uid, sizeof self->uid);
  fill_random (self->key, sizeof self->key);
  fill_random (self->master, sizeof self->master);
  fill_random (self->new_key, sizeof self->new_key);
  return self;
}

void
rb_she_plan_free (RbShePlan *self)
{
  g_free (self->vin);
  g_free (self->serial);
  explicit_bzero (self, sizeof *self);
  g_free (self);
}

static void
set_hex (json_t *object, const char *member, const guint8 *data, gsize length)
{
  g_autofree char *hex = rb_bytes_to_hex (data, length);
  rb_json_set_string (object, member, hex);
}

/* M4 and M5 are evidence: only their digest travels. */
static void
set_answer (json_t *object, const RbSheUpdate *update)
{
  guint8 digest[RB_SHA256_LENGTH];
  g_autoptr (GByteArray) answer = g_byte_array_new ();
  rb_writer_data (answer, update->m4, sizeof update->m4);
  rb_writer_data (answer, update->m5, sizeof update->m5);
  rb_digest_sha256 (answer->data, answer->len, digest);
  set_hex (object, "answer_sha256", digest, sizeof digest);
}

json_t *
rb_she_plan_stored (RbShePlan *self)
{
  json_t *object = json_object ();
  set_hex (object, "uid", self->uid, sizeof self->uid);
  rb_json_set_integer (object, "slot", SLOT);
  rb_json_set_integer (object, "counter", 1);
  set_hex (object, "key", self->key, sizeof self->key);
  set_hex (object, "master", self->master, sizeof self->master);
  return object;
}

json_t *
rb_she_plan_update (RbShePlan *self)
{
  RbSheUpdate update;
  RbSheSlot slot = { .slot = SLOT, .auth_slot = MASTER_SLOT, .counter = 2 };
  memcpy (slot.uid, self->uid, sizeof slot.uid);
  rb_she_update (&slot, self->master, self->new_key, &update);
  json_t *object = json_object ();
  rb_json_set_string (object, "serial", self->serial);
  rb_json_set_integer (object, "slot", SLOT);
  rb_json_set_integer (object, "counter", slot.counter);
  set_hex (object, "m1", update.m1, sizeof update.m1);
  set_hex (object, "m2", update.m2, sizeof update.m2);
  set_hex (object, "m3", update.m3, sizeof update.m3);
  set_answer (object, &update);
  return object;
}

json_t *
rb_she_plan_secret (RbShePlan *self)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "vin", self->vin);
  rb_json_set_string (object, "serial", self->serial);
  rb_json_set_integer (object, "slot", SLOT);
  rb_json_set_integer (object, "counter", 2);
  set_hex (object, "key", self->new_key, sizeof self->new_key);
  return object;
}
