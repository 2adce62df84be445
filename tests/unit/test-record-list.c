/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "record-list.h"

/* A copy of the model, kept by its signals alone. */
typedef struct
{
  GListModel *model;
  GPtrArray *items;
  guint signals;
} Mirror;

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, gpointer user_data)
{
  Mirror *mirror = user_data;

  mirror->signals++;
  g_assert_cmpuint (position + removed, <=, mirror->items->len);
  if (removed > 0)
    g_ptr_array_remove_range (mirror->items, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (mirror->items, (int) (position + i), g_list_model_get_item (model, position + i));
  g_assert_cmpuint (mirror->items->len, ==, g_list_model_get_n_items (model));
}

static void
mirror_init (Mirror *mirror, VeilRecordList *list)
{
  mirror->model = G_LIST_MODEL (list);
  mirror->items = g_ptr_array_new_with_free_func (g_object_unref);
  mirror->signals = 0;
  g_signal_connect (list, "items-changed", G_CALLBACK (on_items_changed), mirror);
}

static void
mirror_assert_same (Mirror *mirror)
{
  guint n = g_list_model_get_n_items (mirror->model);

  g_assert_cmpuint (mirror->items->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (VeilRecord) record = g_list_model_get_item (mirror->model, i);

      g_assert_true (mirror->items->pdata[i] == (gpointer) record);
    }
  g_assert_null (g_list_model_get_item (mirror->model, n));
  g_assert_null (g_list_model_get_item (mirror->model, G_MAXUINT));
}

static void
add (VeilRecordList *list, gboolean ended)
{
  g_autoptr (VeilRecord) record = veil_record_new ();

  veil_record_list_add (list, record);
  if (ended)
    veil_record_fail (record, 400, "x", NULL, 0, "x");
}

static guint64
get_id (VeilRecordList *list, guint position)
{
  g_autoptr (VeilRecord) record = g_list_model_get_item (G_LIST_MODEL (list), position);

  return veil_record_get_id (record);
}

static void
test_order (void)
{
  g_autoptr (VeilRecordList) list = veil_record_list_new (3);
  Mirror mirror;

  mirror_init (&mirror, list);
  g_assert_true (g_list_model_get_item_type (G_LIST_MODEL (list)) == VEIL_TYPE_RECORD);
  mirror_assert_same (&mirror);
  for (guint64 i = 1; i <= 10; i++)
    {
      add (list, TRUE);
      mirror_assert_same (&mirror);
      g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, MIN (i, 3));
      g_assert_cmpuint (get_id (list, 0), ==, i);
      g_assert_cmpuint (get_id (list, (guint) MIN (i, 3) - 1), ==, i > 3 ? i - 2 : 1);
    }
  /* One for each that came, one for each that made room. */
  g_assert_cmpuint (mirror.signals, ==, 17);
  g_assert_cmpuint (veil_record_get_id (veil_record_list_find (list, 9)), ==, 9);
  g_assert_null (veil_record_list_find (list, 7));
  g_assert_null (veil_record_list_find (list, 11));
  g_ptr_array_unref (mirror.items);
}

/* Who made room is let go, and who still writes to it may. */
static void
test_lifetime (void)
{
  VeilRecordList *list = veil_record_list_new (1);
  VeilRecord *record = veil_record_new ();

  veil_record_list_add (list, record);
  add (list, TRUE);
  veil_record_fail (record, 400, "x", NULL, 0, "x");
  g_assert_finalize_object (record);
  record = veil_record_new ();
  veil_record_list_add (list, record);
  g_assert_finalize_object (list);
  g_assert_finalize_object (record);
}

static void
test_capacity (void)
{
  static const guint cases[][2] = { { 0, VEIL_RECORD_LIST_DEFAULT },
                                    { 1, 1 },
                                    { VEIL_RECORD_LIST_MAX, VEIL_RECORD_LIST_MAX },
                                    { VEIL_RECORD_LIST_MAX + 1, VEIL_RECORD_LIST_MAX },
                                    { G_MAXUINT, VEIL_RECORD_LIST_MAX } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VeilRecordList) list = veil_record_list_new (cases[i][0]);

      g_assert_cmpuint (veil_record_list_get_capacity (list), ==, cases[i][1]);
    }
}

static void
test_clear (void)
{
  g_autoptr (VeilRecordList) list = veil_record_list_new (5);
  Mirror mirror;

  mirror_init (&mirror, list);
  veil_record_list_clear (list);
  g_assert_cmpuint (mirror.signals, ==, 0);
  for (guint i = 0; i < 8; i++)
    add (list, i % 2 == 0);
  mirror_assert_same (&mirror);
  veil_record_list_clear (list);
  mirror_assert_same (&mirror);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 3);
  g_assert_cmpuint (get_id (list, 0), ==, 8);
  g_assert_cmpuint (get_id (list, 1), ==, 6);
  g_assert_cmpuint (get_id (list, 2), ==, 4);
  /* Ids are not used again. */
  add (list, TRUE);
  mirror_assert_same (&mirror);
  g_assert_cmpuint (get_id (list, 0), ==, 9);
  g_ptr_array_unref (mirror.items);
}

/* Seconds of this thread's own work, so that others on the machine do not count. */
static double
measure_adding (VeilRecordList *list, guint n)
{
  struct timespec before, after;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &before);
  for (guint i = 0; i < n; i++)
    add (list, FALSE);
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &after);
  return (double) (after.tv_sec - before.tv_sec) + (double) (after.tv_nsec - before.tv_nsec) / 1e9;
}

/* The best of a few: to add to a full list of ten thousand takes no longer than to add to one of ten. A list that moved its rows would take hundreds of times as
 * long. */
static void
test_constant_time (void)
{
  double small = G_MAXDOUBLE, large = G_MAXDOUBLE;

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (VeilRecordList) few = veil_record_list_new (10);
      g_autoptr (VeilRecordList) many = veil_record_list_new (VEIL_RECORD_LIST_MAX);

      measure_adding (few, 10);
      measure_adding (many, VEIL_RECORD_LIST_MAX);
      small = MIN (small, measure_adding (few, 2000));
      large = MIN (large, measure_adding (many, 2000));
    }
  g_test_message ("%.0f ns and %.0f ns", small / 2000 * 1e9, large / 2000 * 1e9);
  g_assert_cmpfloat (large, <, 10 * small);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record-list/order", test_order);
  g_test_add_func ("/record-list/lifetime", test_lifetime);
  g_test_add_func ("/record-list/capacity", test_capacity);
  g_test_add_func ("/record-list/clear", test_clear);
  g_test_add_func ("/record-list/constant-time", test_constant_time);
  return g_test_run ();
}
