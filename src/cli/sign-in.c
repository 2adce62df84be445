/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "sign-in.h"

#include "browser.h"
#include "login-listener.h"
#include "login-steps.h"
#include "paste.h"
#include "session-commit.h"
#include "table.h"
#include "terminal.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* --- waiting --- */

static void
on_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
await (GAsyncResult **slot)
{
  while (*slot == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *slot;
}

/* --- getting a session --- */

VeilSession *
veil_sign_in_with_browser (const VeilSettings *settings, gboolean open_browser, GError **error)
{
  g_autoptr (VeilLoginListener) listener = veil_login_listener_new (settings->app_url, error);
  g_autoptr (GAsyncResult) result = NULL;
  const char *url;

  if (listener == NULL)
    return NULL;
  url = veil_login_listener_get_sign_in_url (listener);
  if (open_browser)
    {
      g_printerr (_ ("Sign in on the page that opens in your browser. If none opens, visit:\n\n  %s\n\n"), url);
      veil_browser_open (url);
    }
  else
    {
      g_printerr (_ ("Sign in on this page with a browser on this machine:\n"));
      g_print ("%s\n", url);
    }
  g_printerr (_ ("Waiting for up to five minutes; Ctrl-C cancels.\n"));
  veil_login_listener_wait_async (listener, NULL, on_ready, &result);
  return veil_login_listener_wait_finish (listener, await (&result), error);
}

VeilSession *
veil_sign_in_with_paste (GError **error)
{
  g_autoptr (GBytes) text =
      veil_cli_read_paste (_ ("Paste the code that the sign-in page shows (it stays invisible; Ctrl-C gives up):"),
                           VEIL_SESSION_MAX_BYTES, error);
  const char *data;
  gsize length;

  if (text == NULL)
    return NULL;
  data = g_bytes_get_data (text, &length);
  return veil_login_read_code (length > 0 ? data : "", length, error);
}

VeilSession *
veil_sign_in_with_python (gboolean import, GError **error)
{
  g_autofree char *path = veil_login_get_python_path ();
  g_autoptr (GError) local_error = NULL;
  g_autoptr (VeilSession) session = veil_login_find_python (&local_error);

  if (session == NULL)
    {
      if (import && g_error_matches (local_error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN))
        g_set_error (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
                     _ ("There is no session of the Python client at %s: sign in without --import"), path);
      else if (import)
        g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (import)
    return g_steal_pointer (&session);
  if (session->email != NULL)
    g_printerr (_ ("The Python client is signed in as %s (%s).\n"), session->email, path);
  else
    g_printerr (_ ("The Python client is signed in (%s).\n"), path);
  if (!isatty (STDIN_FILENO))
    g_printerr (_ ("`og-veil login --import` takes that session over.\n"));
  else if (veil_terminal_ask (_ ("Take its session over? The Python client will have to sign in again. [y/N] ")))
    return g_steal_pointer (&session);
  return NULL;
}

/* --- the store, and consent --- */

static VeilSession *
load (VeilTokenStore *store, VeilStorePrompt prompt, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  veil_token_store_load_async (store, prompt, NULL, on_ready, &result);
  return veil_token_store_load_finish (store, await (&result), error);
}

VeilSession *
veil_sign_in_load (VeilTokenStore *store, GError **error)
{
  return load (store, VEIL_STORE_MAY_PROMPT, error);
}

VeilSession *
veil_sign_in_peek (VeilTokenStore *store, GError **error)
{
  return load (store, VEIL_STORE_QUIET, error);
}

static gboolean
ask_for_consent (const char *differences, gboolean trust_new, GError **error)
{
  g_autofree char *line = NULL;

  if (trust_new || isatty (STDIN_FILENO))
    g_printerr (_ ("This login is for another network than the one you trust:\n%s"), differences);
  if (trust_new)
    return TRUE;
  if (isatty (STDIN_FILENO) &&
      veil_terminal_ask (_ ("Whoever runs it decides which enclaves get your prompts. Trust it from now on? [y/N] ")))
    return TRUE;
  line = g_strdelimit (g_strstrip (g_strdup (differences)), "\n", ';');
  g_set_error (
      error, VEIL_ERROR, VEIL_ERROR_BUNDLE,
      _ ("This login is for another network than the one you trust (%s), so nothing was changed; if you know why, sign in with "
         "--trust-new-network"),
      line);
  return FALSE;
}

/* Consent holds for the differences that were shown: if another process changed what is trusted meanwhile, it is asked for anew. */
gboolean
veil_sign_in_commit (const VeilSettings *settings, VeilTokenStore *store, VeilSession *session, gboolean trust_new, GError **error)
{
  g_autofree char *consented = NULL;

  for (;;)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) local_error = NULL;
      g_autofree char *differences = NULL;

      veil_session_commit_async (settings->home, store, session, consented, NULL, on_ready, &result);
      if (veil_session_commit_finish (await (&result), &differences, &local_error))
        return TRUE;
      if (differences == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      if (!ask_for_consent (differences, trust_new, error))
        return FALSE;
      g_free (consented);
      consented = g_steal_pointer (&differences);
    }
}

void
veil_sign_in_print (const VeilSession *session, const char *where)
{
  g_autofree char *registry = g_strdup_printf (_ ("%s, contract %s"), session->registry_rpc_url, session->registry_address);
  VeilTable *table = veil_table_new ("");

  if (session->email != NULL)
    g_print (_ ("signed in as %s; the session is kept in %s\n"), session->email, where);
  else
    g_print (_ ("signed in; the session is kept in %s\n"), where);
  veil_table_add (table, C_ ("status", "relay"), session->relay_url);
  veil_table_add (table, C_ ("status", "registry"), registry);
  veil_table_print (table);
}
