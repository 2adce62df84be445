/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* From an exchange's events to what answers it. */
#pragma once

#include "exchange.h"

G_BEGIN_DECLS

/* Decides on the headers alone: refuses, answers, or goes on with the body. */
void veil_route_headers (VeilExchange *exchange);

/* Of requests that were not refused: POST /v1/chat/completions. */
void veil_route_chat (VeilExchange *exchange);
void veil_route_chunk (VeilExchange *exchange, GBytes *chunk);
void veil_route_body (VeilExchange *exchange);

G_END_DECLS
