/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "snippets.h"

#include "trial.h"

#include <glib/gi18n.h>

#define MODEL VEIL_TRIAL_DEFAULT_MODEL

static const struct
{
  const char *title;
  const char *place;
} labels[VEIL_N_SNIPPETS] = {
  [VEIL_SNIPPET_ENVIRONMENT] = { N_ ("Environment"), N_ ("In the shell that starts your program") },
  [VEIL_SNIPPET_PYTHON] = { N_ ("Python"), N_ ("OpenAI SDK") },
  [VEIL_SNIPPET_JAVASCRIPT] = { N_ ("JavaScript"), N_ ("OpenAI SDK") },
  [VEIL_SNIPPET_CURL] = { N_ ("curl"), N_ ("In a terminal") },
  [VEIL_SNIPPET_HERMES] = { N_ ("Hermes Agent"), N_ ("In ~/.hermes/config.yaml") },
};

const char *
veil_snippet_get_title (VeilSnippet snippet)
{
  return _ (labels[snippet].title);
}

const char *
veil_snippet_get_place (VeilSnippet snippet)
{
  return _ (labels[snippet].place);
}

char *
veil_snippet_get_text (VeilSnippet snippet, const char *url, gboolean with_key)
{
  switch (snippet)
    {
    case VEIL_SNIPPET_ENVIRONMENT:
      return g_strdup_printf ("export OPENAI_BASE_URL=%s\nexport OPENAI_API_KEY=%s", url,
                              with_key ? "\"$OG_VEIL_API_KEY\"" : "veil");
    case VEIL_SNIPPET_PYTHON:
      return g_strdup_printf ("%sfrom openai import OpenAI\n\nclient = OpenAI(base_url=\"%s\", api_key=%s)",
                              with_key ? "import os\n" : "", url, with_key ? "os.environ[\"OG_VEIL_API_KEY\"]" : "\"veil\"");
    case VEIL_SNIPPET_JAVASCRIPT:
      return g_strdup_printf ("import OpenAI from 'openai'\n\nconst client = new OpenAI({ baseURL: '%s', apiKey: %s })", url,
                              with_key ? "process.env.OG_VEIL_API_KEY" : "'veil'");
    case VEIL_SNIPPET_CURL:
      return g_strdup_printf ("curl %s/chat/completions \\\n%s  -H 'Content-Type: application/json' \\\n"
                              "  -d '{\"model\": \"" MODEL "\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'",
                              url, with_key ? "  -H \"Authorization: Bearer $OG_VEIL_API_KEY\" \\\n" : "");
    case VEIL_SNIPPET_HERMES:
      return g_strdup_printf ("model:\n  provider: custom\n  default: " MODEL "\n  base_url: %s\n  api_key: %s", url,
                              with_key ? "${OG_VEIL_API_KEY}" : "veil");
    case VEIL_N_SNIPPETS:
    default:
      g_return_val_if_reached (NULL);
    }
}
