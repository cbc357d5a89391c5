#!/usr/bin/env python3
"""An independent reader of sealed values, version 1 (DESIGN.md, "Sealed value").

It shares nothing with Sealwright but the document and needs only Python 3.9 and the package `cryptography`.

    read_sealed_value.py                reads one JSON object a line from standard input and answers one a line
    read_sealed_value.py FILE...        checks every case of vector files; exit 1 if any verdict differs

An object has: token, dek (hex), tenant, dataset, field, record (null = none known). The answer has: verdict (open, malformed
or open_failed) and, when it opened, plaintext (hex).
"""

import base64
import hmac
import json
import re
import struct
import sys
from typing import NamedTuple, Optional

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

XAES_256_GCM, AES_256_SIV = 1, 2
RECORD_BOUND, RAW_BYTES = 0x10, 0x20


class Malformed(Exception):
    """Not a sealed value: just text."""


class OpenFailed(Exception):
    """A sealed value that does not open."""


class SealedValue(NamedTuple):
    suite: int
    form: int
    key_id: bytes
    """32 bytes in the inline form, 16 in the keyring form."""
    body: bytes


def parse(token: str) -> SealedValue:
    match = re.fullmatch(r"swr1\.([A-Za-z0-9_-]*)", token)
    if match is None:
        raise Malformed("prefix or alphabet")
    text = match.group(1)
    try:
        envelope = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Malformed("base64url") from error
    if base64.urlsafe_b64encode(envelope).rstrip(b"=").decode() != text:
        raise Malformed("trailing bits")
    rest = Cursor(envelope)
    suite, form = rest.u8(), rest.u8()
    if suite not in (XAES_256_GCM, AES_256_SIV):
        raise Malformed("suite")
    if form & 0xCE:
        raise Malformed("form")
    if suite == AES_256_SIV and form & RECORD_BOUND:
        raise Malformed("record under suite 2")
    key_id = read_inline_key(rest) if form & 0x0F else rest.take(16)
    body = rest.all()
    if len(body) < (24 + 16 if suite == XAES_256_GCM else 16):
        raise Malformed("body")
    return SealedValue(suite, form, key_id, body)


def read_inline_key(rest: "Cursor") -> bytes:
    """kid 32 | u8 n | KEK name | u16 m | wrapped DEK. Who unwraps needs name and wrap; a reader with the DEK does not."""
    key_id = rest.take(32)
    if re.fullmatch(rb"[a-z0-9-]{1,63}", rest.take(rest.u8())) is None:
        raise Malformed("KEK name")
    if len(rest.take(rest.u16())) == 0:
        raise Malformed("wrapped DEK")
    return key_id


class Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise Malformed("too short")
        self.at += count
        return self.data[self.at - count : self.at]

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return struct.unpack(">H", self.take(2))[0]

    def all(self) -> bytes:
        return self.take(len(self.data) - self.at)


class Binding(NamedTuple):
    tenant: str
    dataset: str
    field: str
    record: Optional[str]


def derive(dek: bytes, label: str, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=b"", info=label.encode()).derive(dek)


def length_prefixed(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack(">I", len(data)) + data


def open_sealed(value: SealedValue, dek: bytes, binding: Binding) -> bytes:
    kid = derive(dek, "sealwright/v1 key id", 32)
    if not hmac.compare_digest(kid[: len(value.key_id)], value.key_id):
        raise OpenFailed("key id")
    bound = bool(value.form & RECORD_BOUND)
    if bound and not binding.record:
        raise OpenFailed("no record")
    aad = (
        length_prefixed("sealwright/v1")
        + bytes([value.suite, value.form & 0xF0])
        + kid
        + length_prefixed(binding.tenant)
        + length_prefixed(binding.dataset)
        + length_prefixed(binding.field)
        + length_prefixed(binding.record if bound and binding.record else "")
    )
    try:
        if value.suite == XAES_256_GCM:
            plaintext = open_xaes(derive(dek, "sealwright/v1 suite 1", 32), value.body, aad)
        else:
            plaintext = AESSIV(derive(dek, "sealwright/v1 suite 2", 64)).decrypt(value.body, [aad])
    except InvalidTag as error:
        raise OpenFailed("tag") from error
    if value.form & RAW_BYTES:
        return plaintext
    text = plaintext.rstrip(b" ")
    if not text:
        raise OpenFailed("empty JSON text")
    return text


def open_xaes(key: bytes, body: bytes, aad: bytes) -> bytes:
    """C2SP XAES-256-GCM: SP 800-108 counter KDF with CMAC, label X, the nonce's first half as context."""
    nonce = body[:24]
    message_key = b""
    for counter in (1, 2):
        mac = CMAC(AES(key))
        mac.update(struct.pack(">H", counter) + b"X\0" + nonce[:12])
        message_key += mac.finalize()
    return AESGCM(message_key).decrypt(nonce[12:], body[24:], aad)


def read(case: dict) -> dict:
    binding = Binding(case["tenant"], case["dataset"], case["field"], case["record"])
    try:
        value = parse(case["token"])
        return {"verdict": "open", "plaintext": open_sealed(value, bytes.fromhex(case["dek"]), binding).hex()}
    except Malformed:
        return {"verdict": "malformed"}
    except OpenFailed:
        return {"verdict": "open_failed"}


def check(path: str) -> int:
    """Number of cases whose verdict differs from the file's."""
    with open(path, encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    wrong = 0
    for case in cases:
        answer = read(case)
        plaintext = case["text"].encode().hex() if "text" in case else case.get("hex")
        if answer["verdict"] != case["expect"] or answer.get("plaintext") != plaintext:
            wrong += 1
            print(f"{case['id']}: {answer['verdict']} instead of {case['expect']}")
    print(f"{path}: {len(cases)} cases, {wrong} differ")
    return wrong if cases else 1


def main(paths: "list[str]") -> int:
    if paths:
        return 1 if sum([check(path) for path in paths]) else 0
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
