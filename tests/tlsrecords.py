"""Records of TLS 1.3 as no library writes them: empty, padded, of types that there are not.

They are sealed with the server's keys of a connection (`tests.libssl`), so the client cannot tell
them from its server's.
"""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
TAG_BYTES = 16

CLOSE_NOTIFY = bytes([1, 0])
INTERNAL_ERROR = bytes([2, 80])

# Messages of a handshake that come after it.
KEY_UPDATE = bytes([24, 0, 0, 1, 0])
KEY_UPDATE_REQUESTED = bytes([24, 0, 0, 1, 1])
HELLO_REQUEST = bytes([0, 0, 0, 0])


def record(kind: int, content: bytes, version: int = 0x0303) -> bytes:
    """Return a record in the clear."""
    return struct.pack(">BHH", kind, version, len(content)) + content


class Sealer:
    """Seals the records of one side, from the first after the handshake on."""

    def __init__(self, secret: bytes) -> None:
        self._use(secret)

    def _use(self, secret: bytes) -> None:
        self._secret = secret
        self._cipher = AESGCM(_expanded(secret, b"key", 16))
        self._nonce = int.from_bytes(_expanded(secret, b"iv", 12), "big")
        self._number = 0

    def seal(self, content: bytes, kind: int = DATA, padding: int = 0) -> bytes:
        """Return a record with that content, of which the client sees nothing but the size."""
        inner = content + bytes([kind]) + bytes(padding)
        return self.seal_inner(inner)

    def seal_inner(self, inner: bytes) -> bytes:
        """Return a record of bytes that need not end with a type, as they should."""
        header = struct.pack(">BHH", DATA, 0x0303, len(inner) + TAG_BYTES)
        nonce = (self._nonce ^ self._number).to_bytes(12, "big")
        self._number += 1
        return header + self._cipher.encrypt(nonce, inner, header)

    def update_keys(self) -> None:
        """Use the next keys: the client has been told by KEY_UPDATE."""
        self._use(_expanded(self._secret, b"traffic upd", 32))


def _expanded(secret: bytes, label: bytes, size: int) -> bytes:
    full = b"tls13 " + label
    info = struct.pack(">HB", size, len(full)) + full + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)
