/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "abi.h"

#include "hex.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define WORD 32
#define MAX_DATA (4 * 1024 * 1024)
#define MAX_ENTRIES 4096
#define ADDRESS_SIZE 20
#define PCR_HASH_SIZE 32
#define TEE_HEAD_WORDS 11
#define OHTTP_HEAD_WORDS 7

/* Reads words and tails from front to back. Solidity writes the tails in the order of their offsets without gaps, so every offset has
 * one right value: the place where the reader stands. Overlaps, gaps, cycles and references back cannot be spelled. */
typedef struct
{
  const guint8 *data;
  gsize length;
  gsize position;
  const char *trouble; /* static; the first one */
} Cursor;

static gboolean
refuse (Cursor *cursor, const char *trouble)
{
  if (cursor->trouble == NULL)
    cursor->trouble = trouble;
  return FALSE;
}

static gboolean
is_zero (const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (data[i] != 0)
      return FALSE;
  return TRUE;
}

static const guint8 *
take (Cursor *cursor, gsize length)
{
  if (length > cursor->length - cursor->position)
    {
      refuse (cursor, _ ("it is cut short"));
      return NULL;
    }

  const guint8 *at = cursor->data + cursor->position;
  cursor->position += length;
  return at;
}

/* An unsigned integer of at most @size bytes, right-aligned in its word. */
static gboolean
take_uint (Cursor *cursor, gsize size, guint64 *out)
{
  const guint8 *word = take (cursor, WORD);

  if (word == NULL)
    return FALSE;
  if (!is_zero (word, WORD - size))
    return refuse (cursor, _ ("a number is out of range"));
  *out = 0;
  for (gsize i = WORD - size; i < WORD; i++)
    *out = *out << 8 | word[i];
  return TRUE;
}

/* A uint256 that is kept as far as 64 bits go. */
static gboolean
take_saturated (Cursor *cursor, guint64 *out)
{
  const guint8 *word = take (cursor, WORD);

  if (word == NULL)
    return FALSE;
  if (!is_zero (word, WORD - 8))
    {
      *out = G_MAXUINT64;
      return TRUE;
    }
  cursor->position -= WORD;
  return take_uint (cursor, 8, out);
}

static gboolean
take_bool (Cursor *cursor, gboolean *out)
{
  guint64 value;

  if (!take_uint (cursor, 1, &value))
    return FALSE;
  if (value > 1)
    return refuse (cursor, _ ("a truth value is neither 0 nor 1"));
  *out = value == 1;
  return TRUE;
}

static gboolean
take_address (Cursor *cursor)
{
  const guint8 *word = take (cursor, WORD);

  if (word == NULL)
    return FALSE;
  return is_zero (word, WORD - ADDRESS_SIZE) || refuse (cursor, _ ("an address is longer than 20 bytes"));
}

/* The word at @at in the head of the tuple that starts at @base must point at where the cursor stands. */
static gboolean
expect_offset (Cursor *cursor, gsize base, gsize at)
{
  Cursor head = { cursor->data, cursor->length, at, NULL };
  guint64 offset;

  if (!take_uint (&head, 8, &offset) || offset != cursor->position - base)
    return refuse (cursor, _ ("an offset does not point at its data"));
  return TRUE;
}

static gboolean
take_bytes (Cursor *cursor, const guint8 **out, gsize *length)
{
  guint64 claimed;

  if (!take_uint (cursor, 8, &claimed))
    return FALSE;
  if (claimed > cursor->length - cursor->position)
    return refuse (cursor, _ ("a length reaches past the end"));

  gsize padding = (WORD - claimed % WORD) % WORD;
  *length = claimed;
  *out = take (cursor, claimed);

  const guint8 *pad = take (cursor, padding);
  if (*out == NULL || pad == NULL)
    return FALSE;
  return is_zero (pad, padding) || refuse (cursor, _ ("the padding is not zero"));
}

/* bytes or string, behind the offset in head word @index. */
static gboolean
take_tail (Cursor *cursor, gsize base, guint index, const guint8 **out, gsize *length)
{
  return expect_offset (cursor, base, base + index * WORD) && take_bytes (cursor, out, length);
}

static gboolean
take_ohttp_config (Cursor *cursor, VeilTee *tee)
{
  gsize base = cursor->position;
  guint64 key_id, kem_id, kdf_id, aead_id, registered_at;
  const guint8 *public_key, *config;
  gsize public_key_length, config_length;

  if (!take_uint (cursor, 1, &key_id) || !take_uint (cursor, 2, &kem_id) || !take_uint (cursor, 2, &kdf_id) ||
      !take_uint (cursor, 2, &aead_id) || take (cursor, 2 * WORD) == NULL || !take_saturated (cursor, &registered_at) ||
      !take_tail (cursor, base, 4, &public_key, &public_key_length) || !take_tail (cursor, base, 5, &config, &config_length))
    return FALSE;

  VeilOhttpKey suite = { .key_id = key_id, .kem_id = kem_id, .kdf_id = kdf_id, .aead_id = aead_id };
  veil_tee_set_ohttp_key (tee, &suite, public_key, public_key_length, config, config_length);
  return TRUE;
}

static gboolean
take_tee_head (Cursor *cursor, VeilTee *tee)
{
  const guint8 *pcr_hash;
  guint64 tee_type;

  /* owner, paymentAddress; the offsets of endpoint, publicKey and tlsCertificate are looked at when their turn comes. */
  if (!take_address (cursor) || !take_address (cursor) || take (cursor, 3 * WORD) == NULL ||
      (pcr_hash = take (cursor, PCR_HASH_SIZE)) == NULL || !take_uint (cursor, 1, &tee_type) ||
      !take_bool (cursor, &tee->enabled) || !take_saturated (cursor, &tee->registered_at) ||
      !take_saturated (cursor, &tee->last_heartbeat_at) || take (cursor, WORD) == NULL)
    return FALSE;
  tee->pcr_hash = veil_hex_encode_0x (pcr_hash, PCR_HASH_SIZE);
  tee->tee_type = tee_type;
  return TRUE;
}

static VeilTee *
take_tee (Cursor *cursor)
{
  g_autoptr (VeilTee) tee = veil_tee_new ();
  gsize base = cursor->position;
  const guint8 *endpoint, *key, *certificate;
  gsize endpoint_length, key_length, certificate_length;

  if (!take_tee_head (cursor, tee) || !take_tail (cursor, base, 2, &endpoint, &endpoint_length) ||
      !take_tail (cursor, base, 3, &key, &key_length) || !take_tail (cursor, base, 4, &certificate, &certificate_length) ||
      !expect_offset (cursor, base, base + (TEE_HEAD_WORDS - 1) * WORD))
    return NULL;

  veil_tee_set_endpoint (tee, endpoint, endpoint_length);
  veil_tee_set_signing_key (tee, key, key_length);
  veil_tee_set_tls_certificate (tee, certificate, certificate_length);
  if (!take_ohttp_config (cursor, tee))
    return NULL;
  if (!tee->enabled)
    veil_tee_set_unusable (tee, _ ("switched off in the registry"));
  return g_steal_pointer (&tee);
}

/* The offset word in front of a dynamic return value, and the count behind it. @entry_size: the least that an entry takes. */
static gboolean
take_count (Cursor *cursor, gsize entry_size, guint64 *count)
{
  if (take (cursor, WORD) == NULL || !expect_offset (cursor, 0, 0) || !take_uint (cursor, 8, count))
    return FALSE;
  if (*count > MAX_ENTRIES)
    return refuse (cursor, _ ("it lists more entries than can be true"));
  if (*count * entry_size > cursor->length - cursor->position)
    return refuse (cursor, _ ("a length reaches past the end"));
  return TRUE;
}

static gboolean
begin (Cursor *cursor, const guint8 *data, gsize length)
{
  *cursor = (Cursor){ .data = data, .length = length };
  if (length == 0)
    return refuse (cursor, _ ("it is empty, as if there were no contract at that address"));
  if (length > MAX_DATA)
    return refuse (cursor, _ ("it is too large"));
  return TRUE;
}

static gboolean
finish (Cursor *cursor)
{
  return cursor->position == cursor->length || refuse (cursor, _ ("there is more than was announced"));
}

static void
set_error (GError **error, const Cursor *cursor)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY, _ ("The contract's answer cannot be read: %s"), cursor->trouble);
}

static gboolean
take_tees (Cursor *cursor, GPtrArray *tees)
{
  guint64 count;

  if (!take_count (cursor, (1 + TEE_HEAD_WORDS + OHTTP_HEAD_WORDS) * WORD, &count))
    return FALSE;

  gsize base = cursor->position;
  if (take (cursor, count * WORD) == NULL)
    return FALSE;
  for (guint64 i = 0; i < count; i++)
    {
      VeilTee *tee;

      if (!expect_offset (cursor, base, base + i * WORD) || (tee = take_tee (cursor)) == NULL)
        return FALSE;
      g_ptr_array_add (tees, tee);
    }
  return finish (cursor);
}

GPtrArray *
veil_abi_decode_tees (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (GPtrArray) tees = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_tee_unref);
  Cursor cursor;

  if (begin (&cursor, data, length) && take_tees (&cursor, tees))
    return g_steal_pointer (&tees);
  set_error (error, &cursor);
  return NULL;
}

VeilTee *
veil_abi_decode_tee (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (VeilTee) tee = NULL;
  Cursor cursor;

  if (begin (&cursor, data, length) && take (&cursor, WORD) != NULL && expect_offset (&cursor, 0, 0) &&
      (tee = take_tee (&cursor)) != NULL && finish (&cursor))
    return g_steal_pointer (&tee);
  set_error (error, &cursor);
  return NULL;
}

GPtrArray *
veil_abi_decode_tee_ids (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  Cursor cursor;
  guint64 count;

  if (begin (&cursor, data, length) && take_count (&cursor, WORD, &count))
    {
      for (guint64 i = 0; i < count; i++)
        g_ptr_array_add (ids, veil_hex_encode_0x (take (&cursor, WORD), WORD));
      if (finish (&cursor))
        return g_steal_pointer (&ids);
    }
  set_error (error, &cursor);
  return NULL;
}

gboolean
veil_abi_decode_bool (const guint8 *data, gsize length, gboolean *out, GError **error)
{
  Cursor cursor;

  if (begin (&cursor, data, length) && take_bool (&cursor, out) && finish (&cursor))
    return TRUE;
  set_error (error, &cursor);
  return FALSE;
}

static gboolean
take_builds (Cursor *cursor, GPtrArray *builds)
{
  guint64 count;

  if (!take_count (cursor, 2 * WORD, &count))
    return FALSE;
  for (guint64 i = 0; i < count; i++)
    {
      const guint8 *pcr_hash = take (cursor, PCR_HASH_SIZE);
      guint64 tee_type;

      if (pcr_hash == NULL || !take_uint (cursor, 1, &tee_type))
        return FALSE;
      g_autofree char *text = veil_hex_encode_0x (pcr_hash, PCR_HASH_SIZE);
      g_ptr_array_add (builds, veil_build_new (text, tee_type));
    }
  return finish (cursor);
}

GPtrArray *
veil_abi_decode_approved_pcrs (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (GPtrArray) builds = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_build_free);
  Cursor cursor;

  if (begin (&cursor, data, length) && take_builds (&cursor, builds))
    return g_steal_pointer (&builds);
  set_error (error, &cursor);
  return NULL;
}

VeilBuild *
veil_abi_decode_approval (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (VeilBuild) build = veil_build_new (NULL, 0);
  const guint8 *version;
  gsize version_length;
  guint64 tee_type;
  Cursor cursor;

  if (begin (&cursor, data, length) && take_bool (&cursor, &build->approved) && take_uint (&cursor, 1, &tee_type) &&
      take_saturated (&cursor, &build->approved_at) && take (&cursor, WORD) != NULL &&
      take_tail (&cursor, 0, 3, &version, &version_length) && finish (&cursor))
    {
      build->tee_type = tee_type;
      veil_build_set_version (build, version, version_length);
      return g_steal_pointer (&build);
    }
  set_error (error, &cursor);
  return NULL;
}
