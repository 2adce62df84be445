/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Which enclave builds the registry approves, and their versions: calls that a contract may lack. */
#include "abi.h"
#include "hex.h"
#include "registry-private.h"

#include <string.h>

/* Beyond this many, versions stay unknown: each takes a call. */
#define MAX_VERSIONS 64

typedef struct
{
  GPtrArray *tees;   /* owned, of VeilTee */
  GPtrArray *builds; /* owned, of VeilBuild */
  guint next;        /* the build that is asked for next */
  gint64 until;      /* monotonic: then no more is asked */
} Inquiry;

static void
inquiry_free (gpointer data)
{
  Inquiry *self = data;

  g_ptr_array_unref (self->tees);
  g_clear_pointer (&self->builds, g_ptr_array_unref);
  g_free (self);
}

static gpointer
decode_builds (VeilRegistry *self, GBytes *data, GError **error)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (data, &length);

  return veil_abi_decode_approved_pcrs (bytes, length, error);
}

static gpointer
decode_approval (VeilRegistry *self, GBytes *data, GError **error)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (data, &length);

  return veil_abi_decode_approval (bytes, length, error);
}

static VeilBuild *
find (GPtrArray *builds, const char *pcr_hash)
{
  for (guint i = 0; i < builds->len; i++)
    if (strcmp (((VeilBuild *) builds->pdata[i])->pcr_hash, pcr_hash) == 0)
      return builds->pdata[i];
  return NULL;
}

static gboolean
is_cancelled (GTask *task, const GError *error)
{
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return FALSE;
  g_task_return_error (task, g_error_copy (error));
  return TRUE;
}

static void ask_next (GTask *task);

static void
on_approval (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilBuild) approval = veil_registry_call_finish (VEIL_REGISTRY (source), result, &error);
  Inquiry *inquiry = g_task_get_task_data (task);
  VeilBuild *build = inquiry->builds->pdata[inquiry->next++];

  if (is_cancelled (task, error))
    return;
  if (approval != NULL)
    {
      build->approved = approval->approved;
      build->approved_at = approval->approved_at;
      build->version = g_steal_pointer (&approval->version);
    }
  else
    g_debug ("No version of %s: %s", build->pcr_hash, error->message);
  ask_next (task);
}

static void
ask_next (GTask *task)
{
  Inquiry *inquiry = g_task_get_task_data (task);
  VeilRegistry *self = g_task_get_source_object (task);
  guint8 hash[32];

  if (inquiry->next >= MIN (inquiry->builds->len, MAX_VERSIONS) || g_get_monotonic_time () > inquiry->until)
    {
      g_task_return_pointer (task, g_steal_pointer (&inquiry->builds), (GDestroyNotify) g_ptr_array_unref);
      return;
    }
  if (!veil_hex_decode (((VeilBuild *) inquiry->builds->pdata[inquiry->next])->pcr_hash, hash, sizeof hash))
    g_return_if_reached ();
  veil_registry_call_async (self, veil_abi_encode_approved_pcrs (veil_registry_get_tee_type (self), hash), decode_approval,
                            (GDestroyNotify) veil_build_free, g_task_get_cancellable (task), on_approval, g_object_ref (task));
}

/* Those of the type that is asked for, each once. */
static void
take_approved (Inquiry *inquiry, GPtrArray *approved, guint8 tee_type)
{
  for (guint i = 0; i < approved->len; i++)
    {
      const VeilBuild *build = approved->pdata[i];
      VeilBuild *known;

      if (build->tee_type != tee_type)
        continue;
      known = find (inquiry->builds, build->pcr_hash);
      if (known != NULL)
        known->approved = TRUE;
      else
        g_ptr_array_add (inquiry->builds, veil_build_new (build->pcr_hash, tee_type));
    }
}

/* They come first: however many builds were ever approved, the versions of those that run are asked for. */
static void
take_running (Inquiry *inquiry, guint8 tee_type)
{
  for (guint i = 0; i < inquiry->tees->len; i++)
    {
      const VeilTee *tee = inquiry->tees->pdata[i];
      VeilBuild *build;

      if (find (inquiry->builds, tee->pcr_hash) != NULL)
        continue;
      build = veil_build_new (tee->pcr_hash, tee_type);
      build->approved = FALSE;
      g_ptr_array_add (inquiry->builds, build);
    }
}

static void
on_approved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) approved = veil_registry_call_finish (VEIL_REGISTRY (source), result, &error);
  Inquiry *inquiry = g_task_get_task_data (task);
  guint8 tee_type = veil_registry_get_tee_type (VEIL_REGISTRY (source));

  if (is_cancelled (task, error))
    return;
  take_running (inquiry, tee_type);
  if (approved != NULL)
    take_approved (inquiry, approved, tee_type);
  else
    g_debug ("No list of approved builds: %s", error->message);
  ask_next (task);
}

void
veil_registry_fetch_builds_async (VeilRegistry *self, GPtrArray *tees, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Inquiry *inquiry = g_new0 (Inquiry, 1);

  g_task_set_source_tag (task, veil_registry_fetch_builds_async);
  inquiry->tees = g_ptr_array_ref (tees);
  inquiry->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_build_free);
  inquiry->until = g_get_monotonic_time () + veil_registry_get_deadline (self) * G_TIME_SPAN_MILLISECOND;
  g_task_set_task_data (task, inquiry, inquiry_free);
  veil_registry_call_async (self, veil_abi_encode_get_approved_pcrs (), decode_builds, (GDestroyNotify) g_ptr_array_unref,
                            cancellable, on_approved, g_steal_pointer (&task));
}

GPtrArray *
veil_registry_fetch_builds_finish (VeilRegistry *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
