/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <nettle/hmac.h>
#include <string.h>

#include "hpke.h"
#include "secret.h"

void
veil_hkdf_sha256_extract (const guint8 *salt, gsize salt_length, const guint8 *ikm, gsize ikm_length, guint8 out[static 32])
{
  struct hmac_sha256_ctx context;

  hmac_sha256_set_key (&context, salt_length, salt);
  hmac_sha256_update (&context, ikm_length, ikm);
  hmac_sha256_digest (&context, SHA256_DIGEST_SIZE, out);
  veil_secret_wipe (&context, sizeof context);
}

void
veil_hkdf_sha256_expand (const guint8 prk[static 32], const guint8 *info, gsize info_length, guint8 *out, gsize length)
{
  struct hmac_sha256_ctx context;
  const guint8 *previous = NULL;

  g_return_if_fail (length <= 255 * SHA256_DIGEST_SIZE);

  hmac_sha256_set_key (&context, SHA256_DIGEST_SIZE, prk);
  for (guint8 i = 1; length > 0; i++)
    {
      gsize size = MIN (length, SHA256_DIGEST_SIZE);

      if (previous != NULL)
        hmac_sha256_update (&context, SHA256_DIGEST_SIZE, previous);
      hmac_sha256_update (&context, info_length, info);
      hmac_sha256_update (&context, 1, &i);
      hmac_sha256_digest (&context, size, out); /* which starts anew with the same key */
      previous = out;
      out += size;
      length -= size;
    }
  veil_secret_wipe (&context, sizeof context);
}
