# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The pieces of code that the pages of the reference show: each is run as it stands there, with what it takes for granted put before it."""

import os
import re
import subprocess

import pytest
from test_examples import SOURCE, installed, network, run  # noqa: F401

PYTHON = '''
import json, sys, urllib.request
import gi
gi.require_version("Veil", "1")
from gi.repository import GLib, Veil

with open(sys.argv[1]) as file:
    bundle = Veil.Bundle.new(file.read())
relay_url, rpc_url, contract, token = bundle.get_relay_url(), bundle.get_registry_url(), bundle.get_registry_address(), bundle.get_access_token()
body = json.dumps({"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello!"}]})


def wait(start, finish):
    loop, values = GLib.MainLoop(), []

    def on_done(source, result):
        try:
            values.append(finish(result))
        finally:
            loop.quit()

    start(None, on_done)
    loop.run()
    return values[0]


def post(url, data, headers):
    with urllib.request.urlopen(urllib.request.Request(url, bytes(data), headers)) as answer:
        return answer.read()


def send(client):
    return wait(lambda *rest: client.send_async(Veil.Request.new(body), *rest), client.send_finish)


registry = Veil.RegistryClient.new_for_bundle(bundle)
enclave = wait(registry.fetch_async, registry.fetch_finish)[0]
pin = enclave.get_pcr_hash()
'''
JAVASCRIPT = '''
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Veil from 'gi://Veil?version=1';
import {exit, programArgs} from 'system';

const bundle = Veil.Bundle.new(new TextDecoder().decode(GLib.file_get_contents(programArgs[0])[1]));
const [rpcUrl, contract] = [bundle.registry_url, bundle.registry_address];
let status = 1;
const loop = new GLib.MainLoop(null, false);
const own = Veil.RegistryClient.new_for_bundle(bundle);
const listed = await new Promise(resolve => {
    own.fetch_async(null, (source, result) => { resolve(own.fetch_finish(result)); loop.quit(); });
    loop.run();
});
const pin = listed[0].pcr_hash;
async function main() {
%s
}
main().then(() => { status = 0; }, error => printerr(error.message, error.stack)).finally(() => loop.quit());
loop.run();
exit(status);
'''


def blocks(page, language):
    text = (SOURCE / 'docs' / 'reference' / page).read_text()
    found = [b for b in re.findall(r'^```%s\n(.*?)^```$' % language, text, re.M | re.S) if not b.startswith('@include')]
    assert found, 'the page shows no such code'
    return found


@pytest.fixture
def python(installed, network, tmp_path):  # noqa: F811
    def call(*parts):
        path = tmp_path / 'page.py'
        path.write_text('\n'.join([PYTHON, *parts]))
        return run(['/usr/bin/python3', str(path)], installed, network.path)
    return call


@pytest.fixture
def javascript(installed, network, tmp_path):  # noqa: F811
    def call(*parts):
        path = tmp_path / 'page.js'
        path.write_text(JAVASCRIPT % '\n'.join(parts))
        return run(['gjs', '-m', str(path)], installed, network.path)
    return call


def test_authorize_requests_and_pin_a_build(python):
    authorize, use_one = blocks('verified-chat.md.in', 'python')
    code, out, err = python('''
asked = []


def fetch_token(on_token, anew):
    asked.append(anew)
    GLib.idle_add(on_token, token if anew else "stale")

''', authorize, use_one, 'print(send(client).get_text(), asked, client.get_chooser().get_current().get_pcr_hash() == pin)')
    assert code == 0, err
    assert 'Hello!' in out and out.endswith('[False, True] True\n')


def test_verify_a_response_from_elsewhere(python):
    opened, transport = blocks('verify-response.md', 'python')
    code, out, err = python('''
registered = enclave
request = Veil.Request.new(body)
seal = Veil.Seal.new(enclave)
sealed = post(relay_url + "/api/v1/chat/ohttp", seal.encapsulate(request).get_data(), {
    "Content-Type": Veil.CONTENT_TYPE_REQUEST, "Accept": Veil.CONTENT_TYPE_RESPONSE, "X-TEE-ID": enclave.get_id(), "Authorization": "Bearer " + token})
response = seal.open(GLib.Bytes.new(sealed)).get_data()
endpoint, pcr_hash, signing_key, received_at = enclave.get_endpoint(), enclave.get_pcr_hash(), enclave.get_signing_key().get_data(), -1
''', opened, 'enclave = registered', transport, 'print("by hand:", answer.get_text())')
    assert code == 0, err
    assert '"verified":true' in out and 'Hello!' in out.split('by hand:')[1]


def test_discover_enclaves(javascript):
    code, out, err = javascript(*blocks('discover.md', 'js'), 'print(`chosen ${enclave.id}`);')
    assert code == 0, err
    rows = out.splitlines()
    assert len(rows) == 4 and all(re.match(r'0x[0-9a-f]{64} http://127\.0\.0\.1:\d+/\S* 0x[0-9a-f]{64} \S+', row) for row in rows[:3]), out
    assert rows[3].split()[1] in {row.split()[0] for row in rows[:3]}


def test_verify_a_receipt(python):
    read, compare = blocks('verify-receipt.md', 'python')
    code, out, err = python('''
answer = send(Veil.Client.new_for_bundle(bundle))
text, text_of_answer = Veil.SignedReceipt.new(answer).to_json(), answer.get_text()
''', read, compare)
    assert code == 0, err
    assert re.fullmatch(r'(0x[0-9a-f]{64} ){3}\d+\n', out), out


def test_verify_an_attestation_document(python):
    """The genuine document has expired, which is what the code says first; at its own time it verifies, and is of another enclave."""
    verify, compute = blocks('verify-attestation.md', 'python')
    expected = (SOURCE / 'tests' / 'vectors' / 'nitro-attestation-expected.json').read_text()
    document = (SOURCE / 'tests' / 'vectors' / 'nitro-attestation-document.b64').read_text()
    code, out, err = python('base64, expected = %r, json.loads(%r)' % (document, expected), '''
nonce = bytes.fromhex(expected["nonce"])
pcr0, pcr1, pcr2, chooser = expected["pcr0"], expected["pcr1"], expected["pcr2"], Veil.Chooser.new()


def say(code):
    try:
        exec(code)
    except GLib.Error as error:
        print(Veil.Error.get_nick(error.code))

''', 'say(%r)' % verify, 'say(%r)' % verify.replace('ATTESTATION_NOW', 'ATTESTATION_AT_ITS_TIME'), compute, 'print(pin == expected["pcr_hash"], chooser.get_pcr_pins())')
    assert code == 0, err
    assert re.fullmatch(r"attestation_validity\nattestation_pcr\nTrue \['0x[0-9a-f]{64}'\]\n", out), out


def test_ask_an_enclave_for_its_attestation(javascript):
    [ask] = blocks('verify-attestation.md', 'js')
    code, out, err = javascript('const enclave = listed[0];', ask)
    assert code == 0, err
    assert out.startswith('false ') and 'ohttp_config' in out, 'every check is met, and yet it is the sandbox: ' + out
