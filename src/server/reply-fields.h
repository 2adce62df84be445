/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What single replies and chunks have in common. */
#pragma once

#include "reply.h"

G_BEGIN_DECLS

/* A top-level extra of that name and type, or NULL. */
const VeilJson *veil_reply_find_extra (VeilChatAnswer *answer, const char *name, VeilJsonType type);

/* Members id, object, created, model. */
void            veil_reply_write_identity (VeilJsonWriter *writer, VeilChatAnswer *answer, const VeilReplyOptions *options, const char *object);

/* Members that are passed on as they are, except those that a reply writes itself. */
void            veil_reply_write_extras (VeilJsonWriter *writer, VeilChatAnswer *answer, gboolean in_message);

/* Member usage; null if @or_null and not known, else left out. */
void            veil_reply_write_usage (VeilJsonWriter *writer, VeilChatAnswer *answer, gboolean or_null);

/* Member opengradient_verification, and opengradient_receipt where it is asked for. */
void            veil_reply_write_proof (VeilJsonWriter *writer, VeilChatAnswer *answer, const VeilReplyOptions *options);

G_END_DECLS
