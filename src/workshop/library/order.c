/* SPDX-License-Identifier: Apache-2.0 */
#include "library/order.h"

#include <string.h>

static gboolean
names (GStrv ids, RbContents *of, RbContents *other)
{
  return ids != NULL && g_strcmp0 (rb_contents_anchor (of), rb_contents_anchor (other)) == 0
         && g_strv_contains ((const char *const *) ids, rb_contents_campaign (other)->id);
}

static gboolean
comes_after (RbContents *campaign, RbContents *before)
{
  return names (rb_contents_campaign (campaign)->after, campaign, before);
}

/* depth bounds a circle: no path is longer than the list. */
static gboolean
reaches (GPtrArray *campaigns, RbContents *before, RbContents *campaign, guint depth)
{
  if (comes_after (campaign, before))
    return TRUE;
  for (guint i = 0; depth > 0 && i < campaigns->len; i++)
    if (comes_after (campaign, campaigns->pdata[i]) && reaches (campaigns, before, campaigns->pdata[i], depth - 1))
      return TRUE;
  return FALSE;
}

gboolean
rb_order_is_before (GPtrArray *campaigns, RbContents *before, RbContents *campaign)
{
  return reaches (campaigns, before, campaign, campaigns->len);
}

RbContents *
rb_order_superseded_by (GPtrArray *campaigns, RbContents *campaign)
{
  for (guint i = 0; i < campaigns->len; i++)
    if (names (rb_contents_campaign (campaigns->pdata[i])->supersedes, campaigns->pdata[i], campaign))
      return campaigns->pdata[i];
  return NULL;
}

/* An ECU that both change; NULL: none. Borrowed. */
static const char *
shared_ecu (RbContents *one, RbContents *other)
{
  const GPtrArray *ecus = rb_contents_campaign (one)->ecus;
  for (guint i = 0; i < ecus->len; i++) {
    const char *hardware_id = ((const RbCampaignEcu *) ecus->pdata[i])->hardware_id;
    if (rb_campaign_ecu (rb_contents_campaign (other), hardware_id) != NULL)
      return hardware_id;
  }
  return NULL;
}

static gboolean
check_pair (GPtrArray *campaigns, RbContents *one, RbContents *other, GError **error)
{
  const char *hardware_id = shared_ecu (one, other), *a = rb_contents_campaign (one)->id,
             *b = rb_contents_campaign (other)->id;
  gboolean before = rb_order_is_before (campaigns, one, other), after = rb_order_is_before (campaigns, other, one);
  if (before && after)
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGNS_CONFLICT,
                           "campaigns %s and %s: each comes after the other", a, b);
  if (hardware_id == NULL || before || after)
    return TRUE;
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGNS_CONFLICT,
                         "campaigns %s and %s: both change ECUs of hardware %s, and neither comes after the other", a,
                         b, hardware_id);
}

/* Two that supersede each other leave none: that is no order either. */
static gboolean
check_superseded (GPtrArray *campaigns, RbContents *campaign, GError **error)
{
  RbContents *by = rb_order_superseded_by (campaigns, campaign);
  if (by == NULL || !names (rb_contents_campaign (campaign)->supersedes, campaign, by))
    return TRUE;
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGNS_CONFLICT,
                         "campaigns %s and %s: each supersedes the other", rb_contents_campaign (campaign)->id,
                         rb_contents_campaign (by)->id);
}

/* Those whose place no other takes. */
static GPtrArray *
standing (GPtrArray *campaigns)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_contents_unref);
  for (guint i = 0; i < campaigns->len; i++)
    if (rb_order_superseded_by (campaigns, campaigns->pdata[i]) == NULL)
      g_ptr_array_add (list, rb_contents_ref (campaigns->pdata[i]));
  return list;
}

gboolean
rb_order_check (GPtrArray *campaigns, GError **error)
{
  g_autoptr (GPtrArray) list = standing (campaigns);
  for (guint i = 0; i < campaigns->len; i++)
    if (!check_superseded (campaigns, campaigns->pdata[i], error))
      return FALSE;
  for (guint i = 0; i < list->len; i++)
    for (guint j = i + 1; j < list->len; j++)
      if (!check_pair (campaigns, list->pdata[i], list->pdata[j], error))
        return FALSE;
  return TRUE;
}

static int
compare_issues (gconstpointer a, gconstpointer b)
{
  const RbCampaign *one = rb_contents_campaign (*(RbContents *const *) a),
                   *other = rb_contents_campaign (*(RbContents *const *) b);
  return one->issued != other->issued ? (one->issued < other->issued ? -1 : 1) : strcmp (one->id, other->id);
}

static gboolean
is_next (GPtrArray *campaigns, GPtrArray *left, RbContents *campaign)
{
  for (guint i = 0; i < left->len; i++)
    if (left->pdata[i] != campaign && rb_order_is_before (campaigns, left->pdata[i], campaign))
      return FALSE;
  return TRUE;
}

GPtrArray *
rb_order_sort (GPtrArray *campaigns)
{
  g_autoptr (GPtrArray) left = standing (campaigns);
  GPtrArray *sorted = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_contents_unref);
  g_ptr_array_sort (left, compare_issues);
  while (left->len > 0) {
    guint next = 0;
    while (next + 1 < left->len && !is_next (campaigns, left, left->pdata[next]))
      next++;
    g_ptr_array_add (sorted, rb_contents_ref (left->pdata[next]));
    g_ptr_array_remove_index (left, next);
  }
  return sorted;
}
