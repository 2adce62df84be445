#!/usr/bin/python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Checks Veil receipts by docs/receipts.md alone; shares no code with Veil. Usage: verify_receipt.py FILE..."""

import base64
import binascii
import datetime
import json
import re
import sys

from Cryptodome.Hash import keccak
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TYPE, VERSION = 'ai.opengradient.veil.receipt', 1
MAX_SIZE = 256 * 1024
SKEW = 600
DURATIONS = ('queue', 'parse', 'seal', 'relay', 'open', 'verify')
MEMBERS = {'type', 'version', 'sandbox', 'time', 'model', 'stream', 'duration_us', 'tee', 'request_hash', 'output_hash', 'timestamp', 'signature',
           'signed', 'unsigned', 'dropped', 'reasoning_effort_signed', 'digest'}
TEE_MEMBERS = {'id', 'endpoint', 'pcr_hash', 'signing_key'}


class Refused(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Refused(what)


def keccak256(data):
    return keccak.new(digest_bits=256, data=data).digest()


def read_strict(data):
    need(len(data) <= MAX_SIZE, 'the file is too large')

    def once(pairs):
        need(len({key for key, _ in pairs}) == len(pairs), 'a member is there twice')
        return dict(pairs)

    def no_constant(name):
        raise Refused('%s is not JSON' % name)

    try:
        return json.loads(data.decode('utf-8'), object_pairs_hook=once, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused('not JSON: %s' % error) from None


def is_number(value, maximum):
    return type(value) is int and 0 <= value <= maximum


def is_text(value, maximum):
    if type(value) is not str or '\0' in value:
        return False
    try:
        return len(value.encode('utf-8')) <= maximum
    except UnicodeEncodeError:
        return False


def is_hash(value):
    return type(value) is str and re.fullmatch('0x[0-9a-f]{64}', value, re.ASCII) is not None


def is_names(value):
    return type(value) is list and len(value) <= 65 and all(is_text(name, 320) for name in value)


def read_base64(value, maximum, what):
    need(type(value) is str and value != '', what + ' is not base64')
    try:
        raw = base64.b64decode(value.encode('ascii'), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused(what + ' is not base64') from None
    need(base64.b64encode(raw).decode() == value and len(raw) <= maximum, what + ' is not base64 in its one spelling')
    return raw


def read_time(value):
    need(type(value) is str and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', value, re.ASCII), 'time is not of its form')
    try:
        time = datetime.datetime.strptime(value, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Refused('there is no such time') from None
    since = time - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    need(since.days >= 0, 'time is before 1970')
    return (since.days * 86400 + since.seconds) * 1000000 + since.microseconds


def check_format(receipt):
    need(type(receipt) is dict and receipt.get('type') == TYPE, 'no receipt')
    need(type(receipt.get('version')) is int and receipt['version'] == VERSION, 'not of a known version')
    need(set(receipt) == MEMBERS, 'members are missing or unknown')
    need(type(receipt['tee']) is dict and set(receipt['tee']) == TEE_MEMBERS, 'tee: members are missing or unknown')
    need(type(receipt['duration_us']) is dict and set(receipt['duration_us']) == set(DURATIONS), 'duration_us: likewise')
    need(all(is_number(receipt['duration_us'][name], 86400 * 10**6) for name in DURATIONS), 'a duration is no number in range')
    need(is_text(receipt['model'], 256), 'model is not text')
    need(is_text(receipt['tee']['endpoint'], 2048), 'tee.endpoint is not text')
    for value in (receipt['request_hash'], receipt['output_hash'], receipt['digest'], receipt['tee']['id'], receipt['tee']['pcr_hash']):
        need(is_hash(value), 'a hash is not of its form')
    need(all(type(receipt[name]) is bool for name in ('sandbox', 'stream')), 'sandbox and stream are booleans')
    need(receipt['reasoning_effort_signed'] is None or type(receipt['reasoning_effort_signed']) is bool, 'reasoning_effort_signed')
    need(receipt['signed'] in (['content'], ['tool_calls']), 'signed')
    need(is_names(receipt['unsigned']) and is_names(receipt['dropped']), 'lists of names')
    need(is_number(receipt['timestamp'], 253402300799), 'timestamp is no number in range')


def check_digest(receipt):
    rest = {key: value for key, value in receipt.items() if key != 'digest'}
    need('0x' + keccak256(json.dumps(rest, sort_keys=True).encode('ascii')).hex() == receipt['digest'], 'the digest is of something else')


def read_key(der):
    try:
        key = serialization.load_der_public_key(der)
    except Exception as error:
        raise Refused('the signing key cannot be read: %s' % error) from None
    need(isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 8192, 'not an RSA key of 2048 to 8192 bits')
    canonical = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    need(canonical == der, 'the signing key is not canonical DER')
    return key


def check_signature(receipt):
    der = read_base64(receipt['tee']['signing_key'], 2048, 'tee.signing_key')
    signature = read_base64(receipt['signature'], 1024, 'signature')
    need('0x' + keccak256(der).hex() == receipt['tee']['id'], 'tee.id is not the hash of the signing key')
    key = read_key(der)
    message = bytes.fromhex(receipt['request_hash'][2:]) + bytes.fromhex(receipt['output_hash'][2:]) + receipt['timestamp'].to_bytes(32, 'big')
    try:
        key.verify(signature, keccak256(message), padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32), hashes.SHA256())
    except InvalidSignature:
        raise Refused('the signature is wrong') from None


def check_time(receipt):
    start = read_time(receipt['time'])
    end = start + sum(receipt['duration_us'].values())
    need(start // 10**6 - SKEW <= receipt['timestamp'] <= end // 10**6 + SKEW, 'the timestamp is not of the time of the request')


def verify(data):
    """The receipt as a dict, or Refused."""
    receipt = read_strict(data)
    check_format(receipt)
    read_time(receipt['time'])
    check_digest(receipt)
    check_signature(receipt)
    check_time(receipt)
    return receipt


def main(paths):
    status = 0
    for path in paths:
        try:
            with open(path, 'rb') as file:
                receipt = verify(file.read(MAX_SIZE + 1))
            print('%s: verified%s, %s' % (path, ' (sandbox)' if receipt['sandbox'] else '', receipt['tee']['id']))
        except Refused as reason:
            print('%s: NOT verified: %s' % (path, reason))
            status = 1
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
