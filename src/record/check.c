/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "check.h"

#include "translate.h"

static const struct
{
  const char *nick;
  const char *title;
} checks[VEIL_N_CHECKS] = {
  [VEIL_CHECK_SEAL] = { "seal", N_ ("The sealed answer opens and is whole") },
  [VEIL_CHECK_FORM] = { "form", N_ ("The answer can be read and carries a signature") },
  [VEIL_CHECK_TEE_ID] = { "tee_id", N_ ("It comes from the chosen enclave, by the registry's key") },
  [VEIL_CHECK_REQUEST_HASH] = { "request_hash", N_ ("It was signed for the request that was sent") },
  [VEIL_CHECK_OUTPUT_HASH] = { "output_hash", N_ ("It was signed for exactly this output") },
  [VEIL_CHECK_SIGNATURE] = { "signature", N_ ("The signature is the enclave's") },
  [VEIL_CHECK_FRESH] = { "fresh", N_ ("It was signed just now") },
  [VEIL_CHECK_COVERAGE] = { "coverage", N_ ("Nothing unsigned stands where it has to be signed") },
};

VeilCheck
veil_check_from_code (VeilError code)
{
  switch (code)
    {
    case VEIL_ERROR_SEAL:
      return VEIL_CHECK_SEAL;
    case VEIL_ERROR_MALFORMED_ANSWER:
    case VEIL_ERROR_NO_SIGNED_FRAME:
    case VEIL_ERROR_MISSING_FIELD:
    case VEIL_ERROR_TIMESTAMP:
      return VEIL_CHECK_FORM;
    case VEIL_ERROR_TEE_ID:
      return VEIL_CHECK_TEE_ID;
    case VEIL_ERROR_REQUEST_HASH:
      return VEIL_CHECK_REQUEST_HASH;
    case VEIL_ERROR_OUTPUT_HASH:
      return VEIL_CHECK_OUTPUT_HASH;
    case VEIL_ERROR_SIGNING_KEY:
    case VEIL_ERROR_SIGNATURE:
      return VEIL_CHECK_SIGNATURE;
    case VEIL_ERROR_STALE:
      return VEIL_CHECK_FRESH;
    case VEIL_ERROR_UNSIGNED_CONTENT:
      return VEIL_CHECK_COVERAGE;
    default:
      return VEIL_N_CHECKS;
    }
}

VeilCheck
veil_check_from_code_nick (const char *nick)
{
  for (VeilError code = VEIL_ERROR_SEAL; nick != NULL && code <= VEIL_ERROR_UNSIGNED_CONTENT; code++)
    if (g_str_equal (nick, veil_error_get_nick (code)))
      return veil_check_from_code (code);
  return VEIL_N_CHECKS;
}

const char *
veil_check_get_nick (VeilCheck check)
{
  g_return_val_if_fail ((guint) check < VEIL_N_CHECKS, NULL);

  return checks[check].nick;
}

const char *
veil_check_get_title (VeilCheck check)
{
  g_return_val_if_fail ((guint) check < VEIL_N_CHECKS, NULL);

  return _ (checks[check].title);
}
