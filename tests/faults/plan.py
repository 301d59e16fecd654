"""The faults of a run and their times: all of it follows from the seed."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass


class Kind(str, enum.Enum):
    """A kind of fault, by the name that it has in reports."""

    SERVER_KILLED = "server killed"
    SERVER_PAUSED = "server paused"
    SERVER_RESTARTED = "server restarted"
    CONNECTION_RESET = "connection reset"
    CONNECTION_CLOSED = "connection closed"
    REQUEST_CUT = "cut within a request"
    REPLY_CUT = "cut within a reply"
    STALLED = "connection stalled"
    NETWORK_DOWN = "network down"
    DELAYED = "network slow"
    CLIENT_PAUSED = "client paused"
    CLIENT_KILLED = "client killed, started anew"
    SESSION_EXPIRED = "session expired"
    CERTIFICATE_ROTATED = "client's certificate rotated"
    CERTIFICATE_SPOILT = "client's certificate spoilt"
    PASSWORD_CHANGED = "password changed, server restarted"

    def __str__(self) -> str:
        return self.value


WEIGHTS = {
    Kind.SERVER_KILLED: 5,
    Kind.SERVER_PAUSED: 7,
    Kind.SERVER_RESTARTED: 3,
    Kind.CONNECTION_RESET: 12,
    Kind.CONNECTION_CLOSED: 6,
    Kind.REQUEST_CUT: 9,
    Kind.REPLY_CUT: 9,
    Kind.STALLED: 12,
    Kind.NETWORK_DOWN: 9,
    Kind.DELAYED: 5,
    Kind.CLIENT_PAUSED: 8,
    Kind.CLIENT_KILLED: 4,
    Kind.SESSION_EXPIRED: 11,
}

# These take clients with certificates.
TLS_WEIGHTS = {
    **WEIGHTS,
    Kind.CERTIFICATE_ROTATED: 8,
    Kind.CERTIFICATE_SPOILT: 8,
}

# These take servers where clients log in.
SASL_WEIGHTS = {**WEIGHTS, Kind.PASSWORD_CHANGED: 8}

SERVER_KINDS = frozenset(
    {Kind.SERVER_KILLED, Kind.SERVER_PAUSED, Kind.SERVER_RESTARTED, Kind.PASSWORD_CHANGED}
)
OVER_AT_ONCE = frozenset(
    {
        Kind.CONNECTION_RESET,
        Kind.CONNECTION_CLOSED,
        Kind.REQUEST_CUT,
        Kind.REPLY_CUT,
        Kind.CLIENT_KILLED,
        Kind.SESSION_EXPIRED,
        Kind.CERTIFICATE_ROTATED,
    }
)

FAULTS_IN_A_ROUND = 10
ROUND_SECONDS = 3.0

# A client that is away for longer than the session timeout loses its session: this is the longest
# absence, in session timeouts.
LONGEST_ABSENCE = 1.7

# A cut after so many bytes falls somewhere into the next few requests or replies.
MOST_BYTES = 400


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    `at` is when, in seconds from the beginning of the round, and `seconds` how long it lasts.
    `client` is the number of the client concerned; `leader` whether it is the leading server that
    is, for faults of servers. `both_ways` is for stalled connections, `bytes` for those cut.
    """

    kind: Kind
    at: float
    seconds: float = 0.0
    client: int = 0
    leader: bool = False
    both_ways: bool = True
    bytes: int = 0

    def __str__(self) -> str:
        whose = ("leader" if self.leader else "a follower") if self.kind in SERVER_KINDS else None
        lasting = f" for {self.seconds:.2f} s" if self.seconds else ""
        return f"{self.at:.2f} s: {self.kind} ({whose or f'client {self.client}'}){lasting}"


def rounds(
    seed: int,
    count: int,
    clients: int,
    session_seconds: float,
    *,
    by_tls: bool = False,
    by_sasl: bool = False,
) -> Iterator[list[Fault]]:
    """Yield `count` faults, in rounds; the same arguments give the same ones."""
    chance = random.Random(seed)
    weights = {
        **WEIGHTS,
        **(TLS_WEIGHTS if by_tls else {}),
        **(SASL_WEIGHTS if by_sasl else {}),
    }
    while count:
        size = min(count, FAULTS_IN_A_ROUND)
        count -= size
        faults = [_fault(chance, weights, clients, session_seconds) for _ in range(size)]
        yield sorted(faults, key=lambda fault: fault.at)


def _fault(
    chance: random.Random, weights: dict[Kind, int], clients: int, session_seconds: float
) -> Fault:
    kind = chance.choices(list(weights), list(weights.values()))[0]
    longest = LONGEST_ABSENCE * session_seconds
    return Fault(
        kind,
        at=round(chance.uniform(0, ROUND_SECONDS), 2),
        seconds=0.0 if kind in OVER_AT_ONCE else round(chance.uniform(0.05, longest), 2),
        client=chance.randrange(clients),
        leader=chance.random() < 0.5,
        both_ways=chance.random() < 0.5,
        bytes=chance.randrange(MOST_BYTES),
    )
