/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "api-error.h"

#include "error-details.h"
#include "json-writer.h"
#include "translate.h"

#include <string.h>

#define SIGN_IN_HINT "og-veil login"

void
veil_api_error_init (VeilApiError *self, guint status, const char *code, const char *message)
{
  *self = (VeilApiError){ .status = status, .code = code, .message = g_utf8_make_valid (message, -1) };
}

void
veil_api_error_clear (VeilApiError *self)
{
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->param, g_free);
  g_clear_pointer (&self->retry_after, g_free);
}

/* A plain error of the relay: what concerns the caller keeps its status, the rest is the relay's own trouble. */
static void
map_relay_status (VeilApiError *self, guint status)
{
  switch (status)
    {
    case 401:
    case 403:
      self->status = 401;
      self->code = "session_refused";
      break;
    case 402:
      self->status = 402;
      self->code = "insufficient_quota";
      break;
    case 413:
      self->status = 413;
      self->code = "request_too_large";
      break;
    case 429:
      self->status = 429;
      self->code = "rate_limit_exceeded";
      break;
    default:
      self->status = status == 504 ? 504 : 502;
      self->code = "relay_error";
      break;
    }
}

/* An error from inside the seal. Its 401 and 403 are about the gateway's own credentials: told as such, a client would ask its user for a key. */
static guint
sensible_gateway_status (guint status)
{
  if (status < 400 || status > 599 || status == 401 || status == 403 || status == 407)
    return 502;
  return status;
}

static void
map_verification (VeilApiError *self, VeilError code)
{
  self->status = 502;
  self->check = veil_error_get_nick (code);
  self->dont_retry = TRUE;
  if (code == VEIL_ERROR_UNSIGNED_CONTENT)
    self->code = "unsigned_content";
  else if (code == VEIL_ERROR_STALE)
    self->code = "stale_response";
  else
    self->code = "verification_failed";
}

static void
map_code (VeilApiError *self, const GError *error)
{
  VeilError code = error->code;

  self->code = veil_error_get_nick (code);
  switch (code)
    {
    case VEIL_ERROR_INVALID_JSON:
    case VEIL_ERROR_INVALID_REQUEST:
      self->status = 400;
      self->code = "invalid_request_error";
      break;
    case VEIL_ERROR_TOO_LARGE:
      self->status = 413;
      self->code = "request_too_large";
      break;
    case VEIL_ERROR_NOT_SIGNED_IN:
    case VEIL_ERROR_SESSION_REFUSED:
      self->status = 401;
      break;
    case VEIL_ERROR_REGISTRY:
    case VEIL_ERROR_NO_ACTIVE_TEE:
    case VEIL_ERROR_PIN_MISMATCH:
    case VEIL_ERROR_PINNED_TEE_INACTIVE:
    case VEIL_ERROR_TEE_UNUSABLE:
    case VEIL_ERROR_SANDBOX:
      self->status = 503;
      break;
    case VEIL_ERROR_RELAY_REFUSED:
      map_relay_status (self, veil_error_get_status (error));
      break;
    case VEIL_ERROR_GATEWAY:
      self->status = sensible_gateway_status (veil_error_get_status (error));
      self->code = "upstream_error";
      break;
    case VEIL_ERROR_TIMED_OUT:
      self->status = 504;
      self->dont_retry = TRUE;
      break;
    case VEIL_ERROR_BROKEN_ANSWER:
    case VEIL_ERROR_ANSWER_TOO_LARGE:
      self->status = 502;
      self->dont_retry = TRUE;
      break;
    case VEIL_ERROR_UNREACHABLE:
      self->status = 502;
      break;
    default:
      if (veil_error_is_verification (code))
        map_verification (self, code);
      else
        self->status = 500;
      break;
    }
}

/* What a server far away sent goes into a header of ours only when it is plain text. */
static char *
dup_header_value (const char *value)
{
  gsize length = value != NULL ? strlen (value) : 0;

  if (length == 0 || length > 64)
    return NULL;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isprint (value[i]))
      return NULL;
  return g_strdup (value);
}

static void
add_sign_in_hint (VeilApiError *self)
{
  g_autofree char *said = NULL;

  if (strstr (self->message, SIGN_IN_HINT) != NULL)
    return;
  said = g_steal_pointer (&self->message);
  /* TRANSLATORS: what happened, and a command */
  self->message = g_strdup_printf (_ ("%s. Sign in with: %s"), said, SIGN_IN_HINT);
}

void
veil_api_error_init_from (VeilApiError *self, const GError *error)
{
  if (error->domain != VEIL_ERROR)
    {
      gboolean cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

      veil_api_error_init (self, cancelled ? 503 : 500, cancelled ? "stopped" : "internal_error",
                           cancelled ? _ ("Veil is stopping; send the request again when it runs")
                                     : _ ("Veil met an error of its own; see its log"));
      return;
    }
  veil_api_error_init (self, 500, "internal", error->message);
  self->param = g_strdup (veil_error_get_param (error));
  self->retry_after = dup_header_value (veil_error_get_retry_after (error));
  self->passed = veil_error_get_passed (error);
  self->quotes =
      error->code == VEIL_ERROR_RELAY_REFUSED || error->code == VEIL_ERROR_GATEWAY || error->code == VEIL_ERROR_SESSION_REFUSED;
  map_code (self, error);
  if (self->status == 401)
    add_sign_in_hint (self);
}

const char *
veil_api_error_get_type (const VeilApiError *self)
{
  switch (self->status)
    {
    case 401:
      return "authentication_error";
    case 402:
      return "insufficient_quota";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return self->status >= 500 ? "api_error" : "invalid_request_error";
    }
}

GBytes *
veil_api_error_to_bytes (const VeilApiError *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "error");
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "message");
  veil_json_writer_string (writer, self->message);
  veil_json_writer_key (writer, "type");
  veil_json_writer_string (writer, veil_api_error_get_type (self));
  veil_json_writer_key (writer, "param");
  veil_json_writer_string (writer, self->param);
  veil_json_writer_key (writer, "code");
  veil_json_writer_string (writer, self->code);
  if (self->check != NULL)
    {
      veil_json_writer_key (writer, "check");
      veil_json_writer_string (writer, self->check);
    }
  veil_json_writer_end_object (writer);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}
