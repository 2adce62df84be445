/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What a verified request costs, step by step, against a proxy that does nothing but pass the same bytes on; in turns, in one run. Callers, sandbox
 * and the bare proxy's relay are other processes and are not counted.
 *
 *   bench-request                          the table
 *   bench-request veil|bare CASE COUNT     only that, and nothing printed: what count-instructions runs under valgrind
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare-proxy.h"
#include "cost.h"
#include "load.h"
#include "rig.h"

#define ROUNDS 5

typedef struct
{
  const char *name;
  const char *kind;
  gsize prompt_bytes;
  const char *wish;
  guint count; /* in each round */
} Case;

static const Case cases[] = {
  { "1k-single", "single", 1000, "bytes:1000", 200 },
  { "1k-stream", "stream", 1000, "frames:200", 100 },
  { "1m-single", "single", 1000000, "bytes:1000000", 10 },
  { "1m-stream", "stream", 1000000, "bytes:1000000", 10 },
};

/* Sums of what the endpoint logs of each request. */
typedef struct
{
  guint count;
  double parse, seal, relay, open, verify, reply; /* milliseconds */
} Steps;

static Steps steps;

static const char *
find_message (const GLogField *fields, gsize n_fields)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE") && fields[i].length < 0)
      return fields[i].value;
  return "";
}

static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *found = strstr (find_message (fields, n_fields), "(parse ");
  Steps one;

  if (level != G_LOG_LEVEL_DEBUG)
    return g_log_writer_default (level, fields, n_fields, user_data);
  if (found == NULL || sscanf (found, "(parse %lf, seal %lf, relay %lf, open %lf, verify %lf, reply %lf)", &one.parse, &one.seal,
                               &one.relay, &one.open, &one.verify, &one.reply) != 6)
    return G_LOG_WRITER_HANDLED;
  steps.count++;
  steps.parse += one.parse;
  steps.seal += one.seal;
  steps.relay += one.relay;
  steps.open += one.open;
  steps.verify += one.verify;
  steps.reply += one.reply;
  return G_LOG_WRITER_HANDLED;
}

/* Of one request. */
typedef struct
{
  double wall_us;
  double cpu_us;
  double instructions; /* below zero: not counted */
  gsize answer_bytes;
} Figures;

static Figures
measure (Rig *rig, const Case *at, const char *url, guint count)
{
  Cost before = cost_now ();
  RigRun run = rig_run (rig, url, count, 1, at->kind, at->prompt_bytes, at->wish);
  Cost after = cost_now ();

  return (Figures){
    .wall_us = run.mean_us,
    .cpu_us = (double) (after.cpu_us - before.cpu_us) / count,
    .instructions = after.instructions < 0 ? -1 : (double) (after.instructions - before.instructions) / count,
    .answer_bytes = run.answer_bytes,
  };
}

/* The round that was least disturbed. */
static void
keep_least (Figures *best, Figures one)
{
  if (best->cpu_us == 0 || one.cpu_us < best->cpu_us)
    *best = (Figures){ best->cpu_us == 0 ? one.wall_us : MIN (best->wall_us, one.wall_us), one.cpu_us, one.instructions,
                       one.answer_bytes };
  best->wall_us = MIN (best->wall_us, one.wall_us);
}

static void
print_figures (const char *name, const Figures *figures)
{
  printf ("    %-6s %10.0f us at the caller, %10.0f us processor", name, figures->wall_us, figures->cpu_us);
  if (figures->instructions >= 0)
    printf (", %12.0f instructions", figures->instructions);
  printf ("\n");
}

static void
print_ratio (const Figures *veil, const Figures *bare)
{
  printf ("    ratio  %10.2f    at the caller, %10.2f    processor", veil->wall_us / bare->wall_us, veil->cpu_us / bare->cpu_us);
  if (veil->instructions >= 0 && bare->instructions > 0)
    printf (", %12.2f instructions", veil->instructions / bare->instructions);
  printf ("\n");
}

static void
print_steps (void)
{
  double each = 1000.0 / MAX (steps.count, 1);

  printf ("    parse %.0f, seal %.0f, relay wait %.0f, open %.0f, verify %.0f, reply %.0f us\n", steps.parse * each,
          steps.seal * each, steps.relay * each, steps.open * each, steps.verify * each, steps.reply * each);
}

static void
compare_case (Rig *rig, const Case *at, const char *bare_url)
{
  Figures veil = { 0 }, bare = { 0 };

  measure (rig, at, rig_get_url (rig), 3);
  measure (rig, at, bare_url, 3);
  steps = (Steps){ 0 };
  for (guint round = 0; round < ROUNDS; round++)
    {
      keep_least (&veil, measure (rig, at, rig_get_url (rig), at->count));
      keep_least (&bare, measure (rig, at, bare_url, at->count));
    }
  printf ("%s: prompt of %" G_GSIZE_FORMAT " bytes, answer of %" G_GSIZE_FORMAT "\n", at->name, at->prompt_bytes,
          veil.answer_bytes);
  print_steps ();
  print_figures ("veil", &veil);
  print_figures ("bare", &bare);
  print_ratio (&veil, &bare);
}

static char *
get_bare_url (BareProxy *bare, const Case *at)
{
  return g_strdup_printf ("http://127.0.0.1:%u/%s", bare_proxy_get_port (bare), at->kind);
}

static int
run_one (Rig *rig, BareProxy *bare, char **words)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (g_str_equal (words[1], cases[i].name))
      {
        g_autofree char *bare_url = get_bare_url (bare, &cases[i]);
        guint count = (guint) g_ascii_strtoull (words[2], NULL, 10);

        measure (rig, &cases[i], rig_get_url (rig), 3);
        measure (rig, &cases[i], bare_url, 3);
        measure (rig, &cases[i], g_str_equal (words[0], "bare") ? bare_url : rig_get_url (rig), count);
        return EXIT_SUCCESS;
      }
  g_printerr ("there is no case %s\n", words[1]);
  return EXIT_FAILURE;
}

static int
run_all (Rig *rig, BareProxy *bare, const char *no_counter)
{
  printf ("The least of %d rounds each; steps are means.\n", ROUNDS);
  if (no_counter != NULL)
    printf ("Instructions are not counted on this machine (perf_event_open: %s); tests/bench/count-instructions does it with "
            "valgrind.\n",
            no_counter);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *bare_url = get_bare_url (bare, &cases[i]);

      compare_case (rig, &cases[i], bare_url);
    }
  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  const char *no_counter = NULL;
  g_autoptr (Rig) rig = NULL;
  g_autoptr (BareProxy) bare = NULL;

  if (argc == 2 && g_str_equal (argv[1], LOAD_ARGUMENT))
    return load_main ();
  g_log_set_writer_func (on_log, NULL, NULL);
  rig = rig_new ();
  bare = bare_proxy_new (rig_get_relay_port (rig));
  if (argc == 4)
    return run_one (rig, bare, argv + 1);
  no_counter = cost_begin ();
  return run_all (rig, bare, no_counter);
}
