/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One question to the running endpoint, over HTTP as an agent would ask it, to see that all of it works. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TRIAL_DEFAULT_MODEL "gpt-4.1-mini"

typedef enum
{
  VEIL_TRIAL_VERIFIED,
  VEIL_TRIAL_REFUSED, /* an answer came and was not verified */
  VEIL_TRIAL_FAILED,  /* none came */
} VeilTrialOutcome;

typedef struct
{
  VeilTrialOutcome outcome;
  char            *text;   /* owned: the answer, or what the endpoint says is wrong */
  char            *tee_id; /* owned; NULL unless verified */
  gboolean         sandbox;
} VeilTrial;

/* @url: veil_settings_get_url(); @api_key: (nullable); @prompt: UTF-8. */
void       veil_trial_async (const char *url, const char *api_key, const char *model, const char *prompt, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
/* Errors: nothing answers there, or what answers is no Veil; as veil_fetch_async(), and VEIL_ERROR_BROKEN_ANSWER. */
VeilTrial *veil_trial_finish (GAsyncResult *result, GError **error);
void       veil_trial_free (VeilTrial *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilTrial, veil_trial_free)

G_END_DECLS
