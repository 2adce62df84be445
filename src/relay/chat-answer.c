/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "chat-answer.h"

#include "work.h"

VeilChatAnswer *
veil_chat_answer_new (void)
{
  VeilChatAnswer *self = g_atomic_rc_box_new0 (VeilChatAnswer);

  self->docs = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_json_doc_unref);
  self->extras = g_array_new (FALSE, FALSE, sizeof (VeilChatExtra));
  self->proof = veil_proof_new ();
  return self;
}

VeilChatAnswer *
veil_chat_answer_ref (VeilChatAnswer *self)
{
  return g_atomic_rc_box_acquire (self);
}

/* A caller who leaves at the wrong moment leaves an answer to the main loop. */
static void
free_docs (GPtrArray *docs)
{
  gsize weight = 0;

  for (guint i = 0; i < docs->len; i++)
    weight += veil_json_doc_get_weight (docs->pdata[i]);
  veil_work_free (docs, weight, (GDestroyNotify) g_ptr_array_unref);
}

static void
veil_chat_answer_clear (gpointer data)
{
  VeilChatAnswer *self = data;

  g_clear_pointer (&self->text, g_bytes_unref);
  g_clear_pointer (&self->deltas, g_array_unref);
  g_array_unref (self->extras);
  free_docs (self->docs);
  veil_proof_unref (self->proof);
}

void
veil_chat_answer_unref (VeilChatAnswer *self)
{
  g_atomic_rc_box_release_full (self, veil_chat_answer_clear);
}
