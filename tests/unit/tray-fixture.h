/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A session bus of the test's own, with two connections: what shows things, and what looks at them. */
#pragma once

#include <gio/gio.h>

typedef struct
{
  GTestDBus       *daemon;
  GDBusConnection *ours;
  GDBusConnection *theirs;
  GString         *heard;   /* signals that theirs received, "Name arguments;" */
  GString         *acted;   /* actions that were activated, "name target;" */
  GSimpleActionGroup *actions;
} TrayFixture;

TrayFixture *tray_fixture_new (void);
void         tray_fixture_free (TrayFixture *self);

/* A plain action, or one with state (floating, nullable). */
void         tray_fixture_add_action (TrayFixture *self, const char *name, const char *parameter_type, GVariant *state);

/* A call from theirs to ours, answered or not; the main context runs meanwhile. @arguments and result as text (GVariant's); errors as "error: NAME". */
char        *tray_fixture_call (TrayFixture *self, const char *path, const char *interface, const char *method, const char *arguments);
/* Theirs listens to what ours says from now on. */
void         tray_fixture_listen (TrayFixture *self, const char *interface);
/* Runs the main context until what was heard is this; the heard is then forgotten. */
void         tray_fixture_expect_heard (TrayFixture *self, const char *heard);

/* Runs the main context until @condition. */
#define tray_fixture_wait(condition) \
  do \
    { \
      gint64 deadline_ = g_get_monotonic_time () + 60 * G_USEC_PER_SEC; \
      guint wake_ = g_timeout_add (20, tray_fixture_wake, NULL); \
      while (!(condition) && g_get_monotonic_time () < deadline_) \
        g_main_context_iteration (NULL, TRUE); \
      g_source_remove (wake_); \
      g_assert_true (condition); \
    } \
  while (0)
gboolean tray_fixture_wake (gpointer unused);
