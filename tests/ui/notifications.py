# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A notification daemon (org.freedesktop.Notifications): writes each notification as a line of JSON, and clicks the ones whose ids it reads."""

import json
import subprocess
import sys
import threading
import time

NAME = 'org.freedesktop.Notifications'


class Notifications:
    """The daemon as the test sees it."""

    def __init__(self, desktop):
        self.seen = []
        self.process = desktop.start([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == 'ready\n'
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.seen.append(json.loads(line))
                self.changed.notify_all()

    def wait(self, count, timeout):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, timeout), self.seen
            return self.seen[count - 1]

    def click(self, notification, action='default'):
        self.process.stdin.write(json.dumps([notification['id'], action]) + '\n')
        self.process.stdin.flush()


def serve():
    import dbus
    import dbus.service
    from dbus.mainloop.glib import DBusGMainLoop
    from gi.repository import GLib

    class Daemon(dbus.service.Object):
        last = 0

        @dbus.service.method(NAME, in_signature='', out_signature='as')
        def GetCapabilities(self):
            return ['actions', 'body', 'persistence']

        @dbus.service.method(NAME, in_signature='', out_signature='ssss')
        def GetServerInformation(self):
            return 'recorder', 'test', '1', '1.2'

        @dbus.service.method(NAME, in_signature='susssasa{sv}i', out_signature='u')
        def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
            self.last = int(replaces) or self.last + 1
            print(json.dumps({'id': self.last, 'replaces': int(replaces), 'summary': str(summary), 'body': str(body), 'actions': [str(a) for a in actions],
                              'time': time.monotonic()}), flush=True)
            return dbus.UInt32(self.last)

        @dbus.service.method(NAME, in_signature='u', out_signature='')
        def CloseNotification(self, number):
            self.NotificationClosed(number, 3)

        @dbus.service.signal(NAME, signature='us')
        def ActionInvoked(self, number, action):
            pass

        @dbus.service.signal(NAME, signature='uu')
        def NotificationClosed(self, number, reason):
            pass

    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    daemon = Daemon(bus, '/org/freedesktop/Notifications')
    owned = dbus.service.BusName(NAME, bus, do_not_queue=True)
    loop = GLib.MainLoop()

    def on_line(channel, condition):
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        number, action = json.loads(line)
        daemon.ActionInvoked(dbus.UInt32(number), action)
        daemon.NotificationClosed(dbus.UInt32(number), dbus.UInt32(2))
        return True

    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, on_line)
    print('ready', flush=True)
    loop.run()
    del owned


if __name__ == '__main__':
    serve()
