/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A running endpoint over a backend that says what it is told to, and a peer that speaks HTTP byte by byte from a thread of its own. */
#pragma once

#include "server-private.h"

G_BEGIN_DECLS

#define FAKE_TYPE_BACKEND (fake_backend_get_type ())
G_DECLARE_FINAL_TYPE (FakeBackend, fake_backend, FAKE, BACKEND, GObject)

struct _FakeBackend
{
  GObject         parent;

  VeilChatAnswer *answer;    /* owned: what every request gets */
  GError         *error;     /* owned: or this */
  gboolean        hang;      /* or nothing, until it is cancelled */
  guint           calls;
  guint           cancelled;
  guint           pending;
  char           *model;     /* owned: of the last request */
  gsize           wire_size; /* of the last request */
  gboolean        stream;    /* of the last request */
};

/* A text answer in @n_deltas pieces (0: a single answer). @extras: a JSON object whose members are passed on, or NULL. */
VeilChatAnswer *fake_answer_new (const char *text, guint n_deltas, const char *extras);
/* Signed tool calls: the JSON list. */
VeilChatAnswer *fake_answer_new_tools (const char *tool_calls);

typedef struct
{
  FakeBackend *backend; /* owned */
  VeilServer  *server;  /* owned */
} Fixture;

/* Listens on 127.0.0.1 and answers "Hello". */
void            fixture_set_up (Fixture *fixture, gconstpointer data);
void            fixture_tear_down (Fixture *fixture, gconstpointer data);

/* Runs @func in a thread and the main loop meanwhile. */
typedef void (*PeerFunc) (Fixture *fixture, gpointer user_data);
void            fixture_run_peer (Fixture *fixture, PeerFunc func, gpointer user_data);
/* Runs the main loop until @value is @expected; fails the test after 20 s. */
void            fixture_wait_for (const guint *value, guint expected);

typedef struct
{
  int       fd;
  GString  *input; /* read, but not taken */
} Peer;

typedef struct
{
  guint     status; /* 0: the connection ended instead */
  char     *head;   /* status line and headers */
  GString  *body;
} Reply;

/* Blocking; only in a peer's thread. */
void            peer_connect (Peer *peer, guint16 port);
void            peer_close (Peer *peer);
gboolean        peer_send (Peer *peer, const char *text, gsize length); /* FALSE if the other end is gone */
void            peer_read_reply (Peer *peer, gboolean head_only, Reply *reply);
/* TRUE when the other end closes, FALSE when it sends something more. */
gboolean        peer_sees_end (Peer *peer);
void            reply_clear (Reply *reply);

void            peer_send_all (Peer *peer, const char *text);

/* Head of POST /v1/chat/completions as JSON, with further header lines ("A: b\r\n"); or a whole one. */
char           *fixture_chat_head (Fixture *fixture, const char *lines);
char           *fixture_chat_request (Fixture *fixture, const char *body);
/* Runs the main loop until all are closed. */
void            fixture_wait_for_no_connections (Fixture *fixture);

/* One request on a connection of its own, with every "PORT" in @request put right. Runs the main loop. */
void            fixture_ask (Fixture *fixture, const char *request, Reply *reply);
/* POST /v1/chat/completions with that body and further header lines ("A: b\r\n"). */
void            fixture_ask_chat (Fixture *fixture, const char *headers, const char *body, Reply *reply);

#define CHAT_BODY "{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"
#define STREAM_BODY "{\"model\":\"gpt-4.1\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reply, reply_clear)

G_END_DECLS
