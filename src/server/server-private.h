/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the files of the endpoint share, and what tests set. */
#pragma once

#include "access.h"
#include "connection.h"
#include "models.h"
#include "server.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

struct _VeilServer
{
  GObject      parent;

  VeilBackend *backend;     /* owned */
  SoupServer  *soup;        /* owned; speaks HTTP on connections that the listener accepted */
  VeilRecordList *records;  /* owned */
  VeilModels  *models;      /* owned */
  GBytes      *models_list; /* owned: the body of /v1/models */
  char        *api_key;     /* owned; wiped; may be NULL */
  GStrv        origins;     /* owned; may be NULL */
  char        *host;        /* owned; as given to listen */
  guint16      port;

  GPtrArray   *listeners;   /* owned, of VeilListener */
  GSocket     *keep_alive[2]; /* owned: see listener.c */
  GHashTable  *connections; /* set of VeilConnection, not owned: they leave by themselves */
  GHashTable  *lingers;     /* set of VeilLinger, owned */
  GHashTable  *exchanges;   /* set of VeilExchange, a reference each */
  gboolean     draining;    /* nothing more is begun */
  guint        idle_ms;     /* how long a peer may do nothing while it is its turn */
};

#define VEIL_SERVER_IDLE_MS 60000
#define VEIL_SERVER_MAX_CONNECTIONS 512 /* fewer where the process may open few files */

/* Shorter patience, for tests. */
void veil_server_set_idle_timeout (VeilServer *self, guint milliseconds);

/* Serves a connection that comes from elsewhere than the listener. */
void veil_server_adopt (VeilServer *self, GSocketConnection *stream);

/* Sets the address that Host headers are measured against. */
void veil_server_set_bound_address (VeilServer *self, const char *host, guint16 port);

G_END_DECLS
