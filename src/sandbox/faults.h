/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that the sandbox can be told to do other than plainly answer: lies and breakage that a client must refuse, and
 * unusual answers that it must accept. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which endpoint does it. */
typedef enum
{
  VEIL_SANDBOX_SCOPE_ENCLAVE,  /* what comes out of the seal, or the seal itself */
  VEIL_SANDBOX_SCOPE_VARIANT,  /* the same, but legal: a client must accept it */
  VEIL_SANDBOX_SCOPE_RELAY,    /* the relay's HTTP answer */
  VEIL_SANDBOX_SCOPE_REGISTRY, /* the registry's JSON-RPC answer */
  VEIL_SANDBOX_SCOPE_AUTH,     /* the token refresh */
  VEIL_SANDBOX_SCOPE_DOOR,     /* the attestation document and OHTTP configuration that an enclave gives itself */
} VeilSandboxScope;

/* X (identifier, "name", scope, "what happens"), the last of which N_ marks for translation */
#define VEIL_SANDBOX_FAULTS(X) \
  X (WRONG_SIGNATURE, "wrong-signature", ENCLAVE, N_ ("one bit of the signature is flipped")) \
  X (SHORT_SIGNATURE, "short-signature", ENCLAVE, N_ ("the signature is one byte short")) \
  X (BAD_BASE64, "bad-base64", ENCLAVE, N_ ("the signature is not base64")) \
  X (OTHER_ENCLAVE_SIGNATURE, "other-enclave-signature", ENCLAVE, N_ ("signed with another enclave's key, under the own tee_id")) \
  X (OTHER_ENCLAVE, "other-enclave", ENCLAVE, N_ ("a genuine answer of another enclave: its key and its tee_id")) \
  X (SALT_20, "salt-20", ENCLAVE, N_ ("RSA-PSS with a salt of 20 bytes")) \
  X (SALT_0, "salt-0", ENCLAVE, N_ ("RSA-PSS without salt")) \
  X (SALT_64, "salt-64", ENCLAVE, N_ ("RSA-PSS with a salt of 64 bytes")) \
  X (TEE_ID, "tee-id", ENCLAVE, N_ ("a tee_id that belongs to nobody")) \
  X (REQUEST_HASH, "request-hash", ENCLAVE, N_ ("correctly signed, for another request")) \
  X (CHANGED_OUTPUT, "changed-output", ENCLAVE, N_ ("the text or the tool arguments are changed after signing")) \
  X (DROPPED_FRAME, "dropped-frame", ENCLAVE, N_ ("one content frame is left out after signing (single answers: like changed-output)")) \
  X (MISSING_SIGNATURE, "missing-signature", ENCLAVE, N_ ("no tee_signature")) \
  X (MISSING_REQUEST_HASH, "missing-request-hash", ENCLAVE, N_ ("no tee_request_hash")) \
  X (MISSING_OUTPUT_HASH, "missing-output-hash", ENCLAVE, N_ ("no tee_output_hash")) \
  X (MISSING_TIMESTAMP, "missing-timestamp", ENCLAVE, N_ ("no tee_timestamp")) \
  X (MISSING_TEE_ID, "missing-tee-id", ENCLAVE, N_ ("no tee_id")) \
  X (NULL_SIGNATURE, "null-signature", ENCLAVE, N_ ("tee_signature is null")) \
  X (FLOAT_TIMESTAMP, "float-timestamp", ENCLAVE, N_ ("tee_timestamp has a fraction")) \
  X (NEGATIVE_TIMESTAMP, "negative-timestamp", ENCLAVE, N_ ("tee_timestamp is below zero")) \
  X (HUGE_TIMESTAMP, "huge-timestamp", ENCLAVE, N_ ("tee_timestamp has 400 digits")) \
  X (STALE_TIMESTAMP, "stale-timestamp", ENCLAVE, N_ ("correctly signed, an hour ago")) \
  X (FUTURE_TIMESTAMP, "future-timestamp", ENCLAVE, N_ ("correctly signed, an hour from now")) \
  X (AEAD, "aead", ENCLAVE, N_ ("one bit of the sealed answer is flipped")) \
  X (SHORT_BODY, "short-body", ENCLAVE, N_ ("the sealed answer is 20 bytes long")) \
  X (PLAINTEXT, "plaintext", ENCLAVE, N_ ("the answer is not sealed at all")) \
  X (CUT_STREAM, "cut-stream", ENCLAVE, N_ ("ends within a sealed chunk, in proper HTTP (single answers: half of the body)")) \
  X (MISSING_FINAL_CHUNK, "missing-final-chunk", ENCLAVE, N_ ("no final chunk (single answers: the last 16 bytes are missing)")) \
  X (EMPTY_FINAL_CHUNK, "empty-final-chunk", ENCLAVE, N_ ("the final chunk is announced and empty (single answers: only the nonce)")) \
  X (WRONG_AAD, "wrong-aad", ENCLAVE, N_ ("the last chunk is sealed without \"final\" (single answers: sealed with it)")) \
  X (REORDERED_CHUNKS, "reordered-chunks", ENCLAVE, N_ ("two sealed chunks change places (single answers: the halves do)")) \
  X (DUPLICATED_CHUNK, "duplicated-chunk", ENCLAVE, N_ ("a sealed chunk comes twice (single answers: the whole body does)")) \
  X (DROPPED_CHUNK, "dropped-chunk", ENCLAVE, N_ ("a sealed chunk is left out (single answers: the nonce is)")) \
  X (NON_MINIMAL_VARINT, "non-minimal-varint", ENCLAVE, N_ ("lengths in 8 bytes where fewer do (single answers: a byte too many)")) \
  X (HUGE_VARINT, "huge-varint", ENCLAVE, N_ ("a chunk that claims to be 2^61 bytes long (single answers: a byte too many)")) \
  X (NO_SIGNED_FRAME, "no-signed-frame", ENCLAVE, N_ ("a stream without its signed frame (single answers: no tee_* fields)")) \
  X (ERROR_FRAME, "error-frame", ENCLAVE, N_ ("{\"error\": \"...\"} after some content (single answers: instead of it)")) \
  X (ERROR_FRAME_OBJECT, "error-frame-object", ENCLAVE, N_ ("the same, the error is an object")) \
  X (ERROR_THEN_SIGNED, "error-then-signed", ENCLAVE, N_ ("an error frame before a signed end (single answers: an error member)")) \
  X (AFTER_SIGNED, "after-signed", ENCLAVE, N_ ("content after the signed frame (single answers: text after the JSON)")) \
  X (AFTER_DONE, "after-done", ENCLAVE, N_ ("content after [DONE] (single answers: text after the JSON)")) \
  X (UNSIGNED_TOOL_CALLS, "unsigned-tool-calls", ENCLAVE, N_ ("tool calls beside a signed text with finish_reason stop")) \
  X (UNSIGNED_FUNCTION_CALL, "unsigned-function-call", ENCLAVE, N_ ("a function_call beside a signed text")) \
  X (SECOND_CHOICE, "second-choice", ENCLAVE, N_ ("a second choice, which nothing signs")) \
  X (DUPLICATE_KEYS, "duplicate-keys", ENCLAVE, N_ ("content twice in one object, with two values")) \
  X (NOT_JSON, "not-json", ENCLAVE, N_ ("sealed text that is not JSON")) \
  X (LIST_ANSWER, "list-answer", ENCLAVE, N_ ("sealed JSON that is not an object")) \
  X (DEEP_JSON, "deep-json", ENCLAVE, N_ ("100,000 opening brackets")) \
  X (LONE_SURROGATE, "lone-surrogate", ENCLAVE, N_ ("a lone surrogate in the text")) \
  X (INNER_400, "inner-400", ENCLAVE, N_ ("an error 400 inside the seal")) \
  X (INNER_429, "inner-429", ENCLAVE, N_ ("an error 429 inside the seal")) \
  X (INNER_500, "inner-500", ENCLAVE, N_ ("an error 500 inside the seal")) \
  X (INNER_RETRYABLE, "inner-retryable", ENCLAVE, N_ ("an error 503 inside the seal that says another enclave may do better")) \
  X (HUGE_ANSWER, "huge-answer", ENCLAVE, N_ ("more than 64 MiB")) \
  X (DRIP, "drip", ENCLAVE, N_ ("a byte every 20 ms that never comes to an end; in a stream, sealed comments")) \
  X (CUT_CONNECTION, "cut-connection", ENCLAVE, N_ ("the connection ends in the middle of the HTTP body")) \
  X (STALL, "stall", ENCLAVE, N_ ("half of the answer, and then nothing more")) \
  X (GZIP, "gzip", ENCLAVE, N_ ("Content-Encoding: gzip")) \
  X (WRONG_CONTENT_TYPE, "wrong-content-type", ENCLAVE, N_ ("the sealed answer as application/octet-stream")) \
  X (MISSING_CONTENT_TYPE, "missing-content-type", ENCLAVE, N_ ("the sealed answer without a content type")) \
  X (NO_EFFORT_HASH, "no-effort-hash", VARIANT, N_ ("an older gateway: reasoning_effort is not part of the signed request")) \
  X (ENVELOPE, "envelope", VARIANT, N_ ("{\"status\", \"body\"} around every single answer (otherwise every other one)")) \
  X (BARE, "bare", VARIANT, N_ ("no envelope around any answer")) \
  X (STRING_TIMESTAMP, "string-timestamp", VARIANT, N_ ("tee_timestamp as a decimal string")) \
  X (HASH_0X, "hash-0x", VARIANT, N_ ("hashes with 0x")) \
  X (ONE_BYTE_WRITES, "one-byte-writes", VARIANT, N_ ("every byte of the body in an HTTP chunk of its own")) \
  X (LONG_VARINTS, "long-varints", VARIANT, N_ ("chunks so large that their length takes 4 bytes")) \
  X (EMPTY_CHUNKS, "empty-chunks", VARIANT, N_ ("sealed chunks with nothing in them between the others")) \
  X (SEVERAL_EVENTS, "several-events-in-a-chunk", VARIANT, N_ ("the whole stream in three chunks")) \
  X (SPLIT_EVENTS, "split-events", VARIANT, N_ ("every event spread over chunks of 7 bytes")) \
  X (COMMENTS, "comments", VARIANT, N_ ("comments, event, id and retry lines between the data")) \
  X (MULTI_LINE_DATA, "multi-line-data", VARIANT, N_ ("the JSON of an event over several data lines")) \
  X (NO_SPACE, "no-space", VARIANT, N_ ("no space after data:")) \
  X (CRLF, "crlf", VARIANT, N_ ("lines end with CRLF")) \
  X (CR, "cr", VARIANT, N_ ("lines end with CR")) \
  X (TOOL_ID_NULL, "tool-id-null", VARIANT, N_ ("tool calls whose id is null, hashed with null")) \
  X (TOOL_ID_EMPTY, "tool-id-empty", VARIANT, N_ ("tool calls whose id is null in a stream, hashed with \"\"")) \
  X (NO_DONE, "no-done", VARIANT, N_ ("a stream without [DONE]")) \
  X (FINAL_DATA, "final-data", VARIANT, N_ ("the last event lies in the final chunk, which is empty otherwise")) \
  X (CONTENT_LIST, "content-list", VARIANT, N_ ("the content as a list of text parts (single answers)")) \
  X (EXTRA_FIELDS, "extra-fields", VARIANT, N_ ("reasoning, refusal, images, citations, moderation beside the signed output")) \
  X (RELAY_401, "relay-401", RELAY, N_ ("401: the session is not accepted")) \
  X (RELAY_402, "relay-402", RELAY, N_ ("402: no credits")) \
  X (RELAY_403, "relay-403", RELAY, N_ ("403: the session may not")) \
  X (RELAY_404, "relay-404", RELAY, N_ ("404")) \
  X (RELAY_413, "relay-413", RELAY, N_ ("413: request too large")) \
  X (RELAY_429, "relay-429", RELAY, N_ ("429 with Retry-After: 7")) \
  X (RELAY_500, "relay-500", RELAY, N_ ("500")) \
  X (RELAY_502, "relay-502", RELAY, N_ ("502")) \
  X (RELAY_503, "relay-503", RELAY, N_ ("503")) \
  X (RELAY_504, "relay-504", RELAY, N_ ("504")) \
  X (RELAY_RETRYABLE, "relay-retryable", RELAY, N_ ("500 that says another enclave may do better")) \
  X (REDIRECT, "redirect", RELAY, N_ ("307 to another path of this server, which counts who follows")) \
  X (EMPTY_200, "empty-200", RELAY, N_ ("200 with an empty body")) \
  X (HTML_200, "html-200", RELAY, N_ ("200 with a web page, as captive portals do")) \
  X (GZIP_BOMB, "gzip-bomb", RELAY, N_ ("a small body that unpacks to 96 MiB")) \
  X (HEADER_BOMB, "header-bomb", RELAY, N_ ("64 MiB of header lines")) \
  X (HANG, "hang", RELAY, N_ ("never answers")) \
  X (RESET, "reset", RELAY, N_ ("the connection is reset instead of an answer")) \
  X (CLOSE, "close", RELAY, N_ ("the connection is closed instead of an answer")) \
  X (REGISTRY_500, "registry-500", REGISTRY, N_ ("500 instead of JSON-RPC")) \
  X (REGISTRY_ERROR, "registry-error", REGISTRY, N_ ("a JSON-RPC error object")) \
  X (REGISTRY_GARBAGE, "registry-garbage", REGISTRY, N_ ("a result that is not the ABI of anything")) \
  X (REGISTRY_TRUNCATED, "registry-truncated", REGISTRY, N_ ("a result that is cut short")) \
  X (REGISTRY_HTML, "registry-html", REGISTRY, N_ ("a web page")) \
  X (REGISTRY_HANG, "registry-hang", REGISTRY, N_ ("never answers")) \
  X (REGISTRY_BAD_KEY, "registry-bad-key", REGISTRY, N_ ("the first enclave's HPKE key is all zero")) \
  X (REFRESH_400, "refresh-400", AUTH, N_ ("the refresh token is not accepted")) \
  X (REFRESH_500, "refresh-500", AUTH, N_ ("500")) \
  X (REFRESH_HANG, "refresh-hang", AUTH, N_ ("never answers")) \
  X (ATTEST_ENCODING, "attest-encoding", DOOR, N_ ("a web page instead of a document")) \
  X (ATTEST_ROOT, "attest-root", DOOR, N_ ("a document under another root of the same name")) \
  X (ATTEST_EXPIRED, "attest-expired", DOOR, N_ ("a document under a certificate that has run out")) \
  X (ATTEST_SIGNATURE, "attest-signature", DOOR, N_ ("one bit of the document's signature is flipped")) \
  X (ATTEST_OLD, "attest-old", DOOR, N_ ("a document that was made an hour ago")) \
  X (ATTEST_NONCE, "attest-nonce", DOOR, N_ ("a document for another nonce")) \
  X (ATTEST_DEBUG, "attest-debug", DOOR, N_ ("a document of an enclave in debug mode")) \
  X (ATTEST_PCR, "attest-pcr", DOOR, N_ ("a document of another build")) \
  X (ATTEST_USER_DATA, "attest-user-data", DOOR, N_ ("a document whose user_data is a byte short")) \
  X (ATTEST_KEY, "attest-key", DOOR, N_ ("a document that vouches for another signing key")) \
  X (ATTEST_TLS, "attest-tls", DOOR, N_ ("a document that vouches for another TLS certificate")) \
  X (ATTEST_OHTTP_KEY, "attest-ohttp-key", DOOR, N_ ("an OHTTP configuration, correctly signed, with another key")) \
  X (ATTEST_OHTTP_SIGNATURE, "attest-ohttp-signature", DOOR, N_ ("an OHTTP configuration that is not signed like that")) \
  X (ATTEST_500, "attest-500", DOOR, N_ ("500")) \
  X (ATTEST_HANG, "attest-hang", DOOR, N_ ("never answers"))

typedef enum
{
  VEIL_SANDBOX_HONEST,
#define X(identifier, name, scope, help) VEIL_SANDBOX_##identifier,
  VEIL_SANDBOX_FAULTS (X)
#undef X
  VEIL_SANDBOX_N_FAULTS,
} VeilSandboxFault;

/* FALSE if there is none of that name. */
gboolean         veil_sandbox_fault_from_name (const char *name, VeilSandboxFault *fault);
const char      *veil_sandbox_fault_get_name (VeilSandboxFault fault); /* NULL for honest */
VeilSandboxScope veil_sandbox_fault_get_scope (VeilSandboxFault fault);
/* Name and one line each, to standard output. */
void             veil_sandbox_fault_print_all (void);

G_END_DECLS
