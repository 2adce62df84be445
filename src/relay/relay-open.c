/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "relay-open.h"

#include "check.h"
#include "error-details.h"
#include "hex.h"
#include "ohttp-chunked.h"
#include "response.h"

#include <string.h>

static void
fill_input (VeilVerifierInput *input, VeilTee *tee, VeilChatRequest *request, gint64 now)
{
  input->tee_id = tee->id;
  input->signing_key_der = g_bytes_get_data (tee->signing_key_der, &input->signing_key_length);
  input->signing_key = tee->signing_key;
  input->request_hash = request->request_hash;
  input->request_hash_plain = request->effort_given ? request->request_hash_plain : NULL;
  input->now = now;
}

static VeilChatAnswer *
open_single (VeilOhttpClient *context, const VeilVerifierInput *input, GBytes *body, VeilTiming *timing, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GBytes) plaintext = NULL;
  VeilChatAnswer *answer;
  const guint8 *data;
  gsize length;

  data = g_bytes_get_data (body, &length);
  plaintext = veil_ohttp_client_open (context, data, length, error);
  if (plaintext == NULL)
    return NULL;
  timing->open = g_get_monotonic_time () - start;
  data = g_bytes_get_data (plaintext, &length);
  answer = veil_response_verify_single (input, data, length, error);
  timing->verify = g_get_monotonic_time () - start - timing->open;
  return answer;
}

typedef struct
{
  VeilStreamReader *reader; /* owned */
  GError *error;            /* owned; the reader's first */
  gint64 reading;           /* microseconds spent in it */
} StreamOpening;

static void
read_chunk (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data)
{
  StreamOpening *opening = user_data;
  gint64 start;

  if (opening->error != NULL || length == 0)
    return;
  start = g_get_monotonic_time ();
  veil_stream_reader_push (opening->reader, plaintext, length, &opening->error);
  opening->reading += g_get_monotonic_time () - start;
}

static gboolean
open_chunks (VeilOhttpClient *context, GBytes *body, StreamOpening *opening, GError **error)
{
  g_autoptr (VeilOhttpChunkOpener) opener = veil_ohttp_chunk_opener_new (context, read_chunk, opening);
  const guint8 *data;
  gsize length;

  data = g_bytes_get_data (body, &length);
  return veil_ohttp_chunk_opener_push (opener, data, length, error) && veil_ohttp_chunk_opener_finish (opener, error);
}

static VeilChatAnswer *
open_stream (VeilOhttpClient *context, const VeilVerifierInput *input, GBytes *body, VeilTiming *timing, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  StreamOpening opening = { .reader = veil_stream_reader_new () };
  VeilChatAnswer *answer = NULL;

  if (!open_chunks (context, body, &opening, error))
    g_clear_error (&opening.error);
  else if (opening.error != NULL)
    g_propagate_error (error, g_steal_pointer (&opening.error));
  else
    {
      timing->open = g_get_monotonic_time () - start - opening.reading;
      answer = veil_stream_reader_finish (opening.reader, input, error);
      timing->verify = g_get_monotonic_time () - start - timing->open;
    }
  veil_stream_reader_free (opening.reader);
  return answer;
}

static void
replace_string (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static void
complete_proof (VeilProof *proof, VeilTee *tee, VeilChatRequest *request, gboolean sandbox)
{
  replace_string (&proof->tee_id, tee->id);
  replace_string (&proof->tee_endpoint, tee->endpoint);
  replace_string (&proof->pcr_hash, tee->pcr_hash);
  g_clear_pointer (&proof->signing_key, g_bytes_unref);
  proof->signing_key = g_bytes_ref (tee->signing_key_der);
  g_strfreev (proof->dropped);
  proof->dropped = g_strdupv (request->dropped);
  proof->effort_given = request->effort_given;
  proof->effort_signed =
      request->effort_given && memcmp (proof->request_hash, request->request_hash, sizeof proof->request_hash) == 0;
  proof->sandbox = sandbox;
}

/* Whatever else is wrong with it, the seal did open. */
static void
note_opened (GError **error)
{
  if (error != NULL && (*error)->domain == VEIL_ERROR && veil_error_is_verification ((*error)->code) &&
      veil_check_from_code ((*error)->code) > VEIL_CHECK_SEAL && veil_error_get_passed (*error) == 0)
    veil_error_set_passed (*error, VEIL_CHECK_SEAL + 1);
}

VeilChatAnswer *
veil_relay_open_answer (VeilOhttpClient *context, VeilTee *tee, VeilChatRequest *request, GBytes *body, gboolean sandbox,
                        GError **error)
{
  VeilVerifierInput input = { 0 };
  VeilTiming timing = { .parse = request->parse_us };
  VeilChatAnswer *answer;

  fill_input (&input, tee, request, g_get_real_time () / G_USEC_PER_SEC);
  answer =
      request->stream ? open_stream (context, &input, body, &timing, error) : open_single (context, &input, body, &timing, error);
  if (answer == NULL)
    {
      note_opened (error);
      return NULL;
    }
  complete_proof (answer->proof, tee, request, sandbox);
  answer->timing = timing;
  return answer;
}

static VeilChatAnswer *
verify_stream (const VeilVerifierInput *input, const guint8 *events, gsize length, GError **error)
{
  g_autoptr (VeilStreamReader) reader = veil_stream_reader_new ();

  return veil_stream_reader_push (reader, events, length, error) ? veil_stream_reader_finish (reader, input, error) : NULL;
}

VeilChatAnswer *
veil_relay_verify_answer (VeilTee *tee, VeilChatRequest *request, GBytes *plaintext, gint64 now, gboolean sandbox, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  VeilVerifierInput input = { 0 };
  VeilChatAnswer *answer;
  const guint8 *data;
  gsize length;

  fill_input (&input, tee, request, now);
  data = g_bytes_get_data (plaintext, &length);
  answer =
      request->stream ? verify_stream (&input, data, length, error) : veil_response_verify_single (&input, data, length, error);
  if (answer == NULL)
    return NULL;
  complete_proof (answer->proof, tee, request, sandbox);
  answer->timing.parse = request->parse_us;
  answer->timing.verify = g_get_monotonic_time () - start;
  return answer;
}
