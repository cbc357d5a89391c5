"""Opens HPKE messages (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256), written from the RFC alone.

One JSON question a line: {"aead", "secret", "enc", "info", "aad", "ciphertext"}, hex but for aead (1 AES-128-GCM, 2 AES-256-GCM).
One JSON answer a line: {"plaintext"} or {"refused": true}.
"""

import hashlib
import hmac
import json
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = {1: 16, 2: 32}


def extract(suite, salt, label, ikm):
    return hmac.new(salt, b"HPKE-v1" + suite + label + ikm, hashlib.sha256).digest()


def expand(suite, prk, label, info, length):
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + labeled + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def open_message(question):
    aead = question["aead"]
    secret, enc, info, aad, ciphertext = (
        bytes.fromhex(question[name]) for name in ("secret", "enc", "info", "aad", "ciphertext")
    )
    private = X25519PrivateKey.from_private_bytes(secret)
    kem = b"KEM" + (0x0020).to_bytes(2, "big")
    shared = private.exchange(X25519PublicKey.from_public_bytes(enc))
    kem_context = enc + private.public_key().public_bytes_raw()
    secret = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", kem_context, 32)
    suite = b"HPKE" + b"".join(part.to_bytes(2, "big") for part in (0x0020, 0x0001, aead))
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    root = extract(suite, secret, b"secret", b"")
    key = expand(suite, root, b"key", context, KEY_BYTES[aead])
    nonce = expand(suite, root, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, ciphertext, aad)


for line in sys.stdin:
    try:
        print(json.dumps({"plaintext": open_message(json.loads(line)).hex()}))
    except InvalidTag:
        print(json.dumps({"refused": True}))
