/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "guarded-stream.h"

#include "translate.h"

typedef struct
{
  GFilterInputStream parent;

  VeilConnection *connection; /* owned */
} VeilGuardedInput;

typedef struct
{
  GFilterInputStreamClass parent;
} VeilGuardedInputClass;

typedef struct
{
  GIOStream parent;

  GSocketConnection *stream; /* owned */
  GInputStream *input;       /* owned */
} VeilGuardedStream;

typedef struct
{
  GIOStreamClass parent;
} VeilGuardedStreamClass;

static void guarded_input_pollable_init (GPollableInputStreamInterface *iface);

GType veil_guarded_input_get_type (void);
GType veil_guarded_stream_get_type (void);

G_DEFINE_TYPE_WITH_CODE (VeilGuardedInput, veil_guarded_input, G_TYPE_FILTER_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, guarded_input_pollable_init))
G_DEFINE_TYPE (VeilGuardedStream, veil_guarded_stream, G_TYPE_IO_STREAM)

static GPollableInputStream *
get_base (GPollableInputStream *self)
{
  return G_POLLABLE_INPUT_STREAM (g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (self)));
}

static gboolean
guarded_input_is_readable (GPollableInputStream *self)
{
  return g_pollable_input_stream_is_readable (get_base (self));
}

static GSource *
guarded_input_create_source (GPollableInputStream *self, GCancellable *cancellable)
{
  g_autoptr (GSource) source = g_pollable_input_stream_create_source (get_base (self), NULL);

  return g_pollable_source_new_full (self, source, cancellable);
}

static gssize
guarded_input_read (GPollableInputStream *pollable, void *buffer, gsize count, GError **error)
{
  VeilGuardedInput *self = (VeilGuardedInput *) pollable;
  g_autoptr (GError) local_error = NULL;
  gssize got = g_pollable_input_stream_read_nonblocking (get_base (pollable), buffer, count, NULL, &local_error);

  if (got <= 0 && veil_connection_is_idle (self->connection))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, _ ("Nothing more has arrived"));
      return -1;
    }
  if (got < 0)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return got;
}

static void
guarded_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = guarded_input_is_readable;
  iface->create_source = guarded_input_create_source;
  iface->read_nonblocking = guarded_input_read;
}

static void
guarded_input_finalize (GObject *object)
{
  veil_connection_unref (((VeilGuardedInput *) object)->connection);
  G_OBJECT_CLASS (veil_guarded_input_parent_class)->finalize (object);
}

static void
veil_guarded_input_class_init (VeilGuardedInputClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = guarded_input_finalize;
}

static void
veil_guarded_input_init (VeilGuardedInput *self)
{
}

static GInputStream *
guarded_stream_get_input (GIOStream *stream)
{
  return ((VeilGuardedStream *) stream)->input;
}

static GOutputStream *
guarded_stream_get_output (GIOStream *stream)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (((VeilGuardedStream *) stream)->stream));
}

static gboolean
guarded_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  return g_io_stream_close (G_IO_STREAM (((VeilGuardedStream *) stream)->stream), cancellable, error);
}

static void
guarded_stream_finalize (GObject *object)
{
  VeilGuardedStream *self = (VeilGuardedStream *) object;

  g_object_unref (self->input);
  g_object_unref (self->stream);
  G_OBJECT_CLASS (veil_guarded_stream_parent_class)->finalize (object);
}

static void
veil_guarded_stream_class_init (VeilGuardedStreamClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = guarded_stream_finalize;
  stream_class->get_input_stream = guarded_stream_get_input;
  stream_class->get_output_stream = guarded_stream_get_output;
  stream_class->close_fn = guarded_stream_close;
}

static void
veil_guarded_stream_init (VeilGuardedStream *self)
{
}

GIOStream *
veil_guarded_stream_new (GSocketConnection *stream, VeilConnection *connection)
{
  VeilGuardedStream *self = g_object_new (veil_guarded_stream_get_type (), NULL);
  GInputStream *base = g_io_stream_get_input_stream (G_IO_STREAM (stream));
  VeilGuardedInput *input = g_object_new (veil_guarded_input_get_type (), "base-stream", base, "close-base-stream", FALSE, NULL);

  input->connection = veil_connection_ref (connection);
  self->stream = g_object_ref (stream);
  self->input = G_INPUT_STREAM (input);
  return G_IO_STREAM (self);
}
