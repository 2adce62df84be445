/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#include "fetch.h"

#include <glib/gstdio.h>
#include <libintl.h>
#include <locale.h>
#include <string.h>

#define N_STRINGS 3

/* As msgfmt writes it: sorted, with the NUL of a plural inside. */
static const struct
{
  const char *id;
  gsize id_length;
  const char *text;
  gsize text_length;
} strings[N_STRINGS] = {
#define STRING(id, text)                     \
  {                                          \
    id, sizeof id - 1, text, sizeof text - 1 \
  }
  STRING ("", "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n"),
  STRING ("%d lie\0%d lies", "%d Lüge\0%d Lügen"),
  STRING ("it is empty", "sie ist leer"),
};

static void
append_number (GByteArray *catalog, guint32 number)
{
  g_byte_array_append (catalog, (const guint8 *) &number, sizeof number);
}

static GByteArray *
make_catalog (void)
{
  GByteArray *catalog = g_byte_array_new ();
  guint32 at = 7 * 4 + 2 * N_STRINGS * 8;
  const guint32 head[] = { 0x950412de, 0, N_STRINGS, 7 * 4, 7 * 4 + N_STRINGS * 8, 0, at };

  g_byte_array_append (catalog, (const guint8 *) head, sizeof head);
  for (guint i = 0; i < 2 * N_STRINGS; i++)
    {
      gsize length = i < N_STRINGS ? strings[i].id_length : strings[i - N_STRINGS].text_length;

      append_number (catalog, (guint32) length);
      append_number (catalog, at);
      at += (guint32) length + 1;
    }
  for (guint i = 0; i < 2 * N_STRINGS; i++)
    {
      gboolean id = i < N_STRINGS;

      g_byte_array_append (catalog, (const guint8 *) (id ? strings[i].id : strings[i - N_STRINGS].text),
                           (guint) (id ? strings[i].id_length : strings[i - N_STRINGS].text_length) + 1);
    }
  return catalog;
}

/* A program of somebody else, who knows nothing of our domain. */
static void
test_foreign_program (void)
{
  g_autofree char *root = g_dir_make_tmp ("veil-translate-XXXXXX", NULL);
  g_autofree char *folder = g_build_filename (root, "qps", "LC_MESSAGES", NULL);
  g_autofree char *path = g_build_filename (folder, "veil.mo", NULL);
  g_autoptr (GByteArray) catalog = make_catalog ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, (const char *) catalog->data, catalog->len, NULL));
  g_setenv ("LANGUAGE", "qps", TRUE);
  g_assert_nonnull (setlocale (LC_ALL, "C.UTF-8"));
  g_assert_cmpstr (textdomain (NULL), ==, "messages");

  g_assert_cmpstr (veil_translate ("it is empty"), ==, "it is empty");
  bindtextdomain ("veil", root); /* where translations are in a test */
  g_assert_cmpstr (veil_translate ("it is empty"), ==, "sie ist leer");
  g_assert_cmpstr (veil_translate ("it is full"), ==, "it is full");
  g_assert_cmpstr (veil_translate_plural ("%d lie", "%d lies", 1), ==, "%d Lüge");
  g_assert_cmpstr (veil_translate_plural ("%d lie", "%d lies", 2), ==, "%d Lügen");
  g_assert_false (veil_fetch_check_url ("", "Die Adresse", &error));
  g_assert_nonnull (strstr (error->message, "sie ist leer"));

  g_remove (path);
  for (char *end = folder; strlen (folder) >= strlen (root); end = strrchr (folder, '/'), *end = '\0')
    g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/translate/foreign-program", test_foreign_program);
  return g_test_run ();
}
