/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "proof.h"

#include <string.h>

static VeilProof *
make_proof (void)
{
  VeilProof *proof = veil_proof_new ();
  const char *covered[] = { "content", NULL };
  const char *uncovered[] = { "id", "usage", NULL };

  proof->tee_id = g_strdup ("0xaa");
  proof->tee_endpoint = g_strdup ("https://tee.example:8443/v1");
  proof->pcr_hash = g_strdup ("0xbb");
  memset (proof->request_hash, 0x11, 32);
  memset (proof->output_hash, 0x22, 32);
  proof->timestamp = 1750000000;
  proof->signature = g_bytes_new_static ("s", 1);
  proof->signing_key = g_bytes_new_static ("k", 1);
  proof->signed_ = g_strdupv ((char **) covered);
  proof->unsigned_ = g_strdupv ((char **) uncovered);
  return proof;
}

static char *
write_proof (const VeilProof *proof, VeilJsonSpelling spelling)
{
  VeilJsonWriter *writer = veil_json_writer_new (spelling);
  g_autoptr(GBytes) text = NULL;

  veil_proof_write_json (proof, writer);
  text = veil_json_writer_finish (writer);
  return g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
}

#define HASH_11 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define HASH_22 "0x2222222222222222222222222222222222222222222222222222222222222222"

static void
test_json (void)
{
  g_autoptr(VeilProof) proof = make_proof ();
  g_autofree char *text = write_proof (proof, VEIL_JSON_COMPACT);

  g_assert_cmpstr (text, ==,
                   "{\"dropped\":[],\"output_hash\":\"" HASH_22 "\",\"pcr_hash\":\"0xbb\",\"request_hash\":\"" HASH_11
                   "\",\"signed\":[\"content\"],\"tee_host\":\"tee.example:8443\",\"tee_id\":\"0xaa\",\"timestamp\":1750000000,"
                   "\"unsigned\":[\"id\",\"usage\"],\"verified\":true}");
}

static void
test_json_optional (void)
{
  g_autoptr(VeilProof) proof = make_proof ();
  g_autofree char *signed_text = NULL;
  g_autofree char *unsigned_text = NULL;

  proof->sandbox = TRUE;
  proof->effort_given = TRUE;
  unsigned_text = write_proof (proof, VEIL_JSON_CANONICAL);
  g_assert_nonnull (strstr (unsigned_text, "\"sandbox\": true"));
  g_assert_nonnull (strstr (unsigned_text, "\"reasoning_effort_signed\": false"));
  proof->effort_signed = TRUE;
  signed_text = write_proof (proof, VEIL_JSON_CANONICAL);
  g_assert_nonnull (strstr (signed_text, "\"reasoning_effort_signed\": true"));
}

static void
test_host (void)
{
  static const char *const cases[][2] = {
    { "https://tee.example", "tee.example" },
    { "https://203.0.113.7:443/x?y", "203.0.113.7:443" },
    { "http://[::1]:8080", "[::1]:8080" },
    { "https://[2001:db8::1]/", "[2001:db8::1]" },
    { "no url", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(VeilProof) proof = veil_proof_new ();
      g_autofree char *host = NULL;

      proof->tee_endpoint = g_strdup (cases[i][0]);
      host = veil_proof_get_tee_host (proof);
      g_assert_cmpstr (host, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/proof/json", test_json);
  g_test_add_func ("/proof/json-optional", test_json_optional);
  g_test_add_func ("/proof/host", test_host);
  return g_test_run ();
}
