/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What is to be pasted names the endpoint, never the key, and can be run as it stands. */
#include "snippets.h"

#include <gio/gio.h>
#include <string.h>

#define URL "http://127.0.0.1:4711/v1"

static void
test_all (void)
{
  for (VeilSnippet i = 0; i < VEIL_N_SNIPPETS; i++)
    for (guint with_key = 0; with_key < 2; with_key++)
      {
        g_autofree char *text = veil_snippet_get_text (i, URL, with_key);

        g_assert_nonnull (strstr (text, URL));
        g_assert_cmpint (with_key, ==, strstr (text, "OG_VEIL_API_KEY") != NULL);
        g_assert_false (g_str_has_suffix (text, "\n"));
        g_assert_cmpint (*veil_snippet_get_title (i), !=, '\0');
        g_assert_cmpint (*veil_snippet_get_place (i), !=, '\0');
      }
}

static void
run_shell (const char *script, const char *expected)
{
  g_autoptr (GSubprocess) shell = NULL;
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;

  shell = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/bin/sh", "-euc", script, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (shell, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_successful (shell));
  g_assert_cmpstr (output, ==, expected);
}

static void
test_environment (void)
{
  g_autofree char *text = veil_snippet_get_text (VEIL_SNIPPET_ENVIRONMENT, URL, FALSE);
  g_autofree char *keyed = veil_snippet_get_text (VEIL_SNIPPET_ENVIRONMENT, URL, TRUE);
  g_autofree char *script = g_strconcat (text, "\nenv | grep ^OPENAI_ | sort", NULL);
  g_autofree char *keyed_script = g_strconcat ("OG_VEIL_API_KEY='one and two'\n", keyed, "\nprintenv OPENAI_API_KEY", NULL);

  run_shell (script, "OPENAI_API_KEY=veil\nOPENAI_BASE_URL=" URL "\n");
  run_shell (keyed_script, "one and two\n");
}

/* The quoting holds: curl gets each argument whole. */
static void
test_curl (void)
{
  g_autofree char *text = veil_snippet_get_text (VEIL_SNIPPET_CURL, URL, TRUE);
  g_autofree char *script =
      g_strconcat ("OG_VEIL_API_KEY=secret-1\ncurl () { for argument; do echo \"$argument\"; done; }\n", text, NULL);

  run_shell (script, URL "/chat/completions\n-H\nAuthorization: Bearer secret-1\n-H\nContent-Type: application/json\n-d\n"
                         "{\"model\": \"gpt-4.1-mini\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/snippets/all", test_all);
  g_test_add_func ("/snippets/environment", test_environment);
  g_test_add_func ("/snippets/curl", test_curl);
  return g_test_run ();
}
