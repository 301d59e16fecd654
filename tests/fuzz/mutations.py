"""Random changes of bytes (pure): the same source of chance makes the same ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from tests.tlsrecords import ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, record

# Lengths, counts, numbers and codes that programs trip over.
NUMBERS = (-(2**31), -112, -101, -8, -4, -2, -1, 0, 1, 2, 16, 255, 65_536, 2**24, 2**31 - 1)

Mutation = Callable[[Random, bytes], bytes]


def flip(chance: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def overwrite(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    size = chance.choice((1, 2, 4, 30))
    return data[:at] + chance.randbytes(size) + data[at + size :]


def overwrite_number(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + struct.pack(">i", chance.choice(NUMBERS)) + data[at + 4 :]


def delete(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice((1, 2, 4, 100)) :]


def insert(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 2, 5, 100, 2000))) + data[at:]


def repeat(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    part = data[at : at + chance.choice((1, 5, 50, 500))]
    return data[:at] + part * chance.choice((2, 3, 50)) + data[at + len(part) :]


def truncate(chance: Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


MUTATIONS: tuple[Mutation, ...] = (
    flip,
    flip,
    overwrite,
    overwrite_number,
    overwrite_number,
    delete,
    insert,
    repeat,
    truncate,
)


def mutate(chance: Random, data: bytes) -> bytes:
    """Change something, seldom more than one thing."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if data:
            data = chance.choice(MUTATIONS)(chance, data)
    return data


def mutate_frame(chance: Random, frame: bytes) -> bytes:
    """Change a frame of ZooKeeper's protocol, whose length is then right at times."""
    if chance.random() < 0.4:
        return mutate(chance, frame)
    body = mutate(chance, frame[4:])
    return struct.pack(">i", len(body)) + body


def some_record(chance: Random) -> bytes:
    """Return a record in the clear that has nothing to do with the connection."""
    kind = chance.choice((CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA, 24, chance.randrange(256)))
    content = chance.choice(
        (b"", b"\1", b"\1\0", b"\2\x28", chance.randbytes(chance.choice((1, 4, 40, 17_000))))
    )
    version = chance.choice((0x0303, 0x0301, 0x0304, chance.randrange(65_536)))
    return record(kind, content, version)


def pieces(chance: Random, data: bytes) -> list[bytes]:
    """Cut bytes into pieces of one size."""
    size = chance.choice((1, 2, 5, 100, 1000))
    # A long answer in single bytes would only take long.
    size = max(size, len(data) // 500)
    return [data[at : at + size] for at in range(0, len(data), size)]
