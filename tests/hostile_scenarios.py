"""The faults of a hostile server: small changes to the answers of a good one.

A broken server has the same faults.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

from tests.hostile import (
    HANG_UP,
    PASSWORD,
    RESET,
    SESSION,
    STAT,
    End,
    Pieces,
    Scenario,
    event,
    good_result,
    header,
    welcome,
)
from tests.testing import protocol as p
from tests.wireframes import Op, Request

INT_MAX = 2**31 - 1
INT_MIN = -(2**31)
LONG_MAX = 2**63 - 1
LIMIT = 128 << 20

LENGTHS = [INT_MIN, -1, 0, 3, 4, 15, LIMIT + 1, 1 << 30, INT_MAX]

SPEECHES = {
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "zeros": bytes(1_000_000),
    "ones": b"\xff" * 100_000,
    "noise": random.Random(1).randbytes(100_000),
}

Answer = Callable[[Request, bytes], Pieces]


def body_of(frame: bytes) -> bytes:
    return frame[20:]


def with_body(change: Callable[[bytes], bytes]) -> Answer:
    """Return an answer whose length fits its changed body."""

    def answer(request: Request, good: bytes) -> Pieces:
        return [p.framed(good[4:20] + change(body_of(good)))]

    return answer


def with_header(xid: int | None = None, error: int = 0, zxid: int = 7) -> Answer:
    def answer(request: Request, good: bytes) -> Pieces:
        number = request.xid if xid is None else xid
        return [p.framed(header(number, error, zxid) + body_of(good))]

    return answer


def welcomes() -> Iterator[Scenario]:
    """Yield servers that open no session, or a strange one."""

    def refused(name: str, *pieces: bytes | End) -> Scenario:
        return Scenario(f"welcome: {name}", lambda _, __: list(pieces), sessions="at once")

    for length in [*LENGTHS, 35, 38, 40, 41, 1000]:
        yield refused(f"a length of {length}", p.number(length) + welcome(4000))
    for name, speech in SPEECHES.items():
        yield refused(name, speech)
        yield refused(f"{name}, and the end", speech, HANG_UP)
    for timeout in (INT_MIN, -1, 0, 1, 19, 1 << 30, INT_MAX):
        yield refused(f"a timeout of {timeout}", p.framed(welcome(timeout)))
    for length in (INT_MIN, -1, 0, 15, 17, INT_MAX):
        spoilt = welcome(4000)[:16] + p.number(length) + PASSWORD + b"\0"
        yield refused(f"a password of {length}", p.framed(spoilt))
    for flag in (1, 2, 255):
        yield refused(f"read-only: {flag}", p.framed(welcome(4000, read_only=bytes([flag]))))
    yield refused("no session", p.framed(welcome(4000, session=0)))
    yield refused("no session, no timeout", p.framed(welcome(0, session=0)))
    yield refused("nothing")
    yield refused("hanging up", HANG_UP)
    yield refused("a reset", RESET)
    yield refused("half", p.framed(welcome(4000))[:20])
    yield refused("half, and the end", p.framed(welcome(4000))[:20], HANG_UP)
    yield refused("all, and the end", p.framed(welcome(4000)), HANG_UP)
    yield refused("twice", p.framed(welcome(4000)) * 2)
    yield refused("and noise", p.framed(welcome(4000)) + SPEECHES["noise"])
    yield refused("and zeros", p.framed(welcome(4000)) + SPEECHES["zeros"])
    yield Scenario(
        "welcome: another session each time",
        lambda good, count: [p.framed(welcome(4000, session=SESSION + count)), HANG_UP],
        sessions="at once",
    )
    yield Scenario(
        "welcome: byte by byte",
        lambda good, _: [p.framed(good)[i : i + 1] for i in range(41)],
        calls="succeeds",
    )
    yield Scenario(
        "welcome: of old servers, without the last byte",
        lambda good, _: [p.framed(good[:-1])],
        calls="succeeds",
    )
    yield Scenario(
        "welcome: of another version",
        lambda good, _: [p.framed(b"\xff" * 4 + good[4:])],
        calls="succeeds",
    )


def frames() -> Iterator[Scenario]:
    """Yield servers whose frames or headers are wrong.

    The connection cannot go on.
    """

    def broken(name: str, answer: Answer) -> Scenario:
        return Scenario(f"frame: {name}", answer=answer, sessions="own")

    for length in LENGTHS:
        yield broken(f"a length of {length}", lambda _, good, n=length: [p.number(n) + good[4:]])
    for name, speech in SPEECHES.items():
        yield broken(name, lambda _, __, speech=speech: [speech])
    yield broken("a header that is cut", lambda _, good: [p.framed(good[4:19])])
    yield broken("cut, and the end", lambda _, good: [good[:-1], HANG_UP])
    yield broken("cut in the header, and the end", lambda _, good: [good[:10], HANG_UP])
    yield broken("hanging up", lambda _, __: [HANG_UP])
    yield broken("a reset", lambda _, __: [RESET])
    yield broken("an answer and the end", lambda _, good: [good, HANG_UP])
    yield broken("2,000 answers to nothing", lambda _, __: [p.framed(header(1)) * 2000, HANG_UP])
    for size in (0, 1, 4, 8, 11):
        yield broken(
            f"an event of {size} bytes", lambda _, __, n=size: [p.framed(event()[4 : 20 + n])]
        )
    for length in (INT_MIN, -1, 2, INT_MAX):
        spoilt = header(-1) + struct.pack(">iii", 3, 3, length) + b"/"
        yield broken(f"an event with a path of {length}", lambda _, __, f=spoilt: [p.framed(f)])
    for seed in range(5):
        yield broken(f"bits that flip, {seed}", flips(seed))


def flips(seed: int) -> Answer:
    chance = random.Random(seed)

    def answer(request: Request, good: bytes) -> Pieces:
        spoilt = bytearray(good)
        for _ in range(3):
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        return [bytes(spoilt), HANG_UP]

    return answer


def silences() -> Iterator[Scenario]:
    """Yield servers that do not answer, or not the requests that wait."""

    def silent(name: str, answer: Answer) -> Scenario:
        return Scenario(f"silence: {name}", answer=answer, sessions="at once")

    yield silent("no answer", lambda _, __: [])
    yield silent("the first half of it", lambda _, good: [good[: len(good) // 2]])
    yield silent("all but the last byte", lambda _, good: [good[:-1]])
    yield silent("a longer frame than there is", lambda _, good: [p.number(2000) + good[4:]])
    yield silent("a frame at the limit", lambda _, good: [p.number(LIMIT) + good[4:]])
    yield silent("every answer twice", lambda _, good: [good * 2])
    yield silent("the next one's number", lambda r, good: with_header(r.xid + 1)(r, good))
    yield silent("the former one's number", lambda r, good: with_header(r.xid - 1)(r, good))
    for name, xid in {"a ping": -2, "auth": -4, "SetWatches": -8, "0": 0, "-3": -3}.items():
        yield silent(f"as if to {name}", with_header(xid))
        yield silent(f"as if to {name}, refused", with_header(xid, error=-115))


def unasked() -> Iterator[Scenario]:
    """Yield servers that send unrequested frames besides the answer.

    The client ignores them.
    """

    def besides(name: str, *extra: bytes) -> Scenario:
        def answer(request: Request, good: bytes) -> Pieces:
            # A credential under way would take it for its answer.
            return [good] if request.op == Op.AUTH else [*extra, good]

        return Scenario(f"unasked: {name}", answer=answer, calls="succeeds")

    for name, xid in {"a ping": -2, "SetWatches": -8, "what was not sent": 5, "0": 0}.items():
        yield besides(name, p.framed(header(xid)))
        yield besides(f"{name}, with an error", p.framed(header(xid, error=-4)))
        yield besides(f"{name}, with 100,000 bytes", p.framed(header(xid) + bytes(100_000)))
    yield besides("auth", p.framed(header(-4)))
    yield besides("auth, refused", p.framed(header(-4, error=-115)))
    for state in (-112, -113, 0, 1, 3, 5, 99):
        yield besides(f"a session event, state {state}", event(-1, b"", state))
    for kind in (0, 5, 99, INT_MAX, INT_MIN, -2):
        yield besides(f"an event of type {kind}", event(kind, b"/x"))
    for name, path in {"no path": b"", "no such path": b"?", "no UTF-8": b"/\xff"}.items():
        yield besides(f"an event with {name}", *(event(kind, path) for kind in range(1, 5)))
    yield besides("events", *(event(kind, b"/x") for kind in range(1, 5)))


def bodies() -> Iterator[Scenario]:
    """Yield servers whose answers have a body that does not fit the request.

    The call fails, and no other one does.
    """

    def spoilt(name: str, change: Callable[[bytes], bytes], calls: str = "fails") -> Scenario:
        return Scenario(f"body: {name}", answer=with_body(change), calls=calls)

    for size in (0, 1, 3, 4, 5):
        yield spoilt(f"{size} bytes of it", lambda body, n=size: body[:n])
    yield spoilt("half of it", lambda body: body[: len(body) // 2])
    yield spoilt("all but a byte", lambda body: body[:-1])
    yield spoilt("one byte more", lambda body: body + b"!", "succeeds")
    for number in (INT_MIN, -2, -1, 0, 1, 1 << 20, 1 << 30, INT_MAX):
        yield spoilt(f"{number} in front", lambda body, n=number: p.number(n) + body[4:], "ends")
        yield spoilt(
            f"{number} as the second number",
            lambda body, n=number: body[:4] + p.number(n) + body[8:],
            "ends",
        )
    for op in Op:
        other = good_result(op, b"/x")
        yield spoilt(f"that of {op.name}", lambda body, other=other: other, "ends")
    yield spoilt("a stat", lambda body: STAT, "ends")
    for seed in range(10):
        noise = random.Random(seed)
        yield spoilt(f"noise, {seed}", lambda body, r=noise: r.randbytes(len(body)), "ends")
    for name, child in {
        "a name with a slash": b"a/b",
        "a name with a null character": b"a\0b",
        "an empty name": b"",
        "a name that is no UTF-8": b"\xff\xfe",
        "a name of 100,000 bytes": b"n" * 100_000,
    }.items():
        answer = p.vector([p.buffer(child)]) + STAT
        yield spoilt(f"children: {name}", lambda body, answer=answer: answer, "ends")


def errors() -> Iterator[Scenario]:
    """Yield servers that send any number as an error, or as a change."""
    numbers = [1, INT_MAX, INT_MIN, -1, -2, -5, -8, -9, -100, -116, -117, -118, -119, -124, -9999]
    for code in numbers:
        yield Scenario(f"error: {code}", answer=with_header(error=code), calls="fails")
        yield Scenario(
            f"error: {code}, no body",
            answer=lambda r, _, code=code: [p.framed(header(r.xid, code))],
            calls="fails",
        )
    for zxid in (0, -1, -(2**63), LONG_MAX):
        yield Scenario(f"zxid: {zxid}", answer=with_header(zxid=zxid), calls="succeeds")


def result(kind: int, body: bytes = b"", *, is_end: bytes = b"\0", error: int = 0) -> bytes:
    return struct.pack(">i", kind) + is_end + p.number(error) + body


def transactions() -> Iterator[Scenario]:
    """Yield servers whose results do not match a transaction's operations.

    MultiReads have such results too.
    """
    end = result(-1, is_end=b"\1", error=-1)

    def results(name: str, body: bytes) -> Scenario:
        def answer(request: Request, good: bytes) -> Pieces:
            if request.op not in (Op.MULTI, Op.MULTI_READ):
                return [good]
            return [p.framed(good[4:20] + body)]

        return Scenario(f"results: {name}", answer=answer)

    for op in Op:
        yield results(f"a {op.name}", result(op, good_result(op, b"/x")) + end)
    yield results("none", end)
    yield results("no end", result(Op.CHECK))
    yield results("nothing", b"")
    yield results("an error without a number", result(-1))
    yield results("an error that is none", result(-1, p.number(0)) + end)
    yield results("an error above 0", result(-1, p.number(17)) + end)
    yield results("two", result(Op.CHECK) * 2 + end)
    yield results("100,000", result(Op.CHECK) * 100_000 + end)
    yield results("more after the end", result(Op.CHECK) + end + result(Op.CHECK))
    yield results("an end that is neither 0 nor 1", result(Op.CHECK) + result(-1, is_end=b"\2"))
    yield results("a transaction", result(Op.MULTI, end) * 100_000 + end)


def read_only() -> Iterator[Scenario]:
    """Yield servers that are cut off, and the answers of others that are asked."""
    others: dict[str, list[bytes | End]] = {
        "nothing": [],
        "hanging up": [HANG_UP],
        "a reset": [RESET],
        "noise": [SPEECHES["noise"]],
        "more than fits": [b"rw" * 1000, HANG_UP],
        "read-only": [b"ro", HANG_UP],
        "read-write": [b"rw", HANG_UP],
    }
    for name, isro in others.items():
        yield Scenario(
            f"read-only: another says {name}",
            welcome=lambda good, _: [p.framed(good[:-1] + b"\1")],
            answer=lambda _, __: [],
            sessions="at once",
            read_only=True,
            isro=isro,
        )


def closes() -> Iterator[Scenario]:
    """Yield servers that answer the request to end the session wrongly."""
    answers: dict[str, list[bytes | End]] = {
        "nothing": [],
        "a reset": [RESET],
        "noise": [SPEECHES["noise"]],
        "zeros, and the end": [SPEECHES["zeros"], HANG_UP],
    }
    for name, close in answers.items():
        yield Scenario(f"close: {name}", calls="succeeds", close=close)


GROUPS: dict[str, Callable[[], Iterator[Scenario]]] = {
    function.__name__: function
    for function in (
        *(welcomes, frames, silences, unasked, bodies, errors, transactions, read_only, closes),
    )
}
