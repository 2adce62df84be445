/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-attestation-report.h"

#include "attest-fetch.h"
#include "readable.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

struct _VeilAttestationReport
{
  GObject parent;

  VeilEnclave *enclave;     /* owned */
  VeilAttestReport *report; /* owned */
  GStrv passed;             /* owned */
  GStrv failed;             /* owned */
};

G_DEFINE_FINAL_TYPE (VeilAttestationReport, veil_attestation_report, G_TYPE_OBJECT)

/* FALSE for the empty one that g_object_new() makes when others call it: nothing was read or verified for it. */
static gboolean
is_made (VeilAttestationReport *self)
{
  return VEIL_IS_ATTESTATION_REPORT (self) && self->report != NULL;
}

static const VeilReadable readable[] = {
  { "enclave", VEIL_READABLE_OBJECT, G_CALLBACK (veil_attestation_report_get_enclave), veil_enclave_get_type },
  { "holds", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_attestation_report_get_holds) },
  { "attested", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_attestation_report_get_attested) },
  { "passed-checks", VEIL_READABLE_STRV, G_CALLBACK (veil_attestation_report_get_passed_checks) },
  { "failed-checks", VEIL_READABLE_STRV, G_CALLBACK (veil_attestation_report_get_failed_checks) },
  { NULL },
};

static void
veil_attestation_report_finalize (GObject *object)
{
  VeilAttestationReport *self = VEIL_ATTESTATION_REPORT (object);

  g_clear_object (&self->enclave);
  g_clear_pointer (&self->report, veil_attest_report_unref);
  g_strfreev (self->passed);
  g_strfreev (self->failed);
  G_OBJECT_CLASS (veil_attestation_report_parent_class)->finalize (object);
}

static void
veil_attestation_report_class_init (VeilAttestationReportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_attestation_report_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_attestation_report_init (VeilAttestationReport *self)
{
}

static GStrv
list_checks (const VeilAttestReport *report, VeilCheckState state)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < VEIL_N_ATTEST_CHECKS; i++)
    if (veil_attest_report_applies (report, i) && report->states[i] == state)
      g_strv_builder_add (names, veil_attest_check_get_nick (i));
  return g_strv_builder_end (names);
}

static void
fetched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilAttestationReport *self;
  GError *error = NULL;
  VeilAttestReport *report = veil_attest_fetch_finish (result, &error);

  if (report == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  self = g_object_new (VEIL_TYPE_ATTESTATION_REPORT, NULL);
  self->enclave = g_object_ref (g_task_get_source_object (task));
  self->report = report;
  self->passed = list_checks (report, VEIL_CHECK_PASSED);
  self->failed = list_checks (report, VEIL_CHECK_FAILED);
  g_task_return_pointer (task, self, g_object_unref);
}

void
veil_enclave_attest_async (VeilEnclave *self, const char *const *pcr_pins, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_auto (GStrv) pins = NULL;
  GError *error = NULL;

  g_return_if_fail (veil_enclave_is_made (self));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, veil_enclave_attest_async);
  pins = veil_wrap_normalize_pins (pcr_pins, &error);
  if (pins == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (veil_enclave_get_sandbox (self) && veil_enclave_get_sandbox_root (self) == NULL)
    {
      g_task_return_new_error (
          task, VEIL_ERROR, VEIL_ERROR_SANDBOX,
          _ ("The sandbox of this login bundle did not say under which root it attests; get a new bundle from it"));
      return;
    }
  veil_attest_fetch_async (veil_enclave_get_tee (self), (const char *const *) pins, veil_enclave_get_sandbox_root (self),
                           cancellable, fetched, g_object_ref (task));
}

VeilAttestationReport *
veil_enclave_attest_finish (VeilEnclave *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self) && g_async_result_is_tagged (result, veil_enclave_attest_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

gboolean
veil_attestation_report_check (VeilAttestationReport *self, GError **error)
{
  g_return_val_if_fail (is_made (self), FALSE);
  if (veil_attest_report_holds (self->report))
    return TRUE;
  for (guint i = 0; i < VEIL_N_ATTEST_CHECKS; i++)
    if (self->report->errors[i] != NULL)
      {
        g_propagate_error (error, g_error_copy (self->report->errors[i]));
        return FALSE;
      }
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INTERNAL,
                       _ ("Not all checks of the attestation were made; ask the enclave again"));
  return FALSE;
}

const char *
veil_attestation_report_get_reason (VeilAttestationReport *self, const char *check)
{
  g_return_val_if_fail (is_made (self) && check != NULL, NULL);
  for (guint i = 0; i < VEIL_N_ATTEST_CHECKS; i++)
    if (g_str_equal (veil_attest_check_get_nick (i), check))
      return self->report->errors[i] != NULL ? self->report->errors[i]->message : NULL;
  return NULL;
}

char *
veil_attestation_report_to_json (VeilAttestationReport *self)
{
  VeilJsonWriter *writer;

  g_return_val_if_fail (is_made (self), NULL);
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  veil_attest_report_write_json (self->report, writer);
  return veil_wrap_bytes_to_string (veil_json_writer_finish (writer));
}

VeilEnclave *
veil_attestation_report_get_enclave (VeilAttestationReport *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->enclave;
}

gboolean
veil_attestation_report_get_holds (VeilAttestationReport *self)
{
  g_return_val_if_fail (is_made (self), FALSE);
  return veil_attest_report_holds (self->report);
}

gboolean
veil_attestation_report_get_attested (VeilAttestationReport *self)
{
  g_return_val_if_fail (is_made (self), FALSE);
  return veil_attest_report_holds (self->report) && !self->report->sandbox;
}

const char *const *
veil_attestation_report_get_passed_checks (VeilAttestationReport *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return (const char *const *) self->passed;
}

const char *const *
veil_attestation_report_get_failed_checks (VeilAttestationReport *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return (const char *const *) self->failed;
}
