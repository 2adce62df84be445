# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A background portal that answers as its argument says; what it was asked goes to standard output, a JSON object a line."""

import json
import os
import sys

from gi.repository import Gio, GLib

XML = '''<node><interface name="org.freedesktop.portal.Background"><method name="RequestBackground"><arg type="s" direction="in"/>
<arg type="a{sv}" direction="in"/><arg type="o" direction="out"/></method></interface></node>'''
PATH = '/org/freedesktop/portal/desktop'
how = sys.argv[1]
connection = Gio.bus_get_sync(Gio.BusType.SESSION)


def respond(sender, handle, code, results):
    connection.emit_signal(sender, handle, 'org.freedesktop.portal.Request', 'Response',
                           GLib.Variant('(ua{sv})', (code, {key: GLib.Variant('b', value) for key, value in results.items()})))


def asked(_connection, sender, _path, _interface, _method, parameters, invocation):
    parent, options = parameters.unpack()
    print(json.dumps({'parent': parent, **options}), flush=True)
    handle = '%s/request/%s/%s' % (PATH, sender[1:].replace('.', '_'), options['handle_token'])
    if how == 'error':
        invocation.return_dbus_error('org.freedesktop.portal.Error.NotAllowed', 'not today')
        return
    if how == 'old':
        handle = PATH + '/request/of/another/kind'
    if how == 'early':
        respond(sender, handle, 0, {'background': True, 'autostart': True})
    invocation.return_value(GLib.Variant('(o)', (handle,)))
    connection.flush_sync()
    if how == 'ends':
        os._exit(0)
    if how == 'odd':
        connection.emit_signal(sender, handle, 'org.freedesktop.portal.Request', 'Response', GLib.Variant('(s)', ('nonsense',)))
    # Another's response must not count.
    respond(sender, handle + 'x', 0, {'background': True, 'autostart': True})
    code, results = {'refused': (1, {}), 'failed': (2, {}), 'no-autostart': (0, {'background': True, 'autostart': False}), 'silent': (0, {})}.get(
        how, (0, {'background': True, 'autostart': options['autostart']}))
    respond(sender, handle, code, results)


connection.register_object(PATH, Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], asked, None, None)
Gio.bus_own_name_on_connection(connection, 'org.freedesktop.portal.Desktop', Gio.BusNameOwnerFlags.NONE, lambda *_: print('ready', flush=True), None)
GLib.MainLoop().run()
