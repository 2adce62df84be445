/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil stop and restart: by signals to whoever has the home. */
#include "serve.h"

#include "veil-error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>

#define LOOK_US 20000
#define PATIENCE_US (8 * G_USEC_PER_SEC)   /* for the requests that run, and some more on a busy machine */
#define IMPATIENCE_US (4 * G_USEC_PER_SEC) /* after the second signal */
#define START_US (90 * G_USEC_PER_SEC)

/* TRUE once @old no longer has the home. */
static gboolean
has_gone (const VeilSettings *settings, const VeilInstanceInfo *old)
{
  g_autoptr (VeilInstanceInfo) now = NULL;

  if (!veil_instance_info_is_alive (old))
    return TRUE;
  now = veil_instance_find (settings->home, NULL);
  return now == NULL || now->pid != old->pid || now->started_at != old->started_at;
}

/* The whole process, not only its hold on the home. */
static gboolean
wait_for_end (const VeilInstanceInfo *old, gint64 patience)
{
  gint64 deadline = g_get_monotonic_time () + patience;

  while (veil_instance_info_is_alive (old))
    {
      if (g_get_monotonic_time () > deadline)
        return FALSE;
      g_usleep (LOOK_US);
    }
  return TRUE;
}

static gboolean
send_signal (const VeilInstanceInfo *running, int number, GError **error)
{
  if (kill (running->pid, number) == 0 || errno == ESRCH)
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INTERNAL, _ ("Process %d cannot be sent a signal: %s"), (int) running->pid,
               g_strerror (errno));
  return FALSE;
}

static VeilExit
stop (const VeilInstanceInfo *running)
{
  g_autoptr (GError) error = NULL;

  if (!send_signal (running, SIGTERM, &error))
    return veil_cli_fail (error);
  if (!wait_for_end (running, PATIENCE_US))
    {
      send_signal (running, SIGTERM, NULL);
      if (!wait_for_end (running, IMPATIENCE_US))
        {
          send_signal (running, SIGKILL, NULL);
          if (!wait_for_end (running, IMPATIENCE_US))
            {
              g_printerr (_ ("og-veil: Process %d does not end, whatever it is told; look at it with `ps %d`\n"),
                          (int) running->pid, (int) running->pid);
              return VEIL_EXIT_FAILURE;
            }
          g_printerr (_ ("og-veil: It did not answer, and was ended by force\n"));
        }
    }
  g_print (_ ("stopped %s (pid %d)\n"), running->program, (int) running->pid);
  return VEIL_EXIT_OK;
}

/* The new start, once it serves. NULL if it does not come to that. */
static VeilInstanceInfo *
wait_for_start (const VeilSettings *settings, const VeilInstanceInfo *old)
{
  gint64 deadline = g_get_monotonic_time () + START_US;

  while (g_get_monotonic_time () < deadline)
    {
      g_autoptr (VeilInstanceInfo) now = has_gone (settings, old) ? veil_instance_find (settings->home, NULL) : NULL;

      if (now != NULL && now->port != 0)
        return g_steal_pointer (&now);
      if (now == NULL && !veil_instance_info_is_alive (old))
        return NULL;
      g_usleep (LOOK_US);
    }
  return NULL;
}

static VeilExit
restart (const VeilSettings *settings, const VeilInstanceInfo *running)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilInstanceInfo) now = NULL;
  g_autofree char *who = NULL;

  if (!running->restarts)
    {
      g_printerr (_ ("og-veil: %s cannot start again by itself; end it with `og-veil stop`, and start it by hand\n"),
                  running->program);
      return VEIL_EXIT_FAILURE;
    }
  if (!send_signal (running, SIGUSR1, &error))
    return veil_cli_fail (error);
  now = wait_for_start (settings, running);
  if (now == NULL)
    {
      if (running->log != NULL)
        g_printerr (_ ("og-veil: It did not start again; %s says why\n"), running->log);
      else
        g_printerr (_ ("og-veil: It did not start again; standard error of %s says why\n"), running->program);
      return VEIL_EXIT_FAILURE;
    }
  who = veil_serve_describe (now);
  g_print ("%s\n", who);
  if (running->port != 0 && now->port != running->port)
    g_printerr (_ ("og-veil: Port %u, where it was before, is taken or no longer set; tell the new address to those who use it\n"),
                running->port);
  return VEIL_EXIT_OK;
}

static VeilExit
run (const char *name, int argc, char **argv, VeilSettings **settings, VeilInstanceInfo **running)
{
  static const char *const flags[] = { "home", NULL };
  g_autoptr (GError) error = NULL;

  *settings = veil_cli_parse (name, NULL, flags, &argc, &argv);
  if (*settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), name, argv[1]);
  *running = veil_instance_find ((*settings)->home, &error);
  if (*running != NULL && !veil_instance_info_is_near (*running))
    {
      g_printerr (_ ("og-veil: %s runs in another sandbox, where no signal of this one arrives; end it with Quit in its tray menu, "
                     "or outside with "
                     "`flatpak kill ai.opengradient.Veil`\n"),
                  (*running)->program);
      return VEIL_EXIT_FAILURE;
    }
  return error != NULL ? veil_cli_fail (error) : VEIL_EXIT_OK;
}

VeilExit
veil_command_stop (int argc, char **argv)
{
  g_autoptr (VeilSettings) settings = NULL;
  g_autoptr (VeilInstanceInfo) running = NULL;
  VeilExit status = run ("stop", argc, argv, &settings, &running);

  if (status != VEIL_EXIT_OK)
    return status;
  if (running != NULL)
    return stop (running);
  /* What is wanted is so already. */
  g_print (_ ("nothing runs\n"));
  return VEIL_EXIT_OK;
}

VeilExit
veil_command_restart (int argc, char **argv)
{
  g_autoptr (VeilSettings) settings = NULL;
  g_autoptr (VeilInstanceInfo) running = NULL;
  VeilExit status = run ("restart", argc, argv, &settings, &running);

  if (status != VEIL_EXIT_OK)
    return status;
  if (running != NULL)
    return restart (settings, running);
  g_printerr (_ ("og-veil: Nothing runs that could be started again; start it with `og-veil`\n"));
  return VEIL_EXIT_FAILURE;
}
