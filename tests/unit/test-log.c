/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Log lines in a file of bounded size, and in the journal. Each test is a process of its own, because a process has one log. GLib's own writer speaks to the journal
 * through sendmsg() to a fixed address; these stand in the way of that. */
#include "log.h"

#include "veil-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static GString *journal; /* what was sent there, where that is tested */

__attribute__ ((visibility ("default"))) int
getpeername (int fd, struct sockaddr *address, socklen_t *length)
{
  static const struct sockaddr_un of_journal = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/stdout" };

  if (journal == NULL || fd != STDERR_FILENO)
    return -1;
  memcpy (address, &of_journal, MIN (*length, sizeof of_journal));
  *length = sizeof of_journal;
  return 0;
}

__attribute__ ((visibility ("default"))) ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  ssize_t length = 0;

  for (gsize i = 0; i < message->msg_iovlen; i++)
    {
      g_string_append_len (journal, message->msg_iov[i].iov_base, (gssize) message->msg_iov[i].iov_len);
      length += (ssize_t) message->msg_iov[i].iov_len;
    }
  return length;
}

typedef struct
{
  char *folder;
  char *path;
  char *old;
} Fixture;

static void
set_up (Fixture *fixture)
{
  fixture->folder = g_dir_make_tmp ("veil-log-XXXXXX", NULL);
  fixture->path = veil_log_get_path (fixture->folder);
  fixture->old = g_strconcat (fixture->path, ".1", NULL);
}

static void
tear_down (Fixture *fixture)
{
  g_unlink (fixture->path);
  g_unlink (fixture->old);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
  g_free (fixture->old);
}

static char *
read_file (const char *path)
{
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static void
assert_private (const char *path)
{
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

static void
test_lines (void)
{
  Fixture fixture;
  VeilLog *log;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("G_MESSAGES_DEBUG", "shown", TRUE); /* newer versions of GLib read it but once */
  set_up (&fixture);
  log = veil_log_install ("test");
  g_assert_true (veil_log_to_file (log, fixture.path, VEIL_LOG_MAX_BYTES, NULL));
  g_message ("first");
  g_debug ("never");
  g_info ("neither");
  g_warning ("two\nlines \033[2J and \xff a byte");
  g_assert_cmpint (write (STDOUT_FILENO, "of a library\n", 13), ==, 13);
  g_log ("shown", G_LOG_LEVEL_DEBUG, "now");
  text = read_file (fixture.path);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_true (
      g_regex_match_simple ("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z veil-MESSAGE: first$", lines[0], 0, 0));
  g_assert_true (g_str_has_suffix (lines[1], " veil-WARNING: two lines \357\277\275[2J and \357\277\275 a byte"));
  g_assert_cmpstr (lines[2], ==, "of a library");
  g_assert_true (g_str_has_suffix (lines[3], " shown-DEBUG: now"));
  assert_private (fixture.path);
  tear_down (&fixture);
}

static void
test_size (void)
{
  Fixture fixture;
  VeilLog *log;
  g_autofree char *new_text = NULL;
  g_autofree char *old_text = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      return;
    }
  set_up (&fixture);
  log = veil_log_install ("test");
  /* What is there already counts, and stays. */
  g_assert_true (g_file_set_contents (fixture.path, "before\n", -1, NULL));
  g_assert_true (veil_log_to_file (log, fixture.path, 4000, NULL));
  for (guint i = 0; i < 2000; i++)
    {
      GStatBuf status;

      g_message ("line %u", i);
      g_assert_cmpint (g_stat (fixture.path, &status), ==, 0);
      g_assert_cmpint (status.st_size, <=, 4000);
      if (g_stat (fixture.old, &status) == 0)
        g_assert_cmpint (status.st_size, <, 4100);
    }
  new_text = read_file (fixture.path);
  old_text = read_file (fixture.old);
  g_assert_nonnull (strstr (old_text, "line 19"));
  g_assert_null (strstr (old_text, "before"));
  g_assert_true (g_str_has_suffix (*new_text != '\0' ? new_text : old_text, "line 1999\n"));
  assert_private (fixture.path);
  assert_private (fixture.old);
  /* Moved away by hand, and told of it. */
  g_assert_cmpint (g_rename (fixture.path, fixture.old), ==, 0);
  veil_log_reopen (log);
  g_message ("elsewhere");
  g_clear_pointer (&new_text, g_free);
  new_text = read_file (fixture.path);
  g_assert_true (g_str_has_suffix (new_text, "elsewhere\n"));
  tear_down (&fixture);
}

static void
test_places_that_do_not_do (void)
{
  Fixture fixture;
  VeilLog *log;
  g_autoptr (GError) error = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      g_test_trap_assert_stderr ("*still there*");
      return;
    }
  set_up (&fixture);
  log = veil_log_install ("test");
  g_assert_cmpint (symlink ("/dev/null", fixture.path), ==, 0);
  g_assert_false (veil_log_to_file (log, fixture.path, 1, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, fixture.path));
  g_clear_error (&error);
  g_unlink (fixture.path);
  g_assert_cmpint (mkfifo (fixture.path, 0600), ==, 0);
  g_assert_false (veil_log_to_file (log, fixture.path, 1, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_message ("still there");
  tear_down (&fixture);
}

/* Each field on a line of its own; a text of several lines behind its length. */
static void
test_journal (void)
{
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      g_test_trap_assert_stderr_unmatched ("*to the journal*");
      return;
    }
  veil_log_install ("a-name");
  journal = g_string_new (NULL);
  g_debug ("never");
  g_assert_cmpuint (journal->len, ==, 0);
  g_message ("to the journal");
  g_assert_nonnull (strstr (journal->str, "MESSAGE=to the journal\n"));
  g_assert_nonnull (strstr (journal->str, "PRIORITY=5\n"));
  g_assert_nonnull (strstr (journal->str, "GLIB_DOMAIN=veil\n"));
  g_assert_nonnull (strstr (journal->str, "SYSLOG_IDENTIFIER=a-name\n"));
  g_assert_nonnull (strstr (journal->str, "CODE_FUNC=test_journal\n"));
  g_string_free (journal, TRUE);
  journal = NULL;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/lines", test_lines);
  g_test_add_func ("/log/size", test_size);
  g_test_add_func ("/log/places-that-do-not-do", test_places_that_do_not_do);
  g_test_add_func ("/log/journal", test_journal);
  return g_test_run ();
}
