/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What to paste where, so that a program uses the endpoint. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_SNIPPET_ENVIRONMENT,
  VEIL_SNIPPET_PYTHON,
  VEIL_SNIPPET_JAVASCRIPT,
  VEIL_SNIPPET_CURL,
  VEIL_SNIPPET_HERMES,
  VEIL_N_SNIPPETS
} VeilSnippet;

/* Translated: what it is for, and where it goes. */
const char *veil_snippet_get_title (VeilSnippet snippet);
const char *veil_snippet_get_place (VeilSnippet snippet);

/**
 * veil_snippet_get_text:
 * @url: veil_settings_get_url()
 * @with_key: the endpoint wants an API key; the text then takes it from OG_VEIL_API_KEY, and never holds it
 *
 * Returns: new string of one or more lines, without a line break at its end
 */
char       *veil_snippet_get_text (VeilSnippet snippet, const char *url, gboolean with_key);

G_END_DECLS
