/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A menu over D-Bus: what others see of it, what a click does, and what nonsense gets. */
#include "tray-fixture.h"
#include "tray-menu.h"

#include <string.h>

#define PATH "/Menu"
#define INTERFACE "com.canonical.dbusmenu"
#define INVALID "error: org.freedesktop.DBus.Error.InvalidArgs"
#define TOO_MUCH "error: org.freedesktop.DBus.Error.LimitsExceeded"

typedef struct
{
  TrayFixture *bus;
  GMenu *top;
  GMenu *choices; /* the submenu */
  VeilTrayMenu *menu;
} Fixture;

/*
 * 1 Idle (text)                                5 Enclave >
 * 2 ----                                         6 (o) Automatic
 * 3 _Open                                        7 ( ) a__b
 * 4 [x] On                                     8 ---- 9 Quit
 */
static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GMenu) first = g_menu_new ();
  g_autoptr (GMenu) last = g_menu_new ();
  g_autoptr (GMenuItem) open = g_menu_item_new ("_Open", "app.open");
  g_autoptr (GIcon) icon = g_themed_icon_new ("document-open");
  g_autoptr (GError) error = NULL;

  self->bus = tray_fixture_new ();
  tray_fixture_add_action (self->bus, "open", NULL, NULL);
  tray_fixture_add_action (self->bus, "on", NULL, g_variant_new_boolean (TRUE));
  tray_fixture_add_action (self->bus, "tee", "s", g_variant_new_string (""));
  tray_fixture_add_action (self->bus, "quit", NULL, NULL);

  self->top = g_menu_new ();
  self->choices = g_menu_new ();
  g_menu_append (self->top, "Idle", NULL);
  g_menu_item_set_icon (open, icon);
  g_menu_append_item (first, open);
  g_menu_append (first, "On", "app.on");
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (first));
  g_menu_append_submenu (first, "Enclave", G_MENU_MODEL (self->choices));
  g_menu_append (self->choices, "Automatic", "app.tee::");
  g_menu_append (self->choices, "a__b", "app.tee::0xab");
  g_menu_append (last, "Quit", "app.quit");
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (last));
  self->menu = veil_tray_menu_new (G_MENU_MODEL (self->top), G_ACTION_GROUP (self->bus->actions), "app");
  veil_tray_menu_export (self->menu, self->bus->ours, PATH, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  veil_tray_menu_unexport (self->menu);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (self->menu);
  g_assert_finalize_object (self->top);
  g_assert_finalize_object (self->choices);
  tray_fixture_free (self->bus);
}

static char *
call (Fixture *self, const char *method, const char *arguments)
{
  return tray_fixture_call (self->bus, PATH, INTERFACE, method, arguments);
}

static void
expect (Fixture *self, const char *method, const char *arguments, const char *answer)
{
  g_autofree char *got = call (self, method, arguments);

  g_assert_cmpstr (got, ==, answer);
}

/* The answer says this somewhere. */
static void
expect_in (Fixture *self, const char *method, const char *arguments, const char *part)
{
  g_autofree char *got = call (self, method, arguments);

  if (strstr (got, part) == NULL)
    g_error ("%s %s: no \"%s\" in %s", method, arguments, part, got);
}

static void
test_layout (Fixture *self, gconstpointer data)
{
  expect (self, "GetLayout", "(0, -1, ['label', 'type'])",
          "(1, (0, {}, [<(1, {'label': <'Idle'>}, [])>, <(2, {'type': <'separator'>}, [])>, <(3, {'label': <'_Open'>}, [])>, "
          "<(4, {'label': <'On'>}, [])>, <(5, {'label': <'Enclave'>}, [<(6, {'label': <'Automatic'>}, [])>, "
          "<(7, {'label': <'a__b'>}, [])>])>, <(8, {'type': <'separator'>}, [])>, <(9, {'label': <'Quit'>}, [])>]))");
  expect (self, "GetLayout", "(0, 0, ['label'])", "(1, (0, {}, []))");
  expect_in (self, "GetLayout", "(0, 1, ['label'])", "(5, {'label': <'Enclave'>}, [])");
  expect (self, "GetLayout", "(5, 2147483647, ['toggle-state'])",
          "(1, (5, {}, [<(6, {'toggle-state': <1>}, [])>, <(7, {'toggle-state': <0>}, [])>]))");
  expect (self, "GetLayout", "(0, 0, @as [])", "(1, (0, {'children-display': <'submenu'>}, []))");
}

static void
test_properties (Fixture *self, gconstpointer data)
{
  expect (self, "GetGroupProperties", "([1, 9, 1, 77], ['label', 'enabled'])",
          "([(1, {'enabled': <false>, 'label': <'Idle'>}), (9, {'label': <'Quit'>})],)");
  expect (self, "GetProperty", "(3, 'icon-name')", "(<'document-open'>,)");
  expect (self, "GetProperty", "(3, 'enabled')", "(<true>,)");
  expect (self, "GetProperty", "(4, 'toggle-type')", "(<'checkmark'>,)");
  expect (self, "GetProperty", "(4, 'toggle-state')", "(<1>,)");
  expect (self, "GetProperty", "(6, 'toggle-type')", "(<'radio'>,)");
  expect (self, "GetProperty", "(5, 'children-display')", "(<'submenu'>,)");
  /* All of them, if none is named. */
  for (int id = 0; id <= 9; id++)
    {
      g_autofree char *part = g_strdup_printf ("(%d, {", id);
      expect_in (self, "GetGroupProperties", "(@ai [], ['type', 'children-display', 'label'])", part);
    }
}

static void
test_clicks (Fixture *self, gconstpointer data)
{
  expect (self, "Event", "(3, 'clicked', <''>, uint32 0)", "()");
  expect (self, "Event", "(7, 'clicked', <0>, uint32 0)", "()");
  expect (self, "Event", "(9, 'hovered', <0>, uint32 0)", "()");
  /* What cannot be clicked. */
  expect (self, "Event", "(0, 'clicked', <0>, uint32 0)", "()");
  expect (self, "Event", "(1, 'clicked', <0>, uint32 0)", "()");
  expect (self, "Event", "(2, 'clicked', <0>, uint32 0)", "()");
  expect (self, "Event", "(5, 'clicked', <0>, uint32 0)", "()");
  g_assert_cmpstr (self->bus->acted->str, ==, "open ;tee '0xab';");

  g_string_truncate (self->bus->acted, 0);
  expect (self, "EventGroup",
          "([(4, 'clicked', <0>, uint32 0), (99, 'clicked', <0>, 0), (9, 'clicked', <0>, 0), (9, 'closed', <0>, 0)],)", "([99],)");
  g_assert_cmpstr (self->bus->acted->str, ==, "on ;quit ;");
  expect (self, "EventGroup", "(@a(isvu) [],)", "([],)");
}

/* An action that is off, gone or of another type is shown insensitive, and a click that was on its way does nothing. */
static void
test_insensitive (Fixture *self, gconstpointer data)
{
  GAction *open = g_action_map_lookup_action (G_ACTION_MAP (self->bus->actions), "open");

  tray_fixture_listen (self->bus, INTERFACE);
  g_simple_action_set_enabled (G_SIMPLE_ACTION (open), FALSE);
  expect (self, "Event", "(3, 'clicked', <0>, uint32 0)", "()");
  tray_fixture_expect_heard (self->bus, "ItemsPropertiesUpdated ([(3, {'enabled': <false>})], []);");
  g_simple_action_set_enabled (G_SIMPLE_ACTION (open), TRUE);
  tray_fixture_expect_heard (self->bus, "ItemsPropertiesUpdated ([], [(3, ['enabled'])]);");
  g_action_map_remove_action (G_ACTION_MAP (self->bus->actions), "open");
  expect (self, "Event", "(3, 'clicked', <0>, uint32 0)", "()");
  tray_fixture_expect_heard (self->bus, "ItemsPropertiesUpdated ([(3, {'enabled': <false>})], []);");
  tray_fixture_add_action (self->bus, "open", "s", NULL);
  expect (self, "Event", "(3, 'clicked', <0>, uint32 0)", "()");
  expect (self, "GetProperty", "(3, 'enabled')", "(<false>,)");
  g_assert_cmpstr (self->bus->acted->str, ==, "");
}

static void
test_state (Fixture *self, gconstpointer data)
{
  tray_fixture_listen (self->bus, INTERFACE);
  g_action_group_change_action_state (G_ACTION_GROUP (self->bus->actions), "on", g_variant_new_boolean (FALSE));
  tray_fixture_expect_heard (self->bus, "ItemsPropertiesUpdated ([(4, {'toggle-state': <0>})], []);");
  expect (self, "GetProperty", "(4, 'toggle-state')", "(<0>,)");
  g_action_group_change_action_state (G_ACTION_GROUP (self->bus->actions), "tee", g_variant_new_string ("0xab"));
  tray_fixture_wait (self->bus->heard->len > 0);
  expect (self, "GetLayout", "(5, -1, ['toggle-state'])",
          "(1, (5, {}, [<(6, {'toggle-state': <0>}, [])>, <(7, {'toggle-state': <1>}, [])>]))");
}

/* Numbers stay with what they mean; what is new gets new ones, and the old ones are never given to something else. */
static void
test_changes (Fixture *self, gconstpointer data)
{
  tray_fixture_listen (self->bus, INTERFACE);
  g_menu_remove (self->choices, 1);
  g_menu_insert (self->choices, 0, "c", "app.tee::0xcd");
  tray_fixture_expect_heard (self->bus, "LayoutUpdated (2, 0);");
  expect (self, "GetLayout", "(5, -1, ['label'])",
          "(2, (5, {'label': <'Enclave'>}, [<(10, {'label': <'c'>}, [])>, <(6, {'label': <'Automatic'>}, [])>]))");
  expect (self, "Event", "(7, 'clicked', <0>, uint32 0)", INVALID);
  expect (self, "Event", "(10, 'clicked', <0>, uint32 0)", "()");
  g_assert_cmpstr (self->bus->acted->str, ==, "tee '0xcd';");

  /* The same thing with another label is the same thing. */
  g_menu_remove (self->top, 0);
  g_menu_insert (self->top, 0, "Busy", NULL);
  tray_fixture_expect_heard (self->bus, "ItemsPropertiesUpdated ([(1, {'label': <'Busy'>})], []);");
  expect_in (self, "GetLayout", "(0, 0, ['label'])", "(2, ");

  /* Who is about to show the menu gets what changed a moment ago. */
  g_menu_append (self->choices, "d", "app.tee::0xde");
  expect (self, "AboutToShow", "(5,)", "(true,)");
  tray_fixture_expect_heard (self->bus, "LayoutUpdated (3, 0);");
  expect_in (self, "GetLayout", "(0, 1, ['label'])", "(3, ");
  expect (self, "AboutToShow", "(5,)", "(false,)");
  expect (self, "AboutToShowGroup", "([0, 5, 7],)", "([], [7])");
  g_menu_remove (self->choices, 0);
  expect (self, "AboutToShowGroup", "([0, 5, 7],)", "([0, 5], [7])");
}

static void
test_hidden (Fixture *self, gconstpointer data)
{
  g_autoptr (GMenuItem) missing = g_menu_item_new ("Missing", "app.missing");
  g_autoptr (GMenuItem) disabled = g_menu_item_new ("Disabled", "app.open");

  g_menu_item_set_attribute (missing, "hidden-when", "s", "action-missing");
  g_menu_item_set_attribute (disabled, "hidden-when", "s", "action-disabled");
  g_menu_remove_all (self->top);
  g_menu_append_item (self->top, missing);
  g_menu_append_item (self->top, disabled);
  expect (self, "AboutToShow", "(0,)", "(true,)");
  expect (self, "GetLayout", "(0, -1, ['label'])", "(2, (0, {}, [<(3, {'label': <'Disabled'>}, [])>]))");
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self->bus->actions), "open")), FALSE);
  expect (self, "AboutToShow", "(0,)", "(true,)");
  expect (self, "GetLayout", "(0, -1, ['label'])", "(3, (0, {}, []))");
}

/* Sections that are empty, or in each other, make no separators of their own. */
static void
test_separators (Fixture *self, gconstpointer data)
{
  g_autoptr (GMenu) empty = g_menu_new ();
  g_autoptr (GMenu) outer = g_menu_new ();
  g_autoptr (GMenu) inner = g_menu_new ();

  g_menu_remove_all (self->top);
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (empty));
  g_menu_append_section (outer, NULL, G_MENU_MODEL (inner));
  g_menu_append (inner, "A", NULL);
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (outer));
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (empty));
  g_menu_append (self->top, "B", NULL);
  g_menu_append_section (self->top, "Title", G_MENU_MODEL (empty));
  expect (self, "AboutToShow", "(0,)", "(true,)");
  expect_in (self, "GetLayout", "(0, -1, ['label', 'type'])",
             "{'label': <'A'>}, [])>, <(2, {'type': <'separator'>}, [])>, <(10, {'label': <'B'>}, [])>, "
             "<(8, {'type': <'separator'>}, [])>, <(11, {'label': <'Title'>}, [])>]))");
}

static void
test_nonsense (Fixture *self, gconstpointer data)
{
  static const struct
  {
    const char *method;
    const char *arguments;
    const char *answer;
  } cases[] = {
    { "GetLayout", "(77, -1, @as [])", INVALID },
    { "GetLayout", "(-1, -1, @as [])", INVALID },
    { "GetLayout", "(-2147483648, -1, @as [])", INVALID },
    { "GetLayout", "(0, -2, @as [])", INVALID },
    { "GetLayout", "(0, -2147483648, @as [])", INVALID },
    { "GetLayout", "('0', -1, @as [])", INVALID },
    { "GetLayout", "(0, -1)", INVALID },
    { "GetLayout", NULL, INVALID },
    { "GetGroupProperties", "(['0'], @as [])", INVALID },
    { "GetGroupProperties", "([-1, 77], @as [])", "([],)" },
    { "GetProperty", "(77, 'label')", INVALID },
    { "GetProperty", "(3, 'no such thing')", INVALID },
    { "GetProperty", "(3, '')", INVALID },
    { "Event", "(77, 'clicked', <0>, uint32 0)", INVALID },
    { "Event", "(-1, 'clicked', <0>, uint32 0)", INVALID },
    { "Event", "(3, 'clicked', 0, uint32 0)", INVALID },
    { "Event", "(9, '', <0>, uint32 0)", "()" },
    { "Event", "(9, 'x-other', <[<[<0>]>]>, uint32 0)", "()" },
    { "EventGroup", "([(77, 'clicked', <0>, uint32 0)],)", INVALID },
    { "EventGroup", "([77],)", INVALID },
    { "AboutToShow", "(77,)", INVALID },
    { "AboutToShowGroup", "([77, -1],)", INVALID },
    { "AboutToShowGroup", "(@ai [],)", "([], [])" },
    { "Quit", NULL, "error: org.freedesktop.DBus.Error.UnknownMethod" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    expect (self, cases[i].method, cases[i].arguments, cases[i].answer);
  g_assert_cmpstr (self->bus->acted->str, ==, "");
}

static char *
repeat (const char *before, const char *part, guint times, const char *after)
{
  GString *text = g_string_new (before);

  for (guint i = 0; i < times; i++)
    g_string_append (text, part);
  g_string_append (text, after);
  return g_string_free (text, FALSE);
}

static void
test_too_much (Fixture *self, gconstpointer data)
{
  g_autofree char *names = repeat ("(0, -1, ['label'", ",'label'", 100, "])");
  g_autofree char *group_names = repeat ("([0], ['label'", ",'label'", 100, "])");
  g_autofree char *ids = repeat ("([0", ",3", 10000, "], @as [])");
  g_autofree char *shown = repeat ("([0", ",3", 10000, "],)");
  g_autofree char *events = repeat ("([(3, 'clicked', <0>, uint32 0)", ",(3,'clicked',<0>,0)", 10000, "],)");

  expect (self, "GetLayout", names, TOO_MUCH);
  expect (self, "GetGroupProperties", group_names, TOO_MUCH);
  expect (self, "GetGroupProperties", ids, TOO_MUCH);
  expect (self, "AboutToShowGroup", shown, TOO_MUCH);
  expect (self, "EventGroup", events, TOO_MUCH);
  g_assert_cmpstr (self->bus->acted->str, ==, "");
}

/* A menu that contains itself, or is endless, is cut. */
static void
test_endless (void)
{
  g_autoptr (GSimpleActionGroup) actions = g_simple_action_group_new ();
  g_autoptr (GMenu) self_containing = g_menu_new ();
  g_autoptr (VeilTrayMenu) menu = NULL;

  for (guint i = 0; i < 3000; i++)
    g_menu_append (self_containing, "x", "app.x");
  g_menu_append_submenu (self_containing, "again", G_MENU_MODEL (self_containing));
  g_menu_prepend_submenu (self_containing, "again", G_MENU_MODEL (self_containing));
  menu = veil_tray_menu_new (G_MENU_MODEL (self_containing), G_ACTION_GROUP (actions), "app");
  g_assert_nonnull (menu);
  g_menu_remove_all (self_containing);
}

static void
test_escape (void)
{
  static const char *const cases[][2] = {
    { "plain", "plain" },
    { "a_b", "a__b" },
    { "__", "____" },
    { "two\nlines\t\x1b[1m", "two lines  [1m" },
    { "", "" },
    { "a\xe2\x80\xae"
      "b",
      "a b" },
    { "\xff", "\xef\xbf\xbd" },
  };
  g_autofree char *long_text = g_strnfill (1000, 'a');
  g_autofree char *cut = veil_tray_menu_escape (long_text);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *label = veil_tray_menu_escape (cases[i][0]);
      g_assert_cmpstr (label, ==, cases[i][1]);
    }
  g_assert_cmpuint (g_utf8_strlen (cut, -1), ==, 81);
  g_assert_true (g_str_has_suffix (cut, "…"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/tray-menu/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("layout", test_layout);
  ADD ("properties", test_properties);
  ADD ("clicks", test_clicks);
  ADD ("insensitive", test_insensitive);
  ADD ("state", test_state);
  ADD ("changes", test_changes);
  ADD ("hidden", test_hidden);
  ADD ("separators", test_separators);
  ADD ("nonsense", test_nonsense);
  ADD ("too-much", test_too_much);
  g_test_add_func ("/tray-menu/endless", test_endless);
  g_test_add_func ("/tray-menu/escape", test_escape);
  return g_test_run ();
}
