/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "measurements.h"

#include "hex.h"
#include "json.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define DIGITS (2 * VEIL_ATTESTATION_PCR_SIZE)

static gboolean
refuse (GError **error, const char *reason)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("the measurements cannot be used: %s"), reason);
  return FALSE;
}

gboolean
veil_measurements_set (VeilMeasurements *self, guint index, const char *text, GError **error)
{
  static const guint8 zeros[VEIL_ATTESTATION_PCR_SIZE];
  guint8 *pcr = self->pcrs + index * VEIL_ATTESTATION_PCR_SIZE;

  g_return_val_if_fail (index < 3, FALSE);
  if (!veil_hex_decode (text, pcr, VEIL_ATTESTATION_PCR_SIZE))
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("PCR%u has %d hexadecimal digits, with or without 0x"), index,
                 DIGITS);
  else if (memcmp (pcr, zeros, sizeof zeros) == 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                 _ ("PCR%u is all zeros, which any enclave in debug mode shows: measure the build outside debug mode"), index);
  else
    return TRUE;
  return FALSE;
}

static gboolean
read_json_pcrs (VeilMeasurements *self, const VeilJson *measurements, GError **error)
{
  const char *algorithm = veil_json_get_string (veil_json_get_member (measurements, "HashAlgorithm"), NULL);

  if (!veil_json_is (measurements, VEIL_JSON_OBJECT))
    return refuse (error, _ ("there is no object “Measurements” in the JSON"));
  if (algorithm != NULL && g_ascii_strncasecmp (algorithm, "sha384", strlen ("sha384")) != 0)
    return refuse (error, _ ("their “HashAlgorithm” is not Sha384"));
  for (guint i = 0; i < 3; i++)
    {
      char key[] = { 'P', 'C', 'R', '0' + i, '\0' };
      const char *text = veil_json_get_string (veil_json_get_member (measurements, key), NULL);

      if (text == NULL)
        {
          g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("the measurements cannot be used: they do not say %s"),
                       key);
          return FALSE;
        }
      if (!veil_measurements_set (self, i, text, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_json (VeilMeasurements *self, const char *text, gsize length, GError **error)
{
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (text, length, NULL);
  const VeilJson *root;

  if (doc == NULL)
    return refuse (error, _ ("they begin like JSON and are not JSON"));
  if (veil_json_doc_has_duplicate_keys (doc))
    return refuse (error, _ ("their JSON says something twice"));
  root = veil_json_doc_get_root (doc);
  if (veil_json_is (root, VEIL_JSON_ARRAY))
    {
      if (veil_json_get_size (root) != 1)
        return refuse (error, _ ("their JSON lists several enclaves, or none"));
      root = veil_json_get_element (root, 0);
    }
  return read_json_pcrs (self, veil_json_get_member (root, "Measurements"), error);
}

/* "PCR" and a number of one or two digits. Returns: -1 if it is not that. */
static int
read_index (const char *name)
{
  gsize digits = strlen (name);

  if (!g_str_has_prefix (name, "PCR") || digits < 4 || digits > 5)
    return -1;
  for (gsize i = 3; i < digits; i++)
    if (!g_ascii_isdigit (name[i]))
      return -1;
  return (int) g_ascii_strtoll (name + 3, NULL, 10);
}

static gboolean
read_line (VeilMeasurements *self, char *line, guint *seen, GError **error)
{
  char *colon;
  int index;

  g_strstrip (line);
  colon = strchr (line, ':');
  if (*line == '\0' || *line == '#')
    return TRUE;
  if (colon == NULL)
    return refuse (error, _ ("they have a line that is neither JSON nor of the form “PCR0: DIGITS”"));
  *colon = '\0';
  index = read_index (g_strstrip (line));
  if (index < 0)
    return refuse (error, _ ("they have a line that is neither JSON nor of the form “PCR0: DIGITS”"));
  if (index > 2)
    return TRUE;
  if ((*seen & 1u << index) != 0)
    return refuse (error, _ ("they say a PCR twice"));
  *seen |= 1u << index;
  return veil_measurements_set (self, (guint) index, g_strstrip (colon + 1), error);
}

static gboolean
read_lines (VeilMeasurements *self, const char *text, gsize length, GError **error)
{
  g_autofree char *copy = g_strndup (text, length);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);
  guint seen = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    if (!read_line (self, lines[i], &seen, error))
      return FALSE;
  return seen == 7 || refuse (error, _ ("they do not say all of PCR0, PCR1 and PCR2"));
}

gboolean
veil_measurements_read (VeilMeasurements *self, const char *text, gsize length, GError **error)
{
  gsize start = 0;

  if (length > VEIL_MEASUREMENTS_MAX_BYTES)
    return refuse (error, _ ("they are larger than 64 KiB"));
  if (!g_utf8_validate_len (text, length, NULL)) /* and without NUL */
    return refuse (error, _ ("they are not UTF-8 text"));
  while (start < length && g_ascii_isspace (text[start]))
    start++;
  if (start < length && (text[start] == '{' || text[start] == '['))
    return read_json (self, text + start, length - start, error);
  return read_lines (self, text, length, error);
}

char *
veil_measurements_get_hash (const VeilMeasurements *self)
{
  guint8 hash[32];

  veil_attestation_hash_pcrs (self->pcrs, hash);
  return veil_hex_encode_0x (hash, sizeof hash);
}
