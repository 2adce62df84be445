/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "selection.h"
#include "veil-error.h"

#include <string.h>

#define SECOND G_TIME_SPAN_SECOND
#define START (1000 * SECOND)

static VeilTee *
new_tee (const char *id, const char *pcr, guint8 key, const char *unusable)
{
  VeilTee *tee = veil_tee_new ();

  tee->id = g_strdup (id);
  tee->endpoint = g_strdup ("https://tee.example");
  tee->pcr_hash = g_strdup (pcr);
  tee->ohttp_key.public_key[0] = key;
  tee->unusable = g_strdup (unusable);
  return tee;
}

/* Ends with NULL. Takes the records over. */
static GPtrArray *
new_list (VeilTee *first, ...)
{
  GPtrArray *tees = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_tee_unref);
  va_list rest;

  va_start (rest, first);
  for (VeilTee *tee = first; tee != NULL; tee = va_arg (rest, VeilTee *))
    g_ptr_array_add (tees, tee);
  va_end (rest);
  return tees;
}

static VeilSelection *
new_selection_abc (void)
{
  VeilSelection *self = veil_selection_new ();
  g_autoptr (GPtrArray) tees =
      new_list (new_tee ("0xa", "0x1", 1, NULL), new_tee ("0xb", "0x1", 2, NULL), new_tee ("0xc", "0x2", 3, NULL), NULL);

  veil_selection_set_tees (self, tees);
  return self;
}

/* The id of the choice; owned by the selection's list. */
static const char *
choose (VeilSelection *self, const char *avoid, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilTee) tee = veil_selection_choose (self, avoid, now, &error);

  g_assert_no_error (error);
  g_assert_true (tee == veil_selection_get_current (self));
  return tee->id;
}

static void
assert_refused (VeilSelection *self, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (veil_selection_choose (self, NULL, START, &error));
  g_assert_error (error, VEIL_ERROR, code);
}

static void
test_random_and_sticky (void)
{
  guint seen[3] = { 0 };

  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (VeilSelection) self = new_selection_abc ();
      const char *id = choose (self, NULL, START);

      seen[id[2] - 'a']++;
      for (guint again = 0; again < 5; again++)
        g_assert_cmpstr (choose (self, NULL, START + again * SECOND), ==, id);
    }
  /* A fair choice misses these bounds once in 10^12 runs. */
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (seen[i], >, 40);
}

static void
test_states (void)
{
  g_autoptr (VeilSelection) self = veil_selection_new ();
  g_autoptr (GPtrArray) none = new_list (NULL);
  g_autoptr (GPtrArray) unusable = new_list (new_tee ("0xa", "0x1", 1, "bad key"), NULL);
  g_autoptr (GPtrArray) mixed = new_list (new_tee ("0xa", "0x1", 1, "bad key"), new_tee ("0xb", "0x2", 1, NULL), NULL);
  const char *pins[] = { "0x1", "0x3", NULL };
  const char *no_pins[] = { NULL };

  g_assert_false (veil_selection_has_tees (self));
  assert_refused (self, VEIL_ERROR_REGISTRY);
  veil_selection_set_tees (self, none);
  g_assert_true (veil_selection_has_tees (self));
  assert_refused (self, VEIL_ERROR_NO_ACTIVE_TEE);
  veil_selection_set_tees (self, unusable);
  assert_refused (self, VEIL_ERROR_NO_ACTIVE_TEE);
  veil_selection_set_tees (self, mixed);
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xb");

  /* The unusable one has the pinned PCR. */
  veil_selection_set_pcr_pins (self, pins);
  assert_refused (self, VEIL_ERROR_PIN_MISMATCH);
  veil_selection_set_pcr_pins (self, no_pins);
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xb");

  veil_selection_set_tee_id (self, "0xa");
  assert_refused (self, VEIL_ERROR_PINNED_TEE_INACTIVE);
  veil_selection_set_tee_id (self, "0xz");
  assert_refused (self, VEIL_ERROR_PINNED_TEE_INACTIVE);
  veil_selection_set_tee_id (self, "0xb");
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xb");
  veil_selection_set_pcr_pins (self, pins);
  assert_refused (self, VEIL_ERROR_PIN_MISMATCH);
  g_assert_true (veil_selection_get_tees (self) == mixed);
}

static void
test_pins_hold_in_failover (void)
{
  const char *pins[] = { "0x1", NULL };

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (VeilSelection) self = new_selection_abc ();
      const char *first, *second;

      veil_selection_set_pcr_pins (self, pins);
      first = choose (self, NULL, START);
      veil_selection_report_failure (self, first, START);
      second = choose (self, first, START);
      g_assert_cmpstr (second, !=, first);
      veil_selection_report_failure (self, second, START);
      for (guint more = 0; more < 10; more++)
        g_assert_cmpstr (choose (self, second, START), ==, first);
      g_assert_cmpstr (first, !=, "0xc");
      g_assert_cmpstr (second, !=, "0xc");

      veil_selection_set_tee_id (self, "0xb");
      veil_selection_report_failure (self, "0xb", START + 100 * SECOND);
      g_assert_cmpstr (choose (self, "0xb", START + 100 * SECOND), ==, "0xb");
    }
}

/* Pins that come later win over a choice that was made before. */
static void
test_later_pins (void)
{
  g_autoptr (VeilSelection) self = new_selection_abc ();
  const char *pins[] = { "0x2", NULL };

  choose (self, NULL, START);
  veil_selection_set_pcr_pins (self, pins);
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xc");
  veil_selection_set_pcr_pins (self, NULL);
  veil_selection_set_tee_id (self, "0xa");
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xa");
}

static void
test_avoid (void)
{
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (VeilSelection) self = new_selection_abc ();
      const char *first = choose (self, NULL, START);

      /* Not even reported; and again when all others are set aside. */
      g_assert_cmpstr (choose (self, first, START), !=, first);
      veil_selection_report_failure (self, "0xa", START);
      veil_selection_report_failure (self, "0xb", START);
      g_assert_cmpstr (choose (self, "0xc", START), !=, "0xc");
      g_assert_cmpstr (choose (self, NULL, START), ==, "0xc");
    }
}

static void
test_back_off (void)
{
  g_autoptr (VeilSelection) self = veil_selection_new ();
  g_autoptr (GPtrArray) tees = new_list (new_tee ("0xa", "0x1", 1, NULL), new_tee ("0xb", "0x1", 2, NULL), NULL);
  const gint64 pauses[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300 };
  gint64 now = START;

  veil_selection_set_tees (self, tees);
  for (gsize i = 0; i < G_N_ELEMENTS (pauses); i++)
    {
      gint64 until = now + pauses[i] * SECOND;

      veil_selection_report_failure (self, "0xa", now);
      /* Others that were under way fail as well: that changes nothing. */
      veil_selection_report_failure (self, "0xa", now + SECOND / 2);
      g_assert_cmpstr (choose (self, NULL, now), ==, "0xb");
      g_assert_cmpstr (choose (self, "0xb", until - 1), ==, "0xa");

      /* With 0xb in worse health, a microsecond decides. */
      veil_selection_report_failure (self, "0xb", until - 1);
      g_assert_cmpstr (choose (self, NULL, until), ==, "0xa");
      veil_selection_report_success (self, "0xb");
      g_assert_cmpstr (choose (self, "0xa", until - 1), ==, "0xb");
      g_assert_cmpstr (choose (self, NULL, until - 1), ==, "0xb");
      now = until;
    }

  veil_selection_report_success (self, "0xa");
  veil_selection_report_failure (self, "0xa", now);
  veil_selection_report_failure (self, "0xb", now + SECOND / 2);
  g_assert_cmpstr (choose (self, NULL, now + SECOND - 1), ==, "0xa"); /* both set aside: the one whose time is up first */
  g_assert_cmpstr (choose (self, NULL, now + SECOND), ==, "0xa");     /* and healed after a second again */
}

static void
test_refresh (void)
{
  for (guint i = 0; i < 30; i++)
    {
      g_autoptr (VeilSelection) self = new_selection_abc ();
      g_autoptr (VeilTee) first = veil_selection_choose (self, NULL, START, NULL);
      g_autoptr (GPtrArray) same = new_list (new_tee ("0xd", "0x1", 9, NULL), new_tee ("0xa", "0x1", 1, NULL),
                                             new_tee ("0xb", "0x1", 2, NULL), new_tee ("0xc", "0x2", 3, NULL), NULL);
      g_autoptr (GPtrArray) rotated =
          new_list (new_tee ("0xa", "0x1", 11, NULL), new_tee ("0xb", "0x1", 12, NULL), new_tee ("0xc", "0x2", 13, NULL), NULL);
      g_autoptr (GPtrArray) others = new_list (new_tee ("0xe", "0x1", 1, NULL), NULL);

      veil_selection_set_tees (self, same);
      g_assert_cmpstr (choose (self, NULL, START), ==, first->id);
      /* The record of the new list, not the old one. */
      g_assert_true (veil_selection_get_current (self) != first);

      veil_selection_set_tees (self, rotated);
      g_assert_null (veil_selection_get_current (self));
      choose (self, NULL, START);
      g_assert_cmpuint (veil_selection_get_current (self)->ohttp_key.public_key[0], >, 10);

      veil_selection_set_tees (self, others);
      g_assert_cmpstr (choose (self, NULL, START), ==, "0xe");
    }
}

/* Failures are forgotten when the keys that may have caused them are, or the TEE is, and only then. */
static void
test_health_and_keys (void)
{
  g_autoptr (VeilSelection) self = veil_selection_new ();
  g_autoptr (GPtrArray) tees = new_list (new_tee ("0xa", "0x1", 1, NULL), new_tee ("0xb", "0x1", 2, NULL), NULL);
  g_autoptr (GPtrArray) same = new_list (new_tee ("0xa", "0x1", 1, NULL), new_tee ("0xb", "0x1", 2, NULL), NULL);
  g_autoptr (GPtrArray) rotated = new_list (new_tee ("0xa", "0x1", 7, NULL), new_tee ("0xb", "0x1", 2, NULL), NULL);
  g_autoptr (GPtrArray) without = new_list (new_tee ("0xb", "0x1", 2, NULL), NULL);

  veil_selection_set_tees (self, tees);
  veil_selection_report_failure (self, "0xa", START);
  veil_selection_set_tees (self, same);
  for (guint i = 0; i < 20; i++)
    g_assert_cmpstr (choose (self, NULL, START), ==, "0xb");
  veil_selection_set_tees (self, rotated);
  g_assert_cmpstr (choose (self, "0xb", START), ==, "0xa");
  veil_selection_report_failure (self, "0xb", START);
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xa");

  veil_selection_report_failure (self, "0xa", START);
  veil_selection_set_tees (self, without);
  veil_selection_set_tees (self, rotated);
  g_assert_cmpstr (choose (self, NULL, START), ==, "0xa");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/selection/random-and-sticky", test_random_and_sticky);
  g_test_add_func ("/selection/states", test_states);
  g_test_add_func ("/selection/pins-hold-in-failover", test_pins_hold_in_failover);
  g_test_add_func ("/selection/later-pins", test_later_pins);
  g_test_add_func ("/selection/avoid", test_avoid);
  g_test_add_func ("/selection/back-off", test_back_off);
  g_test_add_func ("/selection/refresh", test_refresh);
  g_test_add_func ("/selection/health-and-keys", test_health_and_keys);
  return g_test_run ();
}
