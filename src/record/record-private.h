/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the files of a record share. */
#pragma once

#include "record.h"

G_BEGIN_DECLS

struct _VeilRecord
{
  GObject parent;

  guint64 id;
  VeilRecordState state;
  gint64 time;    /* since 1970 */
  gint64 started; /* monotonic */

  char *model; /* owned, as is what follows */
  char *request_hash;
  GStrv dropped;
  char *tee_id;
  char *endpoint;
  char *pcr_hash;
  char *output_hash;
  VeilProof *proof;
  char *code;
  char *check;
  char *message;
  guint passed; /* checks, from the first on */
  guint status;
  gboolean stream;
  gboolean sandbox;

  gint64 duration;
  gint64 queue;
  VeilTiming timing;
};

G_END_DECLS
