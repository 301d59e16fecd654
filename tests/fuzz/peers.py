"""Hostile servers, each another one by its number: mutants of `tests.tlspeer`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

from tests.certificates import Authority
from tests.fuzz.mutations import mutate, mutate_frame, pieces, some_record
from tests.libssl import TLS_1_2, TLS_1_3, Context
from tests.tlspeer import HungUp, Link, Script, answer_to
from tests.tlsrecords import (
    ALERT,
    CLOSE_NOTIFY,
    DATA,
    HANDSHAKE,
    HELLO_REQUEST,
    INTERNAL_ERROR,
    KEY_UPDATE,
    KEY_UPDATE_REQUESTED,
    Sealer,
)
from tests.wireframes import Op

# The kinds of cases. With the first three no answer is changed under the cover of TLS, so each that
# a client accepts has to be the true one.
WIRE, RECORDS, GOOD, FRAMES, PLAIN = "wire", "records", "good", "frames", "plain"
KINDS = (WIRE, WIRE, WIRE, WIRE, RECORDS, RECORDS, GOOD, FRAMES, FRAMES, PLAIN)
TRUE_KINDS = (WIRE, RECORDS, GOOD)

MAX_STALL_SECONDS = 0.2

Attack = Callable[[Random, Link], None]


class Contexts:
    """Settings of TLS that the servers share, and the file of the authority."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        issued = authority.issue("server", "127.0.0.1")
        self.authority = authority.file
        self.all = [
            Context(issued.certificate, issued.key, version=version, tickets=tickets)
            for version, tickets in ((TLS_1_2, 0), (TLS_1_3, 0), (TLS_1_3, 2))
        ]
        # Records are written by `tests.tlsrecords` after a handshake of this one.
        self.without_tickets = self.all[1]


def case_of(seed: int, number: int, contexts: Contexts) -> tuple[str, Script, Context | None]:
    """Return the kind, script and settings of a case."""
    chance = Random(f"{seed} {number}")
    kind = chance.choice(KINDS)
    context: Context | None = chance.choice(contexts.all)
    if kind == RECORDS:
        context = contexts.without_tickets
    elif kind == PLAIN:
        context = None
    return kind, partial(_scripted, seed, number, ATTACKS[kind]), context


def _scripted(seed: int, number: int, script: Attack, link: Link) -> None:
    chance = Random(f"{seed} {number} {link.number}")
    # Some clients meet a good server next, and others never.
    is_well = link.number and Random(f"{seed} {number} next").random() < 0.7
    (well if is_well else script)(chance, link)


def well(chance: Random, link: Link) -> None:
    """Answer well, in pieces."""
    link.wire = lambda data: iter(pieces(chance, data))
    link.shake()
    _answer(link)


def _answer(link: Link) -> None:
    for request in link.requests():
        link.say(answer_to(request))
        if request.op == Op.CLOSE_SESSION:
            return


def on_the_wire(chance: Random, link: Link) -> None:
    """Change the bytes of TLS at some place."""
    link.wire = Disturbed(chance, link)
    link.shake()
    _answer(link)


class Disturbed:
    """A wire that changes what goes through it, after some bytes."""

    def __init__(self, chance: Random, link: Link) -> None:
        self._chance = chance
        self._link = link
        self._left = chance.randrange(chance.choice((10, 200, 1500, 6000)))

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if len(data) <= self._left:
            self._left -= len(data)
            yield data
            return
        yield data[: self._left]
        rest, self._left = data[self._left :], self._chance.choice((0, 20, 500, 1 << 30))
        match self._chance.randrange(8):
            case 0:
                raise HungUp
            case 1:
                self._link.reset()
            case 2:
                yield some_record(self._chance) + rest
            case 3:
                time.sleep(self._chance.uniform(0, MAX_STALL_SECONDS))
                yield from pieces(self._chance, rest)
            case 4:
                # The records of this flight come again.
                yield data + rest
            case _:
                yield mutate(self._chance, rest)


def in_records(chance: Random, link: Link) -> None:
    """Send records that no library writes, between good answers."""
    link.shake()
    sealer = Sealer(link.tls.secret("SERVER_TRAFFIC_SECRET_0"))
    for request in link.requests():
        for _ in range(chance.choice((0, 0, 1, 3, 40))):
            link.transmit(_odd_record(chance, sealer))
        answer = answer_to(request)
        for piece in pieces(chance, answer):
            link.transmit(sealer.seal(piece, padding=chance.choice((0, 0, 1, 300))))
        if request.op == Op.CLOSE_SESSION:
            return


def _odd_record(chance: Random, sealer: Sealer) -> bytes:
    match chance.randrange(9):
        case 0 | 1 | 2:
            return sealer.seal(b"", padding=chance.choice((0, 1, 1000)))
        case 3 | 4:
            message = chance.choice((KEY_UPDATE, KEY_UPDATE_REQUESTED))
            sealed = sealer.seal(message, HANDSHAKE)
            sealer.update_keys()
            return sealed
        case 5:
            message = chance.choice((HELLO_REQUEST, chance.randbytes(chance.randrange(1, 300))))
            return sealer.seal(message, HANDSHAKE)
        case 6:
            content = chance.choice((CLOSE_NOTIFY, INTERNAL_ERROR, chance.randbytes(2), b"\1", b""))
            return sealer.seal(content, ALERT)
        case 7:
            # No type at all, one that there is not, and more than a record may hold.
            inner = chance.choice((b"", bytes(40), b"x" * 9 + b"\x63", bytes(16_500) + b"\x17"))
            return sealer.seal_inner(inner)
        case _:
            return mutate(chance, sealer.seal(b"unsent", DATA))


def in_frames(chance: Random, link: Link) -> None:
    """Change answers, and add some."""
    link.shake()
    is_hostile_at_once = chance.random() < 0.3
    for request in link.requests():
        answer = answer_to(request)
        if request.op != Op.CREATE_SESSION or is_hostile_at_once:
            if chance.random() < 0.4:
                answer = mutate_frame(chance, answer)
            if chance.random() < 0.1:
                answer += mutate_frame(chance, answer or b"\0\0\0\0")
        for piece in pieces(chance, answer):
            link.say(piece)
        if request.op == Op.CLOSE_SESSION:
            return


ATTACKS: dict[str, Attack] = {
    WIRE: on_the_wire,
    RECORDS: in_records,
    GOOD: well,
    FRAMES: in_frames,
    PLAIN: in_frames,
}
