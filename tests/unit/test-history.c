/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "history.h"

#include "history-file.h"
#include "receipt.h"
#include "signer.h"
#include "veil-error.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PCR "0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DEADLINE_S 60

static Signer *signer;

static VeilProof *
make_proof (void)
{
  static const char *const content[] = { "content", NULL };
  static const char *const none[] = { NULL };
  guint64 now = (guint64) (g_get_real_time () / G_USEC_PER_SEC);
  g_autofree char *members = signer_sign_full (signer, signer->request_hash, "Hi", now);
  g_autofree char *text = g_strdup_printf ("{%s}", members);
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (text, strlen (text), NULL);
  const char *signature = veil_json_get_string (veil_json_get_member (veil_json_doc_get_root (doc), "tee_signature"), NULL);
  VeilProof *proof = veil_proof_new ();

  proof->tee_id = g_strdup (signer->tee_id);
  proof->tee_endpoint = g_strdup ("https://tee.example");
  proof->pcr_hash = g_strdup (PCR);
  memcpy (proof->request_hash, signer->request_hash, 32);
  veil_keccak256 ("Hi", 2, proof->output_hash);
  proof->timestamp = now;
  proof->signature = veil_base64_decode (signature, strlen (signature));
  proof->signing_key = g_bytes_new (signer->der->data, signer->der->len);
  proof->signed_ = g_strdupv ((char **) content);
  proof->unsigned_ = g_strdupv ((char **) none);
  proof->dropped = g_strdupv ((char **) none);
  proof->sandbox = TRUE;
  return proof;
}

typedef enum
{
  WAITING,
  VERIFIED,
  REFUSED,
  FAILED,
} End;

static void
end (VeilRecord *record, End how)
{
  g_autoptr (VeilProof) proof = how == VERIFIED ? make_proof () : NULL;
  const VeilTiming timing = { .relay = 5 };

  if (how == VERIFIED)
    veil_record_verify (record, proof, &timing, 200);
  else if (how == REFUSED)
    veil_record_fail (record, 502, "verification_failed", "output_hash", 4, "It was changed");
  else if (how == FAILED)
    veil_record_fail (record, 429, "rate_limit_exceeded", NULL, 0, "Wait");
}

static VeilRecord *
add (VeilRecordList *list, const char *model, End how)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  static const char *const dropped[] = { "user", NULL };

  veil_record_list_add (list, record);
  veil_record_set_request (record, model, TRUE, signer->request_hash, dropped, 7);
  veil_record_set_tee (record, signer->tee_id, "https://tee.example", PCR, TRUE);
  end (record, how);
  return record; /* the list's */
}

static gboolean
on_deadline (gpointer data)
{
  g_error ("nothing happened for %d s", DEADLINE_S);
  return G_SOURCE_REMOVE;
}

static void
wait_for_items (VeilRecordList *list, guint n)
{
  guint deadline = g_timeout_add_seconds (DEADLINE_S, on_deadline, NULL);

  while (g_list_model_get_n_items (G_LIST_MODEL (list)) < n)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (deadline);
}

typedef struct
{
  char *folder;
  char *path;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("veil-history-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->folder, "history.jsonl", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
}

/* What a run leaves; freeing waits until it is written. */
static void
keep (Fixture *fixture, const char *prefix)
{
  g_autoptr (VeilRecordList) list = veil_record_list_new (0);
  VeilHistory *history = veil_history_new (fixture->path, list);
  g_autofree char *verified = g_strconcat (prefix, "verified", NULL);
  g_autofree char *refused = g_strconcat (prefix, "refused", NULL);
  g_autofree char *failed = g_strconcat (prefix, "failed", NULL);

  add (list, verified, VERIFIED);
  add (list, "waiting", WAITING);
  add (list, refused, REFUSED);
  add (list, failed, FAILED);
  veil_history_free (history);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static VeilRecord *
get (VeilRecordList *list, guint position)
{
  g_autoptr (VeilRecord) record = g_list_model_get_item (G_LIST_MODEL (list), position);

  return record;
}

static char *
read_file (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (fixture->path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
test_kept (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilRecordList) list = veil_record_list_new (0);
  g_autoptr (VeilHistory) history = NULL;
  g_autoptr (VeilReceipt) receipt = NULL;
  VeilRecord *record;
  GStatBuf info;

  keep (fixture, "");
  g_assert_cmpint (g_stat (fixture->path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);

  history = veil_history_new (fixture->path, list);
  add (list, "now", FAILED);
  wait_for_items (list, 4);
  g_assert_cmpstr (veil_record_get_model (get (list, 0)), ==, "now");

  record = get (list, 1);
  g_assert_cmpstr (veil_record_get_model (record), ==, "failed");
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_FAILED);
  g_assert_cmpuint (veil_record_get_status (record), ==, 429);
  g_assert_cmpstr (veil_record_get_code (record), ==, "rate_limit_exceeded");
  g_assert_cmpstr (veil_record_get_message (record), ==, "Wait");
  g_assert_cmpstr (veil_record_get_tee_id (record), ==, signer->tee_id);
  g_assert_cmpstr (veil_record_get_dropped (record)[0], ==, "user");

  record = get (list, 2);
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_REFUSED);
  g_assert_cmpstr (veil_record_get_check (record), ==, "output_hash");
  g_assert_cmpint (veil_record_get_check_state (record, VEIL_CHECK_REQUEST_HASH), ==, VEIL_CHECK_PASSED);
  g_assert_cmpint (veil_record_get_check_state (record, VEIL_CHECK_OUTPUT_HASH), ==, VEIL_CHECK_FAILED);
  g_assert_true (veil_record_get_sandbox (record));

  record = get (list, 3);
  g_assert_cmpstr (veil_record_get_model (record), ==, "verified");
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_VERIFIED);
  g_assert_cmpint (veil_record_get_check_state (record, VEIL_CHECK_COVERAGE), ==, VEIL_CHECK_PASSED);
  g_assert_cmpint (veil_record_get_timing (record)->relay, ==, 5);
  receipt = veil_receipt_new_from_record (record, NULL);
  g_assert_true (receipt != NULL && veil_receipt_verify (receipt, NULL));
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (veil_record_get_id (get (list, i)), >, 0);
}

/* Each run adds to what the one before it left, and what was read is not written again. */
static void
test_runs (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  guint lines = 0;

  for (guint run = 0; run < 3; run++)
    keep (fixture, "x");
  text = read_file (fixture);
  for (const char *p = text; *p != '\0'; p++)
    lines += *p == '\n';
  g_assert_cmpuint (lines, ==, 9);
}

static void
append (Fixture *fixture, const char *bytes, gsize length)
{
  FILE *file = g_fopen (fixture->path, "ab");

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (bytes, 1, length, file), ==, length);
  fclose (file);
}

/* Torn lines, binary, lies: left out, and the lines around them stay. */
static void
test_damaged (Fixture *fixture, gconstpointer data)
{
  static const char *const lies[] = {
    "",
    "{",
    "[]",
    "null",
    "\377\376",
    "{}",
    "{\"version\":2,\"status\":200,\"duration\":1,\"receipt\":{}}",
    "{\"version\":1,\"status\":200,\"duration\":1,\"receipt\":{}}",
    "{\"version\":1,\"status\":200,\"duration\":1,\"receipt\":null}",
    "{\"version\":1,\"status\":200,\"duration\":1}",
  };
  g_autoptr (GPtrArray) records = NULL;
  const char *torn = "{\"version\":1,\"status\":200,\"dura";
  g_autofree char *deep = g_strnfill (100000, '[');
  g_autofree char *long_line = g_strnfill (VEIL_HISTORY_MAX_LINE + 10, ' ');
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  keep (fixture, "first ");
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      append (fixture, lies[i], strlen (lies[i]));
      append (fixture, "\n", 1);
    }
  append (fixture, "\0\n", 2);
  append (fixture, deep, strlen (deep));
  append (fixture, "\n", 1);
  append (fixture, long_line, strlen (long_line));
  append (fixture, "\n", 1);
  append (fixture, torn, strlen (torn));
  records = veil_history_file_read (fixture->path, 100, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (records->len, ==, 3);
  /* The next line is whole all the same. */
  g_assert_true (veil_history_file_append (fixture->path, (const guint8 *) "{}\n", 3, &error));
  g_assert_true (g_file_get_contents (fixture->path, &text, &length, &error));
  g_assert_cmpmem (text + length - 9, 9, "\"dura\n{}\n", 9);
}

/* Every bit of a line: nobody makes a verified record of what was not signed, or one that says something else of it. */
static void
test_each_bit (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autofree char *line = NULL;
  gsize length;

  veil_record_set_request (record, "model", FALSE, signer->request_hash, NULL, 7);
  end (record, VERIFIED);
  line = veil_history_write_line (record);
  length = strlen (line);
  for (gsize i = 0; i < 8 * length; i++)
    {
      g_autoptr (VeilRecord) other = NULL;

      line[i / 8] ^= (char) (1 << i % 8);
      other = veil_history_read_line (line, length, NULL);
      line[i / 8] ^= (char) (1 << i % 8);
      if (other == NULL || veil_record_get_state (other) != VEIL_RECORD_VERIFIED)
        continue;
      g_assert_cmpstr (veil_record_get_request_hash (other), ==, veil_record_get_request_hash (record));
      g_assert_cmpstr (veil_record_get_output_hash (other), ==, veil_record_get_output_hash (record));
      g_assert_cmpstr (veil_record_get_tee_id (other), ==, veil_record_get_tee_id (record));
      g_assert_cmpstr (veil_record_get_model (other), ==, "model");
      g_assert_true (veil_record_get_sandbox (other));
    }
}

static gboolean
begins_with (const char *path, const char *model)
{
  g_autoptr (GPtrArray) records = veil_history_file_read (path, 1, NULL);

  return records != NULL && records->len == 1 && g_strcmp0 (veil_record_get_model (records->pdata[0]), model) == 0;
}

/* The file stays small, and its newest lines stay. */
static void
test_size (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  g_autofree char *piece = NULL;
  GStatBuf info;

  veil_record_fail (record, 400, "old", NULL, 0, "x");
  line = veil_history_write_line (record);
  piece = g_strconcat (line, "\n", NULL);
  for (gsize written = 0; written <= VEIL_HISTORY_MAX_FILE + strlen (piece); written += strlen (piece) * 100)
    {
      g_autoptr (GString) many = g_string_new (NULL);

      for (guint i = 0; i < 100; i++)
        g_string_append (many, piece);
      g_assert_true (veil_history_file_append (fixture->path, (const guint8 *) many->str, many->len, &error));
      g_assert_cmpint (g_stat (fixture->path, &info), ==, 0);
      g_assert_cmpint (info.st_size, <=, VEIL_HISTORY_MAX_FILE);
    }
  keep (fixture, "new ");
  /* The disk may take longer than veil_history_free() waits. */
  for (gint64 end = g_get_monotonic_time () + DEADLINE_S * G_USEC_PER_SEC; !begins_with (fixture->path, "new failed");
       g_usleep (1000))
    g_assert_cmpint (g_get_monotonic_time (), <, end);
  g_assert_cmpint (g_stat (fixture->path, &info), ==, 0);
  g_assert_cmpint (info.st_size, <, VEIL_HISTORY_MAX_FILE * 3 / 4);
  g_assert_cmpint (info.st_size, >, VEIL_HISTORY_MAX_FILE / 4);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  records = veil_history_file_read (fixture->path, 50, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (records->len, ==, 50);
  g_assert_cmpstr (veil_record_get_model (records->pdata[0]), ==, "new failed");
  g_assert_cmpstr (veil_record_get_code (records->pdata[49]), ==, "old");
}

/* No more than there is room for in the list, the newest of them. */
static void
test_room (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilRecordList) list = veil_record_list_new (2);
  g_autoptr (VeilHistory) history = NULL;

  keep (fixture, "");
  history = veil_history_new (fixture->path, list);
  add (list, "now", FAILED);
  wait_for_items (list, 2);
  g_assert_cmpstr (veil_record_get_model (get (list, 0)), ==, "now");
  g_assert_cmpstr (veil_record_get_model (get (list, 1)), ==, "failed");
}

/* A disk that is full, here by a limit of this process: nothing is torn, and when there is room again all goes on. */
static void
test_full (Fixture *fixture, gconstpointer data)
{
  struct rlimit old, small;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL, *after = NULL;
  GStatBuf info;

  keep (fixture, "");
  before = read_file (fixture);
  g_assert_cmpint (g_stat (fixture->path, &info), ==, 0);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);
  small = old;
  small.rlim_cur = (rlim_t) info.st_size + 10;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (veil_history_file_append (fixture->path, (const guint8 *) before, strlen (before), &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  after = read_file (fixture);
  g_assert_cmpstr (after, ==, before);
  g_clear_error (&error);
  g_assert_true (veil_history_file_append (fixture->path, (const guint8 *) "{}\n", 3, &error));
}

/* A link, a folder or a pipe in its place is not followed, filled or waited for. */
static void
test_in_the_way (Fixture *fixture, gconstpointer data)
{
  g_autofree char *target = g_build_filename (fixture->folder, "target", NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++)
    {
      if (i == 0)
        g_assert_cmpint (symlink ("target", fixture->path), ==, 0);
      else if (i == 1)
        g_assert_cmpint (g_mkdir (fixture->path, 0700), ==, 0);
      else
        g_assert_cmpint (mkfifo (fixture->path, 0600), ==, 0);
      g_assert_false (veil_history_file_append (fixture->path, (const guint8 *) "{}\n", 3, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
      g_clear_error (&error);
      if (i > 0)
        {
          g_assert_null (veil_history_file_read (fixture->path, 10, &error));
          g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
          g_clear_error (&error);
        }
      g_assert_cmpint (g_remove (fixture->path), ==, 0);
    }
  g_assert_false (g_file_test (target, G_FILE_TEST_EXISTS));
}

static void
test_erase (Fixture *fixture, gconstpointer data)
{
  keep (fixture, "");
  veil_history_erase (fixture->path);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  veil_history_erase (fixture->path);
}

/* A burst: each is kept, and all are written before the end. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilRecordList) list = veil_record_list_new (0);
  VeilHistory *history = veil_history_new (fixture->path, list);

  for (guint i = 0; i < 1000; i++)
    add (list, "m", FAILED);
  veil_history_free (history);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  {
    g_autoptr (GPtrArray) records = veil_history_file_read (fixture->path, 2000, NULL);

    g_assert_cmpuint (records->len, ==, 1000);
  }
}

/* A history whose file is not there is read in no time: it keeps what comes all the same, however the two threads meet. */
static void
test_quick (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (VeilRecordList) list = veil_record_list_new (0);
      VeilHistory *history = veil_history_new (fixture->path, list);
      g_autofree char *text = NULL;

      for (guint turn = 0; turn < i; turn++)
        g_thread_yield ();
      add (list, "quick", FAILED);
      veil_history_free (history);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      text = read_file (fixture);
      g_assert_nonnull (strstr (text, "quick"));
      veil_history_erase (fixture->path);
    }
}

#define ADD(name, func) g_test_add ("/history/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  signal (SIGXFSZ, SIG_IGN);
  signer = signer_new ();
  ADD ("kept", test_kept);
  ADD ("runs", test_runs);
  ADD ("damaged", test_damaged);
  ADD ("each-bit", test_each_bit);
  ADD ("size", test_size);
  ADD ("room", test_room);
  ADD ("full", test_full);
  ADD ("in-the-way", test_in_the_way);
  ADD ("erase", test_erase);
  ADD ("many", test_many);
  ADD ("quick", test_quick);
  status = g_test_run ();
  signer_free (signer);
  return status;
}
