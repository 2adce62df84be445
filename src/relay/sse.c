/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "sse.h"

#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

struct _VeilSse
{
  const VeilSseHandler *handler;
  gpointer user_data;
  gsize max_line;
  GByteArray *line; /* owned: the start of a line whose end has not come yet */
  gboolean skip_lf; /* the last byte was a CR: a LF now belongs to it */
};

VeilSse *
veil_sse_new (const VeilSseHandler *handler, gpointer user_data, gsize max_line)
{
  VeilSse *self = g_new0 (VeilSse, 1);

  self->handler = handler;
  self->user_data = user_data;
  self->max_line = max_line;
  self->line = g_byte_array_new ();
  return self;
}

void
veil_sse_free (VeilSse *self)
{
  veil_secret_byte_array_unref (self->line);
  g_free (self);
}

static gboolean
read_line (VeilSse *self, const char *line, gsize length, GError **error)
{
  if (length == 0)
    return self->handler->end_event (self->user_data, error);
  if (length == 4 && memcmp (line, "data", 4) == 0)
    return self->handler->data (self->user_data, "", 0, error);
  if (length < 5 || memcmp (line, "data:", 5) != 0)
    return TRUE;
  line += 5;
  length -= 5;
  if (length > 0 && *line == ' ')
    {
      line++;
      length--;
    }
  return self->handler->data (self->user_data, line, length, error);
}

static gboolean
keep_start (VeilSse *self, const guint8 *data, gsize length, GError **error)
{
  if (length > self->max_line - self->line->len)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER,
                           _ ("The stream holds a line that is longer than any frame may be"));
      return FALSE;
    }
  veil_secret_byte_array_append (self->line, data, length);
  return TRUE;
}

static gboolean
end_line (VeilSse *self, const guint8 *data, gsize length, GError **error)
{
  gboolean read;

  if (self->line->len == 0 && length <= self->max_line)
    return read_line (self, (const char *) data, length, error);
  if (!keep_start (self, data, length, error))
    return FALSE;
  read = read_line (self, (const char *) self->line->data, self->line->len, error);
  g_byte_array_set_size (self->line, 0);
  return read;
}

static gsize
find_end (const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (data[i] == '\n' || data[i] == '\r')
      return i;
  return length;
}

gboolean
veil_sse_push (VeilSse *self, const guint8 *data, gsize length, GError **error)
{
  while (length > 0)
    {
      gsize end;

      if (self->skip_lf && *data == '\n')
        {
          data++;
          length--;
        }
      self->skip_lf = FALSE;
      end = find_end (data, length);
      if (end == length)
        return length == 0 || keep_start (self, data, length, error);
      if (!end_line (self, data, end, error))
        return FALSE;
      self->skip_lf = data[end] == '\r';
      data += end + 1;
      length -= end + 1;
    }
  return TRUE;
}

gboolean
veil_sse_finish (VeilSse *self, GError **error)
{
  return (self->line->len == 0 || end_line (self, NULL, 0, error)) && self->handler->end_event (self->user_data, error);
}
