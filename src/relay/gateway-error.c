/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway-error.h"

#include "error-details.h"
#include "translate.h"

#define MAX_MESSAGE 300

static const VeilJson *
find_text (const VeilJson *value)
{
  static const char *const inner[] = { "message", "detail", "error" };

  if (veil_json_is (value, VEIL_JSON_STRING))
    return value;
  for (guint i = 0; i < G_N_ELEMENTS (inner); i++)
    {
      const VeilJson *text = veil_json_get_member (value, inner[i]);

      if (veil_json_is (text, VEIL_JSON_STRING))
        return text;
    }
  return NULL;
}

/* Without control characters, line breaks, invisible or direction-changing characters, which could forge lines of a log or a terminal. */
static char *
clean (const char *text, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) MIN (length, MAX_MESSAGE));
  GString *out = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isprint (c) && g_unichar_type (c) != G_UNICODE_FORMAT)
        g_string_append_unichar (out, c);
      else if (out->len > 0 && out->str[out->len - 1] != ' ')
        g_string_append_c (out, ' ');
    }
  if (length > MAX_MESSAGE)
    g_string_append (out, "…");
  return g_string_free (out, FALSE);
}

gboolean
veil_gateway_error_set (GError **error, guint status, const VeilJson *body)
{
  const VeilJson *details = veil_json_get_member (body, "error");
  const VeilJson *text = find_text (details);
  g_autoptr (GError) local = NULL;
  g_autofree char *message = NULL;
  gsize length;

  if (text == NULL)
    text = find_text (veil_json_get_member (body, "detail"));
  if (text != NULL)
    {
      const char *raw = veil_json_get_string (text, &length);

      message = clean (raw, length);
    }
  if (message != NULL && *message != '\0')
    local = g_error_new (VEIL_ERROR, VEIL_ERROR_GATEWAY, _ ("The gateway in the enclave reports an error (status %u): %s"), status,
                         message);
  else
    local = g_error_new (VEIL_ERROR, VEIL_ERROR_GATEWAY,
                         _ ("The gateway in the enclave reports an error (status %u) and gives no reason"), status);
  veil_error_set_status (local, status);
  veil_error_set_retryable (local, veil_json_is (veil_json_get_member (body, "retryable"), VEIL_JSON_TRUE) ||
                                       veil_json_is (veil_json_get_member (details, "retryable"), VEIL_JSON_TRUE));
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
