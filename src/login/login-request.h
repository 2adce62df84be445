/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One request to the login listener: which are let in, and what each is told. */
#pragma once

#include "session.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct
{
  char    *origin;   /* owned: the app's */
  char    *path;     /* owned: "/" and random digits */
  guint16  port;
  gint64   deadline; /* monotonic */
  gboolean used;     /* a bundle was accepted */
} VeilLoginRules;

/* VEIL_ERROR_INVALID_ARGUMENT. */
gboolean     veil_login_rules_set_app (VeilLoginRules *self, const char *app_url, GError **error);
void         veil_login_rules_set_path (VeilLoginRules *self, const guint8 *random, gsize length);
void         veil_login_rules_clear (VeilLoginRules *self);

/* Before a connection is given to libsoup together with @remote: so that a sender without end can be cut off. */
void         veil_login_request_note_socket (GSocketAddress *remote, GSocket *socket);
/* When the headers are there: answers, or makes ready to take the body. */
void         veil_login_request_begin (SoupServerMessage *message, const VeilLoginRules *rules, const char *path, gboolean has_query);
/* When the body is: (transfer full) the session of an accepted bundle, or %NULL. Answers in both cases. */
VeilSession *veil_login_request_finish (SoupServerMessage *message, const VeilLoginRules *rules);

G_END_DECLS
