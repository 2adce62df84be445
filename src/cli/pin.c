/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil pin add, remove and list: the enclave builds that may be used. */
#include "pin.h"

#include "json-writer.h"
#include "pins.h"
#include "running.h"
#include "settings-file.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>

#define KEY "pcr-pins"

typedef struct
{
  char *hash;        /* owned; 0x + 64 digits */
  const char *label; /* NULL: as it was, or none */
  guint left;        /* how many pins there are afterwards */
} Change;

static GVariant *
add_pin (GVariant *old, gpointer user_data, GError **error)
{
  Change *change = user_data;

  return veil_pins_add (old, change->hash, change->label);
}

static GVariant *
remove_pin (GVariant *old, gpointer user_data, GError **error)
{
  Change *change = user_data;
  g_autoptr (GVariant) fresh = g_variant_ref_sink (veil_pins_remove (old, change->hash));

  change->left = g_variant_n_children (fresh);
  if (change->left < g_variant_n_children (old))
    return g_steal_pointer (&fresh);
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s is not pinned; `og-veil pin list` shows what is"), change->hash);
  return NULL;
}

static VeilExit
change_pins (const VeilSettings *settings, const char *text, const char *label, gboolean add)
{
  g_autofree char *hash = veil_pin_read_hash (text, NULL);
  g_autoptr (GError) error = NULL;

  if (hash == NULL)
    return veil_cli_fail_usage (_ ("a PCR hash has 64 hexadecimal digits, with or without 0x"));
  if (label != NULL && !veil_pin_check_label (label, NULL))
    return veil_cli_fail_usage (_ ("--label takes up to %d bytes of text in one line"), VEIL_PIN_MAX_LABEL);

  Change change = { hash, label, 1 };
  if (!veil_settings_file_change (settings, KEY, add ? add_pin : remove_pin, &change, &error))
    return veil_cli_fail (error);
  g_print (add ? _ ("pinned %s\n") : _ ("no longer pinned: %s\n"), hash);
  if (change.left == 0)
    g_print (_ ("no build is pinned now: any build that the registry approves may be used\n"));
  veil_running_print_scope (settings);
  return VEIL_EXIT_OK;
}

VeilExit
veil_pin_add (const VeilSettings *settings, const char *text, const char *label)
{
  return change_pins (settings, text, label, TRUE);
}

static void
print_json (GVariant *pins)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  GVariantIter iter;
  const char *hash, *label;

  veil_json_writer_begin_array (writer);
  g_variant_iter_init (&iter, pins);
  while (g_variant_iter_next (&iter, "(&s&s)", &hash, &label))
    {
      veil_json_writer_begin_object (writer);
      veil_json_writer_key (writer, "pcr_hash");
      veil_json_writer_string (writer, hash);
      veil_json_writer_key (writer, "label");
      veil_json_writer_string (writer, label);
      veil_json_writer_end_object (writer);
    }
  veil_json_writer_end_array (writer);
  veil_cli_print_json (writer);
}

static VeilExit
list_pins (const VeilSettings *settings, gboolean json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) pins = veil_settings_file_get (settings, KEY, &error);
  GVariantIter iter;
  const char *hash, *label;

  if (pins == NULL)
    return veil_cli_fail (error);
  if (json)
    {
      print_json (pins);
      return VEIL_EXIT_OK;
    }
  g_variant_iter_init (&iter, pins);
  while (g_variant_iter_next (&iter, "(&s&s)", &hash, &label))
    {
      g_autofree char *printable = veil_cli_printable (label);

      g_print ("%s%s%s\n", hash, *label != '\0' ? "  " : "", printable);
    }
  return VEIL_EXIT_OK;
}

/* NULL, or what goes wrong with the words. */
static const char *
check_words (const char *verb, const VeilPinSource *source, gboolean json)
{
  gboolean compute = g_str_equal (verb, "compute");

  if (veil_pin_source_is_given (source) && !compute)
    return _ ("PCRs, --measurements and --add go with `og-veil pin compute`");
  if (source->label != NULL && !g_str_equal (verb, "add") && !(compute && source->add))
    return _ ("--label goes with `og-veil pin add`, and with `og-veil pin compute` when it is to --add");
  if (json && !g_str_equal (verb, "list"))
    return _ ("--json goes with `og-veil pin list`");
  return NULL;
}

VeilExit
veil_command_pin (int argc, char **argv)
{
  static const char *const flags[] = { "home", NULL };
  g_auto (VeilPinSource) source = { { NULL } };
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "label", 'l', 0, G_OPTION_ARG_STRING, &source.label, N_ ("What the build is, in your words (with add)"), "TEXT" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("An array of objects with pcr_hash and label (with list)"), NULL },
    { "pcr0", 0, 0, G_OPTION_ARG_STRING, &source.pcrs[0], N_ ("PCR0 of a build, 96 digits (with compute)"), "HEX" },
    { "pcr1", 0, 0, G_OPTION_ARG_STRING, &source.pcrs[1], N_ ("Its PCR1"), "HEX" },
    { "pcr2", 0, 0, G_OPTION_ARG_STRING, &source.pcrs[2], N_ ("Its PCR2"), "HEX" },
    { "measurements", 0, 0, G_OPTION_ARG_FILENAME, &source.measurements,
      N_ ("Or the file with all three: nitro-cli's JSON, or lines \"PCR0: DIGITS\""), "FILE" },
    { "add", 0, 0, G_OPTION_ARG_NONE, &source.add, N_ ("Pin what was computed"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_running_follow (veil_cli_parse ("pin", entries, flags, &argc, &argv));
  const char *verb = argc > 1 ? argv[1] : "";
  const char *wrong;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  wrong = check_words (verb, &source, json);
  if (wrong != NULL)
    return veil_cli_fail_usage ("%s", wrong);
  if (argc == 3 && (g_str_equal (verb, "add") || g_str_equal (verb, "remove")))
    return change_pins (settings, argv[2], source.label, g_str_equal (verb, "add"));
  if (argc == 2 && g_str_equal (verb, "list"))
    return list_pins (settings, json);
  if (argc == 2 && g_str_equal (verb, "compute"))
    return veil_pin_compute (settings, &source);
  return veil_cli_fail_usage (_ ("pin takes \"add HASH\", \"remove HASH\", \"list\" or \"compute\""));
}
