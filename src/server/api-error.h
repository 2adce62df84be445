/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Errors as OpenAI clients know them: status, and {"error":{"message","type","param","code"}} (the table of product.md section 3).
 *
 * `type` follows the status: invalid_request_error (400, 404, 405, 409, 413, 415, 422), authentication_error (401), insufficient_quota (402),
 * permission_error (403), rate_limit_error (429), api_error (everything from 500 on). `code` says what happened; for an answer that failed
 * verification it is verification_failed, unsigned_content or stale_response, and a further member `check` names the check. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  guint       status;
  const char *code;        /* static */
  const char *check;       /* static; NULL unless an answer failed verification */
  char       *message;     /* owned; UTF-8 */
  char       *param;       /* owned; may be NULL */
  char       *retry_after; /* owned; may be NULL; fit for a header */
  gboolean    quotes;      /* the message may hold words of the relay or the gateway, and they words of the prompt */
  guint       passed;      /* of an answer that failed verification: how many checks, from the first on, were surely passed */
  gboolean    dont_retry;  /* the request may have run, or a check said no: clients must not send it again by themselves */
} VeilApiError;

void        veil_api_error_init (VeilApiError *self, guint status, const char *code, const char *message);
void        veil_api_error_init_from (VeilApiError *self, const GError *error);
void        veil_api_error_clear (VeilApiError *self);

const char *veil_api_error_get_type (const VeilApiError *self); /* static */
GBytes     *veil_api_error_to_bytes (const VeilApiError *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilApiError, veil_api_error_clear)

G_END_DECLS
