/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reads the registry when that is needed, and lets a chooser choose from what it says (product.md section 4). */
#pragma once

#include "veil-chooser.h"
#include "veil-registry-client.h"

G_BEGIN_DECLS

#define VEIL_TYPE_ENCLAVE_SOURCE (veil_enclave_source_get_type ())
G_DECLARE_FINAL_TYPE (VeilEnclaveSource, veil_enclave_source, VEIL, ENCLAVE_SOURCE, GObject)

VeilEnclaveSource *veil_enclave_source_new (VeilRegistryClient *registry, VeilChooser *chooser);

/* After how many seconds what the registry said is read again, 0 for never. */
guint              veil_enclave_source_get_interval (VeilEnclaveSource *self);
void               veil_enclave_source_set_interval (VeilEnclaveSource *self, guint seconds);

/* However many wait, one reading is under way. With enclaves known, one waits for it only to settle a doubt, and not long. */
void               veil_enclave_source_choose_async (VeilEnclaveSource *self, VeilEnclave *avoid, GCancellable *cancellable,
                                                     GAsyncReadyCallback callback, gpointer user_data);
VeilEnclave       *veil_enclave_source_choose_finish (VeilEnclaveSource *self, GAsyncResult *result, GError **error);

/* What became of a request: NULL is a verified answer. */
void               veil_enclave_source_report (VeilEnclaveSource *self, VeilEnclave *enclave, const GError *error);

G_END_DECLS
