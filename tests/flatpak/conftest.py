# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
import pytest
from sandboxed import Installation


@pytest.fixture(scope='session')
def installation():
    made = Installation()
    yield made
    made.close()
