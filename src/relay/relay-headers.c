/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "relay-headers.h"

#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define MAX_HEADERS 16
#define MAX_NAME 64
#define MAX_VALUE (16 * 1024)

struct _VeilRelayHeaders
{
  GPtrArray *names;   /* owned, of char */
  GPtrArray *values;  /* owned, of char, secret; as many */
  GPtrArray *secrets; /* owned; into values, NULL-terminated */
};

VeilRelayHeaders *
veil_relay_headers_new (void)
{
  VeilRelayHeaders *self = g_atomic_rc_box_new0 (VeilRelayHeaders);

  self->names = g_ptr_array_new_with_free_func (g_free);
  self->values = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_secret_free);
  self->secrets = g_ptr_array_new ();
  g_ptr_array_add (self->secrets, NULL);
  return self;
}

VeilRelayHeaders *
veil_relay_headers_ref (VeilRelayHeaders *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
veil_relay_headers_clear (gpointer data)
{
  VeilRelayHeaders *self = data;

  g_ptr_array_unref (self->secrets);
  g_ptr_array_unref (self->values);
  g_ptr_array_unref (self->names);
}

void
veil_relay_headers_unref (VeilRelayHeaders *self)
{
  g_atomic_rc_box_release_full (self, veil_relay_headers_clear);
}

static void
list_secrets (VeilRelayHeaders *self)
{
  g_ptr_array_set_size (self->secrets, 0);
  for (guint i = 0; i < self->values->len; i++)
    {
      const char *value = g_ptr_array_index (self->values, i);
      const char *space = strrchr (value, ' ');

      g_ptr_array_add (self->secrets, (gpointer) value);
      if (space != NULL)
        g_ptr_array_add (self->secrets, (gpointer) (space + 1));
    }
  g_ptr_array_add (self->secrets, NULL);
}

/* Takes @value over. */
static void
put (VeilRelayHeaders *self, const char *name, char *value)
{
  for (guint i = 0; i < self->names->len; i++)
    if (g_ascii_strcasecmp (name, g_ptr_array_index (self->names, i)) == 0)
      {
        g_ptr_array_remove_index (self->names, i);
        g_ptr_array_remove_index (self->values, i);
        break;
      }
  g_ptr_array_add (self->names, g_strdup (name));
  g_ptr_array_add (self->values, value);
  list_secrets (self);
}

VeilRelayHeaders *
veil_relay_headers_new_bearer (const char *access_token)
{
  VeilRelayHeaders *self = veil_relay_headers_new ();

  put (self, "Authorization", g_strconcat ("Bearer ", access_token, NULL));
  return self;
}

/* RFC 9110 section 5.6.2. */
static gboolean
is_token (const char *name)
{
  gsize length = strlen (name);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("!#$%&'*+-.^_`|~", name[i]) == NULL)
      return FALSE;
  return length > 0 && length <= MAX_NAME;
}

static gboolean
is_value (const char *value)
{
  gsize length = strlen (value);

  for (gsize i = 0; i < length; i++)
    if (value[i] < 0x20 || value[i] > 0x7e)
      return FALSE;
  return length > 0 && length <= MAX_VALUE && value[0] != ' ' && value[length - 1] != ' ';
}

/* What the exchange sets, what frames the message, and what speaks of the person's machine or other visits. */
static gboolean
is_reserved (const char *name)
{
  static const char *const names[] = { "Accept",
                                       "Accept-Encoding",
                                       "Accept-Language",
                                       "Connection",
                                       "Content-Encoding",
                                       "Content-Length",
                                       "Content-Type",
                                       "Cookie",
                                       "Expect",
                                       "Forwarded",
                                       "From",
                                       "Host",
                                       "Keep-Alive",
                                       "Origin",
                                       "Range",
                                       "Referer",
                                       "TE",
                                       "Trailer",
                                       "Upgrade",
                                       "User-Agent",
                                       "Via",
                                       "Transfer-Encoding",
                                       "X-OHTTP-Stream",
                                       "X-TEE-ID",
                                       "X-Forwarded-For",
                                       "Proxy-Connection" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  return FALSE;
}

gboolean
veil_relay_headers_set (VeilRelayHeaders *self, const char *name, const char *value, GError **error)
{
  const char *why = NULL;

  if (!is_token (name))
    why = _ ("A header for the relay has a name that is not allowed in HTTP");
  else if (is_reserved (name))
    why = _ ("A header for the relay has a name that belongs to the exchange itself; leave it out");
  else if (!is_value (value))
    why = _ ("A header for the relay has a value that is empty, too long, or not visible ASCII");
  else if (self->names->len >= MAX_HEADERS)
    why = _ ("There are more headers for the relay than it would read");
  if (why == NULL)
    put (self, name, g_strdup (value));
  else
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, why);
  return why == NULL;
}

guint
veil_relay_headers_get_size (VeilRelayHeaders *self)
{
  return self->names->len;
}

void
veil_relay_headers_apply (VeilRelayHeaders *self, SoupMessageHeaders *headers)
{
  for (guint i = 0; i < self->names->len; i++)
    soup_message_headers_replace (headers, g_ptr_array_index (self->names, i), g_ptr_array_index (self->values, i));
}

const char *const *
veil_relay_headers_get_secrets (VeilRelayHeaders *self)
{
  return (const char *const *) self->secrets->pdata;
}
