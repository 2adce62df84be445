/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "retry.h"

#include "veil-error.h"

#include <libsoup/soup.h>

gboolean
veil_retry_elsewhere (const GError *error)
{
  guint status;

  if (error->domain != VEIL_ERROR)
    return FALSE;
  status = veil_error_get_status (error);
  switch ((VeilError) error->code)
    {
    case VEIL_ERROR_UNREACHABLE:
    case VEIL_ERROR_TEE_UNUSABLE:
      return TRUE;
    case VEIL_ERROR_RELAY_REFUSED:
      return (status >= SOUP_STATUS_BAD_GATEWAY && status <= SOUP_STATUS_GATEWAY_TIMEOUT) ||
             (status >= 500 && veil_error_get_retryable (error));
    case VEIL_ERROR_GATEWAY:
      return (status < 400 || status >= 500) && veil_error_get_retryable (error);
    default:
      return FALSE;
    }
}

/* Answers that the relay gives when it, or the gateway, no longer knows the enclave or its key: some relays say that it is not to be reached. */
gboolean
veil_retry_anew (const GError *error)
{
  if (veil_retry_elsewhere (error))
    return error->code != VEIL_ERROR_UNREACHABLE; /* that is the relay itself */
  if (!g_error_matches (error, VEIL_ERROR, VEIL_ERROR_RELAY_REFUSED))
    return FALSE;
  switch (veil_error_get_status (error))
    {
    case SOUP_STATUS_BAD_REQUEST:
    case SOUP_STATUS_NOT_FOUND:
    case SOUP_STATUS_GONE:
    case SOUP_STATUS_UNPROCESSABLE_ENTITY:
      return TRUE;
    default:
      return FALSE;
    }
}
