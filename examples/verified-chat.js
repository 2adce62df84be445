// SPDX-FileCopyrightText: The Veil authors
// SPDX-License-Identifier: Apache-2.0

// gjs -m verified-chat.js BUNDLE PROMPT RECEIPT: asks, prints the verified answer, writes a receipt, and verifies that.
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Veil from 'gi://Veil?version=1';
import {exit, programArgs} from 'system';

Gio._promisify(Veil.Client.prototype, 'send_async', 'send_finish');

function readText(path) {
    return new TextDecoder().decode(GLib.file_get_contents(path)[1]);
}

// Anybody can do this, without network and without an account.
function verifyReceipt(path) {
    const receipt = Veil.SignedReceipt.new_from_json(readText(path));
    print(`receipt verified: ${receipt.verification.tee_id}`);
}

async function main(bundlePath, prompt, receiptPath) {
    const client = Veil.Client.new_for_bundle(Veil.Bundle.new(readText(bundlePath)));
    const body = {model: 'gpt-4.1', messages: [{role: 'user', content: prompt}]};
    const request = Veil.Request.new(JSON.stringify(body));

    // It is verified, or this throws.
    const answer = await client.send_async(request, null);
    print(answer.text);
    GLib.file_set_contents(receiptPath, Veil.SignedReceipt.new(answer).to_json());
    verifyReceipt(receiptPath);
}

let status = 0;
const loop = new GLib.MainLoop(null, false);
main(...programArgs).catch(error => {
    const nick = error.matches?.(Veil.Error.quark(), error.code) ? Veil.Error.get_nick(error.code) : '';
    printerr(`${error.message} (${nick})`);
    status = 1;
}).finally(() => loop.quit());
loop.run();
exit(status);
