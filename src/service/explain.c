/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "explain.h"

#include <glib/gi18n.h>

typedef struct
{
  const char *meaning;
  const char *advice;
} Words;

#define ELSEWHERE                                                                                                             \
  N_ ("Send the request again: Veil sets this enclave aside and asks another one. If others are refused too, do not use the " \
      "network, and tell its operator.")

/* In the order of VeilCheck. */
static const Words checks[VEIL_N_CHECKS] = {
  [VEIL_CHECK_SEAL] = { N_ ("The sealed answer was altered, cut or reordered on its way, or was sealed for somebody else. Nothing "
                            "of it can be believed."),
                        ELSEWHERE },
  [VEIL_CHECK_FORM] = { N_ ("What came out of the seal is not a signed answer. It may come from a broken enclave, or from "
                            "something that only plays one."),
                        ELSEWHERE },
  [VEIL_CHECK_TEE_ID] = { N_ ("Another enclave answered than the one that the prompt was sealed for, or one that claims a name "
                              "that is not its own."),
                          ELSEWHERE },
  [VEIL_CHECK_REQUEST_HASH] = { N_ ("The enclave signed an answer to another request than yours. Somebody may have exchanged the "
                                    "question or replayed an older answer."),
                                ELSEWHERE },
  [VEIL_CHECK_OUTPUT_HASH] = { N_ ("The answer is not the one that the enclave signed: it was changed afterwards."), ELSEWHERE },
  [VEIL_CHECK_SIGNATURE] = { N_ ("The signature was not made with the key that the registry lists for this enclave. The answer may "
                                 "be forged."),
                             ELSEWHERE },
  [VEIL_CHECK_FRESH] = { N_ ("The answer was signed too long ago, or in the future: it may be an old one, played again."),
                         N_ ("See whether this computer's clock is right. If it is, send the request again.") },
  [VEIL_CHECK_COVERAGE] = { N_ ("The answer holds tool calls or other parts that a program would act on, and the enclave did not "
                                "sign them."),
                            ELSEWHERE },
};

static const struct
{
  const char *code;
  Words words;
} failures[] = {
  { "not_signed_in", { N_ ("Nobody is signed in, so nothing was sent."), N_ ("Sign in from the main page, or try the sandbox.") } },
  { "session_refused",
    { N_ ("The relay does not accept your session any more."), N_ ("Sign out in the preferences, and sign in again.") } },
  { "registry",
    { N_ ("The registry that lists the enclaves could not be read, so no enclave could be chosen."),
      N_ ("Look at your connection; Veil tries again by itself.") } },
  { "no_active_tee", { N_ ("The registry lists no enclave that is active."), N_ ("Wait for one; Veil looks again by itself.") } },
  { "pin_mismatch",
    { N_ ("No enclave runs a build that you have pinned. Veil does not fall back to another one."),
      N_ ("Pin the build of a listed enclave on the Enclaves page, or remove the pins.") } },
  { "pinned_tee_inactive",
    { N_ ("The enclave that you chose is not active. Veil does not fall back to another one."),
      N_ ("Choose another one on the Enclaves page, or let Veil choose.") } },
  { "tee_unusable",
    { N_ ("The registry's entry for this enclave cannot be used."),
      N_ ("Choose another one on the Enclaves page, or let Veil choose.") } },
  { "unreachable",
    { N_ ("The relay could not be reached. The request was not run."),
      N_ ("Look at your connection, and send the request again.") } },
  { "timed_out",
    { N_ ("No answer came in time. The request may have run, and may be billed; it was not sent a second time."),
      N_ ("Send it again if that does no harm.") } },
  { "broken_answer",
    { N_ ("The answer broke off. The request may have run, and may be billed; it was not sent a second time."),
      N_ ("Send it again if that does no harm.") } },
  { "insufficient_quota", { N_ ("Your account has no credit left."), N_ ("Add credit to your account.") } },
  { "rate_limit_exceeded", { N_ ("The relay takes no more requests from you for now."), N_ ("Wait a moment.") } },
  { "invalid_request_error",
    { N_ ("The program sent something that is no valid request."), N_ ("Look at what the program sends.") } },
  { "cancelled", { N_ ("The program went away before the answer was there."), NULL } },
};

static const Words *
find_words (VeilRecord *record)
{
  VeilCheck check = veil_check_from_code_nick (veil_record_get_check (record));
  const char *code = veil_record_get_code (record);

  if (check != VEIL_N_CHECKS)
    return &checks[check];
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    if (g_strcmp0 (failures[i].code, code) == 0)
      return &failures[i].words;
  return NULL;
}

const char *
veil_explain_state (VeilRecord *record)
{
  switch (veil_record_get_state (record))
    {
    case VEIL_RECORD_VERIFIED:
      return veil_record_get_sandbox (record) ? _ ("Verified in the Sandbox") : _ ("Verified");
    case VEIL_RECORD_REFUSED:
      return _ ("Refused");
    case VEIL_RECORD_FAILED:
      return _ ("Failed");
    case VEIL_RECORD_WAITING:
    default:
      return _ ("Waiting");
    }
}

static char *
explain_refusal (VeilRecord *record)
{
  VeilCheck check = veil_check_from_code_nick (veil_record_get_check (record));

  if (check == VEIL_N_CHECKS)
    return g_strdup (_ ("An answer came and did not pass a check. Nothing of it reached the program."));
  /* Translators: %s is what was checked, as in "The signature is the enclave's" */
  return g_strdup_printf (_ ("An answer came and did not pass the check “%s”. Nothing of it reached the program."),
                          veil_check_get_title (check));
}

char *
veil_explain_outcome (VeilRecord *record)
{
  switch (veil_record_get_state (record))
    {
    case VEIL_RECORD_VERIFIED:
      return g_strdup (veil_record_get_sandbox (record)
                           ? _ ("All checks passed, with the keys of a simulated enclave. Nothing is attested.")
                           : _ ("All checks passed, and nothing else reached the program."));
    case VEIL_RECORD_REFUSED:
      return explain_refusal (record);
    case VEIL_RECORD_FAILED:
      return g_strdup (veil_record_get_message (record));
    case VEIL_RECORD_WAITING:
    default:
      return NULL;
    }
}

const char *
veil_explain_meaning (VeilRecord *record)
{
  const Words *words = find_words (record);

  return words != NULL ? _ (words->meaning) : NULL;
}

const char *
veil_explain_advice (VeilRecord *record)
{
  const Words *words = find_words (record);

  return words != NULL && words->advice != NULL ? _ (words->advice) : NULL;
}

const char *
veil_explain_check_state (VeilCheckState state)
{
  switch (state)
    {
    case VEIL_CHECK_PASSED:
      return _ ("Passed");
    case VEIL_CHECK_FAILED:
      return _ ("Failed");
    case VEIL_CHECK_NOT_REACHED:
    default:
      return _ ("Not reached");
    }
}

char *
veil_explain_plain (const char *text)
{
  GString *plain = g_string_new (NULL);

  for (const char *next = text; *next != '\0'; next = g_utf8_next_char (next))
    {
      gunichar c = g_utf8_get_char (next);
      GUnicodeType type = g_unichar_type (c);

      if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
          type == G_UNICODE_PARAGRAPH_SEPARATOR)
        g_string_append_c (plain, ' ');
      else
        g_string_append_unichar (plain, c);
    }
  return g_string_free (plain, FALSE);
}

char *
veil_explain_model (VeilRecord *record)
{
  const char *model = veil_record_get_model (record);

  return model != NULL && *model != '\0' ? veil_explain_plain (model) : g_strdup (_ ("Unknown Model"));
}

char *
veil_explain_host (const char *endpoint)
{
  g_autoptr (GUri) uri = g_uri_parse (endpoint, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  /* Decoded: "%0A" has become a new line. */
  g_autofree char *plain = veil_explain_plain (host != NULL ? host : endpoint);

  if (host == NULL || g_uri_get_port (uri) < 0)
    return g_steal_pointer (&plain);
  return g_strdup_printf ("%s:%d", plain, g_uri_get_port (uri));
}

char *
veil_explain_enclave (VeilRecord *record)
{
  const char *endpoint = veil_record_get_endpoint (record);

  return endpoint != NULL ? veil_explain_host (endpoint) : NULL;
}

char *
veil_explain_time (gint64 microseconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (microseconds / G_USEC_PER_SEC);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  if (time == NULL)
    return g_strdup ("");
  if (g_date_time_get_day_of_year (time) == g_date_time_get_day_of_year (now) &&
      g_date_time_get_year (time) == g_date_time_get_year (now))
    return g_date_time_format (time, "%X");
  return g_date_time_format (time, "%x %X");
}

char *
veil_explain_duration (gint64 microseconds)
{
  if (microseconds < 1000)
    return g_strdup (_ ("under 1 ms"));
  if (microseconds < 100 * 1000)
    return g_strdup_printf (_ ("%d ms"), (int) (microseconds / 1000));
  if (microseconds < 60 * G_USEC_PER_SEC)
    return g_strdup_printf (_ ("%.1f s"), microseconds / (double) G_USEC_PER_SEC);
  return g_strdup_printf (_ ("%d min %d s"), (int) (microseconds / (60 * G_USEC_PER_SEC)),
                          (int) (microseconds / G_USEC_PER_SEC % 60));
}

char *
veil_explain_summary (VeilRecord *record)
{
  g_autofree char *enclave = veil_explain_enclave (record);
  g_autofree char *duration =
      veil_record_get_state (record) != VEIL_RECORD_WAITING ? veil_explain_duration (veil_record_get_duration (record)) : NULL;
  const char *parts[4] = { veil_explain_state (record) };
  guint n = 1;

  if (enclave != NULL)
    parts[n++] = enclave;
  if (duration != NULL)
    parts[n++] = duration;
  parts[n] = NULL;
  return g_strjoinv (" · ", (char **) parts);
}
