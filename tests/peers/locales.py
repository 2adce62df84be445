# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Locales of a test's own, whatever the machine has: made once for a build, by localedef."""

import os
import pathlib
import shutil
import subprocess
import tempfile


def make(name):
    """LOCPATH of a locale such as "de_DE"; it is called de_DE.UTF-8 there."""
    folder = pathlib.Path(os.environ['VEIL_TEST_CACHE'], 'locales')
    folder.mkdir(exist_ok=True)
    if not (folder / (name + '.UTF-8')).is_dir():
        fresh = tempfile.mkdtemp(dir=folder)
        done = subprocess.run(['localedef', '--no-archive', '-i', name, '-f', 'UTF-8', os.path.join(fresh, 'made')], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        try:
            os.rename(os.path.join(fresh, 'made'), folder / (name + '.UTF-8'))
        except OSError:  # another test was faster
            assert (folder / (name + '.UTF-8')).is_dir()
        shutil.rmtree(fresh)
    return folder
