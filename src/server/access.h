/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Who may ask (product.md section 5, rule 5). Pure: decided from the headers alone, before any of the body is taken. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What is measured against. Nothing is owned. */
typedef struct
{
  const char        *host;    /* as bound: an IP address or "localhost" */
  guint16            port;    /* as bound when this connection came in */
  GInetAddress      *local;   /* this connection's own end: what "the bound address" is when bound to all of them; may be NULL */
  const char        *api_key; /* NULL: none is required, and none is accepted in place of an allow-listed Origin */
  const char *const *origins; /* allow-listed; may be NULL */
} VeilAccessRules;

typedef enum
{
  VEIL_ACCESS_OK,
  VEIL_ACCESS_BAD_HOST,   /* 403: not this address (DNS rebinding), or several, or none */
  VEIL_ACCESS_BAD_ORIGIN, /* 403: sent by a page that is not allow-listed */
  VEIL_ACCESS_BAD_KEY,    /* 401 */
} VeilAccess;

/* @preflight: an OPTIONS request, which never carries a key and is told nothing but methods. */
VeilAccess  veil_access_check (const VeilAccessRules *rules, SoupMessageHeaders *headers, GUri *uri, gboolean preflight);

/* "127.0.0.1:11434", "localhost:11434", "[::1]:11434"; no user, no trailing dot, no other spelling of an address. */
gboolean    veil_access_host_is_allowed (const VeilAccessRules *rules, const char *authority);

/* The allow-listed Origin of a request, of @rules, or NULL: for the CORS headers. */
const char *veil_access_get_listed_origin (const VeilAccessRules *rules, SoupMessageHeaders *headers);

/* A sentence about it for the caller; static. */
const char *veil_access_explain (VeilAccess access);

G_END_DECLS
