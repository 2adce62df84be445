/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One secret of a home in the Secret Service. Nothing here waits without a bound. */
#pragma once

#include "secret-operation.h"

G_BEGIN_DECLS

#define VEIL_SECRET_ANSWER_MS 10000
#define VEIL_SECRET_PROMPT_MS 60000

struct _VeilSecretItemKind
{
  const SecretSchema *schema; /* with the attributes "application" and "home", its name not matched */
  const char *application;    /* tells the kinds apart, since names are not matched */
  const char *label;
  const char *content_type;
  const char *otherwise; /* what else can be done if the service does not do, a sentence without its full stop, to be translated */
  /* Answers @task, of a VEIL_SECRET_LOAD; @text is NULL if there is nothing, and wiped later. */
  void (*take) (GTask *task, const char *text, gsize length);
};

/**
 * veil_secret_item_begin:
 * @task: (transfer full): answered by the kind (load), or with a boolean (save, clear), or with %VEIL_ERROR_STORE
 * @text: (nullable): to be saved
 * @answer_ms: for each answer of the service
 * @prompt_ms: for the person, if they are asked
 */
void veil_secret_item_begin (const VeilSecretItemKind *kind, const char *home, VeilSecretKind what, GTask *task, GBytes *text,
                             VeilStorePrompt prompt, guint answer_ms, guint prompt_ms);

G_END_DECLS
