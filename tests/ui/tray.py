# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The tray as a panel sees it: the icon's properties, the menu as a tree, clicks; and xfce4-panel itself."""

import os

import dbus
from desktop import Desktop, wait_until
from notifications import Notifications

PANEL = '''<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="%(dark)s"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="icon-size" type="uint" value="22"/>
      <property name="size" type="uint" value="36"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
'''


class PanelDesktop(Desktop):
    """With xfce4-panel along the upper edge, which shows nothing but tray icons."""

    def __init__(self, panel=True, dark=True, **options):
        super().__init__(services=('org.a11y.Bus.service', 'org.xfce.Xfconf.service'), **options)
        self.notifications = Notifications(self)
        self.dark = dark
        self.panel = None
        if panel:
            self.start_panel()

    def start_panel(self):
        folder = os.path.join(self.env['XDG_CONFIG_HOME'], 'xfce4', 'xfconf', 'xfce-perchannel-xml')
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, 'xfce4-panel.xml')
        if not os.path.exists(path):
            with open(path, 'w') as config:
                config.write(PANEL % {'dark': 'true' if self.dark else 'false'})
        # Its own accessibility is not what is tested.
        self.panel = self.start(['xfce4-panel', '--disable-wm-check', '--sm-client-disable'], env={'NO_AT_BRIDGE': '1'})
        wait_until(lambda: self.owns('org.kde.StatusNotifierWatcher'), 'the panel')

    def stop_panel(self):
        self.end(self.panel)
        wait_until(lambda: not self.owns('org.kde.StatusNotifierWatcher'), 'the end of the panel')


class Tray:
    """The icon of @app, through D-Bus."""

    def __init__(self, app):
        self.bus = app.desktop.bus
        self.name = wait_until(lambda: app.name, 'the icon on the bus')

    def call(self, path, interface, method, signature='', *arguments):
        return self.bus.call_blocking(self.name, path, interface, method, signature, list(arguments))

    def get(self, name):
        return self.call('/StatusNotifierItem', 'org.freedesktop.DBus.Properties', 'Get', 'ss', 'org.kde.StatusNotifierItem', name)

    @property
    def icon(self):
        return str(self.get('IconName')).removeprefix('ai.opengradient.Veil-').removesuffix('-symbolic')

    def activate(self):
        self.call('/StatusNotifierItem', 'org.kde.StatusNotifierItem', 'Activate', 'ii', 0, 0)

    def menu(self, method, signature='', *arguments):
        return self.call(str(self.get('Menu')), 'com.canonical.dbusmenu', method, signature, *arguments)

    def rows(self):
        """All items as (path of labels, id, properties); without separators and mnemonics."""
        def walk(node, path):
            for child in node[2]:
                number, properties, _ = child
                here = path + (str(properties.get('label', '')).replace('_', ''),)
                if properties.get('type') != 'separator':
                    yield here, int(number), properties
                yield from walk(child, here)
        return list(walk(self.menu('GetLayout', 'iias', 0, -1, dbus.Array([], 's'))[1], ()))

    def find(self, *path):
        return next(((number, properties) for here, number, properties in self.rows() if here == path), None)

    def click(self, *path):
        def find():
            row = self.find(*path)
            return row if row and row[1].get('enabled', True) else None
        row = wait_until(find, 'the menu item %s, enabled' % ' / '.join(path))
        self.menu('Event', 'isvu', row[0], 'clicked', dbus.String('', variant_level=1), 0)

    @property
    def status(self):
        return self.rows()[0][0][0]
