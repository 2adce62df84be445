/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil pin compute: the pin of a build that somebody made or reproduced. */
#include "pin.h"

#include "measurements.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

gboolean
veil_pin_source_is_given (const VeilPinSource *source)
{
  return source->pcrs[0] != NULL || source->pcrs[1] != NULL || source->pcrs[2] != NULL || source->measurements != NULL ||
         source->add;
}

void
veil_pin_source_clear (VeilPinSource *source)
{
  for (guint i = 0; i < G_N_ELEMENTS (source->pcrs); i++)
    g_free (source->pcrs[i]);
  g_free (source->measurements);
  g_free (source->label);
}

/* At most one byte more than may be, however large or endless the file is. */
static char *
read_file (const char *name, gsize *length, GError **error)
{
  int fd = strcmp (name, "-") == 0 ? dup (STDIN_FILENO) : open (name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  g_autofree char *text = g_malloc (VEIL_MEASUREMENTS_MAX_BYTES + 1);
  ssize_t got = fd >= 0 ? 1 : -1;

  *length = 0;
  while (got > 0 && *length <= VEIL_MEASUREMENTS_MAX_BYTES)
    {
      got = read (fd, text + *length, VEIL_MEASUREMENTS_MAX_BYTES + 1 - *length);
      if (got < 0 && errno == EINTR)
        got = 1;
      else if (got > 0)
        *length += (gsize) got;
    }
  if (got < 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("the measurements could not be read: %s: %s"), name, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return got < 0 ? NULL : g_steal_pointer (&text);
}

static gboolean
read_source (const VeilPinSource *source, VeilMeasurements *measurements, GError **error)
{
  if (source->measurements != NULL)
    {
      gsize length;
      g_autofree char *text = read_file (source->measurements, &length, error);

      return text != NULL && veil_measurements_read (measurements, text, length, error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (source->pcrs); i++)
    if (!veil_measurements_set (measurements, i, source->pcrs[i], error))
      return FALSE;
  return TRUE;
}

VeilExit
veil_pin_compute (const VeilSettings *settings, const VeilPinSource *source)
{
  guint given = (source->pcrs[0] != NULL) + (source->pcrs[1] != NULL) + (source->pcrs[2] != NULL);
  VeilMeasurements measurements;
  g_autofree char *hash = NULL;
  g_autoptr (GError) error = NULL;

  if (given != (source->measurements != NULL ? 0 : 3))
    return veil_cli_fail_usage (_ ("pin compute takes either --pcr0, --pcr1 and --pcr2, or --measurements"));
  if (!read_source (source, &measurements, &error))
    return veil_cli_fail (error);
  hash = veil_measurements_get_hash (&measurements);
  g_print ("%s\n", hash);
  return source->add ? veil_pin_add (settings, hash, source->label) : VEIL_EXIT_OK;
}
