/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "attest-fetch.h"

#include "fetch.h"
#include "hex.h"
#include "ohttp-statement.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>
#include <sys/random.h>

#define MAX_BYTES (64 * 1024)
#define DEADLINE_MS 20000
#define NONCE_SIZE 20
#define DOCUMENT_PATH "/enclave/attestation?nonce="
#define CONFIG_PATH "/v1/ohttp/config"

typedef struct
{
  SoupSession *http;    /* owned; of this question alone */
  VeilTee *tee;         /* owned */
  GStrv pcr_pins;       /* owned; may be NULL */
  GBytes *sandbox_root; /* owned; may be NULL */
  GBytes *nonce;        /* owned */
  SoupMessage *message; /* owned; the one that runs */
  gboolean foreign;     /* the connection showed another certificate */
  GBytes *document;     /* owned */
  GBytes *config;       /* owned; or */
  GError *config_error; /* owned */
} Asking;

/* Sessions belong to the thread that made them; what is left may be freed in another. */
static void
hang_up (Asking *self)
{
  if (self->http != NULL)
    soup_session_abort (self->http);
  g_clear_object (&self->http);
  g_clear_object (&self->message);
}

static void
asking_free (gpointer data)
{
  Asking *self = data;

  hang_up (self);
  veil_tee_unref (self->tee);
  g_strfreev (self->pcr_pins);
  g_clear_pointer (&self->sandbox_root, g_bytes_unref);
  g_clear_pointer (&self->nonce, g_bytes_unref);
  g_clear_pointer (&self->document, g_bytes_unref);
  g_clear_pointer (&self->config, g_bytes_unref);
  g_clear_error (&self->config_error);
  g_free (self);
}

static gboolean
is_tls (Asking *self)
{
  return g_ascii_strncasecmp (self->tee->endpoint, "https:", strlen ("https:")) == 0;
}

static gboolean
is_registered (Asking *self, GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;

  if (certificate == NULL)
    return FALSE;
  g_object_get (certificate, "certificate", &der, NULL);
  return der != NULL && der->len == g_bytes_get_size (self->tee->tls_certificate) &&
         memcmp (der->data, g_bytes_get_data (self->tee->tls_certificate, NULL), der->len) == 0;
}

/* Asked for every connection: the session knows no authority that could vouch for another certificate. */
static gboolean
on_certificate (SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer user_data)
{
  Asking *self = user_data;
  gboolean registered = is_registered (self, certificate);

  self->foreign |= !registered;
  return registered;
}

static gboolean
ask (GTask *task, const char *path, GAsyncReadyCallback callback, GError **error)
{
  Asking *self = g_task_get_task_data (task);
  const char *endpoint = self->tee->endpoint;
  int length = (int) strlen (endpoint);
  g_autofree char *url = NULL;

  while (length > 0 && endpoint[length - 1] == '/')
    length--;
  url = g_strdup_printf ("%.*s%s", length, endpoint, path);
  g_clear_object (&self->message);
  self->message = soup_message_new ("GET", url);
  if (self->message == NULL)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("The enclave's registered address is not a URL"));
      return FALSE;
    }
  g_signal_connect (self->message, "accept-certificate", G_CALLBACK (on_certificate), self);
  veil_fetch_async (self->http, self->message, MAX_BYTES, DEADLINE_MS, g_task_get_cancellable (task), callback,
                    g_object_ref (task));
  return TRUE;
}

/* The body of an answer with status 200. */
static GBytes *
take_answer (Asking *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VeilFetchResult) answer = veil_fetch_finish (self->http, result, error);

  g_signal_handlers_disconnect_by_data (self->message, self);
  if (answer == NULL)
    return NULL;
  /* A connection that was open already asked nobody. */
  if (is_tls (self) && !is_registered (self, soup_message_get_tls_peer_certificate (self->message)))
    {
      self->foreign = TRUE;
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_ATTEST_TLS,
                           _ ("The connection shows another TLS certificate than the one in the registry"));
      return NULL;
    }
  if (answer->status != SOUP_STATUS_OK)
    {
      g_set_error (
          error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER,
          _ ("The enclave answered with status %u and not with what it was asked for; try again later, or another enclave"),
          answer->status);
      return NULL;
    }
  return g_bytes_ref (answer->body);
}

static VeilAttestQuestion
get_question (Asking *self)
{
  return (VeilAttestQuestion){ .tee = self->tee,
                               .pcr_pins = (const char *const *) self->pcr_pins,
                               .sandbox_root = self->sandbox_root != NULL ? g_bytes_get_data (self->sandbox_root, NULL) : NULL,
                               .nonce = self->nonce,
                               .now = g_get_real_time () / G_USEC_PER_SEC,
                               .tls = is_tls (self) };
}

/* A handful of signatures: too long for a frame. */
static void
run_report (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Asking *self = task_data;
  VeilAttestQuestion question = get_question (self);

  g_task_return_pointer (task, veil_attest_report_new (&question, self->document, self->config, self->config_error),
                         (GDestroyNotify) veil_attest_report_unref);
}

static void
return_refused (GTask *task)
{
  VeilAttestQuestion question = get_question (g_task_get_task_data (task));

  g_task_return_pointer (task, veil_attest_report_new_refused (&question), (GDestroyNotify) veil_attest_report_unref);
}

static void
on_config (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Asking *self = g_task_get_task_data (task);

  self->config = take_answer (self, result, &self->config_error);
  hang_up (self);
  if (self->foreign)
    return_refused (task);
  else if (!g_task_return_error_if_cancelled (task))
    g_task_run_in_thread (task, run_report);
}

static void
on_document (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Asking *self = g_task_get_task_data (task);
  GError *error = NULL;

  self->document = take_answer (self, result, &error);
  if (self->foreign)
    {
      g_clear_error (&error);
      return_refused (task);
    }
  else if (self->document == NULL || !ask (task, CONFIG_PATH, on_config, &error))
    g_task_return_error (task, error);
}

static GBytes *
make_nonce (void)
{
  guint8 nonce[NONCE_SIZE];

  if (getrandom (nonce, sizeof nonce, 0) != sizeof nonce) /* never less for so few bytes */
    g_error ("The system gives no random numbers");
  return g_bytes_new (nonce, sizeof nonce);
}

/* Whoever wrote the registry's entry may have put anything there. */
static gboolean
check_endpoint (const char *endpoint, GError **error)
{
  if (!veil_fetch_check_url (endpoint, _ ("The enclave's registered address"), error))
    return FALSE;
  if (strchr (endpoint, '?') == NULL)
    return TRUE;
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                       _ ("The enclave's registered address cannot be used: it has a query, and paths are to be added to it"));
  return FALSE;
}

void
veil_attest_fetch_async (VeilTee *tee, const char *const *pcr_pins, GBytes *sandbox_root, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Asking *self = g_new0 (Asking, 1);
  char digits[2 * NONCE_SIZE + 1];
  g_autofree char *path = NULL;
  GError *error = NULL;

  g_return_if_fail (sandbox_root == NULL || g_bytes_get_size (sandbox_root) == 32);
  g_task_set_source_tag (task, veil_attest_fetch_async);
  self->http = veil_fetch_session_new ();
  soup_session_set_tls_database (self->http, NULL); /* no authority: on_certificate() decides */
  self->tee = veil_tee_ref (tee);
  self->pcr_pins = g_strdupv ((char **) pcr_pins);
  self->sandbox_root = sandbox_root != NULL ? g_bytes_ref (sandbox_root) : NULL;
  self->nonce = make_nonce ();
  g_task_set_task_data (task, self, asking_free);

  veil_hex_encode (g_bytes_get_data (self->nonce, NULL), NONCE_SIZE, digits);
  path = g_strconcat (DOCUMENT_PATH, digits, NULL);
  if (!check_endpoint (tee->endpoint, &error) || !ask (task, path, on_document, &error))
    g_task_return_error (task, error);
}

VeilAttestReport *
veil_attest_fetch_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
