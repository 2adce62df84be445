#!/usr/bin/python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""verified-chat.py BUNDLE PROMPT RECEIPT: asks, prints the verified answer, writes a receipt, and verifies that."""
import json
import sys

import gi

gi.require_version("Veil", "1")
from gi.repository import GLib, Veil  # noqa: E402


def chat(client, request):
    """The verified answer; whatever else there may be is an exception."""
    loop, outcome = GLib.MainLoop(), []

    def on_sent(client, result):
        try:
            outcome.append(client.send_finish(result))
        except GLib.Error as error:
            outcome.append(error)
        loop.quit()

    client.send_async(request, None, on_sent)
    loop.run()
    if isinstance(outcome[0], GLib.Error):
        raise outcome[0]
    return outcome[0]


def verify_receipt(path):
    """Anybody can do this, without network and without an account."""
    with open(path) as file:
        receipt = Veil.SignedReceipt.new_from_json(file.read())
    print("receipt verified:", receipt.get_verification().get_tee_id())


def main(bundle_path, prompt, receipt_path):
    with open(bundle_path) as file:
        client = Veil.Client.new_for_bundle(Veil.Bundle.new(file.read()))
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": prompt}]}
    answer = chat(client, Veil.Request.new(json.dumps(body)))
    print(answer.get_text())
    with open(receipt_path, "w") as file:
        file.write(Veil.SignedReceipt.new(answer).to_json())
    verify_receipt(receipt_path)


try:
    main(*sys.argv[1:])
except GLib.Error as error:
    sys.exit(f"{error.message} ({Veil.Error.get_nick(error.code) if error.matches(Veil.Error.quark(), error.code) else ''})")
