# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A Debian in a folder: files and package database of what is installed here, as far as asked for and no further. Packages are installed, run and removed in
it; nothing of the system around it changes."""

import os
import pathlib
import re
import subprocess

from distribution import closure, copy_packages
from program import DEADLINE

DATABASE = 'var/lib/dpkg'
HOST = pathlib.Path('/') / DATABASE
NOBODY = '65534:65534'


def essential():
    rows = subprocess.run(['dpkg-query', '-W', '-f', '${Essential} ${Package}\n'], capture_output=True, text=True, check=True).stdout
    return [row.split()[1] for row in rows.splitlines() if row.startswith('yes ')]


class Scratch:
    def __init__(self, path):
        self.path, self.there = pathlib.Path(path), set()
        self.path.mkdir(mode=0o755)
        for name in ('bin', 'sbin', 'lib', 'lib64'):
            (self.path / 'usr' / name).mkdir(parents=True)
            (self.path / name).symlink_to('usr/' + name)
        for name in ('dev', 'etc', 'tmp', 'var/tmp', 'run', DATABASE + '/info', DATABASE + '/updates', DATABASE + '/triggers'):
            (self.path / name).mkdir(parents=True)
        for name in ('tmp', 'var/tmp'):
            (self.path / name).chmod(0o1777)
        (self.path / 'dev/null').touch()
        (self.path / 'dev/null').chmod(0o666)
        (self.path / DATABASE / 'status').touch()
        (self.path / DATABASE / 'info/format').write_text('1\n')
        self.add(essential())

    def add(self, packages):
        """With all that they need."""
        new = closure(packages) - self.there
        copy_packages(self.path, new)
        self.there |= new
        database = self.path / DATABASE
        with open(database / 'status', 'a') as status:
            for stanza in (HOST / 'status').read_text().split('\n\n'):
                name = re.match(r'Package: (\S+)', stanza)
                if name and name[1] in new and '\nStatus: install ok installed\n' in stanza:
                    status.write(stanza.strip('\n') + '\n\n')
        for path in (HOST / 'info').iterdir():
            if path.name.rpartition('.')[0].partition(':')[0] in new:
                (database / 'info' / path.name).write_bytes(path.read_bytes())
                (database / 'info' / path.name).chmod(path.stat().st_mode & 0o777)
        for path in (HOST / 'triggers').iterdir():
            if path.name in ('Lock', 'Unincorp'):
                continue
            # "PACKAGE" in the files of named triggers, "FILE PACKAGE" in that of files.
            rows = [row for row in path.read_text().splitlines() if re.split('[:/]', row.split()[-1])[0] in self.there]
            (database / 'triggers' / path.name).write_text(''.join(row + '\n' for row in rows))
        self.inside(['/sbin/ldconfig'], user='0:0', check=True)

    def files(self):
        return {str(path.relative_to(self.path)) for path in self.path.rglob('*') if not path.is_relative_to(self.path / DATABASE)}

    def listed(self):
        """What the packages that are left call theirs; documentation is not copied, so their folders may come later."""
        return {row[1:] for path in (self.path / DATABASE / 'info').glob('*.list') for row in path.read_text().splitlines()}

    def dpkg(self, *args):
        env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8', 'DEBIAN_FRONTEND': 'noninteractive'}
        command = ['dpkg', '--root', str(self.path), '--force-unsafe-io', *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=5 * DEADLINE)
        assert done.returncode == 0, done
        return done.stdout

    def prefix(self, user=NOBODY, **env):
        """Nothing of this system but the kernel: no display, no bus, no home."""
        env = {'PATH': '/usr/bin:/bin', 'HOME': '/nonexistent', **env}
        return ['/usr/bin/env', '-i', *('%s=%s' % item for item in env.items()), '/usr/sbin/chroot', '--userspec', user, str(self.path)]

    def inside(self, command, user=NOBODY, check=False, **env):
        done = subprocess.run([*self.prefix(user, **env), *command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=5 * DEADLINE)
        assert not check or done.returncode == 0, done
        return done

    def home(self, name):
        """A folder of nobody's own, as seen from inside."""
        path = self.path / 'tmp' / name
        path.mkdir(mode=0o700)
        os.chown(path, *map(int, NOBODY.split(':')))
        return '/tmp/' + name
