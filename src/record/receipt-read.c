/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Receipts come from anywhere: every member is there once, of its type and form, and there is no other. */
#include "receipt-private.h"

#include "error-details.h"
#include "hex.h"
#include "translate.h"

#include <string.h>

#define MAX_ENDPOINT 2048
#define MAX_NAMES 65
#define MAX_NAME 320
#define MAX_KEY 2048       /* bytes of DER; 8192 bits take about half */
#define MAX_SIGNATURE 1024 /* bytes, for 8192 bits */
#define MAX_DURATION (G_GINT64_CONSTANT (1000000) * 86400)
#define MAX_TIMESTAMP G_GINT64_CONSTANT (253402300799) /* of the year 9999 */

/* @path: the member; NULL is the receipt. */
static gboolean G_GNUC_PRINTF (3, 4) refuse (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *reason = NULL;
  GError *local_error;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  local_error = g_error_new (VEIL_ERROR, VEIL_ERROR_RECEIPT, _ ("The receipt cannot be used: %s"), reason);
  veil_error_set_param (local_error, path != NULL ? path : "the receipt");
  g_propagate_error (error, local_error);
  return FALSE;
}

/* "tee.id" is member id of member tee. */
static const VeilJson *
find (const VeilJson *root, const char *path)
{
  const char *dot = strchr (path, '.');
  g_autofree char *first = NULL;

  if (dot == NULL)
    return veil_json_get_member (root, path);
  first = g_strndup (path, (gsize) (dot - path));
  return veil_json_get_member (veil_json_get_member (root, first), dot + 1);
}

/* Text that is what it looks like: no NUL, no lone surrogates. NULL is something else. */
static const char *
get_text (const VeilJson *value, gsize max)
{
  gsize length;
  const char *text = veil_json_get_string (value, &length);

  if (text == NULL || length > max || strlen (text) != length || !veil_json_string_is_utf8 (value))
    return NULL;
  return text;
}

static gboolean
read_text (const VeilJson *root, const char *path, gsize max, char **out, GError **error)
{
  const char *text = get_text (find (root, path), max);

  if (text == NULL)
    /* TRANSLATORS: here and below, about a member of a receipt, to end "The receipt cannot be used: " */
    return refuse (error, path, _ ("its “%s” must be text, and not too long"), path);
  *out = g_strdup (text);
  return TRUE;
}

/* "0x" and lower-case digits, the one spelling that is written. */
static const char *
get_hash (const VeilJson *root, const char *path, guint8 hash[static 32], GError **error)
{
  const char *text = get_text (find (root, path), 66);

  if (text != NULL && strlen (text) == 66 && g_str_has_prefix (text, "0x") && strspn (text + 2, "0123456789abcdef") == 64 &&
      veil_hex_decode (text, hash, 32))
    return text;
  refuse (error, path, _ ("its “%s” must be 0x and 64 lower-case hexadecimal digits"), path);
  return NULL;
}

static gboolean
read_hash_text (const VeilJson *root, const char *path, char **out, GError **error)
{
  guint8 hash[32];
  const char *text = get_hash (root, path, hash, error);

  *out = g_strdup (text);
  return text != NULL;
}

static gboolean
read_base64 (const VeilJson *root, const char *path, gsize max, GBytes **out, GError **error)
{
  const char *text = get_text (find (root, path), (max + 2) / 3 * 4);

  *out = text != NULL && *text != '\0' ? veil_base64_decode (text, strlen (text)) : NULL;
  return *out != NULL || refuse (error, path, _ ("its “%s” must be base64 with padding, and not too long"), path);
}

static gboolean
read_boolean (const VeilJson *root, const char *path, gboolean *out, GError **error)
{
  const VeilJson *value = find (root, path);

  *out = veil_json_is (value, VEIL_JSON_TRUE);
  return *out || veil_json_is (value, VEIL_JSON_FALSE) || refuse (error, path, _ ("its “%s” must be true or false"), path);
}

static gboolean
read_number (const VeilJson *root, const char *path, gint64 max, gint64 *out, GError **error)
{
  guint64 number;

  if (!veil_json_get_uint64 (find (root, path), &number) || number > (guint64) max)
    return refuse (error, path, _ ("its “%s” must be a whole number in range"), path);
  *out = (gint64) number;
  return TRUE;
}

static gboolean
read_names (const VeilJson *root, const char *path, GStrv *out, GError **error)
{
  const VeilJson *list = find (root, path);
  guint n = veil_json_get_size (list);
  g_auto (GStrv) names = NULL;

  if (!veil_json_is (list, VEIL_JSON_ARRAY) || n > MAX_NAMES)
    return refuse (error, path, _ ("its “%s” must be a list of names, and not too long"), path);
  names = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const char *name = get_text (veil_json_get_element (list, i), MAX_NAME);

      if (name == NULL)
        return refuse (error, path, _ ("its “%s” must hold names only, and none that is too long"), path);
      names[i] = g_strdup (name);
    }
  *out = g_steal_pointer (&names);
  return TRUE;
}

/* No member but @expected, in any order; that they are all there is found when they are read. */
static gboolean
check_members (const VeilJson *object, const char *path, const char *const *expected, GError **error)
{
  const char *key;
  gsize length;

  if (!veil_json_is (object, VEIL_JSON_OBJECT))
    return path != NULL ? refuse (error, path, _ ("its “%s” must be an object"), path)
                        : refuse (error, NULL, _ ("it must be an object"));
  for (guint i = 0; veil_json_get_member_at (object, i, &key, &length) != NULL; i++)
    if (strlen (key) != length || !g_strv_contains (expected, key))
      return path != NULL ? refuse (error, path, _ ("its “%s” holds a member that no receipt of this version has"), path)
                          : refuse (error, NULL, _ ("it holds a member that no receipt of this version has"));
  return TRUE;
}

static gboolean
check_version (const VeilJson *root, GError **error)
{
  guint64 version;

  if (!veil_json_is (root, VEIL_JSON_OBJECT) || !veil_json_equals (veil_json_get_member (root, "type"), VEIL_RECEIPT_TYPE))
    return refuse (error, "type", _ ("its “%s” must be “%s”: this is no receipt of Veil"), "type", VEIL_RECEIPT_TYPE);
  if (!veil_json_get_uint64 (veil_json_get_member (root, "version"), &version))
    return refuse (error, "version", _ ("its “%s” must be a whole number"), "version");
  if (version != VEIL_RECEIPT_VERSION)
    return refuse (error, "version", _ ("its “%s” is not one that this program knows (it knows 1); update it"), "version");
  return TRUE;
}

static gboolean
read_tee (const VeilJson *root, VeilProof *proof, GError **error)
{
  static const char *const members[] = { "endpoint", "id", "pcr_hash", "signing_key", NULL };

  return check_members (veil_json_get_member (root, "tee"), "tee", members, error) &&
         read_hash_text (root, "tee.id", &proof->tee_id, error) &&
         read_text (root, "tee.endpoint", MAX_ENDPOINT, &proof->tee_endpoint, error) &&
         read_hash_text (root, "tee.pcr_hash", &proof->pcr_hash, error) &&
         read_base64 (root, "tee.signing_key", MAX_KEY, &proof->signing_key, error);
}

static gboolean
read_durations (const VeilJson *root, VeilReceipt *self, GError **error)
{
  static const char *const members[] = { "open", "parse", "queue", "relay", "seal", "verify", NULL };

  return check_members (veil_json_get_member (root, "duration_us"), "duration_us", members, error) &&
         read_number (root, "duration_us.open", MAX_DURATION, &self->timing.open, error) &&
         read_number (root, "duration_us.parse", MAX_DURATION, &self->timing.parse, error) &&
         read_number (root, "duration_us.queue", MAX_DURATION, &self->queue, error) &&
         read_number (root, "duration_us.relay", MAX_DURATION, &self->timing.relay, error) &&
         read_number (root, "duration_us.seal", MAX_DURATION, &self->timing.seal, error) &&
         read_number (root, "duration_us.verify", MAX_DURATION, &self->timing.verify, error);
}

static gboolean
read_effort (const VeilJson *root, VeilProof *proof, GError **error)
{
  const VeilJson *value = veil_json_get_member (root, "reasoning_effort_signed");

  proof->effort_given = !veil_json_is (value, VEIL_JSON_NULL);
  proof->effort_signed = veil_json_is (value, VEIL_JSON_TRUE);
  if (!proof->effort_given || proof->effort_signed || veil_json_is (value, VEIL_JSON_FALSE))
    return TRUE;
  return refuse (error, "reasoning_effort_signed", _ ("its “%s” must be true, false, or null if there was none"),
                 "reasoning_effort_signed");
}

/* What the enclave vouches for, and of what. */
static gboolean
read_proof (const VeilJson *root, VeilProof *proof, GError **error)
{
  gint64 timestamp;

  if (get_hash (root, "request_hash", proof->request_hash, error) == NULL ||
      get_hash (root, "output_hash", proof->output_hash, error) == NULL ||
      !read_number (root, "timestamp", MAX_TIMESTAMP, &timestamp, error) ||
      !read_base64 (root, "signature", MAX_SIGNATURE, &proof->signature, error) || !read_tee (root, proof, error) ||
      !read_names (root, "signed", &proof->signed_, error) || !read_names (root, "unsigned", &proof->unsigned_, error) ||
      !read_names (root, "dropped", &proof->dropped, error) || !read_effort (root, proof, error) ||
      !read_boolean (root, "sandbox", &proof->sandbox, error))
    return FALSE;
  proof->timestamp = (guint64) timestamp;
  if (g_strv_length (proof->signed_) == 1 &&
      (g_str_equal (proof->signed_[0], "content") || g_str_equal (proof->signed_[0], "tool_calls")))
    return TRUE;
  return refuse (error, "signed", _ ("its “%s” must be [\"content\"] or [\"tool_calls\"]"), "signed");
}

static gboolean
check_digest (const VeilJson *root, const VeilReceipt *self, GError **error)
{
  guint8 claimed[32], digest[32];

  if (get_hash (root, "digest", claimed, error) == NULL)
    return FALSE;
  veil_receipt_digest (self, digest);
  return memcmp (claimed, digest, sizeof digest) == 0 ||
         refuse (error, "digest", _ ("its “%s” is not that of the other members: one of them was changed"), "digest");
}

VeilReceipt *
veil_receipt_read_members (const VeilJson *object, GError **error)
{
  static const char *const members[] = {
    "digest",       "dropped",   "duration_us", "model",    "output_hash", "reasoning_effort_signed",
    "request_hash", "sandbox",   "signature",   "signed",   "stream",      "tee",
    "time",         "timestamp", "type",        "unsigned", "version",     NULL
  };
  g_autoptr (VeilReceipt) self = veil_receipt_alloc ();
  const char *time;

  self->proof = veil_proof_new ();
  if (!check_version (object, error) || !check_members (object, NULL, members, error) || !read_proof (object, self->proof, error) ||
      !read_text (object, "model", VEIL_RECORD_MAX_MODEL, &self->model, error) ||
      !read_boolean (object, "stream", &self->stream, error) || !read_durations (object, self, error))
    return NULL;
  time = get_text (veil_json_get_member (object, "time"), 27);
  if (time == NULL || !veil_receipt_parse_time (time, &self->time))
    {
      refuse (error, "time", _ ("its “%s” must be a time like 2026-01-31T12:00:00.000000Z"), "time");
      return NULL;
    }
  return g_steal_pointer (&self);
}

VeilReceipt *
veil_receipt_new_from_json (const VeilJson *object, GError **error)
{
  g_autoptr (VeilReceipt) self = veil_receipt_read_members (object, error);

  return self != NULL && check_digest (object, self, error) ? g_steal_pointer (&self) : NULL;
}

VeilReceipt *
veil_receipt_new_from_data (const char *data, gsize length, GError **error)
{
  g_autoptr (VeilJsonDoc) doc = NULL;

  if (length > VEIL_RECEIPT_MAX_SIZE)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_TOO_LARGE, _ ("The file is larger than any receipt (%u KiB)"),
                   VEIL_RECEIPT_MAX_SIZE / 1024);
      return NULL;
    }
  doc = veil_json_doc_new (data, length, error);
  if (doc == NULL)
    {
      g_prefix_error (error, _ ("The receipt cannot be read: "));
      return NULL;
    }
  if (veil_json_doc_has_repeated_keys (doc))
    {
      refuse (error, NULL, _ ("it has a member twice"));
      return NULL;
    }
  return veil_receipt_new_from_json (veil_json_doc_get_root (doc), error);
}
