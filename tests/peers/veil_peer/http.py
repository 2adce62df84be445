# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 over raw sockets: every byte seen is kept, every byte sent is under control."""

import contextlib
import select
import socket
import struct
import threading
import time

MAX_HEAD = 64 * 1024


class HungUp(Exception):
    """The other side went away."""


class Message:
    """One request as it came over the wire, and the socket that its answer goes to."""

    def __init__(self, sock, head, body):
        self.sock, self.head, self.body = sock, head, body
        line, *rest = head.decode('latin-1').split('\r\n')
        self.method, self.target, self.version = line.split(' ')
        self.headers = [tuple(part.strip() for part in row.split(':', 1)) for row in rest if row]
        self.keep = self.get('connection', '').lower() != 'close'
        self.ended = False

    def get(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    # Writing: the parts, for those who want to cut them up, and the whole.

    def write(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise HungUp() from error

    def start(self, status=200, headers=(), length=None, reason='Status'):
        """The head of an answer. @length: a number, or None for chunked transfer coding."""
        rows = ['HTTP/1.1 %d %s' % (status, reason)]
        rows += ['%s: %s' % row for row in headers]
        rows.append('Transfer-Encoding: chunked' if length is None else 'Content-Length: %d' % length)
        self.write(('\r\n'.join(rows) + '\r\n\r\n').encode('latin-1'))

    def write_chunk(self, data):
        if data:
            self.write(b'%x\r\n' % len(data) + data + b'\r\n')

    def end_chunks(self):
        self.write(b'0\r\n\r\n')

    def respond(self, status, body=b'', headers=()):
        rows = ['HTTP/1.1 %d Status' % status] + ['%s: %s' % row for row in headers] + ['Content-Length: %d' % len(body)]
        self.write(('\r\n'.join(rows) + '\r\n\r\n').encode('latin-1') + body)

    def close(self):
        self.keep = False

    def reset(self):
        """RST instead of FIN."""
        self.keep = False
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def wait_hang_up(self, timeout):
        """True once the other side has closed, False if it still listens at the end of @timeout."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left)[0]:
                break
            try:
                if not self.sock.recv(1, socket.MSG_PEEK):
                    return True
            except OSError:
                return True
            raise AssertionError('a second request on a connection whose first is not answered')
        return False


class Server:
    """A thread per connection on a loopback port of the system's choice; @handle gets each Message. @tls: an SSLContext, or None for plain HTTP."""

    def __init__(self, handle, observe=lambda data: None, tls=None):
        self.handle, self.observe, self.tls = handle, observe, tls
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = '%s://127.0.0.1:%d' % ('https' if tls else 'http', self.port)
        self.errors = []
        self.connections = 0
        self._open = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(sock)
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, raw):
        sock = raw
        try:
            if self.tls:
                sock = self.tls.wrap_socket(raw, server_side=True)
            pending = b''
            while True:
                message, pending = self._read(sock, pending)
                if message is None:
                    return
                try:
                    self.handle(message)
                except HungUp:
                    return
                if not message.keep:
                    return
        except OSError:
            pass  # resets are part of the game
        except Exception as error:  # noqa: BLE001  (kept for the test to see)
            self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(raw)
            sock.close()

    def _read(self, sock, pending):
        while b'\r\n\r\n' not in pending:
            data = sock.recv(65536)
            if not data:
                return None, b''
            pending += data
            if len(pending) > MAX_HEAD and b'\r\n\r\n' not in pending:
                raise ValueError('request head over %d bytes' % MAX_HEAD)
        head, rest = pending.split(b'\r\n\r\n', 1)
        length = 0
        for row in head.decode('latin-1').split('\r\n')[1:]:
            name, _, value = row.partition(':')
            if name.lower() == 'content-length':
                length = int(value)
            if name.lower() == 'transfer-encoding':
                raise ValueError('a request body without a length')
        body = bytearray(rest)
        while len(body) < length:
            data = sock.recv(1 << 20)
            if not data:
                return None, b''
            body += data
        body, rest = bytes(body[:length]), bytes(body[length:])
        self.observe(head)
        self.observe(body)
        return Message(sock, head, body), rest
