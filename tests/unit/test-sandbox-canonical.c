/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The sandbox enclave's own canonicalisation against the vectors: from the wire form to the text that is hashed. It shares no code with the client's, so
 * each is a witness for the other. */
#include "canonical.h"
#include "keccak.h"
#include "vectors.h"

static GBytes *
canonical_of (GBytes *wire, guint8 hash[static 32])
{
  g_autoptr (VeilJsonDoc) doc = NULL;
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GError) error = NULL;

  doc = veil_json_doc_new (g_bytes_get_data (wire, NULL), g_bytes_get_size (wire), &error);
  g_assert_no_error (error);
  text = veil_sandbox_canonical_text (veil_json_doc_get_root (doc), TRUE, NULL);
  g_assert_true (veil_sandbox_canonical_hash (veil_json_doc_get_root (doc), TRUE, hash, NULL) == (text != NULL));
  return g_steal_pointer (&text);
}

static void
check_case (const char *name, JsonObject *entry, gpointer user_data)
{
  guint *done = user_data;
  g_autoptr (GBytes) wire = vectors_base64 (entry, "wire_canonical_b64");
  g_autoptr (GBytes) expected = vectors_base64 (entry, "canonical_b64");
  g_autoptr (GBytes) expected_hash = vectors_hex (entry, "request_hash_hex");
  g_autoptr (GBytes) text = NULL;
  guint8 hash[32];
  gsize length;

  if (wire == NULL)
    return; /* nothing is sent */
  text = canonical_of (wire, hash);
  if (text == NULL && vectors_boolean (entry, "allow_refuse"))
    return;
  g_assert_nonnull (text);
  const guint8 *data = g_bytes_get_data (text, &length);
  vectors_assert_equal (name, "canonical", data, length, expected);
  vectors_assert_equal (name, "hash", hash, sizeof hash, expected_hash);
  *done += 1;
}

static void
test_vectors (void)
{
  JsonObject *file = vectors_load ("build-request.json");
  guint done = 0;

  vectors_foreach (file, check_case, &done);
  g_assert_cmpuint (done, >, 100);
  json_object_unref (file);
}

/* What a client may never send is refused, so that the sandbox would show it. */
static void
test_foreign_fields (void)
{
  static const char *const wires[] = {
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":0.0,\"user\":\"me\"}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":0.0,\"metadata\":{}}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":0}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"nobody\",\"content\":\"x\"}],\"temperature\":0.0}",
    "{\"model\":\"m\",\"messages\":[],\"temperature\":0.0}",
    "[]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (wires); i++)
    {
      g_autoptr (GBytes) wire = g_bytes_new_static (wires[i], strlen (wires[i]));
      guint8 hash[32];
      g_autoptr (GBytes) text = canonical_of (wire, hash);
      g_assert_null (text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sandbox/canonical/vectors", test_vectors);
  g_test_add_func ("/sandbox/canonical/foreign-fields", test_foreign_fields);
  return g_test_run ();
}
