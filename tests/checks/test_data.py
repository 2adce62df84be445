# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What desktops and software stores read: desktop entry, metainfo, D-Bus service, settings schema, icons; by their own tools and by what those do not look at."""

import configparser
import datetime
import json
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ET

import gi
import pytest

gi.require_version('GdkPixbuf', '2.0')
from gi.repository import GdkPixbuf  # noqa: E402

SOURCE = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ['VEIL_BUILD'])
VERSION = os.environ['VEIL_VERSION']
ID = 'ai.opengradient.Veil'
DATA = SOURCE / 'data'
DESKTOP = BUILD / 'data' / (ID + '.desktop')
METAINFO = BUILD / 'data' / (ID + '.metainfo.xml')
SCHEMA = DATA / (ID + '.gschema.xml')
ICONS = DATA / 'icons' / 'hicolor'
SYMBOLIC = sorted((ICONS / 'symbolic' / 'apps').glob('*.svg'))
SCALABLE = ICONS / 'scalable' / 'apps' / (ID + '.svg')


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, env={**os.environ, 'LC_ALL': 'C.UTF-8'}, **options)
    return done.returncode, done.stdout + done.stderr


def key_file(path):
    parser = configparser.RawConfigParser(delimiters='=', comment_prefixes='#')
    parser.optionxform = str
    parser.read(path, encoding='utf-8')
    return parser


@pytest.fixture(scope='module')
def entry():
    return key_file(DESKTOP)


@pytest.fixture(scope='module')
def metainfo():
    return ET.parse(METAINFO).getroot()


def plain(metainfo, path):
    """The texts at @path, translations left out."""
    return [' '.join(node.itertext()).strip() for node in metainfo.findall(path) if '{http://www.w3.org/XML/1998/namespace}lang' not in node.attrib]


# The desktop entry.

def test_desktop_file():
    assert run('desktop-file-validate', DESKTOP) == (0, '')


def test_desktop_file_wrong_is_found(tmp_path):
    copy = tmp_path / DESKTOP.name
    copy.write_text(DESKTOP.read_text().replace('Categories=GTK;Network;', 'Categories=Veil;'))
    assert run('desktop-file-validate', copy)[0] != 0


def test_desktop_entry(entry):
    main = entry['Desktop Entry']
    assert main['Icon'] == ID and main['Exec'] == 'veil' and main['StartupNotify'] == 'true' and main['DBusActivatable'] == 'true'
    for word in 'Keywords', 'Categories', 'Actions':
        assert main[word].endswith(';')
    words = main['Keywords'].split(';')[:-1]
    assert len(set(words)) == len(words) and main['Name'] not in words


def test_desktop_actions(entry):
    """Each has a group, and the application an action of that name and without parameter: that is what D-Bus activation calls."""
    actions = entry['Desktop Entry']['Actions'].split(';')[:-1]
    assert sorted(entry.sections()) == sorted(['Desktop Entry'] + ['Desktop Action ' + name for name in actions]) and actions
    code = (SOURCE / 'src' / 'app' / 'application.c').read_text()
    for name in actions:
        assert entry['Desktop Action ' + name]['Name'] and entry['Desktop Action ' + name]['Exec'] == 'veil'
        assert re.search(r'\{ "%s", \w+, NULL, NULL, NULL \}' % re.escape(name), code), name


def test_dbus_service():
    service = key_file(BUILD / 'data' / (ID + '.service'))
    assert service.sections() == ['D-BUS Service']
    assert dict(service['D-BUS Service']) == {'Name': ID, 'Exec': os.environ['VEIL_BINDIR'] + '/veil --gapplication-service'}
    assert '"gapplication-service"' in (SOURCE / 'src' / 'app' / 'main.c').read_text()


# Metainfo.

def test_metainfo_appstreamcli():
    """Nothing but what cannot be otherwise: the id is the name on the bus and of the schema, and AppStream before 1.0 does not know the element `developer`, which
    stores ask for."""
    _, said = run('appstreamcli', 'validate', '--pedantic', '--no-net', '--no-color', METAINFO)
    issues = re.findall(r'(?m)^([EWIP]): %s:\d*:? ?([\w-]+)(.*)$' % re.escape(ID), said)
    assert len(re.findall(r'(?m)^[EWIP]: ', said)) == len(issues), said
    known = {('P', 'cid-contains-uppercase-letter', ID), ('I', 'unknown-tag', 'developer')}
    assert {(kind, tag, what.strip()) for kind, tag, what in issues} <= known, said
    assert 'Validation was successful' in said, said


@pytest.mark.parametrize('right, wrong', [('<metadata_license>CC0-1.0', '<metadata_license>Secret'), ('</component>', ''),
                                          ('date="20', 'date="the year 20')], ids=['licence', 'xml', 'date'])
def test_metainfo_wrong_is_found(tmp_path, right, wrong):
    copy = tmp_path / METAINFO.name
    assert right in METAINFO.read_text()
    copy.write_text(METAINFO.read_text().replace(right, wrong))
    code, said = run('appstreamcli', 'validate', '--pedantic', '--no-net', '--no-color', copy)
    assert code != 0 and re.search('(?m)^[EW]: ', said), said


def test_metainfo_appstream_util():
    """Its strict rules want an address for mail and every language; the usual ones are those of stores."""
    code, said = run('appstream-util', 'validate', '--nonet', METAINFO)
    assert code == 0 and said.endswith(': OK\n'), said


def test_metainfo_names(metainfo, entry):
    assert metainfo.attrib['type'] == 'desktop-application' and metainfo.findtext('id') == ID
    assert metainfo.findtext('launchable') == DESKTOP.name and metainfo.findtext('translation') == 'veil'
    assert metainfo.findtext('name') == entry['Desktop Entry']['Name'] and metainfo.find('developer').attrib['id'] in ID
    assert metainfo.findtext('metadata_license') == 'CC0-1.0' and metainfo.findtext('project_license') == 'Apache-2.0'
    assert sorted(plain(metainfo, 'provides/binary')) == ['og-veil', 'veil'] and plain(metainfo, 'provides/dbus') == [ID]
    assert plain(metainfo, 'keywords/keyword') == entry['Desktop Entry']['Keywords'].split(';')[:-1]


def test_metainfo_words(metainfo):
    """What stores ask of texts: short, no full stop, the name not again."""
    [summary] = plain(metainfo, 'summary')
    assert 10 <= len(summary) <= 35 and not summary.endswith('.') and 'Veil' not in summary
    assert all(len(text) > 15 for text in plain(metainfo, 'description/p')) and len(plain(metainfo, 'description/p')) >= 3
    assert not [text for text in plain(metainfo, 'description/ul/li') if text.endswith('.')]


def test_metainfo_screenshots(metainfo):
    shots = metainfo.findall('screenshots/screenshot')
    assert 4 <= len(shots) <= 6 and [shot.attrib.get('type') for shot in shots] == ['default'] + [None] * (len(shots) - 1)
    captions = plain(metainfo, 'screenshots/screenshot/caption')
    assert len(captions) == len(shots) and all(10 < len(text) <= 50 and text[-1] != '.' for text in captions)
    base = json.loads(run('meson', 'introspect', '--buildoptions', BUILD)[1])
    [base] = [option['value'] for option in base if option['name'] == 'screenshots-url']
    names = [shot.findtext('image').strip() for shot in shots]
    assert len(set(names)) == len(names) and all(name.startswith(base + '/') and name.startswith('https://') for name in names)
    for name in names:
        path = SOURCE / 'docs' / 'screenshots' / name[len(base) + 1:]
        _, width, height = GdkPixbuf.Pixbuf.get_file_info(str(path))
        assert 360 <= width <= 1600 and 360 <= height <= 1200, path


def test_metainfo_stores(metainfo):
    colors = {color.attrib['scheme_preference']: color.text for color in metainfo.findall('branding/color') if color.attrib['type'] == 'primary'}
    assert sorted(colors) == ['dark', 'light'] and all(re.fullmatch('#[0-9a-f]{6}', color) for color in colors.values())
    light, dark = (sum(bytes.fromhex(colors[name][1:])) for name in ('light', 'dark'))
    assert light > dark
    assert metainfo.find('content_rating').attrib == {'type': 'oars-1.1'}
    length = metainfo.find('requires/display_length')
    assert length.attrib == {'compare': 'ge'} and length.text == '360'
    assert {'keyboard', 'pointing'} <= set(plain(metainfo, 'supports/control'))


def test_metainfo_release(metainfo):
    """The newest is the version that meson.build says."""
    releases = metainfo.findall('releases/release')
    assert releases[0].attrib['version'] == VERSION
    dates = [datetime.date.fromisoformat(release.attrib['date']) for release in releases]
    assert dates == sorted(dates, reverse=True) and all(release.find('description') is not None for release in releases)


def test_version_in_one_place():
    """meson.build says it, and what a person writes for each release: the notes in the metainfo, the packages' changelogs, and
    since when the library has a function."""
    assert "  version: '%s',\n" % VERSION in (SOURCE / 'meson.build').read_text()
    word = re.compile(r'(?<![\w.])%s(?![\w.]*\d)' % re.escape(VERSION))
    told = {METAINFO.name + '.in', 'changelog', 'libveil-1-0.symbols'}
    again = [str(path.relative_to(SOURCE)) for top in ('build-aux', 'data', 'docs', 'examples', 'flatpak', 'po', 'src', 'README.md', 'Containerfile')
             for path in ([SOURCE / top] if (SOURCE / top).is_file() else sorted((SOURCE / top).rglob('*')))
             if path.is_file() and path.suffix not in ('.png', '.pyc') and path.name not in told and word.search(path.read_text(errors='replace'))]
    assert again == []
    for changelog in SOURCE.glob('**/debian/changelog'):
        if '_build' not in changelog.parts:
            assert re.match(r'veil \(%s(-[\w.~+]+)?\) ' % re.escape(VERSION), changelog.read_text()), changelog


# Settings.

def keys():
    return {key.attrib['name']: key for key in ET.parse(SCHEMA).iter('key')}


def test_schema_strict(tmp_path):
    assert run('glib-compile-schemas', '--strict', '--dry-run', SCHEMA.parent) == (0, '')
    (tmp_path / SCHEMA.name).write_text(SCHEMA.read_text().replace('<range min="0" max="604800"/>', '<range min="900" max="604800"/>'))
    assert run('glib-compile-schemas', '--strict', '--dry-run', tmp_path)[0] != 0


@pytest.mark.parametrize('name', keys())
def test_schema_key(name):
    """What it is, what may stand there, and what stands there by itself; numbers within a range."""
    key = keys()[name]
    summary, description = key.findtext('summary'), key.findtext('description')
    assert re.fullmatch('[a-z][a-z0-9-]*', name) and key.findtext('default')
    assert summary and summary == summary.strip() and not summary.endswith('.')
    assert description and description == description.strip() and description.endswith('.')
    if key.attrib['type'] in ('q', 'u', 'i', 'n', 't', 'x', 'd'):
        bounds = key.find('range').attrib
        assert float(bounds['min']) <= float(key.findtext('default')) <= float(bounds['max'])


# Icons.

def pixels(path, size):
    image = GdkPixbuf.Pixbuf.new_from_file_at_size(str(path), size, size)
    assert (image.get_width(), image.get_height(), image.get_n_channels()) == (size, size, 4), path
    data, stride = image.get_pixels(), image.get_rowstride()
    return [tuple(data[y * stride + 4 * x:y * stride + 4 * x + 4]) for y in range(size) for x in range(size)]


@pytest.mark.parametrize('path', [SCALABLE] + SYMBOLIC, ids=lambda path: path.stem)
def test_icon_file(path):
    """A square of the size that belongs to its folder, with nothing in it but shapes of its own."""
    root = ET.parse(path).getroot()
    size = '128' if path == SCALABLE else '16'
    assert root.tag == '{http://www.w3.org/2000/svg}svg' and (root.attrib['width'], root.attrib['height'], root.attrib['viewBox']) == (size, size, '0 0 %s %s' % (size, size))
    tags = {node.tag.rpartition('}')[2] for node in root.iter()}
    assert tags <= {'svg', 'title', 'defs', 'clipPath', 'linearGradient', 'radialGradient', 'stop', 'g', 'path', 'circle', 'use'}
    references = [value for node in root.iter() for name, value in node.attrib.items() if name.endswith('href') or 'url(' in value]
    assert all(value.startswith(('#', 'url(#')) for value in references)


@pytest.mark.parametrize('size', [16, 32, 64, 128, 512])
def test_icon_drawn(size):
    """In colour, at each size, with a margin."""
    drawn = pixels(SCALABLE, size)
    assert 0.4 < sum(pixel[3] > 128 for pixel in drawn) / len(drawn) < 0.9
    assert len({tuple(part >> 5 for part in pixel[:3]) for pixel in drawn if pixel[3] > 250}) > 4
    assert max(pixel[3] for pixel in drawn[:size]) < 250 and max(pixel[3] for pixel in drawn[::size]) == 0


@pytest.mark.parametrize('path', SYMBOLIC, ids=lambda path: path.stem)
def test_symbolic_icon(path):
    """Of one colour, which the toolkit replaces by that of the text."""
    root = ET.parse(path).getroot()
    assert {node.tag.rpartition('}')[2] for node in root.iter()} <= {'svg', 'title', 'path'}
    assert {node.attrib['fill'] for node in root.iter() if node.tag.endswith('path')} == {'#2e3436'}
    assert not [node for node in root.iter() if {'style', 'stroke', 'opacity', 'class'} & set(node.attrib)]
    for size in 16, 32, 64:
        drawn = pixels(path, size)
        assert 0.2 < sum(pixel[3] > 128 for pixel in drawn) / len(drawn) < 0.85
        assert all(abs(part - wanted) <= 2 for pixel in drawn if pixel[3] > 250 for part, wanted in zip(pixel, (0x2e, 0x34, 0x36)))


def test_symbolic_icons_differ():
    """As they stand in a panel, without colour."""
    names = {path.stem for path in SYMBOLIC}
    assert {ID + '-symbolic'} | {ID + '-%s-symbolic' % state for state in ('verified', 'attention', 'off')} <= names
    shapes = {path.stem: [pixel[3] for pixel in pixels(path, 16)] for path in SYMBOLIC}
    for one in names:
        for other in names - {one}:
            assert sum(abs(a - b) > 100 for a, b in zip(shapes[one], shapes[other])) >= 12, (one, other)
