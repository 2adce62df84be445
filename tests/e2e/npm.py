# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Packages of the npm registry for a test: in the build folder, as the lock file says, again only when that changes."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess


def install(source):
    """@source: a folder with package.json, its lock file and scripts. Returns the folder in which they lie beside node_modules."""
    folder = pathlib.Path(os.environ['VEIL_TEST_CACHE']) / source.name
    folder.mkdir(parents=True, exist_ok=True)
    lock = (source / 'package-lock.json').read_bytes()
    assert b'"resolved"' not in lock, 'the lock file names a registry host'
    with open(folder / 'lock', 'w') as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        stamp = folder / 'installed'
        wanted = hashlib.sha256(lock).hexdigest()
        if not stamp.exists() or stamp.read_text() != wanted:
            for name in ('package.json', 'package-lock.json'):
                shutil.copy(source / name, folder)
            done = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--fetch-retries=5'], cwd=folder,
                                  capture_output=True, timeout=600)
            assert done.returncode == 0, done.stderr.decode(errors='replace')
            stamp.write_text(wanted)
        for path in source.iterdir():
            if path.is_file() and path.name not in ('package.json', 'package-lock.json'):
                shutil.copy(path, folder)
    return folder
