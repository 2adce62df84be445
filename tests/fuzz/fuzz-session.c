/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Login bundles: what is accepted is fit to be put into headers, URLs and terminals, and survives the store unchanged. */
#include "fetch.h"
#include "session.h"
#include "veil-error.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static void
check_token (const char *token)
{
  g_assert_cmpuint (strlen (token), >, 0);
  for (const char *c = token; *c != '\0'; c++)
    g_assert_true (*c > ' ' && *c < 0x7f);
}

static void
check_url (const char *url)
{
  g_assert_true (veil_fetch_check_url (url, "url", NULL));
  g_assert_false (g_str_has_suffix (url, "/"));
}

static void
check_name (const char *name)
{
  if (name == NULL)
    return;
  g_assert_true (g_utf8_validate (name, -1, NULL));
  for (const char *c = name; *c != '\0'; c = g_utf8_next_char (c))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (c)));
}

static void
check_session (const VeilSession *session)
{
  check_token (session->access_token);
  check_token (session->supabase_anon_key);
  if (session->refresh_token != NULL)
    check_token (session->refresh_token);
  check_url (session->supabase_url);
  check_url (session->relay_url);
  if (session->registry_rpc_url != NULL)
    check_url (session->registry_rpc_url);
  if (session->registry_address != NULL)
    g_assert_cmpuint (strlen (session->registry_address), ==, 42);
  check_name (session->user_id);
  check_name (session->email);
  check_name (session->app_env);
  g_assert_cmpint (session->expires_at, >=, 0);
  g_assert_cmpint (veil_session_check_can_serve (session, NULL), ==,
                   session->registry_rpc_url != NULL && session->registry_address != NULL);
}

/* The same bytes as the answer to a renewal: nothing but the tokens and their time is taken from it. */
static void
check_renewal (const char *data, gsize length)
{
  static const char first[] =
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"a\",\"config\":{\"supabase_url\":\"https://a.example\","
      "\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://b.example\"}}";
  g_autoptr (VeilSession) old = veil_session_new_from_bundle (first, strlen (first), 0, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) renewed = veil_session_new_refreshed (old, data, length, 1700000000, &error);

  g_assert_true ((renewed == NULL) == (error != NULL));
  if (renewed == NULL)
    return;
  check_session (renewed);
  g_assert_true (veil_session_has_same_network (old, renewed));
  g_assert_cmpstr (renewed->supabase_url, ==, old->supabase_url);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) session = veil_session_new_from_bundle ((const char *) data, length, 1700000000, &error);
  g_autoptr (VeilSession) again = NULL;
  g_autoptr (GBytes) once = NULL;
  g_autoptr (GBytes) twice = NULL;

  check_renewal ((const char *) data, length);
  if (session == NULL)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  g_assert_no_error (error);
  check_session (session);
  once = veil_session_to_bundle (session);
  again = veil_session_new_from_bundle (g_bytes_get_data (once, NULL), g_bytes_get_size (once), 0, &error);
  g_assert_no_error (error);
  twice = veil_session_to_bundle (again);
  g_assert_true (g_bytes_equal (once, twice));
  return 0;
}
