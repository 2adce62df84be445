/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What makes a symbol part of libveil's interface: every other one is hidden (the build says so for all of the tree). */
#pragma once

#if defined(__GNUC__)
#define VEIL_EXPORT __attribute__ ((visibility ("default"))) extern
#else
#define VEIL_EXPORT extern
#endif
