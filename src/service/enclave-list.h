/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the registry lists, as a person sees it: a GListModel of VeilEnclave, in the registry's order, that follows the network, the settings and the clock. */
#pragma once

#include "front.h"

G_BEGIN_DECLS

#define VEIL_TYPE_ENCLAVE_ITEM (veil_enclave_item_get_type ())
G_DECLARE_FINAL_TYPE (VeilEnclaveItem, veil_enclave_item, VEIL, ENCLAVE_ITEM, GObject)

/* Signal "changed" of the item: anything but its id. Strings are plain text, of the item, until it changes. */
VeilTee    *veil_enclave_item_get_tee (VeilEnclaveItem *self); /* (transfer none) */
const char *veil_enclave_item_get_id (VeilEnclaveItem *self);
const char *veil_enclave_item_get_endpoint (VeilEnclaveItem *self);
const char *veil_enclave_item_get_host (VeilEnclaveItem *self); /* of the endpoint, with its port if it has one */
const char *veil_enclave_item_get_pcr_hash (VeilEnclaveItem *self);
const char *veil_enclave_item_get_version (VeilEnclaveItem *self);  /* NULL: not known */
const char *veil_enclave_item_get_unusable (VeilEnclaveItem *self); /* why it cannot be used; NULL: it can */
gboolean    veil_enclave_item_get_in_use (VeilEnclaveItem *self);   /* the next request goes there */
gboolean    veil_enclave_item_get_selected (VeilEnclaveItem *self); /* by the person: it or none */
gboolean    veil_enclave_item_get_pinned (VeilEnclaveItem *self);   /* its build is */
gboolean    veil_enclave_item_get_excluded (VeilEnclaveItem *self); /* others are pinned, its build is not */
guint       veil_enclave_item_get_aside (VeilEnclaveItem *self);    /* seconds for which it is set aside after a failure; 0: it is not */
/* New strings, translated: how it is, in one line; "12 seconds ago". */
char       *veil_enclave_item_describe (VeilEnclaveItem *self);
char       *veil_enclave_item_describe_heartbeat (VeilEnclaveItem *self);

#define VEIL_TYPE_ENCLAVE_LIST (veil_enclave_list_get_type ())
G_DECLARE_FINAL_TYPE (VeilEnclaveList, veil_enclave_list, VEIL, ENCLAVE_LIST, GObject)

/* Signal "changed": what the getters tell. */
VeilEnclaveList *veil_enclave_list_new (VeilFront *front);
/* Looks again; for those who show ages. Otherwise it looks when something happens. */
void             veil_enclave_list_update (VeilEnclaveList *self);
/* Reads the registry now. */
void             veil_enclave_list_refresh (VeilEnclaveList *self);
gboolean         veil_enclave_list_get_reading (VeilEnclaveList *self);
/* The registry was read, whatever it lists. */
gboolean         veil_enclave_list_get_known (VeilEnclaveList *self);
/* (transfer none) (nullable): why the last reading was no use */
const GError    *veil_enclave_list_get_problem (VeilEnclaveList *self);
/* (transfer none) (nullable): why no enclave can be used just now */
const GError    *veil_enclave_list_get_obstacle (VeilEnclaveList *self);

G_END_DECLS
