/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "relay-error.h"

#include "error-details.h"
#include "json.h"
#include "translate.h"

#include <string.h>

#define MAX_BODY (64 * 1024)
#define MAX_CHARACTERS 512
#define MAX_RETRY_AFTER 64

/* "detail" and "error" come as a string, as an object that has one, or (from validation) as a list of such objects. */
static const VeilJson *
find_text (const VeilJson *value)
{
  static const char *const keys[] = { "message", "msg", "detail", "error" };

  for (guint depth = 0; depth < 3 && value != NULL && !veil_json_is (value, VEIL_JSON_STRING); depth++)
    {
      const VeilJson *inner = veil_json_get_element (value, 0);

      for (guint i = 0; i < G_N_ELEMENTS (keys) && inner == NULL; i++)
        inner = veil_json_get_member (value, keys[i]);
      value = inner;
    }
  return veil_json_is (value, VEIL_JSON_STRING) ? value : NULL;
}

static gboolean
repeats_secret (const char *text, gsize length, const char *const *secrets)
{
  for (; secrets != NULL && *secrets != NULL; secrets++)
    if (**secrets != '\0' && g_strstr_len (text, (gssize) length, *secrets) != NULL)
      return TRUE;
  return FALSE;
}

/* At most MAX_CHARACTERS characters on one line: this text ends up in terminals, logs and the caller's error message. */
static char *
clean_text (const VeilJson *value, const char *const *secrets)
{
  g_autoptr (GString) clean = NULL;
  const char *text;
  const char *end;
  gsize length;

  text = veil_json_get_string (value, &length);
  if (text == NULL || !veil_json_string_is_utf8 (value))
    return NULL;
  if (repeats_secret (text, length, secrets))
    return NULL;
  clean = g_string_new (NULL);
  end = text + length;
  for (guint n = 0; text < end && n < MAX_CHARACTERS; n++)
    {
      gunichar c = g_utf8_get_char (text);

      text = g_utf8_next_char (text);
      if (c == 0x201c || c == 0x201d)
        c = '"'; /* the quotation ends where we end it */
      g_string_append_unichar (clean, g_unichar_isprint (c) ? c : ' ');
    }
  g_strstrip (clean->str);
  if (*clean->str == '\0')
    return NULL;
  return g_strdup (clean->str);
}

static gboolean
read_retryable (const VeilJson *root)
{
  return veil_json_is (veil_json_get_member (root, "retryable"), VEIL_JSON_TRUE) ||
         veil_json_is (veil_json_get_member (veil_json_get_member (root, "detail"), "retryable"), VEIL_JSON_TRUE) ||
         veil_json_is (veil_json_get_member (veil_json_get_member (root, "error"), "retryable"), VEIL_JSON_TRUE);
}

static char *
read_body (GBytes *body, const char *const *secrets, gboolean *retryable)
{
  g_autoptr (VeilJsonDoc) doc = NULL;
  const VeilJson *root;
  const VeilJson *text;
  const char *data;
  gsize length;

  *retryable = FALSE;
  data = g_bytes_get_data (body, &length);
  if (length == 0 || length > MAX_BODY)
    return NULL;
  doc = veil_json_doc_new (data, length, NULL);
  if (doc == NULL)
    return NULL;
  root = veil_json_doc_get_root (doc);
  *retryable = read_retryable (root);
  text = find_text (veil_json_get_member (root, "detail"));
  if (text == NULL)
    text = find_text (veil_json_get_member (root, "error"));
  return clean_text (text, secrets);
}

static const char *
get_advice (guint status)
{
  switch (status)
    {
    case SOUP_STATUS_UNAUTHORIZED:
    case SOUP_STATUS_FORBIDDEN:
      return _ ("The relay does not accept this session");
    case SOUP_STATUS_PAYMENT_REQUIRED:
      return _ ("The account's credits are used up; add some, then try again");
    case SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE:
      return _ ("The request is too large for the relay; shorten it");
    case 429:
      return _ ("The relay limits how often it may be asked; wait, then try again");
    case SOUP_STATUS_BAD_GATEWAY:
    case SOUP_STATUS_SERVICE_UNAVAILABLE:
    case SOUP_STATUS_GATEWAY_TIMEOUT:
      return _ ("The relay could not reach the enclave; try again later");
    default:
      return _ ("The relay refused the request");
    }
}

const char *
veil_relay_error_get_login_advice (void)
{
  /* TRANSLATORS: the end of "The relay does not accept this session (HTTP 401)" */
  return _ (": run `og-veil login`");
}

/* Handed on in a header of our own answer: a number or a date, nothing longer. */
static const char *
get_retry_after (SoupMessageHeaders *headers)
{
  const char *value = soup_message_headers_get_one (headers, "Retry-After");

  if (value == NULL || *value == '\0' || strlen (value) > MAX_RETRY_AFTER)
    return NULL;
  for (const char *c = value; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr (" ,:-+", *c) == NULL)
      return NULL;
  return value;
}

static void
set_details (GError *error, guint status, SoupMessageHeaders *headers, gboolean retryable)
{
  const char *retry_after = get_retry_after (headers);

  veil_error_set_status (error, status);
  veil_error_set_retryable (error, retryable);
  if (retry_after != NULL)
    veil_error_set_retry_after (error, retry_after);
}

GError *
veil_relay_error_new (guint status, SoupMessageHeaders *headers, GBytes *body, const char *const *secrets)
{
  gboolean refused = status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN;
  g_autofree char *text = NULL;
  g_autofree char *said = NULL;
  g_autofree char *message = NULL;
  gboolean retryable;
  GError *error;

  if (status >= 300 && status < 400)
    return g_error_new (VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER,
                        _ ("The relay answered with a redirect (HTTP %u), which is not followed; check the relay's address"),
                        status);

  text = read_body (body, secrets, &retryable);
  if (text != NULL)
    /* TRANSLATORS: what happened, a number, and what the relay says about it */
    said = g_strdup_printf (_ ("%s (HTTP %u; it says: “%s”)"), get_advice (status), status, text);
  else
    said = g_strdup_printf (_ ("%s (HTTP %u)"), get_advice (status), status);
  message = g_strconcat (said, refused ? veil_relay_error_get_login_advice () : "", NULL);
  error = g_error_new_literal (VEIL_ERROR, refused ? VEIL_ERROR_SESSION_REFUSED : VEIL_ERROR_RELAY_REFUSED, message);
  set_details (error, status, headers, retryable);
  return error;
}
