/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* How an answer goes out: at once, piece by piece, or not to its end; and noticing that the client hung up. Main thread only. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_SANDBOX_END_PROPERLY,
  VEIL_SANDBOX_END_STALL, /* nothing more comes, the connection stays */
  VEIL_SANDBOX_END_CLOSE, /* the connection is closed */
  VEIL_SANDBOX_END_RESET,
} VeilSandboxEnding;

/* The next piece of a body that is made on the way, (transfer full); NULL at its end. */
typedef GBytes *(*VeilSandboxGenerator) (gpointer data);

typedef struct
{
  guint                status;
  const char          *content_type; /* static, or NULL */
  const char *const   *headers;      /* static names and values in turn, NULL-terminated; or NULL */
  GPtrArray           *pieces;       /* owned, of GBytes */
  gboolean             chunked;      /* every piece an HTTP chunk; else Content-Length */
  gsize                claimed_length; /* Content-Length if it is not that of the pieces */
  VeilSandboxGenerator generate;     /* instead of pieces */
  gpointer             generator;    /* owned */
  GDestroyNotify       generator_free;
  guint                delay_ms;       /* before the first byte */
  guint                piece_delay_ms; /* before each piece */
  gboolean             silent;       /* not even a status line; goes with an ending that is not proper */
  gboolean             header_bomb;
  VeilSandboxEnding    ending;
} VeilSandboxReply;

VeilSandboxReply *veil_sandbox_reply_new (guint status, const char *content_type);
void              veil_sandbox_reply_add (VeilSandboxReply *reply, GBytes *piece); /* (transfer full) */
void              veil_sandbox_reply_free (VeilSandboxReply *reply);

/* One request that is being answered; reference-counted. */
typedef struct _VeilSandboxExchange VeilSandboxExchange;

/* Called once, when all is sent or broken off. @hung_up: the client left before. */
typedef void (*VeilSandboxExchangeDone) (VeilSandboxExchange *exchange, gboolean hung_up, gpointer user_data);

/* Holds the answer to @message back until _reply(). */
VeilSandboxExchange *veil_sandbox_exchange_new (SoupServerMessage *message, VeilSandboxExchangeDone done, gpointer user_data);
void                 veil_sandbox_exchange_reply (VeilSandboxExchange *self, VeilSandboxReply *reply); /* (transfer full) */
/* Closes the connection, if it is not over yet. */
void                 veil_sandbox_exchange_abort (VeilSandboxExchange *self);
VeilSandboxExchange *veil_sandbox_exchange_ref (VeilSandboxExchange *self);
void                 veil_sandbox_exchange_unref (VeilSandboxExchange *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSandboxReply, veil_sandbox_reply_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSandboxExchange, veil_sandbox_exchange_unref)

G_END_DECLS
