# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""backend.py yes|no: what a desktop puts behind xdg-desktop-portal for background and autostart. Answers its questions as the person would who says that,
and writes each question and wish to standard output, a JSON list a line."""

import json
import sys

from gi.repository import Gio, GLib

NAME = 'org.freedesktop.impl.portal.desktop.test'
XML = '''<node>
<interface name="org.freedesktop.impl.portal.Access"><method name="AccessDialog"><arg type="o" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="a{sv}" direction="in"/>
<arg type="u" direction="out"/><arg type="a{sv}" direction="out"/></method></interface>
<interface name="org.freedesktop.impl.portal.Background"><method name="GetAppState"><arg type="a{sv}" direction="out"/></method>
<method name="NotifyBackground"><arg type="o" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="u" direction="out"/>
<arg type="a{sv}" direction="out"/></method>
<method name="EnableAutostart"><arg type="s" direction="in"/><arg type="b" direction="in"/><arg type="as" direction="in"/><arg type="u" direction="in"/>
<arg type="b" direction="out"/></method></interface>
</node>'''
connection = Gio.bus_get_sync(Gio.BusType.SESSION)


def asked(_connection, _sender, _path, _interface, method, parameters, invocation):
    arguments = parameters.unpack()
    if method == 'GetAppState':
        invocation.return_value(GLib.Variant('(a{sv})', ({},)))
        return
    print(json.dumps([method, *arguments[:5]]), flush=True)
    if method == 'AccessDialog':
        invocation.return_value(GLib.Variant('(ua{sv})', (0 if sys.argv[1] == 'yes' else 1, {})))
    elif method == 'NotifyBackground':
        invocation.return_value(GLib.Variant('(ua{sv})', (0, {'result': GLib.Variant('u', 2)})))
    else:
        invocation.return_value(GLib.Variant('(b)', (arguments[1],)))


for interface in Gio.DBusNodeInfo.new_for_xml(XML).interfaces:
    connection.register_object('/org/freedesktop/portal/desktop', interface, asked, None, None)
Gio.bus_own_name_on_connection(connection, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: print('ready', flush=True), None)
GLib.MainLoop().run()
