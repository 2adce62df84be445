/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* libveil: private and verified inference. Include this header; the others come with it. */
#pragma once

#include "veil-answer.h"
#include "veil-attestation-document.h"
#include "veil-attestation-report.h"
#include "veil-authorization.h"
#include "veil-bundle.h"
#include "veil-chooser.h"
#include "veil-client.h"
#include "veil-enclave.h"
#include "veil-enums.h"
#include "veil-error.h"
#include "veil-macros.h"
#include "veil-registry-client.h"
#include "veil-request.h"
#include "veil-seal.h"
#include "veil-signed-receipt.h"
#include "veil-verification.h"
