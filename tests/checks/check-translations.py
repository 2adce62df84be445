#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""check-translations.py ROOT XGETTEXT_FLAG...: every file with texts is in po/POTFILES, and every language in po/LINGUAS says all of them.

Translations that would break the program are found: other placeholders, line ends or access keys than the text has. That each fault is
found is tried with catalogues that are made wrong on purpose.
"""
import itertools
import pathlib
import re
import sys
import tempfile

from catalogue import SPECIFIER, extract, must, parse, references, tool

ROOT, FLAGS = pathlib.Path(sys.argv[1]), sys.argv[2:]
KINDS = ('src/**/*.c', 'src/**/*.h', 'src/**/*.ui', 'data/**/*.desktop.in', 'data/**/*.metainfo.xml', 'data/**/*.metainfo.xml.in', 'data/**/*.gschema.xml')
# Forms of each language's plural, as the CLDR and gettext have them.
PLURALS = {'ar': 6, 'de': 2, 'es': 2, 'hu': 2, 'zh_CN': 1}


def read_list(name):
    return [line for line in (ROOT / 'po' / name).read_text().splitlines() if line.strip() and not line.startswith('#')]


def check_potfiles(listed, found):
    problems = ['%s has texts to translate and is not in po/POTFILES' % name for name in sorted(found - set(listed))]
    problems += ['%s is in po/POTFILES and has no text to translate' % name for name in sorted(set(listed) - found)]
    return problems + (['po/POTFILES is not sorted, or names a file twice'] if listed != sorted(set(listed)) else [])


def check_linguas(listed, found):
    problems = ['po/%s.po is not in po/LINGUAS' % name for name in sorted(found - set(listed))]
    problems += ['po/LINGUAS names %s, and there is no po/%s.po' % (name, name) for name in sorted(set(listed) - found)]
    return problems + (['po/LINGUAS is not sorted, or names a language twice'] if listed != sorted(set(listed)) else [])


def check_sources(sources):
    """What stands between the strings of a text is cut off by xgettext, which does not know what macros stand for."""
    token = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|[^\s\w]')
    problems = []
    for name, text in sources:
        words = token.findall(text)
        for at, word in enumerate(words[:-2]):
            if word in ('_', 'N_', 'C_', 'NC_', 'ngettext') and words[at + 1] == '(':
                near = list(zip(words[at + 2:at + 200], words[at + 3:at + 200]))
                inside = list(itertools.takewhile(lambda pair: pair[0] not in '()', near))
                problems += ['%s: a macro beside %s' % (name, pair) for pair in inside if [one[0] == '"' for one in pair].count(True) == 1 and
                             re.match(r'[A-Za-z_]', pair[0] if pair[1][0] == '"' else pair[1])]
    return problems


def placeholders(text):
    """Types by position: a translation may put them into another order with %2$s."""
    found = [specifier for specifier in SPECIFIER.findall(text) if specifier != '%%']
    return sorted((re.match(r'%(\d+)\$', specifier)[1] if '$' in specifier else str(n), re.sub(r'\d+\$', '', specifier)) for n, specifier in enumerate(found, 1))


def edges(text):
    return re.match(r'\s*', text)[0], re.search(r'\s*$', text)[0]


def check_message(message):
    if message.obsolete:
        return ['obsolete; take it out with `msgattrib --no-obsolete`']
    if 'fuzzy' in message.flags:
        return ['fuzzy: look at it, and take the mark away']
    if not message.texts or not all(message.texts):
        return ['not translated']
    problems = []
    for text in message.texts:
        own = {tuple(placeholders(source)) for source in (message.id, message.plural) if source is not None}
        # The form for one, or two, may leave the number out.
        allowed = own | ({tuple(placeholders(message.id)[1:])} if message.plural is not None else set())
        if 'c-format' in message.flags and tuple(placeholders(text)) not in allowed:
            problems.append('other placeholders in %r' % text)
        if edges(text) != edges(message.id):
            problems.append('other space or line ends around %r' % text)
        if message.id.count('\n  ') != text.count('\n  '):
            problems.append('other indented lines in %r' % text)
        if text.count('`') != message.id.count('`'):
            problems.append('other words between backquotes in %r' % text)
    return problems


def check_language(name, text, template):
    with tempfile.TemporaryDirectory() as folder:
        old, fresh = pathlib.Path(folder, 'old.po'), pathlib.Path(folder, 'fresh.pot')
        old.write_text(text)
        fresh.write_text(template)
        # Catalogues of one language mark access keys with another sign than this one.
        status, _, errors = tool('msgfmt', '--check', '--check-accelerators=_', '-o', '/dev/null', old)
        if status != 0:
            return [line.replace(str(old), name) for line in errors.splitlines()]
        merged = must('msgmerge', '--quiet', '--no-fuzzy-matching', '--no-wrap', '-o', '-', old, fresh)
    messages, header = parse(merged)
    problems = ['%r%s: %s' % (message.id, ' (%s)' % message.context if message.context else '', problem) for message in messages
                for problem in check_message(message)]
    problems += ['obsolete messages: take them out with `msgattrib --no-obsolete`'] if re.search(r'^#~', text, re.M) else []
    problems += ['the header says that its language is %r' % header.get('Language')] if header.get('Language') != name else []
    forms = re.match(r'nplurals=(\d+);', header.get('Plural-Forms', ''))
    if name in PLURALS and (forms is None or int(forms[1]) != PLURALS[name]):
        problems.append('the plural has %d forms' % PLURALS[name])
    return problems


# --- each fault is found ---

TEMPLATE = r'''
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#, c-format
msgid "%s of %u\n"
msgstr ""

msgid "_Quit"
msgstr ""

#, c-format
msgid "%u answer"
msgid_plural "%u answers"
msgstr[0] ""
msgstr[1] ""
'''
GOOD = r'''
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#, c-format
msgid "%s of %u\n"
msgstr "%2$u: %1$s\n"

msgid "_Quit"
msgstr "_Beenden"

#, c-format
msgid "%u answer"
msgid_plural "%u answers"
msgstr[0] "Eine Antwort"
msgstr[1] "%u Antworten"
'''
FAULTS = [
    ('a text that is not translated', '"_Beenden"', '""'),
    ('a plural form that is not translated', '"%u Antworten"', '""'),
    ('a text that is missing', 'msgid "_Quit"\nmsgstr "_Beenden"\n', ''),
    ('a fuzzy one', 'msgid "_Quit"', '#, fuzzy\nmsgid "_Quit"'),
    ('an obsolete one', 'msgid "_Quit"', '#~ msgid "Old"\n#~ msgstr "Alt"\n\nmsgid "_Quit"'),
    ('a placeholder too few', '%2$u: %1$s', '%s'),
    ('a placeholder of another type', '%u Antworten', '%s Antworten'),
    ('another line end', '%2$u: %1$s\\n', '%2$u: %1$s'),
    ('space at the end', '"_Beenden"', '"_Beenden "'),
    ('no access key', '"_Beenden"', '"Beenden"'),
    ('two access keys', '"_Beenden"', '"_Be_enden"'),
    ('another language', 'Language: de', 'Language: hu'),
    ('other plural forms', 'nplurals=2; plural=(n != 1)', 'nplurals=1; plural=0'),
]


def main():
    files = sorted({path for kind in KINDS for path in ROOT.glob(kind)})
    template = extract(ROOT, [path.relative_to(ROOT) for path in files], FLAGS)
    languages = {path.stem for path in (ROOT / 'po').glob('*.po')}
    results = [('po/POTFILES', check_potfiles(read_list('POTFILES'), references(template))),
               ('po/LINGUAS', check_linguas(read_list('LINGUAS'), languages)),
               ('texts are whole', check_sources((path.relative_to(ROOT), path.read_text()) for path in files if path.suffix in ('.c', '.h')))]
    results += [('po/%s.po' % name, check_language(name, (ROOT / 'po' / ('%s.po' % name)).read_text(), template)) for name in sorted(languages)]
    results += [('nothing is said of a good catalogue', check_language('de', GOOD, TEMPLATE))]
    for name, before, after in FAULTS:
        assert before in GOOD, name
        results.append(('found: ' + name, [] if check_language('de', GOOD.replace(before, after, 1), TEMPLATE) else ['it is not']))
    results += [('found: a file that is not listed', [] if check_potfiles(['a'], {'a', 'b'}) else ['it is not']),
                ('found: a listed file without texts', [] if check_potfiles(['a', 'b'], {'a'}) else ['it is not']),
                ('found: a text with a macro inside', [] if check_sources([('a', 'f (_ ("%" G_GUINT64_FORMAT " bytes"))')]) else ['it is not']),
                ('found: a language that is not listed', [] if check_linguas(['de'], {'de', 'hu'}) else ['it is not'])]
    print('1..%d' % len(results))
    for number, (name, problems) in enumerate(results, 1):
        print('%s %d - %s%s' % ('not ok' if problems else 'ok', number, name, ''.join('\n# ' + problem for problem in problems)))
    sys.exit(1 if any(problems for _, problems in results) else 0)


main()
