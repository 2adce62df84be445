/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "proof.h"

#include "hex.h"
#include "keccak.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (VeilProof, veil_proof, veil_proof_ref, veil_proof_unref)

VeilProof *
veil_proof_new (void)
{
  return g_atomic_rc_box_new0 (VeilProof);
}

VeilProof *
veil_proof_ref (VeilProof *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
veil_proof_clear (gpointer data)
{
  VeilProof *self = data;

  g_free (self->tee_id);
  g_free (self->tee_endpoint);
  g_free (self->pcr_hash);
  g_clear_pointer (&self->signature, g_bytes_unref);
  g_clear_pointer (&self->signing_key, g_bytes_unref);
  g_strfreev (self->signed_);
  g_strfreev (self->unsigned_);
  g_strfreev (self->dropped);
}

void
veil_proof_unref (VeilProof *self)
{
  g_atomic_rc_box_release_full (self, veil_proof_clear);
}

void
veil_proof_digest (const guint8 request_hash[static 32], const guint8 output_hash[static 32], guint64 timestamp,
                   guint8 digest[static 32])
{
  guint8 message[96] = { 0 };
  guint64 number = GUINT64_TO_BE (timestamp);

  memcpy (message, request_hash, 32);
  memcpy (message + 32, output_hash, 32);
  memcpy (message + 88, &number, 8);
  veil_keccak256 (message, sizeof message, digest);
}

char *
veil_proof_get_tee_host (const VeilProof *self)
{
  g_autofree char *host = NULL;
  gboolean is_ipv6;
  int port;

  if (self->tee_endpoint == NULL || !g_uri_split_network (self->tee_endpoint, G_URI_FLAGS_NONE, NULL, &host, &port, NULL))
    return NULL;
  is_ipv6 = strchr (host, ':') != NULL;
  if (port < 0)
    return is_ipv6 ? g_strdup_printf ("[%s]", host) : g_steal_pointer (&host);
  return g_strdup_printf (is_ipv6 ? "[%s]:%d" : "%s:%d", host, port);
}

static void
write_hash (VeilJsonWriter *writer, const char *key, const guint8 hash[static 32])
{
  g_autofree char *hex = veil_hex_encode_0x (hash, 32);

  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, hex);
}

static void
write_string (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_strv (VeilJsonWriter *writer, const char *key, const char *const *strings)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_strv (writer, strings);
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

/* In sorted order, so that either spelling of the writer will do. */
void
veil_proof_write_json (const VeilProof *self, VeilJsonWriter *writer)
{
  g_autofree char *host = veil_proof_get_tee_host (self);

  veil_json_writer_begin_object (writer);
  write_strv (writer, "dropped", (const char *const *) self->dropped);
  write_hash (writer, "output_hash", self->output_hash);
  write_string (writer, "pcr_hash", self->pcr_hash);
  if (self->effort_given)
    write_boolean (writer, "reasoning_effort_signed", self->effort_signed);
  write_hash (writer, "request_hash", self->request_hash);
  if (self->sandbox)
    write_boolean (writer, "sandbox", TRUE);
  write_strv (writer, "signed", (const char *const *) self->signed_);
  write_string (writer, "tee_host", host);
  write_string (writer, "tee_id", self->tee_id);
  veil_json_writer_key (writer, "timestamp");
  veil_json_writer_uint (writer, self->timestamp);
  write_strv (writer, "unsigned", (const char *const *) self->unsigned_);
  write_boolean (writer, "verified", TRUE);
  veil_json_writer_end_object (writer);
}
