/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A relay client, a relay that says whatever a test wants, and two enclaves. */
#pragma once

#include "relay-client.h"
#include "test-enclave.h"
#include "test-peer.h"

G_BEGIN_DECLS

#define RELAY_TOKEN "SECRET.TOKEN-1"
#define RELAY_SINGLE_TYPE "Content-Type: message/ohttp-res\r\n"
#define RELAY_STREAM_TYPE "Content-Type: message/ohttp-chunked-res\r\n"

extern TestEnclave *relay_enclave;
extern TestEnclave *relay_other_enclave;

typedef struct _RelayFixture RelayFixture;
typedef gboolean (*RelayReply) (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection);

struct _RelayFixture
{
  TestPeer *peer;
  SoupSession *session;
  VeilRelayClient *client;
  VeilChatRequest *single;
  VeilChatRequest *stream;
  VeilRelayLimits limits;

  /* What the peer says, and what it was asked. */
  RelayReply reply;
  const char *text;         /* for RelayReply functions to use */
  VeilChatRequest *request; /* that is under way; owned elsewhere */
  GMutex mutex;
  GPtrArray *heads; /* of char */
  GPtrArray *encs;  /* of char: hex */
};

typedef struct
{
  gboolean done;
  VeilChatAnswer *answer;
  GError *error;
} RelayOutcome;

/* Calls @add_tests, which calls relay_add(), and runs them. */
int              relay_run (void (*add_tests) (void));
void             relay_add (const char *name, const VeilRelayLimits *limits, void (*func) (RelayFixture *, gconstpointer));

VeilChatRequest *relay_build_request (const char *rest); /* @rest: further members, with a comma first */

/* One exchange, to its end. */
VeilChatAnswer  *relay_exchange (RelayFixture *fixture, VeilChatRequest *request, GError **error);
VeilChatAnswer  *relay_exchange_with (RelayFixture *fixture, TestEnclave *whom, VeilChatRequest *request, GError **error);
/* For veil_relay_client_send_async(): fills a RelayOutcome. */
void             relay_on_sent (GObject *source, GAsyncResult *result, gpointer user_data);

/* A RelayReply: what an enclave says that has no faults. */
gboolean         relay_reply_honestly (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection);

/* The code is right, the text says @says (NULL: anything), and nothing in it is secret or could draw on a terminal. */
void             relay_assert_error (const GError *error, int code, const char *says);
void             relay_assert_fails (RelayFixture *fixture, VeilChatRequest *request, int code, const char *says);

G_END_DECLS
