# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Owns the Secret Service's name and never answers a call."""

from gi.repository import Gio, GLib

connection = Gio.bus_get_sync(Gio.BusType.SESSION)
# Whatever is called stays unanswered, Introspect and Properties included.
connection.add_filter(lambda c, message, incoming: None if incoming and message.get_message_type() == Gio.DBusMessageType.METHOD_CALL else message)
Gio.bus_own_name_on_connection(connection, 'org.freedesktop.secrets', Gio.BusNameOwnerFlags.NONE,
                               lambda *_: print('ready', flush=True), lambda *_: GLib.MainLoop().quit())
GLib.MainLoop().run()
