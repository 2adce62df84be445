/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "measurements.h"
#include "veil-error.h"

#include <string.h>

/* Of the genuine document, and the hash that the registry had for its build. */
#define PCR0 "9baef83909784e4d2cb84466c02931bb8125e948b62029029e80bfa1698bfd7069408e4ab20d1c99c859e8f774cce0ff"
#define PCR1 "4b4d5b3661b3efc12920900c80e126e4ce783c522de6c02a2a5bf7af3a2b9327b86776f188e4be1c1c404a129dbda493"
#define PCR2 "769925c8ae0c5c2d1aa86de149213b1c5dec642557bf0c426c6581f0e562a042d1c7d2578443515d103f74ce55337666"
#define HASH "0x8082af22571613eabd5dad9c7e857c4f16154ded3d387386d8193b53906f6a24"
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define MEMBERS "\"PCR0\": \"" PCR0 "\", \"PCR1\": \"" PCR1 "\", \"PCR2\": \"" PCR2 "\""
#define LINES "PCR0: " PCR0 "\nPCR1: " PCR1 "\nPCR2: " PCR2 "\n"

static void
test_accepted (void)
{
  static const char *const texts[] = {
    LINES,
    "PCR2: " PCR2 "\nPCR0: 0x" PCR0 "\nPCR1: " PCR1,
    "# of our build\n\n  PCR0 :" PCR0 "\r\nPCR1:" PCR1 "  \r\nPCR2:\t" PCR2 "\r\nPCR3: " ZEROS "\nPCR8: whatever\nPCR15:\n",
    "{\"Measurements\": {" MEMBERS "}}",
    "\n\t {\"Measurements\": {\"HashAlgorithm\": \"Sha384 { ... }\", " MEMBERS "}}\n",
    "[{\"EnclaveID\": \"i-1-enc1\", \"State\": \"RUNNING\", \"Measurements\": {\"HashAlgorithm\": \"SHA384\", " MEMBERS
    ", \"PCR8\": \"" ZEROS "\"}}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      VeilMeasurements measurements;
      g_autoptr (GError) error = NULL;
      g_autofree char *hash = NULL;

      veil_measurements_read (&measurements, texts[i], strlen (texts[i]), &error);
      g_assert_no_error (error);
      hash = veil_measurements_get_hash (&measurements);
      g_assert_cmpstr (hash, ==, HASH);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text, *word;
  } cases[] = {
    { "", "all of PCR0" },
    { "PCR0: " PCR0 "\nPCR1: " PCR1 "\n", "all of PCR0" },
    { LINES "PCR1: " PCR1 "\n", "twice" },
    { LINES "PCR01: " PCR1 "\n", "twice" },
    { LINES "hello\n", "a line" },
    { LINES "pcr3: 00\n", "a line" },
    { LINES "PCR: 00\n", "a line" },
    { LINES "PCRx: 00\n", "a line" },
    { LINES "PCR100: 00\n", "a line" },
    { "PCR0=" PCR0 "\nPCR1=" PCR1 "\nPCR2=" PCR2 "\n", "a line" },
    { "PCR0: " PCR0 "0\nPCR1: " PCR1 "\nPCR2: " PCR2, "PCR0 has 96" },
    { "PCR0: " PCR0 "\nPCR1: 12\nPCR2: " PCR2, "PCR1 has 96" },
    { "PCR0: " PCR0 "\nPCR1: " PCR1 "\nPCR2: zz" PCR2, "PCR2 has 96" },
    { "PCR0: " ZEROS "\nPCR1: " PCR1 "\nPCR2: " PCR2, "debug" },
    { "PCR0: " PCR0 "\nPCR1: " PCR1 "\nPCR2: " ZEROS, "debug" },
    { "{", "JSON" },
    { "{\"Measurements\": {" MEMBERS "}} x", "JSON" },
    { "{}", "Measurements" },
    { "{" MEMBERS "}", "Measurements" },
    { "{\"Measurements\": []}", "Measurements" },
    { "[]", "several" },
    { "[{\"Measurements\": {" MEMBERS "}}, {\"Measurements\": {" MEMBERS "}}]", "several" },
    { "{\"Measurements\": {\"PCR0\": \"" PCR0 "\", \"PCR1\": \"" PCR1 "\"}}", "PCR2" },
    { "{\"Measurements\": {\"PCR0\": 7, \"PCR1\": \"" PCR1 "\", \"PCR2\": \"" PCR2 "\"}}", "PCR0" },
    { "{\"Measurements\": {\"PCR0\": \"" PCR1 "\", " MEMBERS "}}", "twice" },
    { "{\"Measurements\": {\"HashAlgorithm\": \"Sha256\", " MEMBERS "}}", "HashAlgorithm" },
    { "{\"Measurements\": {\"PCR0\": \"" PCR0 "\", \"PCR1\": \"" PCR1 "\", \"PCR2\": \"" ZEROS "\"}}", "debug" },
    { "PCR0: \xff", "UTF-8" },
  };
  g_autofree char *large = g_strnfill (VEIL_MEASUREMENTS_MAX_BYTES + 1, '\n');
  VeilMeasurements measurements;
  g_autoptr (GError) large_error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (veil_measurements_read (&measurements, cases[i].text, strlen (cases[i].text), &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
      if (strstr (error->message, cases[i].word) == NULL)
        g_error ("%s: %s", cases[i].text, error->message);
    }
  memcpy (large, LINES, strlen (LINES));
  g_assert_false (veil_measurements_read (&measurements, large, strlen (large), &large_error));
  g_assert_error (large_error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_assert_true (veil_measurements_read (&measurements, large, strlen (large) - 1, NULL));
  g_assert_false (veil_measurements_read (&measurements, LINES "\0", strlen (LINES) + 1, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/measurements/accepted", test_accepted);
  g_test_add_func ("/measurements/refused", test_refused);
  return g_test_run ();
}
