/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Text to paste somewhere, to unfold and to copy. */
#pragma once

#include "snippets.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_SNIPPET_ROW (veil_snippet_row_get_type ())
G_DECLARE_FINAL_TYPE (VeilSnippetRow, veil_snippet_row, VEIL, SNIPPET_ROW, AdwExpanderRow)

GtkWidget *veil_snippet_row_new (VeilSnippet snippet);
/* The endpoint's address, %NULL while it has none. */
void       veil_snippet_row_set_url (VeilSnippetRow *self, const char *url, gboolean with_key);

G_END_DECLS
