/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "models.h"

#include "json-writer.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

struct _VeilModels
{
  VeilJsonDoc *doc;      /* owned; NULL when empty */
  const VeilJson *array; /* of doc */
};

VeilModels *
veil_models_new (void)
{
  return g_new0 (VeilModels, 1);
}

static gboolean
check_models (const VeilJson *array, const char *path, GError **error)
{
  gboolean good = veil_json_is (array, VEIL_JSON_ARRAY);

  for (guint i = 0; good && i < veil_json_get_size (array); i++)
    {
      const VeilJson *model = veil_json_get_element (array, i);

      good = veil_json_get_string (veil_json_get_member (model, "id"), NULL) != NULL &&
             veil_json_get_string (veil_json_get_member (model, "provider"), NULL) != NULL;
    }
  if (!good)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                 _ ("%s is not a list of models; it needs \"models\" with \"id\" and \"provider\" each"), path);
  return good;
}

VeilModels *
veil_models_new_from_file (const char *path, GError **error)
{
  g_autoptr (VeilModels) self = veil_models_new ();
  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &local_error))
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("The list of models cannot be read: %s"),
                   local_error->message);
      return NULL;
    }
  self->doc = veil_json_doc_new (text, length, error);
  if (self->doc == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  self->array = veil_json_get_member (veil_json_doc_get_root (self->doc), "models");
  return check_models (self->array, path, error) ? g_steal_pointer (&self) : NULL;
}

void
veil_models_free (VeilModels *self)
{
  g_clear_pointer (&self->doc, veil_json_doc_unref);
  g_free (self);
}

static void
write_model (VeilJsonWriter *writer, const VeilJson *model)
{
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "id");
  veil_json_writer_value (writer, veil_json_get_member (model, "id"));
  veil_json_writer_key (writer, "object");
  veil_json_writer_string (writer, "model");
  veil_json_writer_key (writer, "created");
  veil_json_writer_uint (writer, 0); /* clients want a number; nobody here knows it */
  veil_json_writer_key (writer, "owned_by");
  veil_json_writer_value (writer, veil_json_get_member (model, "provider"));
  veil_json_writer_end_object (writer);
}

GBytes *
veil_models_list_to_bytes (VeilModels *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "object");
  veil_json_writer_string (writer, "list");
  veil_json_writer_key (writer, "data");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < veil_json_get_size (self->array); i++)
    write_model (writer, veil_json_get_element (self->array, i));
  veil_json_writer_end_array (writer);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}

static const VeilJson *
find_model (VeilModels *self, const char *id)
{
  for (guint i = 0; i < veil_json_get_size (self->array); i++)
    {
      const VeilJson *model = veil_json_get_element (self->array, i);
      const char *provider = veil_json_get_string (veil_json_get_member (model, "provider"), NULL);
      gsize length = strlen (provider);

      if (veil_json_equals (veil_json_get_member (model, "id"), id))
        return model;
      if (strncmp (id, provider, length) == 0 && id[length] == '/' &&
          veil_json_equals (veil_json_get_member (model, "id"), id + length + 1))
        return model;
    }
  return NULL;
}

GBytes *
veil_models_one_to_bytes (VeilModels *self, const char *id)
{
  const VeilJson *model = find_model (self, id);
  VeilJsonWriter *writer;

  if (model == NULL)
    return NULL;
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  write_model (writer, model);
  return veil_json_writer_finish (writer);
}
