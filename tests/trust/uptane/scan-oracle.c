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
  if (rb_scan_is_plain (scan, FALSE) && forms->len != 1)
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
  if (!json_is_object (table))
    return rb_scan_size (scan) == 0 ? NULL : g_strdup ("there is no table");
  if (json_object_size (table) != rb_scan_size (scan))
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
  if (json_is_object (json_object_get (json_object_get (copy, "signed"), name)))
    json_object_set_new (json_object_get (copy, "signed"), name, json_object ());
  return json_equal (copy, rest) ? NULL : g_strdup ("the rest differs");
}

/* Forms that are made without a tree are those of the tree. */
static char *
judge_made_forms (const RbScan *scan, const json_t *tree)
{
  g_autoptr (GPtrArray) forms = rb_canonical_forms (json_object_get (tree, "signed"));
  for (guint by_utf16 = 0; by_utf16 < 2; by_utf16++) {
    g_autoptr (GBytes) a = rb_scan_form_a (scan, FALSE, by_utf16 == 1);
    for (RbCanonical form = RB_CANONICAL_A; form <= RB_CANONICAL_C; form++) {
      g_autoptr (GBytes) made = a == NULL ? NULL : rb_canonical_from_form_a (a, form);
      if (made == NULL || !is_one_of (made, forms))
        return g_strdup_printf ("form %d, order %u is not of the tree", (int) form, by_utf16);
    }
  }
  g_autoptr (GBytes) whole = rb_canonical_form (tree, RB_CANONICAL_A);
  g_autoptr (GBytes) envelope = rb_scan_form_a (scan, TRUE, FALSE);
  return envelope != NULL && g_bytes_equal (whole, envelope) ? NULL : g_strdup ("the whole in form A differs");
}

/* The head holds the signatures and the tree's own values. */
static char *
judge_head (const RbScan *scan, const json_t *tree)
{
  g_autoptr (GBytes) text = rb_scan_head (scan);
  g_autoptr (json_t) head = rb_json_parse (text, G_MAXSIZE, "head", NULL);
  const json_t *part = json_object_get (head, "signed");
  const char *name;
  json_t *value;
  if (part == NULL || json_object_size (part) > 3)
    return g_strdup ("the head has no signed, or more than a head");
  json_object_foreach ((json_t *) part, name, value) {
    if (!json_equal (value, json_object_get (json_object_get (tree, "signed"), name)))
      return g_strdup_printf ("the head differs in %s", name);
  }
  const json_t *theirs = json_object_get (tree, "signatures");
  return (theirs == NULL) == (json_object_get (head, "signatures") == NULL)
             && (theirs == NULL || json_equal (theirs, json_object_get (head, "signatures")))
           ? NULL
           : g_strdup ("the signatures differ");
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
  problem = problem != NULL ? problem : judge_made_forms (scan, tree);
  problem = problem != NULL ? problem : judge_head (scan, tree);
  return problem != NULL ? problem : judge_rest (rest, tree, table);
}

char *
scan_oracle_disagreement (const char *text, gsize length, const char *table, ScanVerdict *verdict)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (text, length);
  g_autoptr (json_t) tree = rb_json_parse (bytes, G_MAXSIZE, "tree", NULL);
  g_autoptr (RbScan) scan = rb_scan_new (bytes, table, &error);
  *verdict = scan != NULL ? SCAN_READS : SCAN_REFUSES;
  if (scan != NULL)
    return judge_read (scan, bytes, tree, table);
  if (error != NULL && json_is_object (json_object_get (tree, "signed")))
    return g_strdup_printf ("refused (%s), but jansson takes it", error->message);
  return NULL;
}
