/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What window and tray show and steer, on the sandbox. */
#include "front.h"

#include "settings-change.h"
#include "settings-file.h"
#include "test-peer.h"
#include "trial.h"
#include "veil-error.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *home;             /* owned */
  VeilSettings *settings; /* owned */
  VeilFront *front;       /* owned */
  VeilTrial *trial;       /* owned */
  GError *error;          /* owned */
  gboolean done;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer sandbox)
{
  g_autoptr (GError) error = NULL;

  fixture->home = g_dir_make_tmp ("veil-front-XXXXXX", NULL);
  fixture->settings = veil_settings_new (&error);
  g_assert_no_error (error);
  g_free (fixture->settings->home);
  fixture->settings->home = g_strdup (fixture->home);
  g_free (fixture->settings->session_store);
  fixture->settings->session_store = g_strdup ("file");
  fixture->settings->port = 0;
  /* What is set here is not for the settings file to change. */
  fixture->settings->given = G_MAXUINT;
  fixture->front = veil_front_new (fixture->settings, GPOINTER_TO_INT (sandbox));
}

static void
clear_trial (Fixture *fixture)
{
  g_clear_pointer (&fixture->trial, veil_trial_free);
  g_clear_error (&fixture->error);
  fixture->done = FALSE;
}

static void
remove_home (const char *home)
{
  g_autoptr (GDir) dir = g_dir_open (home, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (home, name, NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (home), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  clear_trial (fixture);
  veil_front_stop (fixture->front);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_object (&fixture->front);
  veil_settings_free (fixture->settings);
  remove_home (fixture->home);
  g_free (fixture->home);
}

static void
on_trial (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->trial = veil_trial_finish (result, &fixture->error);
  fixture->done = TRUE;
}

static void
ask (Fixture *fixture, const char *model)
{
  g_autofree char *url = veil_front_get_url (fixture->front);

  clear_trial (fixture);
  veil_trial_async (url, NULL, model, "Hello?", NULL, on_trial, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
}

static void
assert_describes (Fixture *fixture, const char *expected)
{
  g_autofree char *text = veil_front_describe (fixture->front);

  g_assert_cmpstr (text, ==, expected);
}

static void
on_changed (VeilFront *front, guint *count)
{
  (*count)++;
}

static void
test_signed_out (Fixture *fixture, gconstpointer data)
{
  g_autofree char *url = NULL;

  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_OFF);
  g_assert_false (veil_front_get_on (fixture->front));
  assert_describes (fixture, "Switched off");
  g_assert_null (veil_front_get_url (fixture->front));
  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_ON);
  assert_describes (fixture, "Nobody is signed in");
  url = veil_front_get_url (fixture->front);
  g_assert_nonnull (url);
  ask (fixture, "gpt-4.1");
  g_assert_no_error (fixture->error);
  g_assert_cmpint (fixture->trial->outcome, ==, VEIL_TRIAL_FAILED);
  g_assert_nonnull (strstr (fixture->trial->text, "og-veil login"));
}

static void
test_sandbox (Fixture *fixture, gconstpointer data)
{
  guint changes = 0;

  g_signal_connect (fixture->front, "changed", G_CALLBACK (on_changed), &changes);
  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_STARTING);
  TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_ON);
  g_assert_true (veil_front_get_sandbox (fixture->front));
  ask (fixture, "gpt-4.1");
  g_assert_no_error (fixture->error);
  g_assert_cmpint (fixture->trial->outcome, ==, VEIL_TRIAL_VERIFIED);
  g_assert_true (fixture->trial->sandbox);
  g_assert_cmpuint (strlen (fixture->trial->tee_id), ==, 66);
  assert_describes (fixture, "1 answer verified");
  /* The counts are news, too. */
  changes = 0;
  ask (fixture, "fault-wrong-signature");
  g_assert_no_error (fixture->error);
  g_assert_cmpint (fixture->trial->outcome, ==, VEIL_TRIAL_REFUSED);
  assert_describes (fixture, "1 answer verified, 1 refused");
  TEST_ITERATE_UNTIL (changes > 0);
}

static void
allow_change (VeilSettings *settings, const char *key)
{
  for (guint bit = 0; bit < 32; bit++)
    {
      guint given = settings->given;

      settings->given &= ~(1u << bit);
      if (!veil_settings_is_given (settings, key))
        return;
      settings->given = given;
    }
  g_assert_not_reached ();
}

static void
on_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (veil_settings_change_finish (result, &error));
  g_assert_no_error (error);
  (*(guint *) user_data)--;
}

#define FOREIGN_PIN "0xabababababababababababababababababababababababababababababababab"

static const VeilTee *
get_first_tee (Fixture *fixture)
{
  VeilNetwork *network = veil_service_get_network (veil_front_get_service (fixture->front));

  TEST_ITERATE_UNTIL (veil_network_get_tees (network) != NULL);
  return g_ptr_array_index (veil_network_get_tees (network), 0);
}

/* The account has none of the simulated enclaves, and what it has is not of the sandbox; nor is what an earlier sandbox had. */
static void
test_choice_in_the_sandbox (Fixture *fixture, gconstpointer data)
{
  guint left = 3;
  const VeilSettings *settings;
  g_autoptr (VeilSettings) after = NULL;
  g_autoptr (GError) error = NULL;

  allow_change (fixture->settings, "tee-id");
  allow_change (fixture->settings, "pcr-pins");
  veil_pin_add_async (fixture->settings, FOREIGN_PIN, NULL, NULL, on_saved, &left);
  TEST_ITERATE_UNTIL (left == 2);
  g_clear_object (&fixture->front);
  fixture->front = veil_front_new (fixture->settings, TRUE);
  for (guint round = 0; round < 2; round++)
    {
      left = 2;
      veil_front_set_sandbox (fixture->front, TRUE);
      veil_front_set_on (fixture->front, TRUE);
      TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_ON);
      settings = veil_front_get_settings (fixture->front);
      g_assert_null (settings->tee_id);
      g_assert_cmpuint (g_strv_length (settings->pcr_pins), ==, 0);
      veil_settings_change_async (settings, "tee-id", g_variant_new_string (get_first_tee (fixture)->id), NULL, on_saved, &left);
      veil_pin_add_async (settings, get_first_tee (fixture)->pcr_hash, NULL, NULL, on_saved, &left);
      TEST_ITERATE_UNTIL (left == 0);
      ask (fixture, "gpt-4.1");
      g_assert_no_error (fixture->error);
      g_assert_cmpint (fixture->trial->outcome, ==, VEIL_TRIAL_VERIFIED);
      settings = veil_front_get_settings (fixture->front);
      g_assert_cmpstr (settings->tee_id, ==, get_first_tee (fixture)->id);
      g_assert_cmpstr (settings->pcr_pins[0], ==, get_first_tee (fixture)->pcr_hash);
      veil_front_set_sandbox (fixture->front, FALSE);
      settings = veil_front_get_settings (fixture->front);
      g_assert_null (settings->tee_id);
      g_assert_cmpstr (settings->pcr_pins[0], ==, FOREIGN_PIN);
    }
  after = veil_settings_file_resolve (fixture->settings, &error);
  g_assert_no_error (error);
  g_assert_null (after->tee_id);
  g_assert_cmpuint (g_strv_length (after->pcr_pins), ==, 1);
}

static void
test_off_and_on (Fixture *fixture, gconstpointer data)
{
  g_autofree char *url = NULL;
  g_autofree char *again = NULL;
  g_autofree char *outside = NULL;

  veil_front_set_on (fixture->front, TRUE);
  TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_ON);
  url = veil_front_get_url (fixture->front);
  veil_front_set_on (fixture->front, FALSE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_OFF);
  clear_trial (fixture);
  veil_trial_async (url, NULL, "gpt-4.1", "Hello?", NULL, on_trial, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
  g_assert_error (fixture->error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE);
  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_ON);
  ask (fixture, "gpt-4.1");
  g_assert_cmpint (fixture->trial->outcome, ==, VEIL_TRIAL_VERIFIED);
  /* Any port was asked for, and this is the one that was told to others. */
  again = veil_front_get_url (fixture->front);
  g_assert_cmpstr (again, ==, url);
  veil_front_set_sandbox (fixture->front, FALSE);
  outside = veil_front_get_url (fixture->front);
  g_assert_cmpstr (outside, ==, url);
}

/* Whoever changes their mind while the sandbox comes up is not surprised by it later. */
static void
test_sandbox_left_at_once (Fixture *fixture, gconstpointer data)
{
  guint services = 0;

  g_signal_connect (fixture->front, "service-changed", G_CALLBACK (on_changed), &services);
  veil_front_set_on (fixture->front, TRUE);
  veil_front_set_sandbox (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_STARTING);
  veil_front_set_sandbox (fixture->front, FALSE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_ON);
  veil_front_set_sandbox (fixture->front, TRUE);
  TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_ON);
  g_assert_cmpuint (services, ==, 4);
  g_assert_true (veil_service_get_session (veil_front_get_service (fixture->front))->sandbox);
  veil_front_set_sandbox (fixture->front, FALSE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_ON);
  g_assert_null (veil_service_get_session (veil_front_get_service (fixture->front)));
}

static void
test_sandbox_missing (Fixture *fixture, gconstpointer data)
{
  g_autofree char *program = g_strdup (g_getenv ("VEIL_SANDBOX_PROGRAM"));

  g_setenv ("VEIL_SANDBOX_PROGRAM", "/nonexistent/sandbox", TRUE);
  veil_front_set_on (fixture->front, TRUE);
  TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_FAILED);
  g_assert_error (veil_front_get_problem (fixture->front), VEIL_ERROR, VEIL_ERROR_SANDBOX);
  /* Another try, which works. */
  g_setenv ("VEIL_SANDBOX_PROGRAM", program, TRUE);
  veil_front_set_on (fixture->front, TRUE);
  TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_ON);
}

static void
test_port_taken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilFront) second = NULL;
  g_autofree char *url = NULL;
  g_autofree char *port = NULL;
  g_autofree char *other = NULL;

  veil_front_set_on (fixture->front, TRUE);
  url = veil_front_get_url (fixture->front);
  fixture->settings->port = veil_server_get_port (veil_service_get_server (veil_front_get_service (fixture->front)));
  port = g_strdup_printf ("%u", fixture->settings->port);
  other = g_dir_make_tmp ("veil-front-XXXXXX", NULL);
  g_free (fixture->settings->home);
  fixture->settings->home = g_strdup (other);
  second = veil_front_new (fixture->settings, FALSE);
  veil_front_set_on (second, TRUE);
  g_assert_cmpint (veil_front_get_state (second), ==, VEIL_FRONT_FAILED);
  g_assert_error (veil_front_get_problem (second), VEIL_ERROR, VEIL_ERROR_LISTEN);
  g_assert_nonnull (strstr (veil_front_get_problem (second)->message, port));
  veil_front_set_on (fixture->front, FALSE);
  veil_front_set_on (second, TRUE);
  g_assert_cmpint (veil_front_get_state (second), ==, VEIL_FRONT_ON);
  veil_front_stop (second);
  remove_home (other);
}

/* What the kernel accepts and nobody reads: a program that says nothing. */
static GSocket *
open_silent (guint16 *port)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  g_assert_true (g_socket_bind (socket, address, TRUE, NULL) && g_socket_listen (socket, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return g_steal_pointer (&socket);
}

static gboolean
has_changed (gpointer count)
{
  return *(guint *) count > 0;
}

static void
use_port (Fixture *fixture, guint16 port)
{
  g_clear_object (&fixture->front);
  fixture->settings->port = port;
  fixture->front = veil_front_new (fixture->settings, FALSE);
}

/* One try; FALSE if this machine was too busy to answer within the second that is given to it. */
static gboolean
is_told (Fixture *fixture, GSocket *socket)
{
  static const char greeting[] = "HTTP/1.0 200 OK\r\n\r\nOllama is running";
  g_autoptr (GSocket) accepted = NULL;
  char question[256];
  guint changes = 0;
  gulong handler;

  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_FAILED);
  g_assert_nonnull (strstr (veil_front_get_problem (fixture->front)->message, "another program"));
  handler = g_signal_connect (fixture->front, "changed", G_CALLBACK (on_changed), &changes);
  TEST_ITERATE_UNTIL ((accepted = g_socket_accept (socket, NULL, NULL)) != NULL);
  if (g_socket_receive (accepted, question, sizeof question, NULL, NULL) > 0)
    g_socket_send (accepted, greeting, sizeof greeting - 1, NULL, NULL);
  g_socket_close (accepted, NULL);
  TEST_ITERATE_UNTIL (has_changed (&changes));
  g_signal_handler_disconnect (fixture->front, handler);
  g_assert_error (veil_front_get_problem (fixture->front), VEIL_ERROR, VEIL_ERROR_LISTEN);
  return strstr (veil_front_get_problem (fixture->front)->message, "taken by an Ollama server; stop it") != NULL;
}

/* The program that has the port says nothing until this very loop, which the question does not hold, makes it answer. */
static void
test_silent_holder (Fixture *fixture, gconstpointer data)
{
  guint16 port = 0;
  g_autoptr (GSocket) socket = open_silent (&port);
  guint tries = 1;

  g_socket_set_blocking (socket, FALSE);
  use_port (fixture, port);
  while (!is_told (fixture, socket) && tries < 20)
    tries++;
  g_assert_cmpuint (tries, <, 20);
}

/* Switched off, or on elsewhere, nobody wants to know any more. */
static void
test_silent_holder_left (Fixture *fixture, gconstpointer data)
{
  guint16 port = 0;
  g_autoptr (GSocket) socket = open_silent (&port);

  use_port (fixture, port);
  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_FAILED);
  veil_front_set_on (fixture->front, FALSE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_OFF);
  g_socket_close (socket, NULL);
  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_ON);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_ON);
}

/* Another process of ours holds the home, and gives it back when it is asked to end. */
static void
test_take_over (Fixture *fixture, gconstpointer data)
{
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "unit", "test-front", NULL);
  g_autoptr (GSubprocess) holder = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, program, "--hold", fixture->home, NULL);
  char line[8] = "";

  g_assert_nonnull (holder);
  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (holder), line, 5, NULL, NULL), ==, 5);
  veil_front_set_on (fixture->front, TRUE);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_FAILED);
  g_assert_nonnull (veil_front_get_holder (fixture->front));
  g_assert_nonnull (strstr (veil_front_get_problem (fixture->front)->message, g_subprocess_get_identifier (holder)));
  veil_front_take_over (fixture->front);
  g_assert_cmpint (veil_front_get_state (fixture->front), ==, VEIL_FRONT_STARTING);
  TEST_ITERATE_UNTIL (veil_front_get_state (fixture->front) == VEIL_FRONT_ON);
  g_assert_null (veil_front_get_holder (fixture->front));
  g_assert_true (g_subprocess_wait (holder, NULL, NULL));
  g_assert_cmpint (g_subprocess_get_term_sig (holder), ==, SIGTERM);
}

static int
hold (const char *home)
{
  const VeilInstanceInfo info = { .program = (char *) "og-veil" };
  VeilInstanceInfo *other = NULL;
  VeilInstance *instance = veil_instance_acquire (home, &info, &other, NULL);

  if (instance == NULL)
    return 1;
  if (write (STDOUT_FILENO, "held\n", 5) == 5)
    pause ();
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--hold"))
    return hold (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/front/signed-out", Fixture, GINT_TO_POINTER (FALSE), set_up, test_signed_out, tear_down);
  g_test_add ("/front/sandbox", Fixture, GINT_TO_POINTER (TRUE), set_up, test_sandbox, tear_down);
  g_test_add ("/front/choice-in-the-sandbox", Fixture, GINT_TO_POINTER (FALSE), set_up, test_choice_in_the_sandbox, tear_down);
  g_test_add ("/front/off-and-on", Fixture, GINT_TO_POINTER (TRUE), set_up, test_off_and_on, tear_down);
  g_test_add ("/front/sandbox-left-at-once", Fixture, GINT_TO_POINTER (FALSE), set_up, test_sandbox_left_at_once, tear_down);
  g_test_add ("/front/sandbox-missing", Fixture, GINT_TO_POINTER (TRUE), set_up, test_sandbox_missing, tear_down);
  g_test_add ("/front/port-taken", Fixture, GINT_TO_POINTER (FALSE), set_up, test_port_taken, tear_down);
  g_test_add ("/front/silent-holder", Fixture, GINT_TO_POINTER (FALSE), set_up, test_silent_holder, tear_down);
  g_test_add ("/front/silent-holder-left", Fixture, GINT_TO_POINTER (FALSE), set_up, test_silent_holder_left, tear_down);
  g_test_add ("/front/take-over", Fixture, GINT_TO_POINTER (FALSE), set_up, test_take_over, tear_down);
  return g_test_run ();
}
