/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/testimony.h"

#include "campaign/bundle.h"
#include "core/files.h"
#include "core/json.h"

#include <string.h>

#define ROOT_MAX (1024 * 1024)

struct _RbTestimony {
  RbContents *contents;
  json_t *she; /* of the VIN that was asked for last */
  gboolean anchored;
  RbEvidence evidence;
};

static GBytes *
read_image (gpointer data, const char *sha256, GError **error)
{
  RbTestimony *self = data;
  return rb_contents_image (self->contents, sha256, error);
}

/* Judged at the time of issue: packs expire, and a record of a vehicle is looked at years later. */
static GPtrArray *
read_completeness (gpointer data, const char *vin, GError **error)
{
  RbTestimony *self = data;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) ecus
    = rb_contents_completeness (self->contents, vin, self->evidence.campaign->issued, &problem);
  if (ecus == NULL && rb_reason_of (problem) != RB_REASON_VIN_PACK_MISSING)
    g_propagate_error (error, g_steal_pointer (&problem));
  return g_steal_pointer (&ecus);
}

static GPtrArray *
read_directed (gpointer data, const char *vin, GBytes *targets, GError **error)
{
  RbTestimony *self = data;
  return rb_contents_directed (self->contents, vin, targets, error);
}

static const json_t *
find_she (gpointer data, const char *vin, const char *serial)
{
  RbTestimony *self = data;
  size_t i;
  json_t *update;
  json_decref (self->she);
  self->she = rb_contents_she (self->contents, vin, NULL);
  json_array_foreach (json_object_get (self->she, "updates"), i, update)
    if (strcmp (rb_json_string_or (update, "serial", ""), serial) == 0)
      return update;
  return NULL;
}

static const RbProfile *
find_profile (gpointer data, const char *hardware_id)
{
  RbTestimony *self = data;
  return rb_contents_profile (self->contents, hardware_id);
}

RbTestimony *
rb_testimony_of (RbContents *contents, const RbTrustList *list)
{
  RbTestimony *self = g_new0 (RbTestimony, 1);
  self->evidence = (RbEvidence){
    .campaign = rb_contents_campaign (contents),
    .campaign_sha256 = rb_contents_campaign_sha256 (contents),
    .model = rb_contents_model (contents),
    .trust_list = list,
    .image = read_image,
    .completeness = read_completeness,
    .directed = read_directed,
    .profile = find_profile,
    .she = find_she,
    .data = self,
  };
  self->contents = rb_contents_ref (contents);
  return self;
}

RbTestimony *
rb_testimony_open (const char *bundle, const char *service_root, GError **error)
{
  g_autoptr (GBytes) root = service_root == NULL ? NULL : rb_files_read (service_root, ROOT_MAX, error);
  if (service_root != NULL && root == NULL)
    return NULL;
  g_autoptr (RbContents) contents = rb_bundle_open (bundle, root, error);
  if (contents == NULL)
    return NULL;
  RbTestimony *self = rb_testimony_of (contents, rb_contents_trust_list (contents));
  self->anchored = root != NULL;
  return self;
}

void
rb_testimony_free (RbTestimony *self)
{
  rb_contents_unref (self->contents);
  json_decref (self->she);
  g_free (self);
}

const RbEvidence *
rb_testimony_evidence (const RbTestimony *self)
{
  return &self->evidence;
}

const char *
rb_testimony_anchor (const RbTestimony *self)
{
  return self->anchored ? "service-root" : "none";
}
