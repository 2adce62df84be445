# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A short soak; `meson test --benchmark soak` is the long one."""

from soak import Soak


def test_short_soak(tmp_path):
    soak = Soak(tmp_path, threads=8, seed=4)
    soak.registry.remove('registry-hang')  # 20 seconds without new keys are nothing in the long soak, but all of this one
    result = soak.run(600)
    soak.report(result)
    assert not soak.failures, soak.failures[:5]
    assert sum(soak.outcomes.values()) == 600 and soak.outcomes['verified'] > 200 and soak.outcomes['refused as it must be'] > 60, soak.outcomes
    assert result['longest'] < 30
    assert result['files_after'] <= result['files_before'] + 12
    soak.veil.stop()
