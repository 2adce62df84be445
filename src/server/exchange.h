/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One request and its response. libsoup's message may go at any moment (the peer hangs up, the server stops); the exchange outlives it for
 * those who still work on it, and tells them. */
#pragma once

#include "api-error.h"
#include "server-private.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_STAGE_HEADERS, /* nothing but the headers has been read */
  VEIL_STAGE_BODY,    /* accepted: the body is being collected */
  VEIL_STAGE_RUNNING, /* the answer is waited for; libsoup is paused */
  VEIL_STAGE_REPLIED, /* the response is set */
} VeilStage;

typedef struct
{
  gint               refs;
  VeilServer        *server;       /* not owned; valid while message is not NULL */
  SoupServerMessage *message;      /* owned; NULL once it is over */
  VeilConnection    *connection;   /* owned */
  VeilStage          stage;
  GByteArray        *body;         /* owned; wiped */
  gboolean           body_is_unclear; /* where it ends cannot be told: nothing after the headers is read as HTTP */
  gsize              since_yield;  /* body bytes taken since the main loop last had its turn */
  gint64             body_started; /* monotonic */
  GCancellable      *cancellable;  /* owned; cancelled when the peer goes */
  VeilChatRequest   *request;      /* owned; once it is built */
  VeilRecord        *record;       /* owned; of requests for an answer, else NULL */
  VeilTiming         timing;
  gint64             started;      /* monotonic */
} VeilExchange;

/* For a message that just began; @server gets a reference of its own. */
void          veil_exchange_begin (VeilServer *server, SoupServerMessage *message, VeilConnection *connection);
VeilExchange *veil_exchange_ref (VeilExchange *self);
void          veil_exchange_unref (VeilExchange *self);

/* The message is over: cancels what runs for it. The server drops its reference. */
void          veil_exchange_end (VeilExchange *self);

/* The rules as they apply to this message; @local keeps what it points to. */
VeilAccessRules veil_exchange_get_rules (VeilExchange *self);

/* One of these, once, ends each exchange. @body: the whole response; NULL is none. Headers of the caller's own can be appended to the message before. If the
 * request's body is still to come and is not small, the connection is taken from libsoup and closed (see linger.h). */
void          veil_exchange_respond (VeilExchange *self, guint status, const char *content_type, GBytes *body);
void          veil_exchange_respond_error (VeilExchange *self, const VeilApiError *api_error);
void          veil_exchange_refuse (VeilExchange *self, guint status, const char *code, const char *message);

/* The peer has done something: it gets its time anew. */
void          veil_exchange_touch (VeilExchange *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilExchange, veil_exchange_unref)

G_END_DECLS
