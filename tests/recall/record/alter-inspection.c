/* SPDX-License-Identifier: Apache-2.0 */
#include "alter.h"

#include "core/json.h"

#include <string.h>

static json_t *
items (json_t *predicate)
{
  return json_object_get (json_object_get (predicate, "inspection"), "items");
}

static void
nothing_applies (json_t *predicate)
{
  size_t i;
  json_t *item;
  json_array_foreach (items (predicate), i, item)
    rb_json_set_string (item, "result", "na");
}

static void
one_does_not_apply (json_t *predicate)
{
  rb_json_set_string (json_array_get (items (predicate), 0), "result", "na");
}

static void
skip_an_item (json_t *predicate)
{
  json_array_remove (items (predicate), 0);
}

static void
add_an_item (json_t *predicate)
{
  json_t *item = json_deep_copy (json_array_get (items (predicate), 0));
  rb_json_set_string (item, "id", "made-up");
  json_array_append_new (items (predicate), item);
}

static void
answer_twice (json_t *predicate)
{
  json_array_append_new (items (predicate), json_deep_copy (json_array_get (items (predicate), 0)));
}

static json_t *
measured (json_t *predicate)
{
  size_t i;
  json_t *item;
  json_array_foreach (items (predicate), i, item)
    if (strcmp (rb_json_string_or (item, "by", ""), "measured") == 0)
      return item;
  g_assert_not_reached ();
}

static void
measure_too_little (json_t *predicate)
{
  rb_json_set_integer (measured (predicate), "value", -1);
}

static void
measure_nothing (json_t *predicate)
{
  json_object_del (measured (predicate), "value");
}

static void
widen_the_limits (json_t *predicate)
{
  rb_json_set_integer (measured (predicate), "low", -5);
}

static void
answer_by_hand (json_t *predicate)
{
  rb_json_set_string (measured (predicate), "by", "technician");
}

static void
follow_another_checklist (json_t *predicate)
{
  rb_json_set_integer (json_object_get (predicate, "inspection"), "checklistVersion", 99);
}

const Alteration alter_inspection[] = {
  { "record-inspection", "nothing-applies", nothing_applies },
  { "record-inspection", "one-does-not-apply", one_does_not_apply },
  { "record-inspection", "skip-an-item", skip_an_item },
  { "record-inspection", "add-an-item", add_an_item },
  { "record-inspection", "answer-twice", answer_twice },
  { "record-inspection", "measure-too-little", measure_too_little },
  { "record-inspection", "measure-nothing", measure_nothing },
  { "record-inspection", "widen-the-limits", widen_the_limits },
  { "record-inspection", "answer-by-hand", answer_by_hand },
  { "record-inspection", "another-checklist", follow_another_checklist },
};

const gsize alter_inspection_length = G_N_ELEMENTS (alter_inspection);
