/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <string.h>

#include "answer.h"
#include "canonical.h"
#include "frames.h"
#include "seal.h"
#include "signing.h"
#include "speak.h"

#define MODEL_PREFIX "fault-"

void
veil_sandbox_job_free (VeilSandboxJob *job)
{
  g_clear_pointer (&job->enclave, veil_sandbox_enclave_unref);
  g_clear_pointer (&job->other, veil_sandbox_enclave_unref);
  g_clear_pointer (&job->body, g_bytes_unref);
  g_free (job);
}

/* A model named "fault-NAME" asks for that fault, unless one is set already. */
static VeilSandboxFault
find_fault (const VeilSandboxJob *job, const VeilJson *wire)
{
  const char *model = veil_json_get_string (veil_json_get_member (wire, "model"), NULL);
  VeilSandboxFault fault = job->fault;

  if (fault == VEIL_SANDBOX_HONEST && model != NULL && g_str_has_prefix (model, MODEL_PREFIX))
    veil_sandbox_fault_from_name (model + strlen (MODEL_PREFIX), &fault);
  return fault;
}

/* Damage to a sealed single answer; the stream's are in frames.c, and each name has its likeness here. */
static void
break_body (GByteArray *body, VeilSandboxFault fault)
{
  guint half = (body->len - 32) / 2;

  if (fault == VEIL_SANDBOX_AEAD)
    body->data[body->len - 1] ^= 0x01;
  else if (fault == VEIL_SANDBOX_SHORT_BODY)
    g_byte_array_set_size (body, 20);
  else if (fault == VEIL_SANDBOX_CUT_STREAM)
    g_byte_array_set_size (body, 32 + half);
  else if (fault == VEIL_SANDBOX_EMPTY_FINAL_CHUNK)
    g_byte_array_set_size (body, 32);
  else if (fault == VEIL_SANDBOX_MISSING_FINAL_CHUNK)
    g_byte_array_set_size (body, body->len - 16);
  else if (fault == VEIL_SANDBOX_DROPPED_CHUNK)
    g_byte_array_remove_range (body, 0, 32);
  else if (fault == VEIL_SANDBOX_NON_MINIMAL_VARINT || fault == VEIL_SANDBOX_HUGE_VARINT)
    g_byte_array_append (body, (const guint8[]){ 0 }, 1);
  else if (fault == VEIL_SANDBOX_DUPLICATED_CHUNK)
    {
      g_autoptr (GBytes) copy = g_bytes_new (body->data, body->len);
      g_byte_array_append (body, g_bytes_get_data (copy, NULL), (guint) g_bytes_get_size (copy));
    }
  else if (fault == VEIL_SANDBOX_REORDERED_CHUNKS)
    {
      g_autoptr (GBytes) front = g_bytes_new (body->data + 32, half);
      g_byte_array_remove_range (body, 32, half);
      g_byte_array_append (body, g_bytes_get_data (front, NULL), half);
    }
}

static GBytes *
bytes_of_string (GString *text)
{
  return g_string_free_to_bytes (text);
}

static void
add_single (VeilSandboxReply *reply, const VeilSandboxOpened *opened, const VeilSandboxSpeech *speech)
{
  static const char *const cost[] = {
    "X-Inference-Cost-OPG", "0.000125", "X-Inference-Cost-USD", "0.00005", "X-Inference-Price-OPG-USD", "0.4", NULL
  };
  GString *text = veil_sandbox_speak_single (speech);
  const char *aad = speech->fault == VEIL_SANDBOX_WRONG_AAD ? "final" : NULL;
  GByteArray *body;

  reply->headers = cost;
  if (speech->fault == VEIL_SANDBOX_PLAINTEXT)
    {
      veil_sandbox_reply_add (reply, bytes_of_string (text));
      return;
    }
  body = veil_sandbox_seal (opened, text->str, text->len, aad);
  g_string_free (text, TRUE);
  break_body (body, speech->fault);
  veil_sandbox_reply_add (reply, g_byte_array_free_to_bytes (body));
  if (speech->fault == VEIL_SANDBOX_ONE_BYTE_WRITES)
    {
      g_autoptr (GBytes) whole = g_bytes_ref (g_ptr_array_index (reply->pieces, 0));
      g_ptr_array_set_size (reply->pieces, 0);
      for (gsize i = 0; i < g_bytes_get_size (whole); i++)
        veil_sandbox_reply_add (reply, g_bytes_new_from_bytes (whole, i, 1));
      reply->chunked = TRUE;
    }
}

static void
add_stream (VeilSandboxReply *reply, const VeilSandboxOpened *opened, const VeilSandboxSpeech *speech)
{
  g_autoptr (GPtrArray) events = veil_sandbox_speak_stream (speech);

  reply->chunked = TRUE;
  if (speech->fault == VEIL_SANDBOX_PLAINTEXT)
    {
      for (guint i = 0; i < events->len; i++)
        {
          GString *event = g_string_new ("data: ");
          g_string_append_printf (event, "%s\n\n", (const char *) g_ptr_array_index (events, i));
          veil_sandbox_reply_add (reply, bytes_of_string (event));
        }
      return;
    }
  g_ptr_array_unref (reply->pieces);
  reply->pieces = veil_sandbox_frames_seal (opened, events, speech->fault);
}

/* The first half of what there is, then the given ending. */
static void
break_off (VeilSandboxReply *reply, VeilSandboxEnding ending)
{
  reply->ending = ending;
  if (reply->pieces->len > 1)
    g_ptr_array_set_size (reply->pieces, (int) (reply->pieces->len / 2));
  else
    {
      g_autoptr (GBytes) whole = g_bytes_ref (g_ptr_array_index (reply->pieces, 0));
      reply->claimed_length = g_bytes_get_size (whole);
      g_ptr_array_set_size (reply->pieces, 0);
      veil_sandbox_reply_add (reply, g_bytes_new_from_bytes (whole, 0, reply->claimed_length / 2));
    }
}

static void
pack (VeilSandboxReply *reply)
{
  static const char *const headers[] = { "Content-Encoding", "gzip", NULL };
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; i < reply->pieces->len; i++)
    {
      GBytes *piece = g_ptr_array_index (reply->pieces, i);
      g_byte_array_append (whole, g_bytes_get_data (piece, NULL), (guint) g_bytes_get_size (piece));
    }
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&whole));
  g_ptr_array_set_size (reply->pieces, 0);
  veil_sandbox_reply_add (reply, veil_sandbox_gzip (bytes, 1));
  reply->headers = headers;
}

/* What the relay or the network does to an answer that the enclave sealed. */
static void
break_reply (VeilSandboxReply *reply, const VeilSandboxOpened *opened, gboolean stream, VeilSandboxFault fault)
{
  if (fault == VEIL_SANDBOX_GZIP)
    pack (reply);
  else if (fault == VEIL_SANDBOX_WRONG_CONTENT_TYPE)
    reply->content_type = "application/octet-stream";
  else if (fault == VEIL_SANDBOX_MISSING_CONTENT_TYPE)
    reply->content_type = NULL;
  else if (fault == VEIL_SANDBOX_CUT_CONNECTION)
    break_off (reply, VEIL_SANDBOX_END_CLOSE);
  else if (fault == VEIL_SANDBOX_STALL)
    break_off (reply, VEIL_SANDBOX_END_STALL);
  else if (fault == VEIL_SANDBOX_HUGE_ANSWER || fault == VEIL_SANDBOX_DRIP)
    veil_sandbox_reply_set_endless (reply, opened, stream, fault == VEIL_SANDBOX_DRIP);
}

/* Text instead of tool calls, for the faults that are about the text. */
static void
drop_calls (VeilSandboxAnswer *answer)
{
  g_ptr_array_set_size (answer->calls, 0);
  if (answer->words->len == 0)
    g_ptr_array_add (answer->words, g_strdup ("Sandbox reply without tools."));
}

static VeilSandboxReply *
answer_request (VeilSandboxJob *job, const VeilSandboxOpened *opened, const VeilJson *wire, const guint8 *request_hash,
                VeilSandboxFault fault)
{
  g_autoptr (VeilSandboxAnswer) answer = veil_sandbox_answer_new (wire, opened->length);
  g_auto (VeilSandboxProof) proof = { NULL };
  VeilSandboxReply *reply = veil_sandbox_reply_new (200, veil_sandbox_sealed_type (job->stream));
  VeilSandboxSpeech speech = { answer, &proof, fault, job->envelope };

  if (fault == VEIL_SANDBOX_ENVELOPE || fault == VEIL_SANDBOX_BARE)
    speech.envelope = fault == VEIL_SANDBOX_ENVELOPE;
  if (fault == VEIL_SANDBOX_UNSIGNED_TOOL_CALLS || fault == VEIL_SANDBOX_UNSIGNED_FUNCTION_CALL ||
      fault == VEIL_SANDBOX_LONE_SURROGATE)
    drop_calls (answer);
  veil_sandbox_proof_make (&proof, job->enclave, job->other, answer, request_hash, fault);
  if (job->stream)
    add_stream (reply, opened, &speech);
  else
    add_single (reply, opened, &speech);
  reply->delay_ms = job->latency_ms + answer->delay_ms;
  reply->piece_delay_ms = job->stream ? job->frame_latency_ms : 0;
  break_reply (reply, opened, job->stream, fault);
  return reply;
}

VeilSandboxReply *
veil_sandbox_job_run (VeilSandboxJob *job)
{
  g_auto (VeilSandboxOpened) opened = { .plaintext = NULL };
  g_autoptr (VeilJsonDoc) doc = NULL;
  g_autoptr (GError) error = NULL;
  const VeilJson *wire;
  VeilSandboxReply *reply = veil_sandbox_relay_reply (job->fault, job->stream);
  VeilSandboxFault fault;
  guint8 request_hash[32];

  if (reply != NULL)
    return reply;
  if (!veil_sandbox_open (job->enclave, g_bytes_get_data (job->body, NULL), g_bytes_get_size (job->body), &opened))
    return veil_sandbox_error_reply (400, "the request is not sealed to this enclave");
  doc = veil_json_doc_new ((const char *) opened.plaintext, opened.length, &error);
  if (doc == NULL)
    return veil_sandbox_error_reply (400, error->message);
  wire = veil_json_doc_get_root (doc);
  fault = find_fault (job, wire);
  reply = veil_sandbox_relay_reply (fault, job->stream);
  if (reply != NULL)
    return reply;
  if (!veil_sandbox_canonical_hash (wire, fault != VEIL_SANDBOX_NO_EFFORT_HASH, request_hash, &error))
    return veil_sandbox_error_reply (400, error->message);
  if (veil_json_is (veil_json_get_member (wire, "stream"), VEIL_JSON_TRUE) != job->stream)
    return veil_sandbox_error_reply (400, "the relay was asked for another kind of answer than the enclave");
  return answer_request (job, &opened, wire, request_hash, fault);
}
