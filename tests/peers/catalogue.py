# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Message catalogues, read and written through gettext's own tools."""

import ast
import collections
import pathlib
import re
import subprocess

# context: None without one; plural: None without one; flags: {'c-format', 'fuzzy', …}; texts: translations, one for each plural form.
Message = collections.namedtuple('Message', 'context id plural flags texts obsolete')

SPECIFIER = re.compile(r'%%|%(?:\d+\$)?[-+ #0\']*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[a-zA-Z]')


def tool(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'}, **options)
    return done.returncode, done.stdout, done.stderr


def must(*command, **options):
    status, out, errors = tool(*command, **options)
    assert status == 0, (command[0], errors)
    return out


def extract(root, files, flags):
    """The template of these files, as text; its references are relative to the folder."""
    return must('xgettext', '--from-code=UTF-8', '--package-name=veil', '--no-wrap', '-o', '-', '-f', '-', *flags, cwd=root, input='\n'.join(map(str, files)))


def references(template):
    """The files that messages come from."""
    found = re.findall(r'^#: (.*)$', template, re.M)
    return {reference.rsplit(':', 1)[0] for line in found for reference in line.split()}


def parse(text):
    """Its messages, and its header as a dict."""
    plain = must('msgcat', '--no-wrap', '--force-po', '-', input=text)
    messages = [read_entry(block) for block in plain.split('\n\n') if re.search(r'^(#~ )?msgid', block, re.M)]
    header = next(message for message in messages if message.id == '' and message.context is None and not message.obsolete)
    fields = dict(line.split(': ', 1) for line in header.texts[0].split('\n') if ': ' in line)
    return [message for message in messages if message is not header], fields


def read_entry(block):
    flags, parts, current, obsolete = set(), {}, None, False
    for line in block.split('\n'):
        if line.startswith('#, '):
            flags |= set(line[3:].split(', '))
            continue
        if line.startswith('#~ '):
            obsolete, line = True, line[3:]
        if line.startswith('#') or not line:
            continue
        if not line.startswith('"'):
            current, line = line.split(' ', 1)
            parts[current] = ''
        parts[current] += ast.literal_eval(line)
    texts = [parts[key] for key in sorted(parts, key=lambda key: int(re.search(r'\d+', key)[0]) if '[' in key else 0) if key.startswith('msgstr')]
    return Message(parts.get('msgctxt'), parts['msgid'], parts.get('msgid_plural'), flags, texts, obsolete)


def quote(text):
    return '"%s"' % text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n').replace('\t', '\\t')


def write_catalogue(path, messages, language, translate, plural_forms='nplurals=2; plural=(n != 1);'):
    """A .mo whose texts are what `translate` makes of each message's own ones."""
    header = 'Language: %s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nPlural-Forms: %s\n' % (language, plural_forms)
    lines = ['msgid ""', 'msgstr ' + quote(header), '']
    for message in messages:
        lines += ['#, c-format'] if 'c-format' in message.flags else []
        lines += ['msgctxt ' + quote(message.context)] if message.context is not None else []
        lines.append('msgid ' + quote(message.id))
        if message.plural is None:
            lines.append('msgstr ' + quote(translate(message.id)))
        else:
            lines += ['msgid_plural ' + quote(message.plural), 'msgstr[0] ' + quote(translate(message.id)), 'msgstr[1] ' + quote(translate(message.plural))]
        lines.append('')
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    must('msgfmt', '--check', '-o', path, '-', input='\n'.join(lines))
