/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "abi.h"

#include "hex.h"
#include "keccak.h"

#include <string.h>

#define WORD 32

/* The first four bytes of the signature's hash, then the arguments, a word each. */
static char *
encode_words (const char *signature, const guint8 *words, gsize n_words)
{
  guint8 hash[VEIL_KECCAK256_SIZE];
  guint8 call[4 + 2 * WORD];

  g_return_val_if_fail (n_words <= 2, NULL);
  veil_keccak256 (signature, strlen (signature), hash);
  memcpy (call, hash, 4);
  if (n_words > 0)
    memcpy (call + 4, words, n_words * WORD);
  return veil_hex_encode_0x (call, 4 + n_words * WORD);
}

static char *
encode_call (const char *signature, const guint8 word[static WORD])
{
  return encode_words (signature, word, 1);
}

char *
veil_abi_encode_get_active_tees (guint8 tee_type)
{
  return encode_call ("getActiveTEEs(uint8)", (const guint8[WORD]){ [WORD - 1] = tee_type });
}

char *
veil_abi_encode_get_enabled_tees (guint8 tee_type)
{
  return encode_call ("getEnabledTEEs(uint8)", (const guint8[WORD]){ [WORD - 1] = tee_type });
}

char *
veil_abi_encode_get_tee (const guint8 tee_id[static 32])
{
  return encode_call ("getTEE(bytes32)", tee_id);
}

char *
veil_abi_encode_is_tee_active (const guint8 tee_id[static 32])
{
  return encode_call ("isTEEActive(bytes32)", tee_id);
}

char *
veil_abi_encode_get_approved_pcrs (void)
{
  return encode_words ("getApprovedPCRs()", NULL, 0);
}

char *
veil_abi_encode_approved_pcrs (guint8 tee_type, const guint8 pcr_hash[static 32])
{
  guint8 words[2 * WORD] = { [WORD - 1] = tee_type };

  memcpy (words + WORD, pcr_hash, WORD);
  return encode_words ("approvedPCRs(uint8,bytes32)", words, 2);
}
