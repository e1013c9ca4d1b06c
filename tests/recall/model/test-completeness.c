/* SPDX-License-Identifier: Apache-2.0 */
#include "model/completeness.h"

#include "core/json.h"

#include <string.h>

/* When a vehicle is complete: one rule for all who ask. */

static void
test_one_ecu (void)
{
  static const struct {
    gboolean built, directed, found, done;
    RbCompletenessVerdict verdict;
  } cases[] = {
    { FALSE, FALSE, FALSE, FALSE, RB_COMPLETENESS_NOT_FITTED },
    { FALSE, FALSE, FALSE, TRUE, RB_COMPLETENESS_NOT_FITTED },
    { FALSE, FALSE, TRUE, FALSE, RB_COMPLETENESS_NOT_DIRECTED },
    { FALSE, FALSE, TRUE, TRUE, RB_COMPLETENESS_NOT_DIRECTED },
    { TRUE, FALSE, FALSE, FALSE, RB_COMPLETENESS_NOT_DIRECTED },
    { TRUE, FALSE, TRUE, TRUE, RB_COMPLETENESS_NOT_DIRECTED },
    { FALSE, TRUE, FALSE, FALSE, RB_COMPLETENESS_OPEN },
    { TRUE, TRUE, TRUE, FALSE, RB_COMPLETENESS_OPEN },
    { FALSE, TRUE, FALSE, TRUE, RB_COMPLETENESS_DONE },
    { TRUE, TRUE, TRUE, TRUE, RB_COMPLETENESS_DONE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const RbCompletenessEcu ecu
      = { .built = cases[i].built, .directed = cases[i].directed, .found = cases[i].found, .done = cases[i].done };
    g_assert_cmpint (rb_completeness_judge (&ecu), ==, cases[i].verdict);
  }
}

typedef struct {
  RbCampaign campaign;
  RbVehicleModel model;
  RbCampaignEcu wanted[3];
  RbModelEcu known[3];
} Bench;

/* a and b in model and campaign, b optional; c in the model only */
static void
bench_open (Bench *bench, gconstpointer data)
{
  static const char *const ids[] = { "hw-a", "hw-b", "hw-c" };
  bench->campaign.ecus = g_ptr_array_new ();
  bench->model.ecus = g_ptr_array_new ();
  for (guint i = 0; i < 3; i++) {
    bench->wanted[i].hardware_id = bench->known[i].hardware_id = (char *) ids[i];
    bench->known[i].label = (char *) ids[i];
    bench->known[i].optional = i == 1;
    g_ptr_array_add (bench->model.ecus, &bench->known[i]);
    if (i < 2)
      g_ptr_array_add (bench->campaign.ecus, &bench->wanted[i]);
  }
}

static void
bench_close (Bench *bench, gconstpointer data)
{
  g_ptr_array_unref (bench->campaign.ecus);
  g_ptr_array_unref (bench->model.ecus);
}

/* "SN-1=hw-a SN-2=hw-b"; NULL: no table */
static GHashTable *
table (const char *text)
{
  GHashTable *made = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) entries = g_strsplit (text, " ", -1);
  for (guint i = 0; entries[i] != NULL && *entries[i] != '\0'; i++) {
    g_auto (GStrv) parts = g_strsplit (entries[i], "=", 2);
    g_hash_table_insert (made, g_strdup (parts[0]), g_strdup (parts[1]));
  }
  return made;
}

static GPtrArray *
list (Bench *bench, const char *assigned, const char *as_built)
{
  g_autoptr (GHashTable) directed = table (assigned);
  g_autoptr (GHashTable) built = as_built == NULL ? NULL : table (as_built);
  return rb_completeness_list (&bench->campaign, &bench->model, directed, built, NULL);
}

static void
test_who_is_held_back (Bench *bench, gconstpointer data)
{
  static const struct {
    const char *assigned, *as_built;
    guint n;
    const char *found; /* hardware id; NULL: none but those directed */
    const char *held; /* part of the message; NULL: not held back */
  } cases[] = {
    { "SN-1=hw-a SN-2=hw-b", NULL, 2, NULL, NULL },
    { "SN-1=hw-a", NULL, 2, NULL, NULL }, /* optional and not there */
    { "SN-1=hw-a", NULL, 2, "hw-b", "hw-b" }, /* optional and there */
    { "SN-2=hw-b", NULL, 2, NULL, "hw-a" }, /* not optional */
    { "SN-1=hw-a", "SN-1=hw-a", 2, NULL, NULL }, /* built without it */
    { "SN-1=hw-a", "SN-1=hw-a", 2, "hw-b", "hw-b" }, /* built without it, and it is there */
    { "SN-2=hw-b", "SN-2=hw-b", 2, NULL, NULL }, /* the list is what counts, not the model */
    { "SN-1=hw-a", "SN-1=hw-a SN-2=hw-b", 2, NULL, "hw-b" },
    { "SN-1=hw-a", "SN-1=hw-a SN-9=hw-a", 2 + 1, NULL, "hw-a" }, /* two of one hardware */
    { "SN-1=hw-a", "SN-1=hw-a SN-3=hw-c", 3, NULL, "hw-c" }, /* hardware that the campaign does not name */
    { "SN-1=hw-a", "SN-1=hw-a SN-4=hw-d", 3, NULL, "SN-4" }, /* hardware that the model does not know */
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) ecus = list (bench, cases[i].assigned, cases[i].as_built);
    g_assert_cmpuint (ecus->len, ==, cases[i].n);
    for (guint j = 0; j < ecus->len; j++)
      ((RbCompletenessEcu *) ecus->pdata[j])->found
        = g_strcmp0 (((RbCompletenessEcu *) ecus->pdata[j])->hardware_id, cases[i].found) == 0;
    gboolean directed = rb_completeness_is_directed (ecus, &bench->model, &error);
    g_assert_cmpint (directed, ==, cases[i].held == NULL);
    if (directed)
      continue;
    g_assert_error (error, RB_MODEL_ERROR, RB_REASON_ECU_NOT_DIRECTED);
    g_assert_nonnull (strstr (error->message, cases[i].held));
  }
}

static void
test_list_of_the_vehicle_as_built (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) good
    = json_pack ("{s:{s:[{s:s,s:s}]}}", "custom", "asBuilt", "serial", "SN-1", "hardware_id", "hw-a");
  g_autoptr (json_t) none = json_pack ("{s:{}}", "custom");
  g_autoptr (GHashTable) read = rb_completeness_as_built (good, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_hash_table_lookup (read, "SN-1"), ==, "hw-a");
  g_assert_null (rb_completeness_as_built (none, &error));
  g_assert_no_error (error);
}

static void
test_list_that_is_refused (void)
{
  static const struct {
    const char *part, *word;
  } cases[] = {
    { "{\"custom\":[]}", "member “custom” is not an object" },
    { "{\"custom\":{\"asBuilt\":\"all\"}}", "member “asBuilt” is not a list" },
    { "{\"custom\":{\"asBuilt\":null}}", "member “asBuilt” is not a list" },
    { "{\"custom\":{\"asBuilt\":[]}}", "member “asBuilt” is not a list" },
    { "{\"custom\":{\"asBuilt\":[{\"serial\":\"\",\"hardware_id\":\"hw-a\"}]}}", "an entry is empty" },
    { "{\"custom\":{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":1}]}}", "hardware_id" },
    { "{\"custom\":{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-a\",\"optional\":true}]}}", "optional" },
    { "{\"custom\":{\"asBuilt\":[{\"serial\":\"SN-1\",\"hardware_id\":\"hw-a\"},{\"serial\":\"SN-1\",\"hardware_id\":\"hw-b\"}]}}",
      "SN-1” is there twice" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) part = json_loads (cases[i].part, 0, NULL);
    g_assert_null (rb_completeness_as_built (part, &error));
    g_assert_nonnull (error);
    g_assert_cmpint (error->code, ==, RB_REASON_MALFORMED); /* of this folder or of core */
    g_assert_nonnull (strstr (error->message, cases[i].word));
  }
}

/* A part needs an assignment, its predecessor may not have one; a restricting member that is not what it has to be
 * refuses. */
static void
test_parts (void)
{
  static const struct {
    const char *list;
    gboolean good;
  } cases[] = {
    { "[]", TRUE },
    { "[{\"old\":\"SN-1\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\"}]", TRUE },
    { "{}", FALSE },
    { "null", FALSE },
    { "[{\"old\":\"SN-1\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\"}]", FALSE },
    { "[{\"old\":\"SN-1\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-b\",\"approvedBy\":\"k\"}]", FALSE },
    { "[{\"old\":\"SN-1\",\"serial\":\"SN-8\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\"}]", FALSE },
    { "[{\"old\":\"SN-2\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\"}]", FALSE },
    { "[{\"old\":\"\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\"}]", FALSE },
    { "[{\"old\":\"SN-1\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\",\"more\":1}]", FALSE },
    { "[{\"old\":\"SN-1\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\"},"
      "{\"old\":\"SN-3\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-a\",\"approvedBy\":\"k\"}]",
      FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GHashTable) assigned = table ("SN-7=hw-a SN-2=hw-b");
    g_autoptr (json_t) part
      = json_pack ("{s:{s:o}}", "custom", "replaced", json_loads (cases[i].list, JSON_DECODE_ANY, NULL));
    g_autoptr (GHashTable) read = rb_completeness_replaced (part, assigned, &error);
    g_assert_cmpint (read != NULL, ==, cases[i].good);
    if (!cases[i].good)
      g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_MALFORMED);
    else if (g_hash_table_size (read) > 0)
      g_assert_cmpstr (g_hash_table_lookup (read, "SN-7"), ==, "SN-1");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/completeness/one-ecu", test_one_ecu);
  g_test_add ("/completeness/who-is-held-back", Bench, NULL, bench_open, test_who_is_held_back, bench_close);
  g_test_add_func ("/completeness/list-of-the-vehicle-as-built", test_list_of_the_vehicle_as_built);
  g_test_add_func ("/completeness/parts", test_parts);
  g_test_add_func ("/completeness/list-that-is-refused", test_list_that_is_refused);
  return g_test_run ();
}
