/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-oracle.h"

#include "core/json.h"
#include "uptane/canonical.h"
#include "uptane/scan.h"

#include <string.h>

static gboolean
is_one_of (GBytes *bytes, GPtrArray *forms)
{
  for (guint i = 0; i < forms->len; i++)
    if (g_bytes_equal (bytes, forms->pdata[i]))
      return TRUE;
  return FALSE;
}

static char *
judge_forms (const RbScan *scan, const json_t *tree)
{
  const json_t *part = json_object_get (tree, "signed");
  g_autoptr (GPtrArray) forms = rb_canonical_forms (part);
  g_autoptr (GBytes) span = rb_scan_signed (scan);
  g_autoptr (GBytes) envelope = rb_scan_envelope (scan);
  g_autoptr (GBytes) whole = rb_canonical_form (tree, RB_CANONICAL_A);
  if (!is_one_of (span, forms))
    return g_strdup ("the span is no canonical form of the tree");
  if (rb_scan_is_plain (scan) && forms->len != 1)
    return g_strdup ("called plain, but the forms differ");
  if (envelope != NULL && !g_bytes_equal (envelope, whole))
    return g_strdup ("the envelope is not its canonical form");
  return NULL;
}

static char *
judge_entry (const RbScan *scan, guint i, json_t *table)
{
  g_autofree char *name = rb_scan_name (scan, i);
  g_autoptr (GBytes) text = rb_scan_value (scan, i);
  gsize length = 0;
  const char *data = g_bytes_get_data (text, &length);
  g_autoptr (json_t) value = json_loadb (data, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  guint found = G_MAXUINT;
  if (!rb_scan_find (scan, name, &found) || found != i)
    return g_strdup_printf ("entry %u, “%s”, is not found again", i, name);
  if (value == NULL || !json_equal (value, json_object_get (table, name)))
    return g_strdup_printf ("entry “%s” differs", name);
  return NULL;
}

static char *
judge_table (const RbScan *scan, const json_t *tree, const char *name)
{
  json_t *table = json_object_get (json_object_get (tree, "signed"), name);
  guint index = 0;
  if (!json_is_object (table) || json_object_size (table) != rb_scan_size (scan))
    return g_strdup ("the tables are not of one size");
  if (rb_scan_find (scan, "no such\x01name", &index))
    return g_strdup ("a name was found that is not there");
  for (guint i = 0; i < rb_scan_size (scan); i++) {
    char *problem = judge_entry (scan, i, table);
    if (problem != NULL)
      return problem;
  }
  return NULL;
}

/* The rest is the tree with an empty table. */
static char *
judge_rest (const json_t *rest, const json_t *tree, const char *name)
{
  g_autoptr (json_t) copy = json_deep_copy (tree);
  json_object_set_new (json_object_get (copy, "signed"), name, json_object ());
  return json_equal (copy, rest) ? NULL : g_strdup ("the rest differs");
}

static char *
judge_read (const RbScan *scan, GBytes *bytes, const json_t *tree, const char *table)
{
  g_autoptr (GBytes) text = rb_scan_rest (scan);
  g_autoptr (json_t) rest = rb_json_parse (text, G_MAXSIZE, "rest", NULL);
  if ((rest == NULL) != (tree == NULL))
    return g_strdup (tree == NULL ? "taken, but jansson refuses it" : "jansson takes it, but not the rest");
  if (tree == NULL)
    return NULL;
  char *problem = judge_forms (scan, tree);
  problem = problem != NULL ? problem : judge_table (scan, tree, table);
  return problem != NULL ? problem : judge_rest (rest, tree, table);
}

char *
scan_oracle_disagreement (const char *text, gsize length, const char *table, ScanVerdict *verdict)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (text, length);
  g_autoptr (json_t) tree = rb_json_parse (bytes, G_MAXSIZE, "tree", NULL);
  g_autoptr (RbScan) scan = rb_scan_new (bytes, table, &error);
  *verdict = scan != NULL ? SCAN_READS : error != NULL ? SCAN_REFUSES : SCAN_LEAVES;
  if (scan != NULL)
    return judge_read (scan, bytes, tree, table);
  if (error != NULL && json_is_object (tree))
    return g_strdup_printf ("refused (%s), but jansson takes it", error->message);
  return NULL;
}
