# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""prompter.py [PASSWORD]: sits where gcr's dialog does and answers gnome-keyring's prompts in a person's place: with PASSWORD, or by closing them.
Prints a line when it is there, and one for each prompt."""

import base64
import configparser
import os
import sys

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from gi.repository import Gio, GLib

# RFC 3526, group 5
PRIME = int('FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437'
            '4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05'
            '98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF', 16)
INTERFACE = '''<node><interface name="org.gnome.keyring.internal.Prompter">
<method name="BeginPrompting"><arg type="o" direction="in"/></method>
<method name="PerformPrompt"><arg type="o" direction="in"/><arg type="s" direction="in"/><arg type="a{sv}" direction="in"/><arg type="s" direction="in"/></method>
<method name="StopPrompting"><arg type="o" direction="in"/></method></interface></node>'''
SIZE = (PRIME.bit_length() + 7) // 8

password = sys.argv[1].encode() if len(sys.argv) > 1 else None
private = int.from_bytes(os.urandom(24), 'big')
public = base64.b64encode(pow(2, private, PRIME).to_bytes(SIZE, 'big')).decode()
connection = Gio.bus_get_sync(Gio.BusType.SESSION)


def begin():
    return '[sx-aes-1]\npublic=%s\n' % public


def send(exchange, secret):
    """@secret as only the asker can read it."""
    parser = configparser.ConfigParser()
    parser.read_string(exchange)
    theirs = int.from_bytes(base64.b64decode(parser['sx-aes-1']['public']), 'big')
    key = HKDF(hashes.SHA256(), 16, None, b'').derive(pow(theirs, private, PRIME).to_bytes(SIZE, 'big'))
    iv, padder = os.urandom(16), padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(secret) + padder.finalize()) + encryptor.finalize()
    return '%ssecret=%s\niv=%s\n' % (begin(), base64.b64encode(sealed).decode(), base64.b64encode(iv).decode())


def call(sender, path, method, arguments):
    connection.call(sender, path, 'org.gnome.keyring.internal.Prompter.Callback', method, arguments, None, Gio.DBusCallFlags.NONE, -1, None, None)


def on_call(conn, sender, path, interface, method, arguments, invocation):
    invocation.return_value(None)
    callback = arguments[0]
    if method == 'BeginPrompting':
        call(sender, callback, 'PromptReady', GLib.Variant('(sa{sv}s)', ('', {}, begin())))
    elif method == 'StopPrompting':
        call(sender, callback, 'PromptDone', None)
    else:
        print('prompt', arguments[1], flush=True)
        answer = ('no', {}, begin()) if password is None else ('yes', {}, send(arguments[3], password))
        call(sender, callback, 'PromptReady', GLib.Variant('(sa{sv}s)', answer))


connection.register_object('/org/gnome/keyring/Prompter', Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0], on_call, None, None)
Gio.bus_own_name_on_connection(connection, 'org.gnome.keyring.SystemPrompter', Gio.BusNameOwnerFlags.NONE,
                               lambda *_: print('ready', flush=True), lambda *_: sys.exit(1))
GLib.MainLoop().run()
