/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A whole service between a registry and a relay that do what a test wants, and three enclaves. */
#pragma once

#include "service.h"
#include "test-enclave.h"
#include "test-peer.h"

G_BEGIN_DECLS

#define SERVICE_N_ENCLAVES 3

extern TestEnclave *service_enclaves[SERVICE_N_ENCLAVES];

/* What the relay says to one request. */
typedef enum
{
  RELAY_HONEST,
  RELAY_STATUS,        /* plain: fixture->status and fixture->text */
  RELAY_SEALED_STATUS, /* the same from inside the seal */
  RELAY_ALTERED,
  RELAY_WRONG_TYPE,
  RELAY_HANG, /* until the gate opens, then honest */
} RelayBehaviour;

typedef struct
{
  TestPeer *registry;
  TestPeer *relay;
  VeilSettings settings;
  VeilService *service;
  VeilChatRequest *single;
  VeilChatRequest *stream;

  guint first; /* the registry lists `count` enclaves from this one on */
  guint count;
  gboolean registry_down;
  gboolean registry_hangs;
  RelayBehaviour behaviour;
  guint n_bad; /* so many requests get the behaviour, then all are honest */
  guint status;
  const char *text;
  gint gate; /* atomic */
  GMutex mutex;
  GPtrArray *tee_ids; /* of char: whom the relay was asked for, in order */
  GPtrArray *bodies;  /* of GBytes */
  VeilRecord *record; /* owned; of the request that was begun last */
} ServiceFixture;

typedef struct
{
  gboolean done;
  VeilChatAnswer *answer;
  GError *error;
} ChatOutcome;

void         chat_outcome_clear (ChatOutcome *outcome);

/* Calls @add_tests, which calls service_add(), and runs them. */
int          service_run (void (*add_tests) (void));
void         service_add (const char *name, void (*func) (ServiceFixture *, gconstpointer));
void         service_add_with (const char *name, gconstpointer data, void (*func) (ServiceFixture *, gconstpointer));

/* With whatever the test put into the settings, signed in. */
void         service_make (ServiceFixture *fixture);
VeilSession *service_build_session (const char *relay_url, const char *registry_url); /* no registry if that is NULL */
gboolean     service_on_relay (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer fixture);

/* One request: begun, or to its end. */
void         service_begin (ServiceFixture *fixture, VeilChatRequest *request, GCancellable *cancellable, ChatOutcome *outcome);
void         service_chat (ServiceFixture *fixture, VeilChatRequest *request, ChatOutcome *outcome);
void         service_assert_verified (const ChatOutcome *outcome);
void         service_assert_works (ServiceFixture *fixture);
void         service_assert_fails (ServiceFixture *fixture, int code, const char *says);
void         service_assert_health (ServiceFixture *fixture, const char *status, guint64 verified, guint64 refused, guint64 failed);
char        *service_dup_active_tee (ServiceFixture *fixture);
/* Whom the @index-th request to the relay was for. */
const char  *service_get_asked (ServiceFixture *fixture, guint index);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ChatOutcome, chat_outcome_clear)

G_END_DECLS
