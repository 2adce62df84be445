/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Answers as the gateway spells them: a JSON object, or the events of a stream (protocol.md sections 4 and 5). */
#pragma once

#include "signing.h"

G_BEGIN_DECLS

/* What to say, and how. */
typedef struct
{
  const VeilSandboxAnswer *answer;
  const VeilSandboxProof  *proof;
  VeilSandboxFault         fault;
  gboolean                 envelope; /* {status, body} around a single answer */
} VeilSandboxSpeech;

/* The text that is sealed for a single answer. */
GString   *veil_sandbox_speak_single (const VeilSandboxSpeech *speech);
/* The data of each event, without framing; "[DONE]" is one of them. Of char *. */
GPtrArray *veil_sandbox_speak_stream (const VeilSandboxSpeech *speech);

/* Shared by the two. */
void       veil_sandbox_write_string (VeilJsonWriter *writer, const char *key, const char *text);
void       veil_sandbox_write_usage (VeilJsonWriter *writer, const VeilSandboxAnswer *answer);
void       veil_sandbox_write_extras (VeilJsonWriter *writer);
/* The words or arguments that are shown: changed after signing if the fault says so. */
char      *veil_sandbox_shown_arguments (const VeilSandboxSpeech *speech, const VeilSandboxCall *call);
/* Text that is not what the fault promises it to be (not JSON, too deep, a list), or NULL. */
char      *veil_sandbox_broken_json (VeilSandboxFault fault);
/* Status of an error that comes from inside the seal, or 0. */
guint      veil_sandbox_inner_status (VeilSandboxFault fault);
/* Members of such an error. */
void       veil_sandbox_write_error (VeilJsonWriter *writer, VeilSandboxFault fault);

G_END_DECLS
