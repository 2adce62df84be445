/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The genuine document, and what becomes of it when anything is changed. What a change of the genuine one cannot show (chains that are signed, and yet wrong)
 * is in tests/peers/test_attestation.py. */
#include "nitro.h"
#include "vectors.h"
#include "veil-error.h"

#include <string.h>

/* The four parts of the COSE array, heads included. */
enum
{
  PROTECTED,
  UNPROTECTED,
  PAYLOAD,
  SIGNATURE,
  WHOLE, /* the array put together */
};

typedef struct
{
  GByteArray *parts[4]; /* PAYLOAD and SIGNATURE without their heads */
} Document;

static GBytes *
load (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "vectors", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text;
  gsize length;

  g_file_get_contents (path, &text, &length, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (text, length);
}

static GBytes *
load_genuine (void)
{
  g_autoptr (GBytes) text = load ("nitro-attestation-document.b64");
  g_autoptr (GError) error = NULL;
  GBytes *document = veil_nitro_decode (g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);

  g_assert_no_error (error);
  return document;
}

static GByteArray *
array_of (const guint8 *data, gsize length)
{
  return g_byte_array_append (g_byte_array_new (), data, length);
}

/* Where the parts of the genuine one are is known. */
static void
take_apart (Document *self)
{
  g_autoptr (GBytes) genuine = load_genuine ();
  const guint8 *data = g_bytes_get_data (genuine, NULL);

  g_assert_cmpuint (g_bytes_get_size (genuine), ==, 4556);
  self->parts[PROTECTED] = array_of (data + 1, 5);
  self->parts[UNPROTECTED] = array_of (data + 6, 1);
  self->parts[PAYLOAD] = array_of (data + 10, 4448);
  self->parts[SIGNATURE] = array_of (data + 4460, 96);
}

static void
append_string (GByteArray *out, const GByteArray *string)
{
  const guint8 heads[] = { 0x40 | string->len, 0x58, string->len, 0x59, string->len >> 8, string->len };

  if (string->len < 24)
    g_byte_array_append (out, heads, 1);
  else if (string->len < 256)
    g_byte_array_append (out, heads + 1, 2);
  else
    g_byte_array_append (out, heads + 3, 3);
  g_byte_array_append (out, string->data, string->len);
}

static GByteArray *
put_together (const Document *self)
{
  GByteArray *whole = array_of ((const guint8 *) "\x84", 1);

  g_byte_array_append (whole, self->parts[PROTECTED]->data, self->parts[PROTECTED]->len);
  g_byte_array_append (whole, self->parts[UNPROTECTED]->data, self->parts[UNPROTECTED]->len);
  append_string (whole, self->parts[PAYLOAD]);
  append_string (whole, self->parts[SIGNATURE]);
  return whole;
}

static void
document_clear (Document *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->parts); i++)
    g_clear_pointer (&self->parts[i], g_byte_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Document, document_clear)

/* Puts @replacement in the place of the first @length bytes at @at. */
static void
splice (GByteArray *part, gsize at, gsize length, const void *replacement, gsize replacement_length)
{
  g_autoptr (GByteArray) tail = array_of (part->data + at + length, part->len - at - length);

  g_byte_array_set_size (part, at);
  g_byte_array_append (part, replacement, replacement_length);
  g_byte_array_append (part, tail->data, tail->len);
}

static gsize
find (const GByteArray *part, GBytes *what)
{
  const guint8 *found = memmem (part->data, part->len, g_bytes_get_data (what, NULL), g_bytes_get_size (what));

  g_assert_nonnull (found);
  return found - part->data;
}

static void
replace (GByteArray *part, const char *old_hex, const char *new_hex)
{
  g_autoptr (GBytes) old = vectors_hex_text (old_hex);
  g_autoptr (GBytes) new = vectors_hex_text (new_hex);

  splice (part, find (part, old), g_bytes_get_size (old), g_bytes_get_data (new, NULL), g_bytes_get_size (new));
}

static VeilAttestation *
verify (GByteArray *document, gint64 at, GError **error)
{
  /* Of its own size, so that sanitizers see a step too far. */
  g_autoptr (GBytes) bytes = g_bytes_new (document->data, document->len);

  return veil_nitro_verify (bytes, veil_nitro_aws_root, at, error);
}

static void
assert_hex (const guint8 *data, gsize length, JsonObject *expected, const char *key)
{
  g_autoptr (GBytes) bytes = vectors_hex (expected, key);

  vectors_assert_equal ("genuine", key, data, length, bytes);
}

static void
assert_bytes (GBytes *bytes, JsonObject *expected, const char *key)
{
  g_assert_nonnull (bytes);
  assert_hex (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, key);
}

static void
test_genuine (void)
{
  g_autoptr (GBytes) document = load_genuine ();
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GBytes) text = load ("nitro-attestation-expected.json");
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAttestation) attestation = veil_nitro_verify (document, veil_nitro_aws_root, VEIL_NITRO_AT_ITS_TIME, &error);
  JsonObject *expected;

  g_assert_no_error (error);
  g_assert_true (json_parser_load_from_data (parser, g_bytes_get_data (text, NULL), g_bytes_get_size (text), NULL));
  expected = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpuint (attestation->timestamp_ms, ==, json_object_get_int_member (expected, "timestamp_ms"));
  g_assert_cmpstr (attestation->module_id, ==, json_object_get_string_member (expected, "module_id"));
  assert_bytes (attestation->pcrs[0], expected, "pcr0");
  assert_bytes (attestation->pcrs[1], expected, "pcr1");
  assert_bytes (attestation->pcrs[2], expected, "pcr2");
  assert_hex (attestation->pcr_hash, 32, expected, "pcr_hash");
  assert_bytes (attestation->user_data, expected, "user_data");
  assert_bytes (attestation->nonce, expected, "nonce");
  g_assert_cmpmem (g_bytes_get_data (attestation->public_key, NULL), g_bytes_get_size (attestation->public_key), "dummy", 5);
  g_assert_true (attestation->has_hashes);
  g_assert_cmpmem (attestation->tls_certificate_hash, 32, (const guint8 *) g_bytes_get_data (attestation->user_data, NULL) + 2, 32);
  g_assert_cmpmem (attestation->signing_key_hash, 32, (const guint8 *) g_bytes_get_data (attestation->user_data, NULL) + 36, 32);
  g_assert_false (veil_attestation_is_debug (attestation));
  for (guint i = 0; i < VEIL_ATTESTATION_PCRS; i++)
    g_assert_true ((attestation->pcrs[i] != NULL) == (i < 16));
}

/* Its own certificate was valid for three hours: 2026-02-12 17:55:59 to 20:56:02. */
static void
test_validity (void)
{
  static const struct
  {
    gint64 at;
    gboolean valid;
  } cases[] = { { 1770918958, FALSE }, { 1770918959, TRUE }, { 1770918962, TRUE },  { 1770929762, TRUE },  { 1770929763, FALSE },
                { 0, FALSE },          { -1, FALSE },        { G_MAXINT64, FALSE }, { 4102444800, FALSE }, { 1582000000, FALSE } };
  g_autoptr (GBytes) document = load_genuine ();
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  for (guint i = 0; i <= G_N_ELEMENTS (cases); i++)
    {
      gboolean last = i == G_N_ELEMENTS (cases);
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilAttestation) attestation = veil_nitro_verify (document, veil_nitro_aws_root, last ? now : cases[i].at, &error);

      if (!last && cases[i].valid)
        g_assert_no_error (error);
      else
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_VALIDITY);
      g_assert_true ((attestation != NULL) == (error == NULL));
    }
}

static void
test_other_root (void)
{
  g_autoptr (GBytes) document = load_genuine ();
  guint8 root[32];

  for (guint i = 0; i < 32; i += 31)
    {
      g_autoptr (GError) error = NULL;

      memcpy (root, veil_nitro_aws_root, sizeof root);
      root[i] ^= 1;
      g_assert_null (veil_nitro_verify (document, root, VEIL_NITRO_AT_ITS_TIME, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ROOT);
    }
}

/* The built-in fingerprint is that of the certificate that AWS publishes. */
static void
test_root_fingerprint (void)
{
  g_autoptr (GBytes) pem = load ("aws-nitro-root-g1.pem");
  g_autofree char *text = g_strndup (g_bytes_get_data (pem, NULL), g_bytes_get_size (pem));
  char *body = strchr (text, '\n');
  gsize length;
  g_autofree guint8 *der = NULL;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize size = sizeof digest;

  *strstr (body, "-----END") = '\0';
  der = g_base64_decode (body, &length);
  g_checksum_update (checksum, der, length);
  g_checksum_get_digest (checksum, digest, &size);
  g_assert_cmpmem (digest, sizeof digest, veil_nitro_aws_root, 32);
}

#define S VEIL_ERROR_ATTEST_SIGNATURE
#define F VEIL_ERROR_ATTEST_FIELD
#define E VEIL_ERROR_ATTEST_ENCODING
#define C VEIL_ERROR_ATTEST_COSE

#define MODULE_ID "696d6f64756c655f6964" /* the keys, each with its head but for the first */
#define DIGEST "66646967657374"
#define TIMESTAMP "6974696d657374616d70"
#define PCRS "6470637273"
#define CERTIFICATE "6b6365727469666963617465"
#define CABUNDLE "68636162756e646c65"
#define PUBLIC_KEY "6a7075626c69635f6b6579"
#define USER_DATA "69757365725f64617461"
#define NONCE "656e6f6e6365"
#define SHA384 "66534841333834"
#define TIME "1b0000019c52fee624"
#define DUMMY "4564756d6d79"
#define NONCE_VALUE "540123456789abcdef0123456789abcdef01234567"

/* In @part, the first @old becomes @new. */
static const struct
{
  const char *name;
  guint part;
  const char *old, *new;
  VeilError code;
  const char *param;
} changes[] = {
  /* Each field: another value. */
  { "module_id-changed", PAYLOAD, MODULE_ID "7827692d", MODULE_ID "7827692e", S, NULL },
  { "timestamp-later", PAYLOAD, TIME, "1b0000019c52fee625", S, NULL },
  { "timestamp-after-validity", PAYLOAD, TIME, "1b0000019d52fee624", VEIL_ERROR_ATTEST_VALIDITY, NULL },
  { "timestamp-before-validity", PAYLOAD, TIME, "1b0000019b52fee624", VEIL_ERROR_ATTEST_VALIDITY, NULL },
  { "pcr0-changed", PAYLOAD, "0058309bae", "0058309baf", S, NULL },
  { "pcr1-changed", PAYLOAD, "0158304b4d", "0158304b4c", S, NULL },
  { "pcr2-changed", PAYLOAD, "0258307699", "025830769a", S, NULL },
  { "pcr4-changed", PAYLOAD, "045830eb85", "045830eb86", S, NULL },
  { "pcr15-renamed", PAYLOAD, "0f5830", "105830", S, NULL },
  { "public_key-changed", PAYLOAD, DUMMY, "4564756d6d78", S, NULL },
  { "user_data-changed", PAYLOAD, "58441220b7", "58441220b6", S, NULL },
  { "nonce-changed", PAYLOAD, NONCE_VALUE, "540123456789abcdef0123456789abcdef01234568", S, NULL },
  { "nonce-empty", PAYLOAD, NONCE_VALUE, "40", S, NULL },
  { "nonce-null", PAYLOAD, NONCE_VALUE, "f6", S, NULL },
  { "nonce-left-out", PAYLOAD, NONCE NONCE_VALUE, "", S, NULL },
  { "public_key-left-out", PAYLOAD, PUBLIC_KEY DUMMY, "", S, NULL },
  { "user_data-shorter", PAYLOAD, "58441220b7", "581f1220b7", E, NULL },

  /* Each field: missing, or something that it may not be. */
  { "module_id-bytes", PAYLOAD, MODULE_ID "7827", MODULE_ID "5827", F, "module_id" },
  { "module_id-control", PAYLOAD, MODULE_ID "7827692d", MODULE_ID "7827691b", F, "module_id" },
  { "module_id-not-utf8", PAYLOAD, MODULE_ID "7827692d", MODULE_ID "782769ff", E, NULL },
  { "digest-sha512", PAYLOAD, SHA384, "66534841353132", F, "digest" },
  { "digest-lower-case", PAYLOAD, SHA384, "66736861333834", F, "digest" },
  { "digest-bytes", PAYLOAD, SHA384, "46534841333834", F, "digest" },
  { "digest-null", PAYLOAD, SHA384, "f6", F, "digest" },
  { "timestamp-zero", PAYLOAD, TIME, "00", F, "timestamp" },
  { "timestamp-negative", PAYLOAD, TIME, "3b0000019c52fee624", F, "timestamp" },
  { "timestamp-huge", PAYLOAD, TIME, "1bffffffffffffffff", F, "timestamp" },
  { "timestamp-float", PAYLOAD, TIME, "fb0000019c52fee624", E, NULL },
  { "timestamp-text", PAYLOAD, TIME, "6131", F, "timestamp" },
  { "timestamp-date", PAYLOAD, TIME, "c11a698e1432", E, NULL },
  { "pcrs-without-0", PAYLOAD, "b0005830", "b0105830", F, "pcrs" },
  { "pcrs-without-2", PAYLOAD, "02583076",
    "18"
    "1f583076",
    F, "pcrs" },
  { "pcrs-index-32", PAYLOAD, "0f5830", "18205830", F, "pcrs" },
  { "pcrs-index-negative", PAYLOAD, "0f5830", "205830", F, "pcrs" },
  { "pcrs-index-text", PAYLOAD, "0f5830",
    "6130"
    "5830",
    F, "pcrs" },
  { "pcrs-index-twice", PAYLOAD, "0f5830", "0e5830", E, NULL },
  { "pcrs-empty", PAYLOAD, PCRS "b0",
    PCRS "a0"
         "6178b0",
    F, "(other)" },
  { "pcrs-array", PAYLOAD, PCRS "b0", PCRS "9820", F, "pcrs" },
  { "pcrs-huge-count", PAYLOAD, PCRS "b0", PCRS "bb7fffffffffffffff", E, NULL },
  { "pcrs-count-too-large", PAYLOAD, PCRS "b0", PCRS "b1", F, NULL },
  { "pcrs-count-too-small", PAYLOAD, PCRS "b0", PCRS "af", F, "(other)" },
  { "pcrs-indefinite", PAYLOAD, PCRS "b0", PCRS "bf", E, NULL },
  { "pcr15-of-32-bytes", PAYLOAD,
    "0f5830"
    "00000000000000000000000000000000",
    "0f5820", F, "pcrs" },
  { "pcr15-text", PAYLOAD, "0f5830", "0f7830", E, NULL } /* zeros are no text either */,
  { "certificate-null", PAYLOAD, CERTIFICATE "59027f",
    CERTIFICATE "f66178"
                "59027f",
    F, "(other)" },
  { "certificate-text", PAYLOAD, CERTIFICATE "59027f", CERTIFICATE "79027f", E, NULL },
  { "cabundle-empty", PAYLOAD, CABUNDLE "84",
    CABUNDLE "80"
             "617884",
    F, "(other)" },
  { "cabundle-map", PAYLOAD, CABUNDLE "84", CABUNDLE "a2", E, NULL },
  { "cabundle-indefinite", PAYLOAD, CABUNDLE "84", CABUNDLE "9f", E, NULL },
  { "cabundle-huge-count", PAYLOAD, CABUNDLE "84", CABUNDLE "9a80000000", E, NULL },
  { "cabundle-null-certificate", PAYLOAD, CABUNDLE "84", CABUNDLE "85f6", F, "cabundle" },
  { "cabundle-empty-certificate", PAYLOAD, CABUNDLE "84", CABUNDLE "8540", F, "cabundle" },
  { "cabundle-of-9", PAYLOAD, CABUNDLE "84",
    CABUNDLE "894140414041404140"
             "4140",
    F, "cabundle" },
  { "public_key-empty", PAYLOAD, DUMMY, "40", F, "public_key" },
  { "public_key-text", PAYLOAD, DUMMY, "6564756d6d79", F, "public_key" },
  { "user_data-array", PAYLOAD, USER_DATA,
    USER_DATA "80"
              "6178",
    F, "(other)" },
  { "nonce-number", PAYLOAD, NONCE_VALUE, "00", F, "nonce" },
  { "unknown-field", PAYLOAD, NONCE,
    "61780"
    "0" NONCE,
    F, "(other)" },
  { "key-that-is-a-number", PAYLOAD, NONCE, "0000" NONCE, F, "(other)" },
  { "field-twice", PAYLOAD, NONCE, DIGEST SHA384 NONCE, E, NULL },
  { "nonce-twice", PAYLOAD, NONCE, NONCE "40" NONCE, E, NULL },

  /* CBOR: other ways to write the same, and what is no CBOR. */
  { "count-instead-of-indefinite", PAYLOAD, "bf" MODULE_ID, "a9" MODULE_ID, E, NULL }, /* the end mark is left over */
  { "huge-count-of-fields", PAYLOAD, "bf" MODULE_ID, "bbffffffffffffffff" MODULE_ID, E, NULL },
  { "tagged-fields", PAYLOAD, "bf" MODULE_ID,
    "d8"
    "18bf" MODULE_ID,
    E, NULL },
  { "key-longer-form", PAYLOAD, NONCE,
    "78"
    "056e6f6e6365",
    E, NULL },
  { "key-indefinite", PAYLOAD, NONCE, "7f656e6f6e6365ff", E, NULL },
  { "number-longer-form", PAYLOAD, "0f5830", "180f5830", E, NULL },
  { "length-longer-form", PAYLOAD, "0f5830", "0f590030", E, NULL },
  { "length-8-byte-form", PAYLOAD, DUMMY, "5b000000000000000564756d6d79", E, NULL },
  { "bytes-indefinite", PAYLOAD, DUMMY, "5f4564756d6d79ff", E, NULL },
  { "length-past-the-end", PAYLOAD, NONCE_VALUE, "590100", E, NULL },
  { "length-of-2-to-the-64", PAYLOAD, NONCE_VALUE, "5bffffffffffffffff", E, NULL },
  { "reserved-length", PAYLOAD, DUMMY, "5c64756d6d79", E, NULL },
  { "nested-8-deep", PAYLOAD, DUMMY,
    "8181818181818181"
    "80",
    E, NULL },
  { "nested-6-deep", PAYLOAD, DUMMY, "818181818180", F, "public_key" },
  { "undefined", PAYLOAD, DUMMY, "f7", E, NULL },
  { "true", PAYLOAD, DUMMY, "f5", E, NULL },
  { "half-float", PAYLOAD, DUMMY, "f90000", E, NULL },
  { "something-after-the-fields", PAYLOAD, "01234567ff", "01234567ff00", E, NULL },
  { "end-mark-missing", PAYLOAD, "01234567ff", "01234567", E, NULL },
  { "end-mark-twice", PAYLOAD, "01234567ff", "01234567ffff", E, NULL },

  /* COSE. */
  { "tagged", WHOLE, "8444a1013822", "d28444a1013822", E, NULL },
  { "array-of-3", WHOLE, "8444a1013822", "8344a1013822", E, NULL },
  { "array-of-5", WHOLE, "8444a1013822", "8544a1013822a0", C, NULL },
  { "array-indefinite", WHOLE, "8444a1013822", "9f44a1013822", E, NULL },
  { "array-longer-form", WHOLE, "8444a1013822", "980444a1013822", E, NULL },
  { "map-instead-of-array", WHOLE, "8444a1013822a0", "a244a1013822a0", E, NULL },
  { "es256", PROTECTED, "a1013822", "a1013826", C, NULL },
  { "es512", PROTECTED, "a1013822", "a1013823", C, NULL },
  { "algorithm-as-text", PROTECTED, "44a1013822", "48a101654553333834", C, NULL },
  { "algorithm-missing", PROTECTED, "44a1013822", "41a0", C, NULL },
  { "protected-empty", PROTECTED, "44a1013822", "40", C, NULL },
  { "protected-extra-header", PROTECTED, "44a1013822", "46a20138220440", C, NULL },
  { "protected-longer-form", PROTECTED, "44a1013822", "45a101390022", C, NULL },
  { "protected-a-map", PROTECTED, "44a1013822", "a1013822", C, NULL },
  { "unprotected-algorithm", UNPROTECTED, "a0", "a1013822", C, NULL },
  { "unprotected-key-id", UNPROTECTED, "a0", "a10440", C, NULL },
  { "unprotected-null", UNPROTECTED, "a0", "f6", C, NULL },
  { "unprotected-array", UNPROTECTED, "a0", "80", C, NULL },
  { "payload-a-map", WHOLE, "a0591160bf", "a0bf", E, NULL },
  { "payload-longer-form", WHOLE, "a0591160bf", "a05a00001160bf", E, NULL },
  { "payload-indefinite", WHOLE, "a0591160bf", "a05f591160bf", E, NULL },
  { "payload-claims-less", WHOLE, "a0591160bf", "a059115fbf", E, NULL },
  { "signature-null", WHOLE, "586039fd2d", "f6586039fd2d", E, NULL },
  { "signature-text", WHOLE, "586039fd2d", "786039fd2d", E, NULL },
  { "signature-changed-r", SIGNATURE, "39fd2d", "39fd2c", S, NULL },
};

static void
test_changes (void)
{
  guint seen = 0;

  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_auto (Document) document = { { NULL } };
      g_autoptr (GByteArray) whole = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilAttestation) attestation = NULL;

      take_apart (&document);
      if (changes[i].part != WHOLE)
        replace (document.parts[changes[i].part], changes[i].old, changes[i].new);
      whole = put_together (&document);
      if (changes[i].part == WHOLE)
        replace (whole, changes[i].old, changes[i].new);
      attestation = verify (whole, VEIL_NITRO_AT_ITS_TIME, &error);
      if (attestation != NULL || !g_error_matches (error, VEIL_ERROR, (int) changes[i].code))
        g_error ("%s: %s, not %s: %s", changes[i].name, error == NULL ? "accepted" : veil_error_get_nick (error->code),
                 veil_error_get_nick (changes[i].code), error == NULL ? "" : error->message);
      if (changes[i].param != NULL)
        g_assert_cmpstr (veil_error_get_param (error), ==, changes[i].param);
      g_assert_null (strchr (error->message, '\n'));
      seen++;
    }
  g_test_message ("%u changes", seen);
  g_assert_cmpuint (seen, >=, 100);
}

static void
assert_refused (Document *document, VeilError code, const char *name)
{
  g_autoptr (GByteArray) whole = put_together (document);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAttestation) attestation = verify (whole, VEIL_NITRO_AT_ITS_TIME, &error);

  if (attestation != NULL || !g_error_matches (error, VEIL_ERROR, (int) code))
    g_error ("%s: %s", name, error == NULL ? "accepted" : error->message);
}

/* Where each field begins in the payload, key first; the last ends before the end mark. */
static const struct
{
  const char *name;
  gsize from, to;
  gboolean required;
} fields[] = {
  { "module_id", 1, 52, TRUE },        { "digest", 52, 66, TRUE },         { "timestamp", 66, 85, TRUE },
  { "pcrs", 85, 907, TRUE },           { "certificate", 907, 1561, TRUE }, { "cabundle", 1561, 4323, TRUE },
  { "public_key", 4323, 4340, FALSE }, { "user_data", 4340, 4420, FALSE }, { "nonce", 4420, 4447, FALSE },
};

static void
test_missing_fields (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_auto (Document) document = { { NULL } };
      g_autoptr (GByteArray) whole = NULL;
      g_autoptr (GError) error = NULL;

      take_apart (&document);
      splice (document.parts[PAYLOAD], fields[i].from, fields[i].to - fields[i].from, "", 0);
      whole = put_together (&document);
      g_assert_null (verify (whole, VEIL_NITRO_AT_ITS_TIME, &error));
      g_assert_true (g_error_matches (error, VEIL_ERROR, fields[i].required ? (int) F : (int) S));
      if (fields[i].required)
        g_assert_cmpstr (veil_error_get_param (error), ==, fields[i].name);
    }
}

/* A byte too many for each field that has a limit. */
static void
test_field_limits (void)
{
  static const struct
  {
    guint field;
    gsize key;
    guint8 type;
    guint limit;
    guint8 fill;
  } cases[] = {
    { 0, 10, 0x79, 256, 'i' }, { 4, 12, 0x59, 1024, 0 }, { 6, 11, 0x59, 1024, 0 }, { 7, 10, 0x59, 512, 0 }, { 8, 6, 0x59, 512, 0 },
  };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      guint limit = cases[i / 2].limit + i % 2;
      guint8 value[3 + 1025] = { cases[i / 2].type, limit >> 8, limit };
      gsize from = fields[cases[i / 2].field].from + cases[i / 2].key;
      g_auto (Document) document = { { NULL } };

      memset (value + 3, cases[i / 2].fill, limit);
      take_apart (&document);
      splice (document.parts[PAYLOAD], from, fields[cases[i / 2].field].to - from, value, 3 + limit);
      assert_refused (&document,
                      i % 2 == 1                ? F
                      : cases[i / 2].field == 4 ? VEIL_ERROR_ATTEST_CERTIFICATE
                                                : S,
                      fields[cases[i / 2].field].name);
    }
}

/* The certificates in the payload: where their bytes are, the heads being three bytes before. */
static const struct
{
  gsize from, length;
} certificates[] = { { 1574, 533 }, { 2110, 707 }, { 2820, 794 }, { 3617, 706 }, { 922, 639 } };

/* Puts @der where a certificate was. */
static void
put_certificate (Document *document, guint index, const guint8 *der, gsize length)
{
  g_autoptr (GByteArray) value = array_of ((const guint8[]){ 0x59, length >> 8, length }, 3);

  g_byte_array_append (value, der, length);
  splice (document->parts[PAYLOAD], certificates[index].from - 3, certificates[index].length + 3, value->data, value->len);
}

static GByteArray *
get_certificate (const Document *document, guint index)
{
  return array_of (document->parts[PAYLOAD]->data + certificates[index].from, certificates[index].length);
}

static void
test_certificates (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (certificates); i++)
    {
      const VeilError wrong = i == 0 ? VEIL_ERROR_ATTEST_ROOT : VEIL_ERROR_ATTEST_CHAIN;
      const struct
      {
        gsize at;
        guint8 mask;
        VeilError code;
      } flips[] = {
        { 0, 1, VEIL_ERROR_ATTEST_CERTIFICATE },   /* no SEQUENCE any more */
        { 3, 1, VEIL_ERROR_ATTEST_CERTIFICATE },   /* a length */
        { 12, 2, VEIL_ERROR_ATTEST_CERTIFICATE },  /* the version */
        { 20, 1, wrong },                          /* the serial number */
        { certificates[i].length - 1, 1, wrong },  /* the signature's s */
        { certificates[i].length - 60, 1, wrong }, /* its r */
      };

      for (guint j = 0; j < G_N_ELEMENTS (flips); j++)
        {
          g_auto (Document) document = { { NULL } };

          take_apart (&document);
          document.parts[PAYLOAD]->data[certificates[i].from + flips[j].at] ^= flips[j].mask;
          assert_refused (&document, flips[j].code, "a bit of a certificate");
        }
    }
}

static void
test_certificate_sizes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (certificates); i++)
    for (int change = -1; change <= 1; change += 2)
      {
        g_auto (Document) document = { { NULL } };
        g_autoptr (GByteArray) der = NULL;

        take_apart (&document);
        der = get_certificate (&document, i);
        if (change > 0)
          g_byte_array_append (der, (const guint8 *) "", 1);
        put_certificate (&document, i, der->data, der->len + MIN (change, 0));
        assert_refused (&document, VEIL_ERROR_ATTEST_CERTIFICATE, "a certificate of another size");
      }
}

/* Every certificate in every other one's place. */
static void
test_certificate_places (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (certificates); i++)
    for (guint j = 0; j < G_N_ELEMENTS (certificates); j++)
      {
        g_auto (Document) document = { { NULL } };
        g_autoptr (GByteArray) der = NULL;

        if (i == j)
          continue;
        take_apart (&document);
        der = get_certificate (&document, j);
        put_certificate (&document, i, der->data, der->len);
        assert_refused (&document, i == 0 ? VEIL_ERROR_ATTEST_ROOT : VEIL_ERROR_ATTEST_CHAIN, "a certificate in another's place");
      }
}

static void
test_chain_order (void)
{
  for (guint i = 0; i + 2 < G_N_ELEMENTS (certificates); i++)
    {
      g_auto (Document) document = { { NULL } };
      g_autoptr (GByteArray) first = NULL;
      g_autoptr (GByteArray) second = NULL;

      take_apart (&document);
      first = get_certificate (&document, i);
      second = get_certificate (&document, i + 1);
      /* The later one first: the places of the earlier stay where they are. */
      put_certificate (&document, i + 1, first->data, first->len);
      put_certificate (&document, i, second->data, second->len);
      assert_refused (&document, i == 0 ? VEIL_ERROR_ATTEST_ROOT : VEIL_ERROR_ATTEST_CHAIN, "two certificates change places");
    }
}

/* Without one of the chain; with one twice. */
static void
test_chain_length (void)
{
  const gsize bundle = 1570;

  for (guint i = 0; i < 4; i++)
    {
      g_auto (Document) shorter = { { NULL } };
      g_auto (Document) longer = { { NULL } };
      g_autoptr (GByteArray) der = NULL;

      take_apart (&shorter);
      splice (shorter.parts[PAYLOAD], certificates[i].from - 3, certificates[i].length + 3, "", 0);
      shorter.parts[PAYLOAD]->data[bundle] = 0x83;
      assert_refused (&shorter, i == 0 ? VEIL_ERROR_ATTEST_ROOT : VEIL_ERROR_ATTEST_CHAIN, "a certificate is missing");

      take_apart (&longer);
      der = array_of (longer.parts[PAYLOAD]->data + certificates[i].from - 3, certificates[i].length + 3);
      splice (longer.parts[PAYLOAD], certificates[i].from - 3, 0, der->data, der->len);
      longer.parts[PAYLOAD]->data[bundle] = 0x85;
      assert_refused (&longer, VEIL_ERROR_ATTEST_CHAIN, "a certificate comes twice");
    }
}

static void
test_detached (void)
{
  g_auto (Document) document = { { NULL } };
  g_autoptr (GByteArray) whole = array_of ((const guint8 *) "\x84", 1);
  g_autoptr (GError) error = NULL;

  take_apart (&document);
  g_byte_array_append (whole, document.parts[PROTECTED]->data, document.parts[PROTECTED]->len);
  g_byte_array_append (whole, (const guint8 *) "\xa0\xf6", 2);
  append_string (whole, document.parts[SIGNATURE]);
  g_assert_null (verify (whole, VEIL_NITRO_AT_ITS_TIME, &error));
  g_assert_error (error, VEIL_ERROR, C);
  g_clear_error (&error);
  whole->data[7] = 0x40; /* or none at all */
  g_assert_null (verify (whole, VEIL_NITRO_AT_ITS_TIME, &error));
  g_assert_error (error, VEIL_ERROR, C);
}

/* n of P-384. */
#define ORDER "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"

static void
test_signatures (void)
{
  g_autoptr (GBytes) order = vectors_hex_text (ORDER);
  const guint8 *n = g_bytes_get_data (order, NULL);
  guint8 zeros[48] = { 0 };
  const struct
  {
    const char *name;
    const guint8 *r, *s; /* NULL: as it is */
  } cases[] = {
    { "r is zero", zeros, NULL }, { "s is zero", NULL, zeros }, { "both are zero", zeros, zeros },
    { "r is n", n, NULL },        { "s is n", NULL, n },        { "both are n", n, n },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Document) document = { { NULL } };

      take_apart (&document);
      if (cases[i].r != NULL)
        memcpy (document.parts[SIGNATURE]->data, cases[i].r, 48);
      if (cases[i].s != NULL)
        memcpy (document.parts[SIGNATURE]->data + 48, cases[i].s, 48);
      assert_refused (&document, S, cases[i].name);
    }
  for (guint i = 0; i < 3; i++)
    {
      g_auto (Document) document = { { NULL } };

      take_apart (&document);
      if (i == 0) /* s and r */
        {
          g_autoptr (GByteArray) r = array_of (document.parts[SIGNATURE]->data, 48);

          splice (document.parts[SIGNATURE], 0, 48, "", 0);
          g_byte_array_append (document.parts[SIGNATURE], r->data, r->len);
        }
      else if (i == 1)
        g_byte_array_set_size (document.parts[SIGNATURE], 95);
      else
        g_byte_array_append (document.parts[SIGNATURE], zeros, 1);
      assert_refused (&document, i == 0 ? S : C, "the signature's form");
    }
}

/* ECDSA's other signature, n - s, says the same: what it covers is not changed, and no document is told from another by its bytes. */
static void
test_other_signature (void)
{
  g_auto (Document) document = { { NULL } };
  g_autoptr (GBytes) order = vectors_hex_text (ORDER);
  const guint8 *n = g_bytes_get_data (order, NULL);
  g_autoptr (GByteArray) whole = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAttestation) attestation = NULL;
  guint borrow = 0;

  take_apart (&document);
  for (guint i = 48; i-- > 0;)
    {
      guint8 *byte = document.parts[SIGNATURE]->data + 48 + i;
      int difference = n[i] - *byte - (int) borrow;

      borrow = difference < 0;
      *byte = (guint8) difference;
    }
  whole = put_together (&document);
  attestation = verify (whole, VEIL_NITRO_AT_ITS_TIME, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (attestation->timestamp_ms, ==, 1770918962724);
}

static void
test_cut (void)
{
  g_autoptr (GBytes) genuine = load_genuine ();

  for (gsize length = 0; length < g_bytes_get_size (genuine); length++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) cut = array_of (g_bytes_get_data (genuine, NULL), length);

      g_assert_null (verify (cut, VEIL_NITRO_AT_ITS_TIME, &error));
      g_assert_error (error, VEIL_ERROR, E);
    }
  for (guint i = 0; i < 256; i += 5)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) longer = array_of (g_bytes_get_data (genuine, NULL), g_bytes_get_size (genuine));
      guint8 byte = i;

      g_byte_array_append (longer, &byte, 1);
      g_assert_null (verify (longer, VEIL_NITRO_AT_ITS_TIME, &error));
      g_assert_error (error, VEIL_ERROR, E);
    }
}

/* No bit may be another. */
static void
test_flips (void)
{
  g_autoptr (GBytes) genuine = load_genuine ();

  for (gsize at = 0; at < g_bytes_get_size (genuine); at += 13)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) flipped = array_of (g_bytes_get_data (genuine, NULL), g_bytes_get_size (genuine));

      flipped->data[at] ^= 1 << (at % 8);
      g_assert_null (verify (flipped, VEIL_NITRO_AT_ITS_TIME, &error));
      g_assert_true (error->domain == VEIL_ERROR && error->code >= (int) E && error->code <= (int) S);
    }
}

static void
test_text (void)
{
  static const struct
  {
    const char *text;
    gssize size; /* -1: refused */
  } cases[] = {
    { "AAAA", 3 },   { "AAAA\n", 3 },  { "AAAA\r\n", 3 }, { "AAA=\n", 2 }, { "", -1 },     { "\n", -1 },     { "AAA", -1 },
    { "AAAA=", -1 }, { "A\nAAA", -1 }, { " AAAA", -1 },   { "AAB=", -1 },  { "AA-_", -1 }, { "<html>", -1 }, { "{}", -1 },
  };
  g_autofree char *large = g_strnfill (VEIL_NITRO_MAX_DOCUMENT / 3 * 4 + 4, 'A');
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (VEIL_NITRO_MAX_DOCUMENT + 1), VEIL_NITRO_MAX_DOCUMENT + 1);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) local_error = NULL;
      g_autoptr (GBytes) document = veil_nitro_decode (cases[i].text, strlen (cases[i].text), &local_error);

      if (cases[i].size >= 0)
        g_assert_cmpint (g_bytes_get_size (document), ==, cases[i].size);
      else
        g_assert_error (local_error, VEIL_ERROR, E);
    }
  g_assert_null (veil_nitro_decode (large, strlen (large), &error));
  g_assert_error (error, VEIL_ERROR, E);
  g_clear_error (&error);
  g_assert_null (veil_nitro_verify (bytes, veil_nitro_aws_root, VEIL_NITRO_AT_ITS_TIME, &error));
  g_assert_error (error, VEIL_ERROR, E);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nitro/genuine", test_genuine);
  g_test_add_func ("/nitro/validity", test_validity);
  g_test_add_func ("/nitro/other-root", test_other_root);
  g_test_add_func ("/nitro/root-fingerprint", test_root_fingerprint);
  g_test_add_func ("/nitro/changes", test_changes);
  g_test_add_func ("/nitro/missing-fields", test_missing_fields);
  g_test_add_func ("/nitro/field-limits", test_field_limits);
  g_test_add_func ("/nitro/certificates", test_certificates);
  g_test_add_func ("/nitro/certificate-sizes", test_certificate_sizes);
  g_test_add_func ("/nitro/certificate-places", test_certificate_places);
  g_test_add_func ("/nitro/chain-order", test_chain_order);
  g_test_add_func ("/nitro/chain-length", test_chain_length);
  g_test_add_func ("/nitro/detached", test_detached);
  g_test_add_func ("/nitro/signatures", test_signatures);
  g_test_add_func ("/nitro/other-signature", test_other_signature);
  g_test_add_func ("/nitro/cut", test_cut);
  g_test_add_func ("/nitro/flips", test_flips);
  g_test_add_func ("/nitro/text", test_text);
  return g_test_run ();
}
