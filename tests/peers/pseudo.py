# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A language that nobody speaks: each letter of a text has an accent, and marks stand around it, so that a text that was not looked up shows."""

import re

import catalogue

LANGUAGE = 'qps'
OPEN, CLOSE = '⟦', '⟧'
LETTERS = str.maketrans('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 'áƀćđéƒǧħíĵķĺɱńóƥɋŕśťúṽẃẋýźÁɃĆĐÉƑǦĦÍĴĶĹḾŃÓƤɊŔŚŤÚṼẂẊÝŹ')
# What must come through as it is: placeholders (of strftime, too), markup.
KEPT = re.compile(catalogue.SPECIFIER.pattern + r'|<[^<>]*>|&\w+;')


def translate(text):
    return '\n'.join(translate_line(line) for line in text.split('\n'))


def translate_line(line):
    if not line.strip():
        return line
    indent = line[:len(line) - len(line.lstrip())]
    pieces, at = [], 0
    for kept in KEPT.finditer(line):
        pieces += [line[at:kept.start()].translate(LETTERS), kept[0]]
        at = kept.end()
    pieces.append(line[at:].translate(LETTERS))
    text = ''.join(pieces).strip()
    return indent + OPEN + text + CLOSE + line[len(line.rstrip()):]


def write(root, folder, flags, leave_out=None, language=LANGUAGE):
    """The catalogue of everything, but for one text, as folder/LANGUAGE/LC_MESSAGES/veil.mo."""
    files = [line for line in (root / 'po' / 'POTFILES').read_text().splitlines() if line and not line.startswith('#')]
    messages, _ = catalogue.parse(catalogue.extract(root, files, flags))
    texts = [message for message in messages if message.id != leave_out]
    assert len(messages) - len(texts) == (0 if leave_out is None else 1)
    catalogue.write_catalogue(folder / language / 'LC_MESSAGES' / 'veil.mo', texts, language, translate)


def untranslated(text, allowed=()):
    """Words in plain letters, without what matches one of the `allowed` patterns."""
    for pattern in allowed:
        text = re.sub(pattern, ' ', text)
    return re.findall(r'[A-Za-z]{2,}(?:[ \'-][A-Za-z]+)*', text)
