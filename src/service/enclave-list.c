/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "enclave-list.h"

#include "build.h"
#include "explain.h"
#include "veil-error.h"

#include <glib/gi18n.h>

struct _VeilEnclaveList
{
  GObject parent;

  VeilFront *front;          /* owned */
  GPtrArray *items;          /* owned, of VeilEnclaveItem */
  GPtrArray *builds;         /* owned, of VeilBuild; NULL until they were read */
  GPtrArray *tees;           /* owned; for which the builds were asked */
  GCancellable *cancellable; /* owned; of the reading of builds, or NULL */
  GError *obstacle;          /* owned */
};

struct _VeilEnclaveItem
{
  GObject parent;

  VeilTee *tee;  /* owned */
  char *host;    /* owned */
  char *version; /* owned; may be NULL */
  gboolean in_use, selected, pinned, excluded;
  guint aside; /* seconds */
};

static void model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE (VeilEnclaveItem, veil_enclave_item, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE_WITH_CODE (VeilEnclaveList, veil_enclave_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, model_init))

static guint item_changed, list_changed;

/* --- one of them --- */

static void
veil_enclave_item_finalize (GObject *object)
{
  VeilEnclaveItem *self = VEIL_ENCLAVE_ITEM (object);

  veil_tee_unref (self->tee);
  g_free (self->host);
  g_free (self->version);
  G_OBJECT_CLASS (veil_enclave_item_parent_class)->finalize (object);
}

static void
veil_enclave_item_class_init (VeilEnclaveItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_enclave_item_finalize;
  item_changed = g_signal_new ("changed", VEIL_TYPE_ENCLAVE_ITEM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_enclave_item_init (VeilEnclaveItem *self)
{
}

static void
set_tee (VeilEnclaveItem *self, VeilTee *tee)
{
  veil_tee_ref (tee);
  g_clear_pointer (&self->tee, veil_tee_unref);
  self->tee = tee;
  g_free (self->host);
  self->host = *tee->endpoint != '\0' ? veil_explain_host (tee->endpoint) : g_strdup (_ ("No address"));
}

VeilTee *
veil_enclave_item_get_tee (VeilEnclaveItem *self)
{
  return self->tee;
}

const char *
veil_enclave_item_get_id (VeilEnclaveItem *self)
{
  return self->tee->id;
}

const char *
veil_enclave_item_get_endpoint (VeilEnclaveItem *self)
{
  return self->tee->endpoint;
}

const char *
veil_enclave_item_get_host (VeilEnclaveItem *self)
{
  return self->host;
}

const char *
veil_enclave_item_get_pcr_hash (VeilEnclaveItem *self)
{
  return self->tee->pcr_hash;
}

const char *
veil_enclave_item_get_version (VeilEnclaveItem *self)
{
  return self->version;
}

const char *
veil_enclave_item_get_unusable (VeilEnclaveItem *self)
{
  return self->tee->unusable;
}

gboolean
veil_enclave_item_get_in_use (VeilEnclaveItem *self)
{
  return self->in_use;
}

gboolean
veil_enclave_item_get_selected (VeilEnclaveItem *self)
{
  return self->selected;
}

gboolean
veil_enclave_item_get_pinned (VeilEnclaveItem *self)
{
  return self->pinned;
}

gboolean
veil_enclave_item_get_excluded (VeilEnclaveItem *self)
{
  return self->excluded;
}

guint
veil_enclave_item_get_aside (VeilEnclaveItem *self)
{
  return self->aside;
}

char *
veil_enclave_item_describe (VeilEnclaveItem *self)
{
  if (self->tee->unusable != NULL)
    return g_strdup_printf (_ ("Cannot be used: %s"), self->tee->unusable);
  if (self->excluded)
    return g_strdup (self->selected ? _ ("Selected, but its build is not pinned: nothing can be asked")
                                    : _ ("Not used: its build is not pinned"));
  if (self->aside > 0)
    return g_strdup_printf (ngettext ("Set aside after a failure, for %u second", "Set aside after a failure, for %u seconds",
                                      self->aside),
                            self->aside);
  if (self->in_use)
    return g_strdup (_ ("In use"));
  return g_strdup (_ ("Ready"));
}

static char *
describe_age (guint64 seconds)
{
  if (seconds < 60)
    return g_strdup_printf (ngettext ("%u second ago", "%u seconds ago", (guint) seconds), (guint) seconds);
  if (seconds < 3600)
    return g_strdup_printf (ngettext ("%u minute ago", "%u minutes ago", (guint) (seconds / 60)), (guint) (seconds / 60));
  if (seconds < 86400)
    return g_strdup_printf (ngettext ("%u hour ago", "%u hours ago", (guint) (seconds / 3600)), (guint) (seconds / 3600));
  return g_strdup_printf (ngettext ("%u day ago", "%u days ago", (guint) MIN (seconds / 86400, 100000)),
                          (guint) MIN (seconds / 86400, 100000));
}

char *
veil_enclave_item_describe_heartbeat (VeilEnclaveItem *self)
{
  guint64 now = (guint64) (g_get_real_time () / G_USEC_PER_SEC);
  guint64 heartbeat = self->tee->last_heartbeat_at;

  if (heartbeat == 0)
    return g_strdup (_ ("Never"));
  /* By another clock than ours. */
  return describe_age (heartbeat < now ? now - heartbeat : 0);
}

/* --- the list --- */

static const VeilBuild *
find_build (VeilEnclaveList *self, const char *pcr_hash)
{
  for (guint i = 0; self->builds != NULL && i < self->builds->len; i++)
    if (g_str_equal (((VeilBuild *) self->builds->pdata[i])->pcr_hash, pcr_hash))
      return self->builds->pdata[i];
  return NULL;
}

static VeilNetwork *
get_network (VeilEnclaveList *self)
{
  return veil_service_get_network (veil_front_get_service (self->front));
}

/* What is not the registry's to say. */
static gboolean
looks_same (const VeilEnclaveItem *a, const VeilEnclaveItem *b)
{
  return a->tee == b->tee && g_strcmp0 (a->version, b->version) == 0 && a->in_use == b->in_use && a->selected == b->selected &&
         a->pinned == b->pinned && a->excluded == b->excluded && a->aside == b->aside;
}

/* Requests may end a hundred times a second, and change nothing here. */
static void
update_item (VeilEnclaveList *self, VeilEnclaveItem *item, VeilTee *tee)
{
  VeilNetwork *network = get_network (self);
  const VeilSettings *settings = veil_front_get_settings (self->front);
  const VeilBuild *build = find_build (self, tee->pcr_hash);
  const VeilTee *current = veil_network_get_current (network);
  gboolean pins = settings->pcr_pins != NULL && settings->pcr_pins[0] != NULL;
  const VeilEnclaveItem before = *item;
  g_autofree char *old_version = g_steal_pointer (&item->version);

  if (item->tee != tee)
    set_tee (item, tee);
  item->version = build != NULL ? g_strdup (build->version) : NULL;
  item->selected = g_strcmp0 (settings->tee_id, tee->id) == 0;
  item->pinned = pins && g_strv_contains ((const char *const *) settings->pcr_pins, tee->pcr_hash);
  item->excluded = pins && !item->pinned;
  item->aside = (veil_network_get_aside (network, tee->id) + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
  item->in_use = current != NULL && g_str_equal (current->id, tee->id) && tee->unusable == NULL && !item->excluded &&
                 (settings->tee_id == NULL || item->selected);
  if (!looks_same (&(VeilEnclaveItem){ .tee = before.tee,
                                       .version = old_version,
                                       .in_use = before.in_use,
                                       .selected = before.selected,
                                       .pinned = before.pinned,
                                       .excluded = before.excluded,
                                       .aside = before.aside },
                   item))
    g_signal_emit (item, item_changed, 0);
}

static gboolean
same_ids (VeilEnclaveList *self, GPtrArray *tees)
{
  if ((tees != NULL ? tees->len : 0) != self->items->len)
    return FALSE;
  for (guint i = 0; i < self->items->len; i++)
    if (!g_str_equal (veil_enclave_item_get_id (self->items->pdata[i]), ((VeilTee *) tees->pdata[i])->id))
      return FALSE;
  return TRUE;
}

static void
replace_items (VeilEnclaveList *self, GPtrArray *tees)
{
  guint removed = self->items->len;

  g_ptr_array_set_size (self->items, 0);
  for (guint i = 0; tees != NULL && i < tees->len; i++)
    {
      VeilEnclaveItem *item = g_object_new (VEIL_TYPE_ENCLAVE_ITEM, NULL);

      update_item (self, item, tees->pdata[i]);
      g_ptr_array_add (self->items, item);
    }
  g_list_model_items_changed (G_LIST_MODEL (self), 0, removed, self->items->len);
}

/* Never an error but a cancelled reading: what is not known stays unknown. */
static void
on_builds (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilEnclaveList) self = user_data;
  g_autoptr (GError) error = NULL;
  GPtrArray *builds = veil_registry_fetch_builds_finish (VEIL_REGISTRY (source), result, &error);

  if (builds == NULL)
    return;
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->builds, g_ptr_array_unref);
  self->builds = builds;
  veil_enclave_list_update (self);
}

static void
ask_for_builds (VeilEnclaveList *self, VeilNetwork *network, GPtrArray *tees)
{
  if (tees == self->tees)
    return;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->tees, g_ptr_array_unref);
  if (tees == NULL || tees->len == 0)
    return;
  self->tees = g_ptr_array_ref (tees);
  self->cancellable = g_cancellable_new ();
  veil_registry_fetch_builds_async (veil_network_get_registry (network), tees, self->cancellable, on_builds, g_object_ref (self));
}

void
veil_enclave_list_update (VeilEnclaveList *self)
{
  VeilNetwork *network = get_network (self);
  GPtrArray *tees = network != NULL ? veil_network_get_tees (network) : NULL;

  /* Which one the next request gets, by the settings as they are now. */
  g_clear_error (&self->obstacle);
  if (tees != NULL)
    {
      VeilTee *tee = veil_network_peek (network, &self->obstacle);

      g_clear_pointer (&tee, veil_tee_unref); /* why there is none is what counts here */
    }
  ask_for_builds (self, network, tees);
  if (!same_ids (self, tees))
    replace_items (self, tees);
  else
    for (guint i = 0; i < self->items->len; i++)
      update_item (self, self->items->pdata[i], tees->pdata[i]);
  g_signal_emit (self, list_changed, 0);
}

void
veil_enclave_list_refresh (VeilEnclaveList *self)
{
  VeilNetwork *network = get_network (self);

  if (network != NULL)
    veil_network_refresh (network);
}

gboolean
veil_enclave_list_get_reading (VeilEnclaveList *self)
{
  VeilNetwork *network = get_network (self);

  return network != NULL && veil_network_get_reading (network);
}

gboolean
veil_enclave_list_get_known (VeilEnclaveList *self)
{
  VeilNetwork *network = get_network (self);

  return network != NULL && veil_network_get_tees (network) != NULL;
}

const GError *
veil_enclave_list_get_problem (VeilEnclaveList *self)
{
  VeilNetwork *network = get_network (self);

  return network != NULL ? veil_network_get_failure (network) : NULL;
}

const GError *
veil_enclave_list_get_obstacle (VeilEnclaveList *self)
{
  return self->obstacle;
}

static GType
get_item_type (GListModel *model)
{
  return VEIL_TYPE_ENCLAVE_ITEM;
}

static guint
get_n_items (GListModel *model)
{
  return VEIL_ENCLAVE_LIST (model)->items->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  VeilEnclaveList *self = VEIL_ENCLAVE_LIST (model);

  return position < self->items->len ? g_object_ref (self->items->pdata[position]) : NULL;
}

static void
model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
veil_enclave_list_dispose (GObject *object)
{
  VeilEnclaveList *self = VEIL_ENCLAVE_LIST (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->tees, g_ptr_array_unref);
  g_clear_pointer (&self->builds, g_ptr_array_unref);
  G_OBJECT_CLASS (veil_enclave_list_parent_class)->dispose (object);
}

static void
veil_enclave_list_finalize (GObject *object)
{
  VeilEnclaveList *self = VEIL_ENCLAVE_LIST (object);

  g_ptr_array_unref (self->items);
  g_clear_error (&self->obstacle);
  g_object_unref (self->front);
  G_OBJECT_CLASS (veil_enclave_list_parent_class)->finalize (object);
}

static void
veil_enclave_list_class_init (VeilEnclaveListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = veil_enclave_list_dispose;
  G_OBJECT_CLASS (klass)->finalize = veil_enclave_list_finalize;
  list_changed = g_signal_new ("changed", VEIL_TYPE_ENCLAVE_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_enclave_list_init (VeilEnclaveList *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
}

VeilEnclaveList *
veil_enclave_list_new (VeilFront *front)
{
  VeilEnclaveList *self = g_object_new (VEIL_TYPE_ENCLAVE_LIST, NULL);

  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (veil_enclave_list_update), self, G_CONNECT_SWAPPED);
  veil_enclave_list_update (self);
  return self;
}
