"""OpenSSL's side of a server, for what Python's `ssl` does not offer.

Renegotiation, key updates, versions that are too old, small records, and the secrets of a
connection, with which `tests.tlsrecords` writes records of its own. Bytes go in and out by memory,
and there is no socket here.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from ctypes import c_char_p, c_int, c_long, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304

# Numbers of OpenSSL's interface, which its headers define.
PEM = 1
WANT_READ, WANT_WRITE, ZERO_RETURN = 2, 3, 6
CTRL_MIN_VERSION, CTRL_MAX_VERSION, CTRL_MAX_FRAGMENT = 123, 124, 52
KEY_UPDATE, KEY_UPDATE_REQUESTED = 0, 1

FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "TLS_server_method": (c_void_p, []),
    "SSL_CTX_new": (c_void_p, [c_void_p]),
    "SSL_CTX_free": (None, [c_void_p]),
    "SSL_CTX_ctrl": (c_long, [c_void_p, c_int, c_long, c_void_p]),
    "SSL_CTX_set_security_level": (None, [c_void_p, c_int]),
    "SSL_CTX_set_num_tickets": (c_int, [c_void_p, c_size_t]),
    "SSL_CTX_set_ciphersuites": (c_int, [c_void_p, c_char_p]),
    "SSL_CTX_set_cipher_list": (c_int, [c_void_p, c_char_p]),
    "SSL_CTX_use_certificate_chain_file": (c_int, [c_void_p, c_char_p]),
    "SSL_CTX_use_PrivateKey_file": (c_int, [c_void_p, c_char_p, c_int]),
    "SSL_CTX_set_keylog_callback": (None, [c_void_p, c_void_p]),
    "SSL_CTX_set_session_id_context": (c_int, [c_void_p, c_char_p, ctypes.c_uint]),
    "SSL_new": (c_void_p, [c_void_p]),
    "SSL_free": (None, [c_void_p]),
    "SSL_set_bio": (None, [c_void_p, c_void_p, c_void_p]),
    "SSL_set_accept_state": (None, [c_void_p]),
    "SSL_set_options": (c_uint64, [c_void_p, c_uint64]),
    "SSL_ctrl": (c_long, [c_void_p, c_int, c_long, c_void_p]),
    "SSL_do_handshake": (c_int, [c_void_p]),
    "SSL_get_error": (c_int, [c_void_p, c_int]),
    "SSL_read": (c_int, [c_void_p, c_void_p, c_int]),
    "SSL_write": (c_int, [c_void_p, c_char_p, c_int]),
    "SSL_key_update": (c_int, [c_void_p, c_int]),
    "SSL_renegotiate": (c_int, [c_void_p]),
    "SSL_renegotiate_pending": (c_int, [c_void_p]),
    "SSL_shutdown": (c_int, [c_void_p]),
    "SSL_version": (c_int, [c_void_p]),
    "BIO_s_mem": (c_void_p, []),
    "BIO_new": (c_void_p, [c_void_p]),
    "BIO_ctrl_pending": (c_size_t, [c_void_p]),
    "BIO_read": (c_int, [c_void_p, c_void_p, c_int]),
    "BIO_write": (c_int, [c_void_p, c_char_p, c_int]),
    "ERR_clear_error": (None, []),
    "ERR_peek_last_error": (ctypes.c_ulong, []),
    "ERR_error_string_n": (None, [ctypes.c_ulong, c_char_p, c_size_t]),
}

KEYLOG = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)


@functools.cache
def library() -> Any:
    """Return the system's OpenSSL, with the types of its functions."""
    found = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


class LibsslError(Exception):
    """A failure of OpenSSL, with its words."""


def failure() -> LibsslError:
    """Return the last failure of this thread."""
    text = ctypes.create_string_buffer(256)
    library().ERR_error_string_n(library().ERR_peek_last_error(), text, len(text))
    return LibsslError(text.value.decode())


class Context:
    """The settings of a server. It must outlive its ends, and can be shared by threads."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        *,
        version: int = TLS_1_3,
        tickets: int = 0,
        cipher: str | None = None,
    ) -> None:
        self._ssl = library()
        self._context = self._ssl.SSL_CTX_new(self._ssl.TLS_server_method())
        # As a server of the past, which takes anything.
        self._ssl.SSL_CTX_set_security_level(self._context, 0)
        for control in (CTRL_MIN_VERSION, CTRL_MAX_VERSION):
            self._ssl.SSL_CTX_ctrl(self._context, control, version, None)
        self._ssl.SSL_CTX_set_num_tickets(self._context, tickets)
        self._ssl.SSL_CTX_set_session_id_context(self._context, b"tests", 5)
        # `tests.tlsrecords` knows this suite.
        self._ssl.SSL_CTX_set_ciphersuites(self._context, b"TLS_AES_128_GCM_SHA256")
        if cipher is not None:
            self._ssl.SSL_CTX_set_cipher_list(self._context, cipher.encode())
        if (
            self._ssl.SSL_CTX_use_certificate_chain_file(self._context, bytes(certificate)) != 1
            or self._ssl.SSL_CTX_use_PrivateKey_file(self._context, bytes(key), PEM) != 1
        ):
            raise failure()
        self.secrets: dict[int, dict[str, bytes]] = {}
        self._callback = KEYLOG(self._note_secret)
        self._ssl.SSL_CTX_set_keylog_callback(self._context, self._callback)

    def __del__(self) -> None:
        self._ssl.SSL_CTX_free(self._context)

    def _note_secret(self, ssl: int, line: bytes) -> None:
        label, _, secret = line.decode().split()
        self.secrets.setdefault(ssl, {})[label] = bytes.fromhex(secret)

    def end(self) -> ServerEnd:
        """Return the server's end of a new connection."""
        return ServerEnd(self, self._ssl.SSL_new(self._context))


class ServerEnd:
    """The server's end of one connection, for one thread at a time; to be closed."""

    def __init__(self, context: Context, ssl: int) -> None:
        self._lib = library()
        self._context = context
        self._pointer = ssl
        self._incoming = self._lib.BIO_new(self._lib.BIO_s_mem())
        self._outgoing = self._lib.BIO_new(self._lib.BIO_s_mem())
        self._lib.SSL_set_bio(ssl, self._incoming, self._outgoing)
        self._lib.SSL_set_accept_state(ssl)

    def close(self) -> None:
        self._context.secrets.pop(self._pointer, None)
        self._lib.SSL_free(self._pointer)

    def feed(self, data: bytes) -> None:
        """Take bytes that the client has sent."""
        if data:
            self._lib.BIO_write(self._incoming, data, len(data))

    def take(self) -> bytes:
        """Return the bytes that are to be sent."""
        size = self._lib.BIO_ctrl_pending(self._outgoing)
        buffer = ctypes.create_string_buffer(size or 1)
        count = self._lib.BIO_read(self._outgoing, buffer, size) if size else 0
        return buffer.raw[: max(count, 0)]

    def secret(self, label: str) -> bytes:
        """Return a secret of the connection, as key logs name it."""
        return self._context.secrets[self._pointer][label]

    def version(self) -> int:
        return int(self._lib.SSL_version(self._pointer))

    def handshake(self) -> bool:
        """Go on with the handshake; return whether it is over.

        Raises LibsslError when it fails.
        """
        self._lib.ERR_clear_error()
        result = self._lib.SSL_do_handshake(self._pointer)
        if result == 1:
            return True
        self._expect_to_wait(result)
        return False

    def read(self) -> bytes | None:
        """Return decrypted bytes; b'' when more have to be fed, None at the client's goodbye."""
        buffer = ctypes.create_string_buffer(65536)
        self._lib.ERR_clear_error()
        count = self._lib.SSL_read(self._pointer, buffer, len(buffer))
        if count > 0:
            return buffer.raw[:count]
        if self._lib.SSL_get_error(self._pointer, count) == ZERO_RETURN:
            return None
        self._expect_to_wait(count)
        return b""

    def write(self, data: bytes) -> None:
        """Encrypt bytes, in records as large as `fragment` has said."""
        self._lib.ERR_clear_error()
        if data and self._lib.SSL_write(self._pointer, data, len(data)) != len(data):
            raise failure()

    def fragment(self, size: int) -> None:
        """Limit records to so many bytes, at least 512."""
        self._lib.SSL_ctrl(self._pointer, CTRL_MAX_FRAGMENT, size, None)

    def update_keys(self, is_requested: bool) -> None:
        """Change the server's keys (TLS 1.3), and request the same of the client or not."""
        kind = KEY_UPDATE_REQUESTED if is_requested else KEY_UPDATE
        if self._lib.SSL_key_update(self._pointer, kind) != 1 or not self.handshake():
            raise failure()

    def renegotiate(self) -> None:
        """Ask for another handshake (TLS 1.2), by a message that `take` returns."""
        self._lib.ERR_clear_error()
        if self._lib.SSL_renegotiate(self._pointer) != 1:
            raise failure()
        self.handshake()

    def say_goodbye(self) -> None:
        """Write a close_notify."""
        self._lib.ERR_clear_error()
        self._lib.SSL_shutdown(self._pointer)

    def _expect_to_wait(self, result: int) -> None:
        if self._lib.SSL_get_error(self._pointer, result) not in (WANT_READ, WANT_WRITE):
            raise failure()
