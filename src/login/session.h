/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Who is signed in, and whom that trusts: the validated login bundle (protocol.md section 6). */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Immutable; reference-counted (atomic); tokens are wiped with the last reference. */
typedef struct
{
  char   *access_token;  /* owned, secret */
  char   *refresh_token; /* owned, secret; may be NULL */
  gint64  expires_at;    /* seconds since 1970; 0 is unknown */
  char   *user_id;       /* owned; may be NULL */
  char   *email;         /* owned; may be NULL */
  char   *app_env;       /* owned; may be NULL */
  char   *supabase_url;  /* owned */
  char   *supabase_anon_key; /* owned */
  char   *relay_url;     /* owned; chat_api_base_url without trailing slash */
  char   *registry_rpc_url;  /* owned; NULL: cannot serve */
  char   *registry_address;  /* owned; 0x + 40 digits; NULL likewise */
  guint8  registry_tee_type;
  gboolean sandbox;      /* app_env is "sandbox": answers are labelled so */
  GBytes *sandbox_root;  /* owned; SHA-256 of the root that this run of the sandbox signs attestation documents under; NULL if it named none, and always
                            outside the sandbox */
} VeilSession;

#define VEIL_SESSION_MAX_BYTES (256 * 1024)

/**
 * veil_session_new_from_bundle:
 * @now: seconds since 1970, to turn expires_in into expires_at
 *
 * Returns: (transfer full): the session, or %NULL with %VEIL_ERROR_BUNDLE naming the field that is missing, of a wrong type, or points at
 *   a place that is neither https nor loopback. Never quotes a token.
 */
VeilSession *veil_session_new_from_bundle (const char *text, gsize length, gint64 now, GError **error);
/**
 * veil_session_new_refreshed:
 * @old: whose user and network are kept, and whose refresh token too if the answer has none
 * @text: what the token endpoint answered (protocol.md section 6, step 3); its expires_in, counted from @now, wins over its expires_at, because
 *   this machine's clock is the one that the time is compared with; it may name no other user than @old does
 *
 * Returns: (transfer full): the session with its new tokens, or %NULL with %VEIL_ERROR_BUNDLE.
 */
VeilSession *veil_session_new_refreshed (const VeilSession *old, const char *text, gsize length, gint64 now, GError **error);
VeilSession *veil_session_ref (VeilSession *self);
void         veil_session_unref (VeilSession *self);

/* The same bundle shape, for a store; wiped when freed. */
GBytes      *veil_session_to_bundle (const VeilSession *self);

/* Do both trust the same relay, registry, contract, TEE type and sign-in server? */
gboolean     veil_session_has_same_network (const VeilSession *self, const VeilSession *other);
/* Is it the same sign-in with the same tokens? */
gboolean     veil_session_equal (const VeilSession *self, const VeilSession *other);

/* VEIL_ERROR_BUNDLE naming what is missing for serving (registry fields). */
gboolean     veil_session_check_can_serve (const VeilSession *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSession, veil_session_unref)

G_END_DECLS
