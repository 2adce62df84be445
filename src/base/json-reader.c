/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json-private.h"

#include <math.h>
#include <string.h>

#include "translate.h"
#include "veil-error.h"

/* The nodes are one block, used from both ends: values whose container is still open are stacked at the front; when it closes, they move
 * side by side to the back. No node is ever in both, so a block for as many values as the text can hold is always enough. */
typedef struct
{
  const guint8 *start;
  const guint8 *at;
  const guint8 *end;
  VeilJsonDoc *doc;
  char *text; /* next free byte of the texts */
  gsize n_stack;
  gsize open; /* stack index of the innermost open container, or NONE */
  guint depth;
  GError **error;
} Reader;

#define NONE G_MAXSIZE

static gboolean
fail (Reader *r, const char *what)
{
  g_set_error (r->error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON,
               _ ("The text is not valid JSON (%s, at byte %zu); send strict JSON (RFC 8259)"), what, (gsize) (r->at - r->start));
  return FALSE;
}

static gboolean
fail_unexpected (Reader *r, const char *what)
{
  return fail (r, r->at == r->end ? _ ("it ends too early") : what);
}

static inline void
skip_space (Reader *r)
{
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
    r->at++;
}

/* Each node but the root follows a comma, a colon or an opening bracket that was counted beforehand. */
static VeilJson *
push (Reader *r, VeilJsonType type)
{
  VeilJson *node;

  if (r->n_stack >= r->doc->finished)
    {
      fail (r, _ ("more values than separators"));
      return NULL;
    }
  node = &r->doc->nodes[r->n_stack++];
  *node = (VeilJson){ .type = type };
  return node;
}

/* At the opening quote. */
static gboolean
read_string (Reader *r)
{
  VeilJson *string = push (r, VEIL_JSON_STRING);
  const char *problem;

  if (string == NULL)
    return FALSE;
  problem = veil_json_read_string (&r->at, r->end, &r->text, string);
  return problem == NULL || fail (r, problem);
}

static gsize
skip_digits (Reader *r)
{
  const guint8 *from = r->at;

  while (r->at < r->end && g_ascii_isdigit (*r->at))
    r->at++;
  return (gsize) (r->at - from);
}

/* Goes over one number; @might_overflow is told without working out the value. */
static gboolean
scan_number (Reader *r, VeilJsonType *type, gboolean *might_overflow)
{
  const guint8 *exponent;
  gboolean leading_zero;
  gsize digits;

  *type = VEIL_JSON_INTEGER;
  r->at += *r->at == '-';
  leading_zero = r->at < r->end && *r->at == '0';
  digits = skip_digits (r);
  if (digits == 0)
    return fail_unexpected (r, _ ("a number without digits"));
  if (leading_zero && digits > 1)
    return fail (r, _ ("a number with a leading zero"));
  *might_overflow = digits > 200;

  if (r->at < r->end && *r->at == '.')
    {
      r->at++;
      *type = VEIL_JSON_FLOAT;
      if (skip_digits (r) == 0)
        return fail_unexpected (r, _ ("a decimal point without digits after it"));
    }
  if (r->at < r->end && (*r->at | 0x20) == 'e')
    {
      r->at++;
      *type = VEIL_JSON_FLOAT;
      exponent = r->at;
      if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
        r->at++;
      if (skip_digits (r) == 0)
        return fail_unexpected (r, _ ("an exponent without digits"));
      *might_overflow |= r->at - exponent > 2;
    }
  return TRUE;
}

static gboolean
read_number (Reader *r)
{
  const guint8 *from = r->at;
  VeilJson *number = push (r, VEIL_JSON_INTEGER);
  gboolean might_overflow = FALSE;
  VeilJsonType type;
  gsize length;

  if (number == NULL || !scan_number (r, &type, &might_overflow))
    return FALSE;
  length = (gsize) (r->at - from);
  memcpy (r->text, from, length);
  r->text[length] = '\0';
  number->type = type;
  number->u.text = r->text;
  number->size = (guint32) length;
  r->text += length + 1;
  if (type == VEIL_JSON_FLOAT && might_overflow && !isfinite (g_ascii_strtod (number->u.text, NULL)))
    return fail (r, _ ("a number too large for a double"));
  if (type == VEIL_JSON_INTEGER && length == 2 && memcmp (number->u.text, "-0", 2) == 0)
    {
      number->u.text++;
      number->size--;
    }
  return TRUE;
}

static gboolean
read_literal (Reader *r, const char *word, VeilJsonType type)
{
  gsize length = strlen (word);

  if ((gsize) (r->end - r->at) < length || memcmp (r->at, word, length) != 0)
    return fail (r, _ ("an unknown word"));
  r->at += length;
  return push (r, type) != NULL;
}

/* At the closing bracket of the innermost container: its children move to the back, and it is a finished value itself. */
static gboolean
close_container (Reader *r)
{
  VeilJson *container = &r->doc->nodes[r->open];
  VeilJson *children = container + 1;
  gsize n_nodes = r->n_stack - r->open - 1;
  guint count = (guint) n_nodes;

  r->at++;
  if (container->type == VEIL_JSON_OBJECT)
    {
      if (!veil_json_order_members (children, (guint) (n_nodes / 2), &count, &r->doc->duplicates))
        {
          g_set_error (r->error, VEIL_ERROR, VEIL_ERROR_TOO_LARGE,
                       _ ("There is not enough memory to read a JSON object of %zu members; send less at once"), n_nodes / 2);
          return FALSE;
        }
      r->doc->repeats |= count < n_nodes / 2;
      n_nodes = 2 * (gsize) count;
    }
  r->doc->stacked = MAX (r->doc->stacked, r->n_stack);
  r->doc->finished -= n_nodes;
  memmove (r->doc->nodes + r->doc->finished, children, n_nodes * sizeof *children);
  r->n_stack = r->open + 1;
  r->open = container->u.parent;
  r->depth--;
  container->size = count;
  container->u.children = r->doc->nodes + r->doc->finished;
  return TRUE;
}

/* At an opening bracket. */
static gboolean
open_container (Reader *r, VeilJsonType type)
{
  VeilJson *container = push (r, type);

  if (container == NULL)
    return FALSE;
  if (r->depth == VEIL_JSON_MAX_DEPTH)
    return fail (r, _ ("it is nested too deeply"));
  r->depth++;
  r->at++;
  container->u.parent = r->open;
  r->open = r->n_stack - 1;
  return TRUE;
}

/* "key": up to the value. */
static gboolean
read_key (Reader *r)
{
  if (r->at == r->end || *r->at != '"')
    return fail_unexpected (r, _ ("something other than a key"));
  if (!read_string (r))
    return FALSE;
  skip_space (r);
  if (r->at == r->end || *r->at != ':')
    return fail_unexpected (r, _ ("a key without a colon"));
  r->at++;
  skip_space (r);
  return TRUE;
}

/* One value; of a container only its opening bracket (and its first key), unless it is empty. @opened says so. */
static gboolean
read_value (Reader *r, gboolean *opened)
{
  VeilJsonType type;

  *opened = FALSE;
  switch (r->at < r->end ? *r->at : '\0')
    {
    case '"':
      return read_string (r);
    case 't':
      return read_literal (r, "true", VEIL_JSON_TRUE);
    case 'f':
      return read_literal (r, "false", VEIL_JSON_FALSE);
    case 'n':
      return read_literal (r, "null", VEIL_JSON_NULL);
    case '{':
    case '[':
      type = *r->at == '{' ? VEIL_JSON_OBJECT : VEIL_JSON_ARRAY;
      if (!open_container (r, type))
        return FALSE;
      skip_space (r);
      if (r->at < r->end && *r->at == (type == VEIL_JSON_OBJECT ? '}' : ']'))
        return close_container (r);
      *opened = TRUE;
      return type == VEIL_JSON_ARRAY || read_key (r);
    default:
      if (r->at < r->end && (*r->at == '-' || g_ascii_isdigit (*r->at)))
        return read_number (r);
      return fail_unexpected (r, _ ("something other than a value"));
    }
}

/* After a value inside a container: closes as many as end here. @more says that another value follows. */
static gboolean
read_after_value (Reader *r, gboolean *more)
{
  *more = FALSE;
  while (r->open != NONE)
    {
      gboolean object = r->doc->nodes[r->open].type == VEIL_JSON_OBJECT;

      skip_space (r);
      if (r->at < r->end && *r->at == ',')
        {
          r->at++;
          skip_space (r);
          *more = TRUE;
          return !object || read_key (r);
        }
      if (r->at == r->end || *r->at != (object ? '}' : ']'))
        return fail_unexpected (r, _ ("something other than a comma or a closing bracket"));
      if (!close_container (r))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_document (Reader *r)
{
  gboolean opened, more = TRUE;

  skip_space (r);
  while (more)
    {
      if (!read_value (r, &opened))
        return FALSE;
      if (opened)
        skip_space (r);
      else if (!read_after_value (r, &more))
        return FALSE;
    }
  skip_space (r);
  return r->at == r->end || fail (r, _ ("text after the value"));
}

typedef guint8 Lanes __attribute__ ((vector_size (16)));

/* How many nodes the text can hold at most: one, and one more for each separator, those inside strings included. */
static gsize
count_nodes (const guint8 *text, gsize length)
{
  gsize count = 1;
  gsize i = 0;

  while (length - i >= sizeof (Lanes))
    {
      gsize stop = i + MIN ((length - i) / sizeof (Lanes), 255) * sizeof (Lanes);
      Lanes sums = { 0 };

      for (; i < stop; i += sizeof (Lanes))
        {
          Lanes lanes;

          memcpy (&lanes, text + i, sizeof lanes);
          sums -= (Lanes) ((lanes == ',') | (lanes == ':') | ((lanes | 0x20) == '{'));
        }
      for (guint lane = 0; lane < sizeof (Lanes); lane++)
        count += sums[lane];
    }
  for (; i < length; i++)
    count += text[i] == ',' || text[i] == ':' || (text[i] | 0x20) == '{';
  return count;
}

/* Never more text than was read: a string loses two quotes and gains a NUL, a number is followed by a separator or the end. */
static VeilJsonDoc *
doc_alloc (const char *text, gsize length, GError **error)
{
  VeilJsonDoc *doc = g_new0 (VeilJsonDoc, 1);

  g_atomic_ref_count_init (&doc->refs);
  if (length <= VEIL_JSON_MAX_LENGTH)
    {
      doc->capacity = count_nodes ((const guint8 *) text, length);
      doc->finished = doc->capacity;
      doc->text = g_try_malloc (length + 1 + VEIL_JSON_TEXT_SLACK);
      doc->nodes = g_try_new (VeilJson, doc->capacity);
    }
  if (doc->text == NULL || doc->nodes == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_TOO_LARGE,
                   _ ("A JSON text of %zu bytes is more than can be read; send less at once"), length);
      g_clear_pointer (&doc, veil_json_doc_unref);
    }
  return doc;
}

VeilJsonDoc *
veil_json_doc_new (const char *text, gsize length, GError **error)
{
  g_autoptr (VeilJsonDoc) doc = doc_alloc (text, length, error);
  Reader r = { .doc = doc, .open = NONE, .error = error };
  gboolean complete;

  if (doc == NULL)
    return NULL;
  /* An empty GBytes has no data. */
  r.start = r.at = (const guint8 *) (text != NULL ? text : "");
  r.end = r.start + length;
  r.text = doc->text;
  complete = read_document (&r);
  doc->text_used = (gsize) (r.text - doc->text);
  doc->stacked = MAX (doc->stacked, r.n_stack);
  return complete ? g_steal_pointer (&doc) : NULL;
}
