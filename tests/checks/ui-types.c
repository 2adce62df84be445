/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Loaded into gtk4-builder-tool, so that it knows libadwaita's types and the application's own. One that is missing here is one that the tool refuses. */
#include "account-group.h"
#include "choice-button.h"
#include "connect-page.h"
#include "enclaves-page.h"
#include "key-group.h"
#include "pins-group.h"
#include "preferences.h"
#include "request-view.h"
#include "requests-page.h"
#include "sign-in-view.h"
#include "trial-view.h"
#include "way-out.h"
#include "welcome-page.h"
#include "window.h"

#include <gmodule.h>

/* Stands for each callback, which the classes bind by themselves. */
G_MODULE_EXPORT void veil_ui_types_callback (void);

void
veil_ui_types_callback (void)
{
}

static void __attribute__ ((constructor)) register_types (void)
{
  g_type_ensure (ADW_TYPE_ACTION_ROW);
  g_type_ensure (ADW_TYPE_EXPANDER_ROW);
  g_type_ensure (VEIL_TYPE_ACCOUNT_GROUP);
  g_type_ensure (VEIL_TYPE_CHOICE_BUTTON);
  g_type_ensure (VEIL_TYPE_CONNECT_PAGE);
  g_type_ensure (VEIL_TYPE_ENCLAVES_PAGE);
  g_type_ensure (VEIL_TYPE_KEY_GROUP);
  g_type_ensure (VEIL_TYPE_PINS_GROUP);
  g_type_ensure (VEIL_TYPE_PREFERENCES);
  g_type_ensure (VEIL_TYPE_REQUEST_VIEW);
  g_type_ensure (VEIL_TYPE_REQUESTS_PAGE);
  g_type_ensure (VEIL_TYPE_SIGN_IN_VIEW);
  g_type_ensure (VEIL_TYPE_TRIAL_VIEW);
  g_type_ensure (VEIL_TYPE_WAY_OUT);
  g_type_ensure (VEIL_TYPE_WELCOME_PAGE);
  g_type_ensure (VEIL_TYPE_WINDOW);
}
