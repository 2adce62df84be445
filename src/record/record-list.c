/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "record-list.h"

struct _VeilRecordList
{
  GObject parent;

  VeilRecord **slots; /* owned, and those in use; a ring */
  guint capacity;
  guint newest; /* its slot */
  guint length;
  guint64 last_id;
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (VeilRecordList, veil_record_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static VeilRecord **
get_slot (VeilRecordList *self, guint position)
{
  return &self->slots[(self->newest + position) % self->capacity];
}

static void
veil_record_list_finalize (GObject *object)
{
  VeilRecordList *self = VEIL_RECORD_LIST (object);

  for (guint i = 0; i < self->length; i++)
    g_object_unref (*get_slot (self, i));
  g_free (self->slots);
  G_OBJECT_CLASS (veil_record_list_parent_class)->finalize (object);
}

static void
veil_record_list_class_init (VeilRecordListClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_record_list_finalize;
}

static void
veil_record_list_init (VeilRecordList *self)
{
}

VeilRecordList *
veil_record_list_new (guint capacity)
{
  VeilRecordList *self = g_object_new (VEIL_TYPE_RECORD_LIST, NULL);

  self->capacity = capacity == 0 ? VEIL_RECORD_LIST_DEFAULT : MIN (capacity, VEIL_RECORD_LIST_MAX);
  self->slots = g_new0 (VeilRecord *, self->capacity);
  return self;
}

guint
veil_record_list_get_capacity (VeilRecordList *self)
{
  return self->capacity;
}

static void
drop_oldest (VeilRecordList *self)
{
  g_clear_object (get_slot (self, self->length - 1));

  self->length--;
  g_list_model_items_changed (G_LIST_MODEL (self), self->length, 1, 0);
}

void
veil_record_list_add (VeilRecordList *self, VeilRecord *record)
{
  g_return_if_fail (VEIL_IS_RECORD_LIST (self));
  g_return_if_fail (VEIL_IS_RECORD (record));

  if (self->length == self->capacity)
    drop_oldest (self);
  veil_record_set_id (record, ++self->last_id);
  self->newest = (self->newest + self->capacity - 1) % self->capacity;
  self->slots[self->newest] = g_object_ref (record);
  self->length++;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, 0, 1);
}

void
veil_record_list_add_past (VeilRecordList *self, GPtrArray *records)
{
  guint before = self->length;
  guint n = MIN (records->len, self->capacity - self->length);

  for (guint i = 0; i < n; i++)
    {
      veil_record_set_id (records->pdata[i], ++self->last_id);
      *get_slot (self, self->length++) = g_object_ref (records->pdata[i]);
    }
  if (n > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, n);
}

VeilRecord *
veil_record_list_find (VeilRecordList *self, guint64 id)
{
  for (guint i = 0; i < self->length; i++)
    if (veil_record_get_id (*get_slot (self, i)) == id)
      return *get_slot (self, i);
  return NULL;
}

void
veil_record_list_clear (VeilRecordList *self)
{
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (g_object_unref);
  guint before = self->length;
  guint kept = 0;

  for (guint i = 0; i < before; i++)
    {
      VeilRecord *record = g_steal_pointer (get_slot (self, i));

      if (veil_record_get_state (record) == VEIL_RECORD_WAITING)
        *get_slot (self, kept++) = record;
      else
        g_ptr_array_add (gone, record);
    }
  self->length = kept;
  if (gone->len > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, before, kept);
}

static GType
get_item_type (GListModel *model)
{
  return VEIL_TYPE_RECORD;
}

static guint
get_n_items (GListModel *model)
{
  return VEIL_RECORD_LIST (model)->length;
}

static gpointer
get_item (GListModel *model, guint position)
{
  VeilRecordList *self = VEIL_RECORD_LIST (model);

  return position < self->length ? g_object_ref (*get_slot (self, position)) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}
