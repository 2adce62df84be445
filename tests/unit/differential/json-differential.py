#!/usr/bin/python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Our reader and canonical writer against Python's: the same bytes for the same document, and a refusal wherever Python refuses or prints
something that is not JSON. Prints TAP. The seed is printed; a second argument repeats a run."""

import json
import math
import random
import struct
import subprocess
import sys

sys.set_int_max_str_digits(0)

WHITE = ["", "", "", "", " ", "\n", "\t", "\r", " \n\t\r "]
ODD = ["\x7f", "\x80", "\xff", "\u0100", "\u07ff", "\u0800", "\u2028", "\ud7ff", "\ue000", "\ufeff", "\uffff", "\U00010000", "\U0001f600",
       "\U0010ffff", "/", "<", "'", " "]
KEYS = ["", "a", "b", "aa", "ab", "a\x00", "\x00", "é", "e\u0301", "\uffff", "\U00010000", "model", "messages", "role", "content",
        "aaaaaaaa", "aaaaaaaaa", "aaaaaaaab", "aaaaaaaa\x00", "\ud800", "\udfff", "\ue000"]


def double(bits):
    return struct.unpack(">d", struct.pack(">Q", bits))[0]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def space(self):
        return self.r.choice(WHITE)

    def character(self):
        r = self.r
        kind = r.randrange(10)
        if kind < 5:
            return chr(r.randrange(0x20, 0x7f))
        if kind < 7:
            return r.choice(ODD)
        if kind == 7:
            return chr(r.randrange(0, 0x20))
        if kind == 8:
            return chr(r.randrange(0xd800, 0xe000))
        return chr(r.choice([r.randrange(0x80, 0x800), r.randrange(0x800, 0xd800), r.randrange(0x10000, 0x110000)]))

    def escape(self, character):
        r = self.r
        short = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        if character in short and r.random() < 0.7:
            return short[character]
        units = character.encode("utf-16-be", "surrogatepass")
        texts = ["\\u%04x" % struct.unpack(">H", units[i:i + 2]) for i in range(0, len(units), 2)]
        return "".join("\\u" + "".join(r.choice([c, c.upper()]) for c in t[2:]) for t in texts)

    def string(self, text):
        def one(character):
            must = character in '"\\' or character < " " or 0xd800 <= ord(character) < 0xe000
            return self.escape(character) if must or self.r.random() < 0.1 else character
        return '"' + "".join(map(one, text)) + '"'

    def text(self):
        r = self.r
        length = r.choice([0, 1, 2, 3, 7, 8, 9, r.randrange(40), r.randrange(300)])
        if r.random() < 0.3:
            return "".join(chr(r.randrange(0x20, 0x7f)) for _ in range(length))
        return "".join(self.character() for _ in range(length))

    def key(self):
        return self.r.choice(KEYS) if self.r.random() < 0.6 else self.text()

    def float_value(self):
        r = self.r
        kind = r.randrange(8)
        if kind == 0:
            return r.random()
        if kind == 1:
            return double(r.getrandbits(52))                        # subnormal
        if kind == 2:
            return double(r.randrange(1, 2047) << 52) * r.choice([1, 1, -1])  # power of two
        if kind == 3:
            return double((r.randrange(1, 2046) << 52) + r.choice([-2, -1, 1, 2]))
        if kind == 4:
            return float(r.randrange(1 << r.randrange(1, 80)))
        if kind == 5:
            return float("%de%d" % (r.randrange(1, 10 ** r.randrange(1, 18)), r.randrange(-330, 290)))
        while True:
            value = double(r.getrandbits(64))
            if math.isfinite(value):
                return value

    def halfway(self):
        """The exact decimal expansion of a point between two doubles, or one digit beside it."""
        r = self.r
        exponent = r.randrange(-1074, 960)
        twice = 2 * r.randrange(1 << 52, 1 << 53) + 1               # odd: halfway
        digits, point = (twice << exponent, 0) if exponent >= 0 else (twice * 5 ** -exponent, exponent)
        return "%s%de%d" % (r.choice(["", "-"]), digits * 10 + r.choice([-1, 0, 1]), point - 1)

    def float_text(self):
        r = self.r
        kind = r.randrange(10)
        if kind == 0:
            return self.halfway()
        value = self.float_value()
        if kind == 1:
            return "%.*e" % (r.randrange(25), value)
        if kind == 2:
            return "%.*E" % (r.randrange(25), value)
        if kind == 3:
            return "%s%d.%0*d" % (r.choice(["", "-"]), r.randrange(10 ** r.randrange(1, 20)), r.randrange(1, 25), r.randrange(10 ** r.randrange(1, 20)))
        if kind == 4:
            return "%de%s%d" % (r.randrange(10 ** r.randrange(1, 19)), r.choice(["", "+", "-", "-00"]), r.randrange(330))
        if kind == 5:
            zeros = r.randrange(400)
            return r.choice(["0.%s1e%d", "-0.%s123456789012345e%d"]) % ("0" * zeros, zeros + r.randrange(-20, 20))
        if kind == 6:
            zeros = r.randrange(400)
            return r.choice(["1%se-%d", "-9007199254740993%s.0e-%d"]) % ("0" * zeros, zeros + r.randrange(-3, 20) if zeros > 3 else zeros)
        if kind == 7:
            return r.choice(["0.0", "-0.0", "0e0", "0E-999999", "-0.000e+99999999999", "1e-400", "1.0", "1e15", "1e16", "1e17", "123456789012345680.0", "9999999999999998.0",
                             "1e-4", "0.00001", "0.0001", "1e22", "1e23", "5e-324", "2.4e-324", "2.5e-324", "1.7976931348623157e308",
                             "1.797693134862315807e308", "2.2250738585072014e-308", "2.2250738585072011e-308"])
        text = repr(value)
        return text if any(c in text for c in ".e") else text + ".0"

    def number(self):
        r = self.r
        if r.random() < 0.5:
            return self.float_text()
        return r.choice(["0", "-0", str(r.randrange(100)), str(r.randrange(-2 ** 64, 2 ** 65)), str(r.getrandbits(r.randrange(1, 4000)))])

    def value(self, depth):
        r = self.r
        kind = r.randrange(9) if depth > 0 else r.randrange(6)
        if kind < 2:
            return self.string(self.text())
        if kind < 4:
            return self.number()
        if kind < 6:
            return r.choice(["true", "false", "null", "[]", "{}", "[ ]", "{\n}"])
        count = r.choice([1, 2, 3, r.randrange(12), r.randrange(40) if depth < 3 else 2])
        if kind == 6:
            return "[" + ",".join(self.space() + self.value(depth - 1) + self.space() for _ in range(count)) + "]"
        members = (self.space() + self.string(self.key()) + self.space() + ":" + self.space() + self.value(depth - 1) + self.space() for _ in range(count))
        return "{" + ",".join(members) + "}"

    def document(self):
        return (self.space() + self.value(self.r.randrange(7)) + self.space()).encode("utf-8")

    def deep(self):
        depth = self.r.randrange(1, 512)
        opening, closing = [], []
        for _ in range(depth):
            if self.r.random() < 0.5:
                opening.append("[")
                closing.append("]" if self.r.random() < 0.7 else ",1]")
            else:
                opening.append("{" + self.string(self.key()) + ":")
                closing.append("}" if self.r.random() < 0.7 else ',"z":2,"":{}}')
        return ("".join(opening) + self.value(0) + "".join(reversed(closing))).encode("utf-8")

    def many_keys(self):
        r = self.r
        count = r.randrange(10, 400)
        pool = [r.choice(["", "aaaaaaaa", "prefix prefix prefix "]) + self.text()[:r.randrange(12)] for _ in range(r.randrange(5, 400))]
        return ("{" + ",".join(self.string(r.choice(pool)) + ":" + str(i) for i in range(count)) + "}").encode("utf-8")

    def spoiled(self):
        """A document with a few bytes changed: mostly refused by both, and by both in the same cases."""
        r = self.r
        data = bytearray(self.document())
        for _ in range(r.randrange(1, 3)):
            at = r.randrange(len(data) + 1)
            action = r.randrange(3)
            if action == 0 and at < len(data):
                data[at] = r.choice([r.randrange(256), *b'",:[]{}\\01-+.eEtfn u/'])
            elif action == 1:
                data[at:at + r.randrange(1, 4)] = b""
            else:
                data[at:at] = bytes([r.choice([r.randrange(256), *b'",:[]{}\\01-+.eEtfn u/'])])
        return bytes(data)


class NotJson(Exception):
    pass


def refuse(word):
    raise NotJson(word)


def finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise NotJson(text)
    return value


def expected(document):
    """What Python prints, or None where it refuses, or is laxer than JSON is: NaN, infinities and numbers that overflow."""
    try:
        value = json.loads(document.decode("utf-8"), parse_constant=refuse, parse_float=finite)
        return json.dumps(value, sort_keys=True).encode("ascii")
    except (ValueError, NotJson, RecursionError):
        return None


def repeated(document):
    """Whether any object has a key twice with values that print differently."""
    found = []

    def pairs(members):
        seen = {}
        for key, value in members:
            seen.setdefault(key, set()).add(json.dumps(value, sort_keys=True))
        found.extend(key for key, values in seen.items() if len(values) > 1)
        return dict(members)

    json.loads(document.decode("utf-8"), object_pairs_hook=pairs)
    return bool(found)


def doubles(maker):
    """Documents of a thousand numbers each."""
    r = maker.r
    powers = [double(e << 52) for e in range(2047)] + [double(1 << e) for e in range(52)]
    near = [double((e << 52) + d) for e in range(1, 2047) for d in (-1, 1)]
    tens = [float("%de%d" % (d, e)) for e in range(-325, 309) for d in (1, 2, 5, 9)
            if math.isfinite(float("%de%d" % (d, e)))]
    values = powers + near + tens + [float(i) for i in range(1000)] + [i / 100 for i in range(2000)]
    values += [double(r.getrandbits(63)) for _ in range(60000)] + [double(r.getrandbits(52)) for _ in range(20000)]
    values += [maker.float_value() for _ in range(40000)] + [r.random() * 10 ** r.randrange(-8, 20) for _ in range(40000)]
    texts = ["%.17e" % v for v in values if math.isfinite(v)] + [repr(v) for v in values[-60000:] if math.isfinite(v)]
    texts += [maker.halfway() for _ in range(4000)] + [maker.float_text() for _ in range(30000)]
    texts = [t for t in texts if math.isfinite(float(t))]
    for at in range(0, len(texts), 1000):
        yield ("[" + ",".join(texts[at:at + 1000]) + "]").encode("ascii")


def extremes():
    yield b"0." + b"0" * 1000000 + b"1e1000001"
    yield b"1" + b"0" * 100000 + b".0e-1000000"
    yield b"1" + b"0" * 1000000 + b"e-1000000"
    yield b"0.1" + b"0" * 100000 + b"1"
    yield b"9" * 309 + b".0"
    yield b"9" * 308 + b".0"
    yield b"[" + b"7" * 100000 + b"]"
    yield b"[" * 512 + b"]" * 512
    yield b'{"a":' * 512 + b"1" + b"}" * 512
    yield b"[" + b"1," * 100000 + b"1]"
    yield b"{" + b",".join(b'"%x":%d' % (i * 2654435761 % 2 ** 32, i) for i in range(100000)) + b"}"
    yield b'"' + "日本語 text \U0001f600".encode() * 50000 + b'"'


def ask(helper, documents):
    framed = b"".join(struct.pack(">I", len(d)) + d for d in documents)
    out = subprocess.run([helper], input=framed, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _ in documents:
        verdict, duplicates, length = struct.unpack_from(">BBI", out, at)
        yield verdict, duplicates, out[at + 6:at + 6 + length]
        at += 6 + length
    assert at == len(out)


def compare(helper, documents, least):
    """Returns complaints, and how many documents were accepted; fewer than @least would be a test of nothing."""
    complaints, accepted = [], 0
    for document, (verdict, duplicates, text) in zip(documents, ask(helper, documents)):
        want = expected(document)
        got = text if verdict else None
        accepted += verdict
        if got != want:
            complaints.append("%r: ours %r, Python's %r" % (document[:300], got and got[:300], want and want[:300]))
        elif verdict and bool(duplicates) != repeated(document):
            complaints.append("%r: repeated keys are told wrongly" % document[:300])
    if accepted < least * len(documents):
        complaints.append("only %d of %d documents were accepted" % (accepted, len(documents)))
    return complaints, accepted


def main():
    helper = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2 ** 32)
    maker = Maker(seed)
    groups = [
        ("documents", [maker.document() for _ in range(6000)], 0.95),
        ("deep documents", [maker.deep() for _ in range(300)], 0.95),
        ("objects of many and repeated keys", [maker.many_keys() for _ in range(300)], 1),
        ("spoiled documents", [maker.spoiled() for _ in range(6000)], 0.1),
        ("doubles", list(doubles(maker)), 1),
        ("extremes", list(extremes()), 0.9),
    ]
    print("# seed %d" % seed)
    print("1..%d" % len(groups))
    good = True
    for number, (name, documents, least) in enumerate(groups, 1):
        complaints, accepted = compare(helper, documents, least)
        for complaint in complaints[:10]:
            print("# " + complaint)
        good = good and not complaints
        print("%s %d - %s: %d compared, %d accepted" % ("not ok" if complaints else "ok", number, name, len(documents), accepted), flush=True)
    sys.exit(not good)


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    main()
