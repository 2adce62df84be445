/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "history.h"

#include "history-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_PENDING (1024u * 1024) /* bytes that wait for a disk that does not answer; what comes then is not kept */
#define END_PATIENCE_US G_USEC_PER_SEC

/* What the thread and the main loop share, for as long as one of them has it. */
typedef struct
{
  gatomicrefcount refs;
  char *path; /* owned; never changes, nor do the next two */
  guint max;
  GMainContext *context; /* owned */

  GMutex mutex; /* for what follows */
  GCond idle;
  GByteArray *pending;  /* owned: lines */
  gboolean running;     /* there is a thread */
  VeilHistory *history; /* not owned; NULL once it is freed. Touched by the main loop alone */
  gboolean failed;      /* of the thread: that it was logged */
} Shared;

struct _VeilHistory
{
  Shared *shared;
  VeilRecordList *list; /* owned */
  GPtrArray *waiting;   /* owned, of VeilRecord: those that are followed */
  gboolean loading;     /* what is added comes from the file */
};

static Shared *
shared_ref (Shared *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
shared_unref (Shared *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->path);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->idle);
  g_byte_array_unref (self->pending);
  g_free (self);
}

typedef struct
{
  Shared *shared;     /* owned */
  GPtrArray *records; /* owned */
} Loaded;

static void
loaded_free (gpointer data)
{
  Loaded *loaded = data;

  g_ptr_array_unref (loaded->records);
  shared_unref (loaded->shared);
  g_free (loaded);
}

static gboolean
on_loaded (gpointer data)
{
  Loaded *loaded = data;
  VeilHistory *self = loaded->shared->history;

  if (self == NULL)
    return G_SOURCE_REMOVE;
  self->loading = TRUE;
  veil_record_list_add_past (self->list, loaded->records);
  self->loading = FALSE;
  return G_SOURCE_REMOVE;
}

/* Once until it works again. */
static void
tell (Shared *self, const GError *error)
{
  if (error != NULL && !self->failed)
    g_warning ("%s; requests are not kept until that works again", error->message);
  self->failed = error != NULL;
}

static void
load (Shared *self)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *records = veil_history_file_read (self->path, self->max, &error);
  g_autoptr (GSource) source = NULL;
  Loaded *loaded;

  tell (self, error);
  if (records == NULL)
    return;
  loaded = g_new0 (Loaded, 1);
  loaded->shared = shared_ref (self);
  loaded->records = records;
  /* Not g_main_context_invoke(), which may call it in this very thread. */
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_loaded, loaded, loaded_free);
  g_source_attach (source, self->context);
}

static GByteArray *
take_pending (Shared *self)
{
  GByteArray *lines = NULL;

  g_mutex_lock (&self->mutex);
  if (self->pending->len > 0)
    {
      lines = self->pending;
      self->pending = g_byte_array_new ();
    }
  else
    {
      self->running = FALSE;
      g_cond_broadcast (&self->idle);
    }
  g_mutex_unlock (&self->mutex);
  return lines;
}

static gpointer
append_thread (gpointer data)
{
  Shared *self = data;
  GByteArray *lines;

  while ((lines = take_pending (self)) != NULL)
    {
      g_autoptr (GError) error = NULL;

      veil_history_file_append (self->path, lines->data, lines->len, &error);
      tell (self, error);
      g_byte_array_unref (lines);
    }
  shared_unref (self);
  return NULL;
}

static gpointer
load_thread (gpointer data)
{
  load (data);
  return append_thread (data);
}

/* With the mutex held: a thread that ends at once says so afterwards. */
static void
run (Shared *self, GThreadFunc func)
{
  GThread *thread = g_thread_try_new ("veil-history", func, shared_ref (self), NULL);

  self->running = thread != NULL;
  if (thread != NULL)
    g_thread_unref (thread);
  else
    shared_unref (self);
}

static void
keep (VeilHistory *self, VeilRecord *record)
{
  g_autofree char *line = veil_history_write_line (record);
  Shared *shared = self->shared;
  gsize length = strlen (line);

  g_mutex_lock (&shared->mutex);
  if (length < VEIL_HISTORY_MAX_LINE && length < MAX_PENDING - shared->pending->len)
    {
      line[length] = '\n';
      g_byte_array_append (shared->pending, (const guint8 *) line, (guint) length + 1);
      if (!shared->running)
        run (shared, append_thread);
    }
  g_mutex_unlock (&shared->mutex);
}

static void
on_state (VeilRecord *record, GParamSpec *pspec, VeilHistory *self)
{
  g_signal_handlers_disconnect_by_data (record, self);
  keep (self, record);
  g_ptr_array_remove_fast (self->waiting, record);
}

static void
follow (VeilHistory *self, VeilRecord *record)
{
  if (veil_record_get_state (record) != VEIL_RECORD_WAITING)
    return;
  g_ptr_array_add (self->waiting, g_object_ref (record));
  g_signal_connect (record, "notify::state", G_CALLBACK (on_state), self);
}

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, VeilHistory *self)
{
  if (self->loading)
    return;
  for (guint i = position; removed == 0 && i < position + added; i++)
    {
      g_autoptr (VeilRecord) record = g_list_model_get_item (model, i);

      follow (self, record);
    }
}

VeilHistory *
veil_history_new (const char *path, VeilRecordList *list)
{
  VeilHistory *self = g_new0 (VeilHistory, 1);
  Shared *shared = g_new0 (Shared, 1);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (list));

  g_atomic_ref_count_init (&shared->refs);
  shared->path = g_strdup (path);
  shared->max = veil_record_list_get_capacity (list);
  shared->context = g_main_context_ref_thread_default ();
  shared->pending = g_byte_array_new ();
  shared->history = self;
  g_mutex_init (&shared->mutex);
  g_cond_init (&shared->idle);

  self->shared = shared;
  self->list = g_object_ref (list);
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  on_items_changed (G_LIST_MODEL (list), 0, 0, n, self);
  g_signal_connect (list, "items-changed", G_CALLBACK (on_items_changed), self);
  /* Nothing is appended before all is read: the same thread does both. */
  g_mutex_lock (&shared->mutex);
  run (shared, load_thread);
  g_mutex_unlock (&shared->mutex);
  return self;
}

void
veil_history_free (VeilHistory *self)
{
  Shared *shared = self->shared;
  gint64 until = g_get_monotonic_time () + END_PATIENCE_US;

  g_signal_handlers_disconnect_by_data (self->list, self);
  for (guint i = 0; i < self->waiting->len; i++)
    g_signal_handlers_disconnect_by_data (self->waiting->pdata[i], self);
  shared->history = NULL;
  g_mutex_lock (&shared->mutex);
  while (shared->running && g_cond_wait_until (&shared->idle, &shared->mutex, until))
    ;
  g_mutex_unlock (&shared->mutex);
  shared_unref (shared);
  g_ptr_array_unref (self->waiting);
  g_object_unref (self->list);
  g_free (self);
}

void
veil_history_erase (const char *path)
{
  if (g_unlink (path) != 0 && errno != ENOENT)
    g_warning ("The history in %s cannot be removed: %s", path, g_strerror (errno));
}
