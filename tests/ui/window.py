# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window as a screen reader sees it: its accessible tree, to look at and to drive it by."""

import contextlib
import os
import re

from desktop import wait_until
from gi.repository import GLib

STATES = ('FOCUSABLE', 'FOCUSED', 'SHOWING', 'VISIBLE', 'SENSITIVE', 'CHECKED', 'SELECTED')


def connect(desktop):
    """AT-SPI belongs to a process: one desktop for each."""
    os.environ['DISPLAY'] = desktop.env['DISPLAY']
    os.environ['DBUS_SESSION_BUS_ADDRESS'] = desktop.env['DBUS_SESSION_BUS_ADDRESS']
    os.environ['XDG_RUNTIME_DIR'] = desktop.env['XDG_RUNTIME_DIR']
    # The accessibility bus is started here, before the program, which is not to wait for it.
    desktop.bus.call_blocking('org.a11y.Bus', '/org/a11y/bus', 'org.a11y.Bus', 'GetAddress', '', [])
    import gi
    gi.require_version('Atspi', '2.0')
    from gi.repository import Atspi
    Atspi.init()
    # By itself it waits 0.8 s for an answer, and then says that there is no name, no child: of a program that was only slow.
    Atspi.set_timeout(15000, 15000)
    return Atspi


class Node:
    def __init__(self, atspi, accessible):
        self.atspi, self.accessible = atspi, accessible

    def get(self, read, fallback):
        with contextlib.suppress(Exception):  # it may have gone meanwhile: GLib.Error, or None for what it was
            return read()
        return fallback

    @property
    def name(self):
        """Without mnemonics. GTK 4.8 says the label of a button with a mnemonic twice, as written and as shown: "_Send Send"."""
        name = self.get(lambda: self.accessible.get_name(), '') or ''
        for at in (i for i, c in enumerate(name) if c == ' '):
            if name[:at].replace('_', '') == name[at + 1:].replace('_', ''):
                return name[at + 1:].replace('_', '')
        return name

    @property
    def description(self):
        return self.get(lambda: self.accessible.get_description(), '') or ''

    @property
    def role(self):
        return self.get(lambda: self.accessible.get_role_name(), '') or ''

    def has(self, *states):
        found = self.get(lambda: self.accessible.get_state_set(), None)
        return found is not None and all(found.contains(getattr(self.atspi.StateType, state)) for state in states)

    @property
    def children(self):
        count = self.get(lambda: self.accessible.get_child_count(), 0)
        found = [self.get(lambda i=i: self.accessible.get_child_at_index(i), None) for i in range(count)]
        return [Node(self.atspi, child) for child in found if child is not None]

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_seen(self):
        """GTK 4.8 says SHOWING of windows alone; what has never been on the screen has no size."""
        place = self.get(lambda: self.accessible.get_extents(self.atspi.CoordType.WINDOW), None)
        return self.has('VISIBLE') and (place is None or (place.width > 0 and place.height > 0))

    def showing(self):
        """What a person could see: nothing of what is in hidden pages."""
        if not self.is_seen:
            return
        yield self
        for child in self.children:
            yield from child.showing()

    def act(self, index=0):
        assert self.accessible.do_action(index), self

    @property
    def text(self):
        return self.get(lambda: self.atspi.Text.get_text(self.accessible, 0, -1), '') or ''

    def __repr__(self):
        return '<%s %r>' % (self.role, self.name)


class Window:
    def __init__(self, app, atspi):
        self.app, self.atspi = app, atspi

    @property
    def root(self):
        return next(iter(self.roots), None)

    @property
    def program(self):
        """What the windows are the children of; None before it says so."""
        desk = self.atspi.get_desktop(0)
        for i in range(desk.get_child_count()):
            with contextlib.suppress(GLib.Error):  # one that ends, or begins anew
                child = desk.get_child_at_index(i)
                if child is not None and child.get_process_id() == self.app.process.pid:
                    child.set_cache_mask(self.atspi.Cache.NONE)  # nothing here runs a main loop that would keep it fresh
                    return child
        return None

    @property
    def roots(self):
        """The window, and dialogs of its own, of which GTK 4.8 does not say SHOWING; they go when they are closed."""
        program = self.program
        frames = Node(self.atspi, program).children if program else []
        return [frame for frame in frames if frame.has('SHOWING') or frame.role == 'dialog' and frame.has('VISIBLE')]

    def ask_for_more(self, count=3):
        """For windows that are not there, as a screen reader does when one closes after it has counted them: GTK 4.8 answers with the last one, and crashes if that
        is hidden."""
        program = self.program
        for beyond in range(count if program else 0):
            with contextlib.suppress(GLib.Error):
                program.get_child_at_index(program.get_child_count() + beyond)

    def showing(self):
        return [node for root in self.roots for node in root.showing()]

    def find(self, name, role=None, timeout=None, **states):
        def look():
            return next((n for root in self.roots for n in root.showing() if n.name == name and (role is None or n.role == role)), None)
        options = {'timeout': timeout} if timeout else {}
        return wait_until(look, '%s %r' % (role or 'something called', name), **options)

    def says(self, text):
        """Somewhere in what can be seen."""
        return any(text in n.name or text in n.description or text in n.text for n in self.showing())

    def requests(self):
        """The rows of the list of requests."""
        table = next((n for n in self.showing() if n.name == 'Requests' and n.role in ('list', 'list box')), None)
        return [row for row in table.children if row.is_seen] if table else []

    def press(self, name, role=None):
        node = self.find(name, role)
        wait_until(lambda: node.has('SENSITIVE'), '%r to be sensitive' % name)
        node.act()

    def click(self, node):
        """By mouse, in the window that it is in: what has no action in GTK 4.8."""
        run = self.app.desktop.run
        top = self.top(node)
        window = self.focus_window(top.name)
        geometry = dict(row.split('=') for row in run('xdotool', 'getwindowgeometry', '--shell', window).decode().split())
        frame = top.accessible.get_extents(self.atspi.CoordType.WINDOW)
        place = wait_until(lambda: self.place(node), 'the place of %r' % node)
        x = (int(geometry['WIDTH']) - frame.width) // 2 + place.x + place.width // 2
        y = (int(geometry['HEIGHT']) - frame.height) // 2 + place.y + place.height // 2
        run('xdotool', 'mousemove', '--window', window, str(x), str(y), 'click', '1')

    def place(self, node):
        """Where it is in its window, once it has a size and stays there; else None."""
        first, second = (node.get(lambda: node.accessible.get_extents(self.atspi.CoordType.WINDOW), None) for _ in range(2))
        same = first and second and (first.x, first.y, first.width, first.height) == (second.x, second.y, second.width, second.height)
        return second if same and second.width > 0 and second.height > 0 else None

    def paste(self, name):
        """From the clipboard into that row of text, which has the focus. What is pasted comes later than the keys."""
        self.keys('ctrl+v')
        row = self.find(name, 'text')
        wait_until(lambda: row.get(lambda: self.atspi.Text.get_character_count(row.accessible), 0) > 0, 'the pasted text')

    def top(self, node):
        """The window or dialog that @node is in."""
        while node.role not in ('frame', 'dialog'):
            node = Node(self.atspi, node.accessible.get_parent())
        return node

    def keys(self, *keys):
        self.app.desktop.run('xdotool', 'key', '--clearmodifiers', *keys)

    def focus_window(self, title='Veil'):
        """Waits for it and gives it the keys that are pressed from now on, which a window that has only just come need not have. Returns its number."""
        desktop = self.app.desktop
        number = wait_until(lambda: desktop.windows('^%s$' % re.escape(title)), 'the window %r' % title)[0]
        desktop.run('xdotool', 'windowactivate', '--sync', number)
        return number

    def focused(self):
        """What has the focus, as far as GTK tells."""
        roots = self.roots
        dialogs = [root for root in roots if root.role == 'dialog']  # all else is out of reach then
        return [node for root in dialogs or roots for node in root.showing() if node.has('FOCUSED') and node.role != 'frame']

    def focused_path(self):
        """That, and what is in it."""
        return [inner for node in self.focused() for inner in node.walk()]

    def tab_to(self, name, role, key='Tab'):
        """Gives it the focus, with that key alone; @name may be how its name begins."""
        for _ in range(60):
            if [node for node in self.focused() if node.name.startswith(name) and node.role == role]:
                return
            self.keys(key)
        raise AssertionError('the Tab key does not come to %r' % name)
