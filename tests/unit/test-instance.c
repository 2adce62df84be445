/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One instance per home. Who else wants it is a child process of the test's own, because a lock is a process's. */
#include "instance.h"

#include "config.h"
#include "veil-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  char *home;
  char *path;
} Fixture;

static const VeilInstanceInfo template = { .program = (char *) "og-veil", .sandbox = TRUE };

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_dir_make_tmp ("veil-instance-XXXXXX", NULL);

  fixture->home = g_build_filename (folder, "a", "home", NULL);
  fixture->path = g_build_filename (fixture->home, "instance.lock", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *middle = g_path_get_dirname (fixture->home);
  g_autofree char *folder = g_path_get_dirname (middle);

  g_unlink (fixture->path);
  g_assert_true (g_rmdir (fixture->home) == 0 || !g_file_test (fixture->home, G_FILE_TEST_EXISTS));
  g_rmdir (middle);
  g_rmdir (folder);
  g_free (fixture->home);
  g_free (fixture->path);
}

static VeilInstance *
acquire (Fixture *fixture)
{
  VeilInstanceInfo *holder;
  g_autoptr (GError) error = NULL;
  VeilInstance *instance = veil_instance_acquire (fixture->home, &template, &holder, &error);

  g_assert_no_error (error);
  g_assert_nonnull (instance);
  g_assert_null (holder);
  return instance;
}

static VeilInstanceInfo *
find (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  VeilInstanceInfo *info = veil_instance_find (fixture->home, &error);

  g_assert_no_error (error);
  return info;
}

static void
assert_nobody (Fixture *fixture)
{
  g_autoptr (VeilInstanceInfo) info = find (fixture);

  g_assert_null (info);
}

/* Nobody, somebody who starts, somebody who serves, nobody. */
static void
test_life (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilInstance) instance = NULL;
  g_autoptr (VeilInstanceInfo) starting = NULL;
  g_autoptr (VeilInstanceInfo) serving = NULL;
  g_autoptr (VeilInstanceInfo) serving_no_more = NULL;
  g_autofree char *no_url = NULL;
  g_autofree char *url = NULL;
  struct stat status;

  assert_nobody (fixture);
  instance = acquire (fixture);
  starting = find (fixture);
  g_assert_cmpstr (starting->program, ==, "og-veil");
  g_assert_cmpstr (starting->version, ==, VEIL_VERSION);
  g_assert_cmpint (starting->pid, ==, getpid ());
  g_assert_cmpint (ABS (g_get_real_time () - starting->started_at), <, 600 * G_USEC_PER_SEC);
  g_assert_true (starting->sandbox);
  g_assert_false (starting->restarts);
  no_url = veil_instance_info_get_url (starting);
  g_assert_null (no_url);

  g_assert_true (veil_instance_set_address (instance, "::1", 4711, NULL));
  serving = find (fixture);
  url = veil_instance_info_get_url (serving);
  g_assert_cmpstr (url, ==, "http://[::1]:4711/v1");
  g_assert_cmpint (serving->started_at, ==, starting->started_at);
  g_assert_cmpint (g_stat (fixture->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  g_assert_cmpint (g_stat (fixture->home, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0700);

  g_assert_true (veil_instance_set_address (instance, NULL, 0, NULL));
  serving_no_more = find (fixture);
  g_assert_null (serving_no_more->host);
  g_assert_true (veil_instance_info_is_alive (serving_no_more));

  veil_instance_release (g_steal_pointer (&instance));
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  assert_nobody (fixture);
}

/* Which network is used, and nothing else of the session. */
static void
test_network (Fixture *fixture, gconstpointer data)
{
  static const char bundle[] =
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"secret-a\",\"refresh_token\":\"secret-r\",\"user\":{\"email\":"
      "\"secret-e\"},"
      "\"config\":{\"app_env\":\"test\",\"supabase_url\":\"https://secret-s.example\",\"supabase_anon_key\":\"secret-k\","
      "\"chat_api_base_url\":\"https://relay.example\",\"tee_registry_rpc_url\":\"https://rpc.example\","
      "\"tee_registry_address\":\"0x1111111111111111111111111111111111111111\",\"tee_registry_tee_type\":3}}";
  g_autoptr (VeilSession) session = veil_session_new_from_bundle (bundle, strlen (bundle), 0, NULL);
  g_autoptr (VeilInstance) instance = acquire (fixture);
  g_autoptr (VeilInstanceInfo) with = NULL;
  g_autoptr (VeilInstanceInfo) without = NULL;
  g_autofree char *text = NULL;

  g_assert_true (veil_instance_set_session (instance, session, NULL));
  with = find (fixture);
  g_assert_cmpstr (with->app_env, ==, "test");
  g_assert_cmpstr (with->relay_url, ==, "https://relay.example");
  g_assert_cmpstr (with->registry_rpc_url, ==, "https://rpc.example");
  g_assert_cmpstr (with->registry_address, ==, "0x1111111111111111111111111111111111111111");
  g_assert_cmpuint (with->registry_tee_type, ==, 3);
  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_assert_null (strstr (text, "secret"));
  g_assert_true (veil_instance_set_session (instance, NULL, NULL));
  without = find (fixture);
  g_assert_null (without->relay_url);
  g_assert_null (without->registry_address);
}

/* The root under which the sandbox attests is told with its network, and believed of no other. */
static void
test_sandbox_root (Fixture *fixture, gconstpointer data)
{
#define NETWORK \
  "\"relay_url\":\"https://a\",\"registry_rpc_url\":\"https://b\",\"registry_address\":\"0x1\",\"registry_tee_type\":0"
#define ROOT "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
  static const char bundle[] =
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"a\",\"config\":{\"app_env\":\"sandbox\",\"supabase_url\":"
      "\"http://localhost:1\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"http://localhost:1\",\"tee_registry_rpc_url\":"
      "\"http://localhost:1\",\"tee_registry_address\":\"0x1111111111111111111111111111111111111111\","
      "\"sandbox_attestation_root\":\"" ROOT "\"}}";
  static const char *const envs[] = { "sandbox", "production", "Sandbox" };
  g_autoptr (VeilSession) session = veil_session_new_from_bundle (bundle, strlen (bundle), 0, NULL);
  g_autoptr (VeilInstance) instance = acquire (fixture);
  g_autoptr (VeilInstanceInfo) with = NULL;
  g_autoptr (VeilInstanceInfo) without = NULL;

  g_assert_true (veil_instance_set_session (instance, session, NULL));
  with = find (fixture);
  g_assert_cmpstr (with->sandbox_root, ==, ROOT);
  g_assert_true (veil_instance_set_session (instance, NULL, NULL));
  without = find (fixture);
  g_assert_null (without->sandbox_root);
  for (guint i = 0; i < G_N_ELEMENTS (envs); i++)
    {
      g_autofree char *text =
          g_strdup_printf ("{\"program\":\"veil\",\"version\":\"1\",\"pid\":7,\"born\":1,\"started_at\":3,\"port\":0,"
                           "\"app_env\":\"%s\"," NETWORK ",\"sandbox_attestation_root\":\"" ROOT "\"}",
                           envs[i]);
      g_autoptr (VeilInstanceInfo) info = veil_instance_info_parse (text, strlen (text));

      g_assert_nonnull (info->relay_url);
      g_assert_true ((info->sandbox_root != NULL) == (i == 0));
    }
}

/* The second learns who the first is, also one of the same process. */
static void
test_second (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilInstance) instance = acquire (fixture);
  g_autoptr (VeilInstanceInfo) holder = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (veil_instance_set_address (instance, "127.0.0.1", 80, NULL));
  g_assert_null (veil_instance_acquire (fixture->home, &template, &holder, &error));
  g_assert_no_error (error);
  g_assert_cmpint (holder->pid, ==, getpid ());
  g_assert_cmpuint (holder->port, ==, 80);
  g_assert_cmpstr (holder->host, ==, "127.0.0.1");
}

/* Runs @body in a child; returns its pid. The child says one byte when it is so far. */
static pid_t
start_child (Fixture *fixture)
{
  int fds[2];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      VeilInstance *instance = acquire (fixture);

      veil_instance_set_address (instance, "127.0.0.1", 4711, NULL);
      g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
      for (;;)
        pause ();
    }
  close (fds[1]);
  g_assert_cmpint (read (fds[0], &byte, 1), ==, 1);
  close (fds[0]);
  return pid;
}

/* What is left of a killed program is there to be read, and nobody believes it. */
static void
test_killed (Fixture *fixture, gconstpointer data)
{
  pid_t pid = start_child (fixture);
  g_autoptr (VeilInstanceInfo) before = find (fixture);
  g_autoptr (VeilInstance) instance = NULL;
  g_autoptr (VeilInstanceInfo) after = NULL;

  g_assert_cmpint (before->pid, ==, pid);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  while (veil_instance_info_is_alive (before)) /* what is left of it, before it is waited for, is not */
    g_usleep (1000);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  assert_nobody (fixture);
  instance = acquire (fixture);
  after = find (fixture);
  g_assert_cmpint (after->pid, ==, getpid ());
  g_assert_cmpuint (after->port, ==, 0);
}

/* Somebody else has a lock on what a killed program left, whose pid by now is another's: nobody is to be told to end that one. */
static void
test_another_with_the_pid (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text =
      g_strdup_printf ("{\"program\":\"og-veil\",\"version\":\"1\",\"pid\":%d,\"born\":1,\"started_at\":1,\"host\":\"::1\","
                       "\"port\":1}",
                       (int) getpid ());
  VeilInstanceInfo *holder = NULL;
  g_autoptr (GError) find_error = NULL;
  g_autoptr (GError) acquire_error = NULL;
  int fd;

  g_assert_cmpint (g_mkdir_with_parents (fixture->home, 0700), ==, 0);
  g_assert_true (g_file_set_contents (fixture->path, text, -1, NULL));
  assert_nobody (fixture);
  fd = open (fixture->path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_SH), ==, 0);
  assert_nobody (fixture);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  g_assert_null (veil_instance_find (fixture->home, &find_error));
  g_assert_error (find_error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (find_error->message, fixture->path));
  g_assert_null (veil_instance_acquire (fixture->home, &template, &holder, &acquire_error));
  g_assert_error (acquire_error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_null (holder);
  close (fd);
}

/* A program in another sandbox, where numbers mean other processes (this one's would be ours here): the lock tells that it runs, as long as it has it. */
static void
test_in_another_sandbox (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text =
      g_strdup_printf ("{\"program\":\"og-veil\",\"version\":\"1\",\"pid\":%d,\"pids\":1,\"born\":1,\"started_at\":1,"
                       "\"host\":\"127.0.0.1\",\"port\":7}",
                       (int) getpid ());
  g_autoptr (VeilInstanceInfo) found = NULL;
  g_autoptr (VeilInstanceInfo) holder = NULL;
  g_autoptr (VeilInstanceInfo) own = NULL;
  g_autoptr (VeilInstance) instance = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  g_assert_cmpint (g_mkdir_with_parents (fixture->home, 0700), ==, 0);
  g_assert_true (g_file_set_contents (fixture->path, text, -1, NULL));
  assert_nobody (fixture);
  fd = open (fixture->path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  found = find (fixture);
  g_assert_cmpuint (found->port, ==, 7);
  g_assert_false (veil_instance_info_is_near (found));
  g_assert_null (veil_instance_acquire (fixture->home, &template, &holder, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (holder->port, ==, 7);
  close (fd);
  assert_nobody (fixture);
  instance = acquire (fixture);
  own = find (fixture);
  g_assert_true (veil_instance_info_is_near (own));
}

/* Programs that are started from here do not keep the lock when we go. */
static void
test_not_inherited (Fixture *fixture, gconstpointer data)
{
  VeilInstance *instance = acquire (fixture);
  const char *const argv[] = { "cat", NULL };
  int input;
  GPid pid;

  g_assert_true (veil_instance_set_address (instance, "127.0.0.1", 1, NULL));
  g_assert_true (g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                           G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL,
                                           NULL, &pid, &input, NULL, NULL, NULL));
  veil_instance_release (instance);
  g_assert_cmpint (mkdir (fixture->home, 0700), !=, 0);
  veil_instance_release (acquire (fixture));
  close (input);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

/* Of many that start at once, one is it, and all others are told its pid. */
static void
test_race (Fixture *fixture, gconstpointer data)
{
  for (guint round = 0; round < 20; round++)
    {
      enum
      {
        N = 8
      };
      int fds[2], hold[2];
      pid_t pids[N], won = 0;
      struct
      {
        pid_t winner;
        pid_t me;
      } said;

      g_assert_cmpint (pipe (fds), ==, 0);
      g_assert_cmpint (pipe (hold), ==, 0);
      for (guint i = 0; i < N; i++)
        if ((pids[i] = fork ()) == 0)
          {
            VeilInstanceInfo *holder;
            g_autoptr (GError) error = NULL;
            VeilInstance *instance = veil_instance_acquire (fixture->home, &template, &holder, &error);
            char byte;

            g_assert_no_error (error);
            said.me = getpid ();
            said.winner = instance != NULL ? said.me : holder->pid;
            g_assert_cmpint (write (fds[1], &said, sizeof said), ==, sizeof said);
            close (hold[1]);
            g_assert_cmpint (read (hold[0], &byte, 1), ==, 0);
            /* Every other round leaves a file behind. */
            if (round % 2 == 0)
              veil_instance_release (instance);
            _exit (0);
          }
      for (guint i = 0; i < N; i++)
        {
          g_assert_cmpint (read (fds[0], &said, sizeof said), ==, sizeof said);
          g_assert_true (won == 0 || won == said.winner);
          won = said.winner;
        }
      close (hold[1]);
      close (hold[0]);
      close (fds[0]);
      close (fds[1]);
      for (guint i = 0; i < N; i++)
        g_assert_cmpint (waitpid (pids[i], NULL, 0), ==, pids[i]);
      assert_nobody (fixture);
    }
}

/* Looking does not keep anybody from starting, or from seeing that nobody runs. */
static void
test_onlookers (Fixture *fixture, gconstpointer data)
{
  pid_t pids[2];

  veil_instance_release (acquire (fixture));
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++)
    if ((pids[i] = fork ()) == 0)
      for (;;)
        veil_instance_info_free (veil_instance_find (fixture->home, NULL));
  for (guint i = 0; i < 200; i++)
    {
      VeilInstance *instance = acquire (fixture);

      g_assert_true (veil_instance_set_address (instance, "127.0.0.1", 1 + i, NULL));
      veil_instance_release (instance);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++)
    {
      kill (pids[i], SIGKILL);
      waitpid (pids[i], NULL, 0);
    }
}

/* Two homes know nothing of each other; a home that is taken away is not found again. */
static void
test_homes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilInstance) instance = acquire (fixture);
  g_autofree char *other = g_dir_make_tmp ("veil-instance-XXXXXX", NULL);
  g_autofree char *moved = g_strconcat (fixture->home, ".moved", NULL);
  g_autofree char *moved_path = g_build_filename (moved, "instance.lock", NULL);
  VeilInstanceInfo *holder;
  VeilInstance *second = veil_instance_acquire (other, &template, &holder, NULL);
  VeilInstance *third;

  g_assert_nonnull (second);
  veil_instance_release (second);
  g_assert_cmpint (g_rmdir (other), ==, 0);

  g_assert_cmpint (g_rename (fixture->home, moved), ==, 0);
  third = acquire (fixture);
  veil_instance_release (g_steal_pointer (&instance));
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  veil_instance_release (third);
  g_assert_cmpint (g_unlink (moved_path), ==, 0);
  g_assert_cmpint (g_rmdir (moved), ==, 0);
}

static void
test_places_that_do_not_do (Fixture *fixture, gconstpointer data)
{
  const char *const homes[] = { "/dev/null", "/dev/null/below", "/proc/veil" };

  for (guint i = 0; i < G_N_ELEMENTS (homes); i++)
    {
      VeilInstanceInfo *holder;
      g_autoptr (GError) error = NULL;

      g_assert_null (veil_instance_acquire (homes[i], &template, &holder, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
      g_assert_nonnull (strstr (error->message, homes[i]));
      g_assert_null (holder);
      g_assert_null (veil_instance_find (homes[i], NULL));
    }
  /* A link in its place is not followed. */
  g_assert_cmpint (g_mkdir_with_parents (fixture->home, 0700), ==, 0);
  g_assert_cmpint (symlink ("/dev/null", fixture->path), ==, 0);
  {
    VeilInstanceInfo *holder;
    g_autoptr (GError) error = NULL;

    g_assert_null (veil_instance_acquire (fixture->home, &template, &holder, &error));
    g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
    g_clear_error (&error);
    g_assert_null (veil_instance_find (fixture->home, &error));
    g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  }
}

static void
assert_refused (Fixture *fixture, const char *words)
{
  VeilInstanceInfo *holder;
  g_autoptr (GError) error = NULL;

  g_assert_null (veil_instance_acquire (fixture->home, &template, &holder, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (holder);
  g_clear_error (&error);
  g_assert_null (veil_instance_find (fixture->home, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, words));
}

/* Nobody ever writes to it: it must not be waited for. */
static void
test_fifo (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (g_mkdir_with_parents (fixture->home, 0700), ==, 0);
  g_assert_cmpint (mkfifo (fixture->path, 0600), ==, 0);
  assert_refused (fixture, "not a regular file");
}

/* In a home that others can write to, somebody names a process of ours, for us to signal. */
static void
test_written_by_another (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize length;
  int fd;

  if (geteuid () != 0)
    return; /* nobody else's file can be made */
  veil_instance_release (acquire (fixture));
  {
    VeilInstance *instance = acquire (fixture);

    g_assert_true (g_file_get_contents (fixture->path, &text, &length, NULL));
    veil_instance_release (instance);
  }
  g_assert_true (g_file_set_contents (fixture->path, text, (gssize) length, NULL));
  fd = open (fixture->path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  {
    g_autoptr (VeilInstanceInfo) ours = find (fixture);

    g_assert_cmpint (ours->pid, ==, getpid ());
  }
  g_assert_cmpint (fchown (fd, 12345, (gid_t) -1), ==, 0);
  assert_refused (fixture, "Another user");
  /* Nor is it believed by who is no administrator, whomever it names. */
  g_assert_cmpint (fchmod (fd, 0666), ==, 0);
  {
    g_autofree char *middle = g_path_get_dirname (fixture->home);
    g_autofree char *folder = g_path_get_dirname (middle);

    g_assert_cmpint (g_chmod (fixture->home, 0777) | g_chmod (middle, 0755) | g_chmod (folder, 0755), ==, 0);
    g_assert_cmpint (seteuid (23456), ==, 0);
    assert_refused (fixture, "Another user");
    g_assert_cmpint (seteuid (0), ==, 0);
  }
  close (fd);
}

static void
test_parse (void)
{
#define GOOD "\"program\":\"veil\",\"version\":\"1\",\"born\":2,\"started_at\":3"
  static const char *const bad[] = {
    "",
    "{}",
    "[]",
    "{",
    "null",
    "{" GOOD ",\"port\":0}",
    "{" GOOD ",\"port\":0,\"pid\":0}",
    "{" GOOD ",\"port\":0,\"pid\":1}",
    "{" GOOD ",\"port\":0,\"pid\":-1}",
    "{" GOOD ",\"port\":0,\"pid\":2147483648}",
    "{" GOOD ",\"port\":0,\"pid\":\"7\"}",
    "{" GOOD ",\"port\":65536,\"pid\":7}",
    "{" GOOD ",\"port\":80,\"pid\":7}",
    "{" GOOD ",\"port\":80,\"pid\":7,\"host\":\"a b\"}",
    "{" GOOD ",\"port\":80,\"pid\":7,\"host\":\"\"}",
    "{" GOOD ",\"port\":80,\"pid\":7,\"host\":\"\\u001b\"}",
    "{" GOOD ",\"port\":80,\"pid\":7,\"host\":\"a\"} x",
    "{\"program\":\"veil\",\"pid\":7,\"port\":0,\"born\":1,\"started_at\":3}",
    "{\"program\":\"v\\u0000\",\"version\":\"1\",\"pid\":7,\"port\":0,\"born\":1,\"started_at\":3}",
  };
  static const char good[] = "{" GOOD ",\"port\":80,\"pid\":7,\"host\":\"::1\",\"log\":\"/a%20b\",\"restarts\":true,\"later\":[]}";
  static const char *const networks[] = {
    "\"relay_url\":\"https://a\",\"registry_rpc_url\":\"https://b\",\"registry_address\":\"0x1\",\"registry_tee_type\":0",
    "\"relay_url\":\"http://a\",\"registry_rpc_url\":\"https://b\",\"registry_address\":\"0x1\",\"registry_tee_type\":0",
    "\"relay_url\":\"https://a\",\"registry_rpc_url\":\"file:///b\",\"registry_address\":\"0x1\",\"registry_tee_type\":0",
    "\"relay_url\":\"https://a\",\"registry_rpc_url\":\"https://b\",\"registry_address\":\"0x1\",\"registry_tee_type\":256",
    "\"relay_url\":\"https://a\",\"registry_rpc_url\":\"https://b\",\"registry_tee_type\":0",
  };
  g_autofree char *long_text = g_strdup_printf ("{" GOOD ",\"port\":0,\"pid\":7%*s}", 20000, "");
  VeilInstanceInfo *info;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (veil_instance_info_parse (bad[i], strlen (bad[i])));
  g_assert_null (veil_instance_info_parse (long_text, strlen (long_text)));
  info = veil_instance_info_parse (good, strlen (good));
  g_assert_cmpint (info->pid, ==, 7);
  g_assert_cmpstr (info->log, ==, "/a b");
  g_assert_true (info->restarts);
  g_assert_false (info->sandbox);
  g_assert_null (info->relay_url);
  veil_instance_info_free (info);

  for (guint i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      g_autofree char *text = g_strdup_printf ("{" GOOD ",\"port\":0,\"pid\":7,%s}", networks[i]);

      info = veil_instance_info_parse (text, strlen (text));
      g_assert_nonnull (info);
      g_assert_true ((info->relay_url != NULL) == (i == 0));
      g_assert_true ((info->registry_rpc_url != NULL) == (i == 0));
      veil_instance_info_free (info);
    }
}

/* Under the number that a process keeps while it becomes another program; any other number is nobody's lock. */
static void
test_take_over (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilInstance) before = acquire (fixture);
  g_autoptr (VeilInstance) after = NULL;
  g_autoptr (VeilInstanceInfo) found = NULL;
  int kept = dup (veil_instance_hand_over (before));
  int own = open (fixture->path, O_RDWR | O_CLOEXEC);
  int other = open ("/dev/null", O_RDWR | O_CLOEXEC);

  g_assert_cmpint (fcntl (veil_instance_hand_over (before), F_GETFD) & FD_CLOEXEC, ==, 0);
  g_assert_null (veil_instance_take_over (fixture->home, &template, -1));
  g_assert_null (veil_instance_take_over (fixture->home, &template, 1 << 20));
  g_assert_null (veil_instance_take_over (fixture->home, &template, other));
  g_assert_null (veil_instance_take_over (fixture->home, &template, own));
  after = veil_instance_take_over (fixture->home, &template, kept);
  g_assert_nonnull (after);
  found = find (fixture);
  g_assert_cmpint (found->pid, ==, getpid ());
  g_assert_cmpint (found->started_at, >, veil_instance_get_info (before)->started_at);
  close (own);
  close (other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/instance/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("life", test_life);
  ADD ("network", test_network);
  ADD ("sandbox-root", test_sandbox_root);
  ADD ("second", test_second);
  ADD ("killed", test_killed);
  ADD ("another-with-the-pid", test_another_with_the_pid);
  ADD ("in-another-sandbox", test_in_another_sandbox);
  ADD ("not-inherited", test_not_inherited);
  ADD ("race", test_race);
  ADD ("onlookers", test_onlookers);
  ADD ("homes", test_homes);
  ADD ("fifo", test_fifo);
  ADD ("written-by-another", test_written_by_another);
  ADD ("places-that-do-not-do", test_places_that_do_not_do);
  ADD ("take-over", test_take_over);
  g_test_add_func ("/instance/parse", test_parse);
  return g_test_run ();
}
