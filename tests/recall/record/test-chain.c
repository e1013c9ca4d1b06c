/* SPDX-License-Identifier: Apache-2.0 */
#include "record/chain.h"
#include "record/statement.h"

#include <string.h>

/* digest and previous are single digits, '0' for none */
static RbVerifyOutcome *
record (const char *stream, gint64 sequence, char digest, char previous)
{
  RbVerifyOutcome *outcome = g_new0 (RbVerifyOutcome, 1);
  outcome->workstation = g_strdup ("w");
  outcome->stream = g_strdup (stream);
  outcome->sequence = sequence;
  outcome->digest = g_strnfill (64, digest);
  outcome->previous = g_strnfill (64, previous);
  return outcome;
}

static GPtrArray *
pile (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
}

static guint
count_denied (GPtrArray *outcomes)
{
  guint n = 0;
  for (guint i = 0; i < outcomes->len; i++)
    n += ((RbVerifyOutcome *) outcomes->pdata[i])->reason == RB_REASON_RECORD_SEQUENCE;
  return n;
}

static void
test_whole (void)
{
  g_autoptr (GPtrArray) outcomes = pile ();
  g_ptr_array_add (outcomes, record ("s", 3, 'c', 'b'));
  g_ptr_array_add (outcomes, record ("s", 1, 'a', '0'));
  g_ptr_array_add (outcomes, record ("t", 1, 'd', '0'));
  g_ptr_array_add (outcomes, record ("s", 2, 'b', 'a'));
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  g_assert_cmpuint (gaps->len, ==, 0);
  g_assert_cmpuint (count_denied (outcomes), ==, 0);
  g_assert_true (((RbVerifyOutcome *) outcomes->pdata[0])->sequence_checked);
  g_assert_true (((RbVerifyOutcome *) outcomes->pdata[1])->sequence_checked);
  g_assert_false (((RbVerifyOutcome *) outcomes->pdata[2])->sequence_checked);
}

static void
test_gaps (void)
{
  g_autoptr (GPtrArray) outcomes = pile ();
  g_ptr_array_add (outcomes, record ("s", 2, 'b', 'a'));
  g_ptr_array_add (outcomes, record ("s", 5, 'e', 'd'));
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  g_assert_cmpuint (gaps->len, ==, 2);
  g_assert_cmpuint (count_denied (outcomes), ==, 0);
  const RbChainGap *start = gaps->pdata[0], *hole = gaps->pdata[1];
  g_assert_cmpint (start->after, ==, 0);
  g_assert_cmpint (start->before, ==, 2);
  g_assert_cmpint (hole->after, ==, 2);
  g_assert_cmpint (hole->before, ==, 5);
  g_autofree char *text = rb_chain_gap_text (hole);
  g_autofree char *start_text = rb_chain_gap_text (start);
  g_assert_nonnull (strstr (text, "between records 2 and 5"));
  g_assert_nonnull (strstr (start_text, "begins with record 2"));
}

static void
test_fork (void)
{
  g_autoptr (GPtrArray) outcomes = pile ();
  g_ptr_array_add (outcomes, record ("s", 1, 'a', '0'));
  g_ptr_array_add (outcomes, record ("s", 2, 'b', 'a'));
  g_ptr_array_add (outcomes, record ("s", 2, 'c', 'a'));
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  g_assert_cmpuint (gaps->len, ==, 0);
  g_assert_cmpuint (count_denied (outcomes), ==, 2);
  g_assert_cmpint (((RbVerifyOutcome *) outcomes->pdata[0])->reason, ==, RB_REASON_NONE);
}

static void
test_wrong_predecessor (void)
{
  g_autoptr (GPtrArray) outcomes = pile ();
  g_ptr_array_add (outcomes, record ("s", 1, 'a', '0'));
  g_ptr_array_add (outcomes, record ("s", 2, 'b', 'f'));
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  g_assert_cmpuint (gaps->len, ==, 0);
  g_assert_cmpuint (count_denied (outcomes), ==, 1);
  g_assert_cmpint (((RbVerifyOutcome *) outcomes->pdata[1])->reason, ==, RB_REASON_RECORD_SEQUENCE);
}

static void
test_wrong_beginning (void)
{
  g_autoptr (GPtrArray) outcomes = pile ();
  g_ptr_array_add (outcomes, record ("s", 1, 'a', 'f'));
  g_ptr_array_add (outcomes, record ("t", 2, 'b', '0'));
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  g_assert_cmpuint (gaps->len, ==, 1);
  g_assert_cmpuint (count_denied (outcomes), ==, 2);
}

/* The same record in two files is one; a record with another fault neither helps nor harms. */
static void
test_left_out (void)
{
  g_autoptr (GPtrArray) outcomes = pile ();
  g_ptr_array_add (outcomes, record ("s", 1, 'a', '0'));
  g_ptr_array_add (outcomes, record ("s", 1, 'a', '0'));
  g_ptr_array_add (outcomes, record ("s", 1, 'b', '0'));
  rb_outcome_deny (outcomes->pdata[2], RB_REASON_RECORD_SIGNATURE, "forged");
  g_autoptr (GPtrArray) gaps = rb_chain_check (outcomes);
  g_assert_cmpuint (gaps->len, ==, 0);
  g_assert_cmpuint (count_denied (outcomes), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/whole", test_whole);
  g_test_add_func ("/chain/gaps", test_gaps);
  g_test_add_func ("/chain/fork", test_fork);
  g_test_add_func ("/chain/wrong-predecessor", test_wrong_predecessor);
  g_test_add_func ("/chain/wrong-beginning", test_wrong_beginning);
  g_test_add_func ("/chain/left-out", test_left_out);
  return g_test_run ();
}
