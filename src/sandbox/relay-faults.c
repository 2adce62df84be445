/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "job.h"
#include "simulation.h"

#define BOMB_MIB 96

/* As older gateways ("detail") and newer ones say it. */
static const struct
{
  VeilSandboxFault fault;
  guint status;
  const char *text;
} errors[] = {
  { VEIL_SANDBOX_RELAY_401, 401, "{\"detail\":\"The sandbox does not accept this session\"}" },
  { VEIL_SANDBOX_RELAY_402, 402, "{\"detail\":\"The sandbox account has no credits left\"}" },
  { VEIL_SANDBOX_RELAY_403, 403, "{\"detail\":\"The sandbox account may not use this model\"}" },
  { VEIL_SANDBOX_RELAY_404, 404, "{\"detail\":\"Not Found\"}" },
  { VEIL_SANDBOX_RELAY_413, 413, "{\"detail\":\"Encapsulated request too large\"}" },
  { VEIL_SANDBOX_RELAY_429, 429, "{\"detail\":\"Too many requests\"}" },
  { VEIL_SANDBOX_RELAY_500, 500, "{\"error\":\"Internal error\"}" },
  { VEIL_SANDBOX_RELAY_502, 502,
    "{\"error\":\"Bad gateway\",\"exception_type\":\"SandboxError\",\"source\":\"gateway\",\"retryable\":true}" },
  { VEIL_SANDBOX_RELAY_503, 503, "{\"error\":\"The sandbox enclave is not available\"}" },
  { VEIL_SANDBOX_RELAY_504, 504, "{\"error\":\"The sandbox enclave took too long\"}" },
  { VEIL_SANDBOX_RELAY_RETRYABLE, 500, "{\"error\":\"The sandbox enclave is busy\",\"source\":\"gateway\",\"retryable\":true}" },
};

const char *
veil_sandbox_sealed_type (gboolean stream)
{
  return stream ? "message/ohttp-chunked-res" : "message/ohttp-res";
}

VeilSandboxReply *
veil_sandbox_error_reply (guint status, const char *text)
{
  VeilSandboxReply *reply = veil_sandbox_reply_new (status, "application/json");
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "error");
  veil_json_writer_string (writer, text);
  veil_json_writer_end_object (writer);
  veil_sandbox_reply_add (reply, veil_json_writer_finish (writer));
  return reply;
}

GBytes *
veil_sandbox_gzip (GBytes *data, gsize repeat)
{
  g_autoptr (GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) out = g_converter_output_stream_new (memory, G_CONVERTER (compressor));
  gsize length;
  const void *bytes = g_bytes_get_data (data, &length);

  for (gsize i = 0; i < repeat; i++)
    g_output_stream_write_all (out, bytes, length, NULL, NULL, NULL);
  g_output_stream_close (out, NULL, NULL);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static VeilSandboxReply *
gzip_bomb (const char *content_type)
{
  static const char *const headers[] = { "Content-Encoding", "gzip", NULL };
  VeilSandboxReply *reply = veil_sandbox_reply_new (200, content_type);
  g_autoptr (GBytes) zeros = g_bytes_new_take (g_malloc0 (1024 * 1024), 1024 * 1024);

  reply->headers = headers;
  veil_sandbox_reply_add (reply, veil_sandbox_gzip (zeros, BOMB_MIB));
  return reply;
}

static VeilSandboxReply *
broken_connection (VeilSandboxFault fault)
{
  VeilSandboxReply *reply = veil_sandbox_reply_new (200, NULL);

  reply->silent = TRUE;
  reply->ending = fault == VEIL_SANDBOX_HANG    ? VEIL_SANDBOX_END_STALL
                  : fault == VEIL_SANDBOX_RESET ? VEIL_SANDBOX_END_RESET
                                                : VEIL_SANDBOX_END_CLOSE;
  reply->header_bomb = fault == VEIL_SANDBOX_HEADER_BOMB;
  return reply;
}

VeilSandboxReply *
veil_sandbox_relay_reply (VeilSandboxFault fault, gboolean stream)
{
  static const char *const retry_after[] = { "Retry-After", "7", NULL };
  static const char *const location[] = { "Location", VEIL_SANDBOX_REDIRECT_PATH, NULL };
  static const char page[] = "<!DOCTYPE html><title>Welcome to the sandbox hotel</title><p>Please sign in to use this network.\n";
  const char *sealed_type = veil_sandbox_sealed_type (stream);
  VeilSandboxReply *reply;

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    if (errors[i].fault == fault)
      {
        reply = veil_sandbox_reply_new (errors[i].status, "application/json");
        reply->headers = errors[i].status == 429 ? retry_after : NULL;
        veil_sandbox_reply_add (reply, g_bytes_new_static (errors[i].text, strlen (errors[i].text)));
        return reply;
      }
  switch ((guint) fault)
    {
    case VEIL_SANDBOX_REDIRECT:
      reply = veil_sandbox_reply_new (307, NULL);
      reply->headers = location;
      return reply;
    case VEIL_SANDBOX_EMPTY_200:
      return veil_sandbox_reply_new (200, sealed_type);
    case VEIL_SANDBOX_HTML_200:
      reply = veil_sandbox_reply_new (200, "text/html");
      veil_sandbox_reply_add (reply, g_bytes_new_static (page, strlen (page)));
      return reply;
    case VEIL_SANDBOX_GZIP_BOMB:
      return gzip_bomb (sealed_type);
    case VEIL_SANDBOX_HANG:
    case VEIL_SANDBOX_RESET:
    case VEIL_SANDBOX_CLOSE:
    case VEIL_SANDBOX_HEADER_BOMB:
      return broken_connection (fault);
    default:
      return NULL;
    }
}
