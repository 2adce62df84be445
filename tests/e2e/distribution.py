# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Packages that are installed here, as the stuff of which tests make systems of their own in folders."""

import os
import pathlib
import re
import shutil
import subprocess


def closure(packages):
    """With all that they depend on, of what is installed here: the first of several ways, as apt would take it."""
    rows = subprocess.run(['dpkg-query', '-W', '-f', '${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n'], capture_output=True, text=True, check=True).stdout
    needs, provided = {}, {}
    for row in re.sub(r' *\([^)]*\)|:any', '', rows).splitlines():
        name, provides, depends = row.split('\t')
        needs.setdefault(name, []).extend(way.split('|') for way in depends.split(',') if way.strip())
        for virtual in filter(None, provides.split(',')):
            provided.setdefault(virtual.strip(), name)
    found, left = set(), [[name] for name in packages]
    while left:
        ways = [way.strip() for way in left.pop()]
        name = next((way if way in needs else provided[way] for way in ways if way in needs or way in provided), None)
        assert name, 'nothing here is %s' % ' or '.join(ways)
        if name not in found:
            found.add(name)
            left += needs[name]
    return found


def copy_packages(root, packages):
    """The files of @packages. Whole folders of documentation are left behind, as the slim image does."""
    listed = subprocess.run(['dpkg-query', '-L', *sorted(packages)], capture_output=True, text=True, check=True).stdout.split('\n')
    for name in sorted(set(listed)):
        source = pathlib.Path(name)
        if not name.startswith('/') or re.match(r'/usr/share/(doc|man|locale|info|lintian)/', name) or not os.path.lexists(name):
            continue
        target = root / os.path.relpath(source.parent.resolve() / source.name, '/')
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(target):
                target.symlink_to(os.readlink(source))
        elif source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
