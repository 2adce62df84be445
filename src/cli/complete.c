/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "complete.h"

#include <glib/gi18n.h>
#include <string.h>

/* What was typed before the word in question. */
typedef struct
{
  GPtrArray *arguments;        /* owned, of const char: those that are no options */
  const GOptionEntry *pending; /* the option whose value comes next; NULL if none does */
  const char *home;            /* the value of --home; NULL if there is none */
  gboolean only_arguments;     /* "--" was there */
} Typed;

static void
print_candidate (const char *word, const char *description)
{
  g_print ("%s\t%s\n", word, description);
}

static gboolean
takes_value (const GOptionEntry *entry)
{
  return entry->arg != G_OPTION_ARG_NONE && (entry->flags & G_OPTION_FLAG_NO_ARG) == 0;
}

/* The option that @word is, alone or with a value; NULL if there is none. The last of several short ones counts: only it can
 * take a value. */
static const GOptionEntry *
find_option (const GOptionEntry *entries, const char *word)
{
  gsize length = strcspn (word, "=");

  for (const GOptionEntry *entry = entries; entry->long_name != NULL; entry++)
    if (g_str_has_prefix (word, "--")
            ? strlen (entry->long_name) == length - 2 && strncmp (entry->long_name, word + 2, length - 2) == 0
            : entry->short_name != 0 && entry->short_name == word[strlen (word) - 1])
      return entry;
  return NULL;
}

static void
take_word (Typed *typed, const GOptionEntry *entries, const char *word)
{
  const GOptionEntry *option;

  if (typed->pending != NULL)
    {
      if (g_str_equal (typed->pending->long_name, "home"))
        typed->home = word;
      typed->pending = NULL;
    }
  else if (typed->only_arguments || word[0] != '-' || word[1] == '\0')
    g_ptr_array_add (typed->arguments, (gpointer) word);
  else if (g_str_equal (word, "--"))
    typed->only_arguments = TRUE;
  else if ((option = find_option (entries, word)) != NULL && takes_value (option))
    {
      if (!g_str_has_prefix (word, "--") || strchr (word, '=') == NULL)
        typed->pending = option;
      else if (g_str_equal (option->long_name, "home"))
        typed->home = strchr (word, '=') + 1;
    }
}

static void
print_options (const GOptionEntry *entries)
{
  for (; entries->long_name != NULL; entries++)
    {
      g_autofree char *word = g_strconcat ("--", entries->long_name, NULL);
      char letter[] = { '-', entries->short_name, '\0' };

      if ((entries->flags & G_OPTION_FLAG_HIDDEN) != 0)
        continue;
      print_candidate (word, _ (entries->description));
      if (entries->short_name != 0)
        print_candidate (letter, _ (entries->description));
    }
  print_candidate ("--help", _ ("Show the help text"));
  print_candidate ("-h", _ ("Show the help text"));
}

/* Whether the usage @tokens begin with the arguments that are there. A token in capitals stands for any; one that ends in "…"
 * for several. */
static gboolean
begins_with (char **tokens, const GPtrArray *arguments, guint *next)
{
  guint at = 0;

  for (guint i = 0; i < arguments->len; i++)
    {
      if (tokens[at] == NULL || (!g_ascii_isupper (tokens[at][0]) && strcmp (tokens[at], arguments->pdata[i]) != 0))
        return FALSE;
      if (!g_str_has_suffix (tokens[at], "…"))
        at++;
    }
  *next = at;
  return tokens[at] != NULL;
}

/* From the usage line: "add HASH | remove HASH | list". FALSE if no argument may follow. */
static gboolean
print_arguments (const VeilCommand *command, const Typed *typed)
{
  g_autofree char *usage = g_strdup (command->arguments != NULL ? command->arguments : "");
  g_auto (GStrv) ways = g_strsplit (g_strdelimit (usage, "[]", ' '), "|", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean any = FALSE;

  for (guint i = 0; ways[i] != NULL; i++)
    {
      g_auto (GStrv) tokens = *g_strstrip (ways[i]) != '\0' ? g_strsplit (ways[i], " ", -1) : g_new0 (char *, 1);
      guint next;

      if (!begins_with (tokens, typed->arguments, &next))
        continue;
      any = TRUE;
      if (!g_hash_table_add (seen, g_strdup (tokens[next])))
        continue;
      if (g_ascii_isupper (tokens[next][0]))
        veil_complete_values (tokens[next], "", typed->home);
      else
        print_candidate (tokens[next], "");
    }
  return any;
}

VeilExit
veil_complete_command (const VeilCommand *command, const GOptionEntry *entries, char **words)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  Typed typed = { .arguments = arguments };
  const char *last;
  const GOptionEntry *option;

  for (; words[0] != NULL && words[1] != NULL; words++)
    take_word (&typed, entries, words[0]);
  last = words[0] != NULL ? words[0] : "";

  if (typed.pending != NULL)
    veil_complete_values (typed.pending->arg_description, "", typed.home);
  else if (!typed.only_arguments && g_str_has_prefix (last, "--") && strchr (last, '=') != NULL)
    {
      g_autofree char *prefix = g_strndup (last, strcspn (last, "=") + 1);

      if ((option = find_option (entries, last)) != NULL && takes_value (option))
        veil_complete_values (option->arg_description, prefix, typed.home);
    }
  else if (!typed.only_arguments && *last == '-')
    print_options (entries);
  else if (!print_arguments (command, &typed) && !typed.only_arguments)
    print_options (entries);
  return VEIL_EXIT_OK;
}

/* @words, after the name of @command, as its function takes them. */
static VeilExit
ask_command (const VeilCommand *command, char **words)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) argv = NULL;

  g_strv_builder_add_many (builder, command->name, VEIL_CLI_COMPLETE, NULL);
  g_strv_builder_addv (builder, (const char **) words);
  argv = g_strv_builder_end (builder);
  return command->run ((int) g_strv_length (argv), argv);
}

VeilExit
veil_complete_overview (char **words)
{
  const VeilCommand *command = words[0] != NULL ? veil_cli_find_command (words[0]) : NULL;

  /* Without a command there are options too. */
  if (words[0] != NULL && *words[0] == '-')
    return ask_command (veil_cli_find_command (""), words);
  if (words[0] != NULL && words[1] != NULL && *words[0] != '\0' && command != NULL)
    return ask_command (command, words + 1);
  if (words[0] != NULL && words[1] != NULL && !g_str_equal (words[0], "help"))
    return VEIL_EXIT_OK;
  for (command = veil_cli_get_commands (); command->name != NULL; command++)
    print_candidate (command->name, _ (command->summary));
  return VEIL_EXIT_OK;
}
