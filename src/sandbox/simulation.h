/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The simulated network: its enclaves, its one HTTP server with the relay, the registry, the token refresh and the control
 * paths, and what the tests asked of it. Main thread only. */
#pragma once

#include "delivery.h"
#include "enclave.h"
#include "faults.h"
#include "hardware.h"
#include "json-writer.h"

G_BEGIN_DECLS

#define VEIL_SANDBOX_MAX_TEES 64
#define VEIL_SANDBOX_RPC_PATH "/rpc"
#define VEIL_SANDBOX_REDIRECT_PATH "/sandbox/redirected"
/* What the relay takes: 20 MiB of request and what the seal and padding add. */
#define VEIL_SANDBOX_MAX_BODY (20 * 1024 * 1024 + 64 * 1024)

typedef struct
{
  guint64 total; /* requests at the relay */
  guint64 in_flight;
  guint64 answered;
  guint64 cancelled; /* the client hung up before the answer was sent */
  guint64 refused;   /* not opened: no session, wrong type, unknown enclave, not sealed to it */
  guint64 registry_calls;
  guint64 refreshes;
  guint64 redirects_followed;
  guint64 seen[VEIL_SANDBOX_MAX_TEES];
} VeilSandboxStats;

typedef struct
{
  SoupServer      *server;
  guint            port;
  char            *base; /* its address */
  VeilSandboxHardware *hardware; /* that the enclaves run on */
  GPtrArray       *enclaves; /* of VeilSandboxEnclave */
  GPtrArray       *strangers; /* the other enclave of a network of one; not registered */
  gboolean         active[VEIL_SANDBOX_MAX_TEES];

  char            *access_token;
  char            *refresh_token;
  char            *anon_key;
  char            *user_id;
  char            *contract; /* the registry's address */
  guint            expires_in;

  VeilSandboxFault fault;
  gint             fault_times; /* how often still; -1 is always */
  gint             fault_tee;   /* -1 is any */
  guint            latency_ms;
  guint            frame_latency_ms;

  VeilSandboxStats stats;
  GHashTable      *exchanges; /* of VeilSandboxExchange, each with a reference */
  guint            jobs;      /* in worker threads */
} VeilSandboxNetwork;

/* Makes keys and listens on 127.0.0.1. */
VeilSandboxNetwork  *veil_sandbox_network_new (guint port, guint n_enclaves, GError **error);
/* Closes every connection and waits for the workers. */
void                 veil_sandbox_network_free (VeilSandboxNetwork *self);

/* A path and what answers it, behind the guard: local programs only, no endless bodies. */
void                 veil_sandbox_network_add (VeilSandboxNetwork *self, const char *path, SoupServerCallback callback);

/* Makes the keys of @count enclaves, whose doors are at @base, at the same time. Any thread. Returns an array of VeilSandboxEnclave. */
GPtrArray           *veil_sandbox_enclaves_make (guint count, const char *base);

/* The fault that is due at an endpoint, which is counted. @tee: index, or -1. */
VeilSandboxFault     veil_sandbox_network_take_fault (VeilSandboxNetwork *self, const VeilSandboxScope *scopes, guint n_scopes,
                                                      gint tee);

/* Holds back the answer to @message; known to the network until it is over. @counted: in the relay's figures. (transfer none) */
VeilSandboxExchange *veil_sandbox_network_begin (VeilSandboxNetwork *self, SoupServerMessage *message, gboolean counted);
/* Never answers. */
void                 veil_sandbox_network_hang (VeilSandboxNetwork *self, SoupServerMessage *message);

/* Answers at once. The writer is taken over. */
void                 veil_sandbox_respond (SoupServerMessage *message, guint status, VeilJsonWriter *writer);
void                 veil_sandbox_respond_error (SoupServerMessage *message, guint status, const char *text);
/* Reads the request's body; NULL after having answered 400. */
VeilJsonDoc         *veil_sandbox_read_body (SoupServerMessage *message);
/* TRUE if the method is @method; otherwise answers 405. */
gboolean             veil_sandbox_check_method (SoupServerMessage *message, const char *method);

/* "prefix" and random digits. */
char                *veil_sandbox_random_text (const char *prefix);

/* The endpoints, each in its file. */
void                 veil_sandbox_relay_attach (VeilSandboxNetwork *self);
void                 veil_sandbox_registry_attach (VeilSandboxNetwork *self);
void                 veil_sandbox_auth_attach (VeilSandboxNetwork *self);
void                 veil_sandbox_sign_in_attach (VeilSandboxNetwork *self);
void                 veil_sandbox_door_attach (VeilSandboxNetwork *self);
void                 veil_sandbox_control_attach (VeilSandboxNetwork *self);

/* The login bundle: one line of JSON. */
char                *veil_sandbox_auth_bundle (VeilSandboxNetwork *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSandboxNetwork, veil_sandbox_network_free)

G_END_DECLS
