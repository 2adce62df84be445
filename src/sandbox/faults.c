/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <glib/gi18n.h>

static const struct
{
  const char *name;
  VeilSandboxScope scope;
  const char *help;
} faults[] = { [VEIL_SANDBOX_HONEST] = { NULL, VEIL_SANDBOX_SCOPE_VARIANT, NULL },
#define X(identifier, name, scope, help) [VEIL_SANDBOX_##identifier] = { name, VEIL_SANDBOX_SCOPE_##scope, help },
               VEIL_SANDBOX_FAULTS (X)
#undef X
};

gboolean
veil_sandbox_fault_from_name (const char *name, VeilSandboxFault *fault)
{
  for (guint i = VEIL_SANDBOX_HONEST + 1; i < VEIL_SANDBOX_N_FAULTS; i++)
    if (g_strcmp0 (faults[i].name, name) == 0)
      {
        *fault = (VeilSandboxFault) i;
        return TRUE;
      }
  return FALSE;
}

const char *
veil_sandbox_fault_get_name (VeilSandboxFault fault)
{
  return faults[fault].name;
}

VeilSandboxScope
veil_sandbox_fault_get_scope (VeilSandboxFault fault)
{
  return faults[fault].scope;
}

void
veil_sandbox_fault_print_all (void)
{
  static const char *const titles[] = {
    [VEIL_SANDBOX_SCOPE_ENCLAVE] = N_ ("Answers that a client must refuse"),
    [VEIL_SANDBOX_SCOPE_VARIANT] = N_ ("Unusual answers that a client must accept"),
    [VEIL_SANDBOX_SCOPE_RELAY] = N_ ("What the relay does instead of passing an answer on"),
    [VEIL_SANDBOX_SCOPE_REGISTRY] = N_ ("What the registry does"),
    [VEIL_SANDBOX_SCOPE_AUTH] = N_ ("What the token refresh does"),
    [VEIL_SANDBOX_SCOPE_DOOR] = N_ ("What an enclave does when it is asked itself"),
  };

  for (guint scope = 0; scope < G_N_ELEMENTS (titles); scope++)
    {
      g_print ("%s%s:\n", scope == 0 ? "" : "\n", _ (titles[scope]));
      for (guint i = VEIL_SANDBOX_HONEST + 1; i < VEIL_SANDBOX_N_FAULTS; i++)
        if (faults[i].scope == scope)
          g_print ("  %-26s %s\n", faults[i].name, _ (faults[i].help));
    }
}
