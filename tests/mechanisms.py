"""Mechanisms of SASL that do what a test says, and a server that speaks to them.

mechanism = Scripted()
server = hostile.serve(sasl_server())
zookeeper.init(server.connection_string, sasl=mechanism)
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.hostile import Pieces, Scenario, header
from tests.testing import protocol as p
from tests.wireframes import Op, Request

# What a good exchange says: the client's tokens, and the answer to each.
TOKENS = (b"hello", b"response")
CHALLENGES = (b"challenge", b"proof")

Step = Callable[[bytes], "bytes | None"]


class Scripted:
    """A mechanism that knows the server: each of its exchanges says `TOKENS`.

    `step`, when given, is called instead, with the challenge.
    """

    name = "SCRIPTED"

    def __init__(self, step: Step | None = None) -> None:
        self.own_step = step
        self.hosts: list[str] = []
        self.completed = 0

    def begin(self, host: str) -> ScriptedExchange:
        self.hosts.append(host)
        return ScriptedExchange(self)


class ScriptedExchange:
    """The exchange on one connection."""

    def __init__(self, mechanism: Scripted) -> None:
        self.mechanism = mechanism
        self.challenges: list[bytes] = []
        self.complete = False

    def step(self, challenge: bytes) -> bytes | None:
        if self.mechanism.own_step is not None:
            return self.mechanism.own_step(challenge)
        self.challenges.append(challenge)
        assert self.challenges == [b"", *CHALLENGES][: len(self.challenges)]
        if len(self.challenges) <= len(TOKENS):
            return TOKENS[len(self.challenges) - 1]
        self.complete = True
        self.mechanism.completed += 1
        return None


def token_of(request: Request) -> bytes:
    """Return the token in a client's request."""
    (length,) = struct.unpack_from(">i", request.frame, 12)
    token = request.frame[16:]
    assert len(token) == length, request
    return token


def sasl_answer(request: Request, token: bytes | None, error: int = 0) -> bytes:
    """Return the frame of an answer to a token."""
    return p.framed(header(request.xid, error) + p.buffer(token))


def good_answer(request: Request) -> bytes:
    """Return the answer of a server that knows the mechanism."""
    return sasl_answer(request, CHALLENGES[TOKENS.index(token_of(request))])


SaslAnswer = Callable[[Request], Pieces]


def sasl_server(answer: SaslAnswer = lambda request: [good_answer(request)]) -> Scenario:
    """Return a server that answers tokens so, and all other requests well."""
    return Scenario(
        "SASL", answer=lambda request, good: answer(request) if request.op == Op.SASL else [good]
    )
