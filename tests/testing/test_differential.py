"""The engine answers as a real server does to the same random requests.

ZK_TEST_OPERATIONS is the number of operations; the default is for every day. ZK_TEST_SEED chooses
others.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.servers import SUPERUSER, Server, standalone
from tests.testing import protocol
from tests.testing.random_requests import RandomRequests
from tests.testing.twins import AUTH_XID, Side, Twins
from tests.wireframes import Op
from zc.zk.testing.engine import Engine, SessionLimits, digest
from zc.zk.testing.wire.service import Service

OPERATIONS = int(os.environ.get("ZK_TEST_OPERATIONS", "4000"))
SEED = int(os.environ.get("ZK_TEST_SEED", "5"))
CLIENTS = 4

# Containers and nodes with a TTL go when the server looks; here it never does.
NEVER_LOOKING = ("-Dznode.container.checkIntervalMs=100000000", "-XX:TieredStopAtLevel=1")

NO_FRAMES = [b"\x7f\xff\xff\xff", protocol.number(0x100000), protocol.number(-1)]


@pytest.fixture
def undisturbed_server(own_servers_only: None) -> Iterator[Server]:
    """Yield a server that the test alone writes to: its zxids begin at 1."""
    with standalone(java_options=NEVER_LOOKING) as server:
        yield server


class Conversation:
    """The requests of some clients, each of them twins, to both servers.

    The requests are made in turn and at random.
    """

    def __init__(self, engine: Engine, clients: list[Twins]) -> None:
        self._engine = engine
        self._clients = clients
        self._requests = RandomRequests(SEED, self._versions)
        self._random = random.Random(SEED)
        self.outcomes: Counter[tuple[int, int]] = Counter()  # by operation and error code
        # Clients that have yet to hear of the end of a session: its nodes go in any order.
        self._may_be_disordered: set[Twins] = set()

    def go_on(self, requests: int) -> None:
        for client in self._clients:
            client.connect(anew=True)
        for _ in range(requests):
            client = self._random.choice(self._clients)
            if client.is_connected:
                self._do_something(client)
            else:
                client.connect(anew=False, last_zxid=self._engine.zxid)
        for client in self._clients:
            if client.is_connected:
                self._ask(client, Op.PING)

    def _do_something(self, client: Twins) -> None:
        what = self._random.random()
        if what < 0.003:
            self._may_be_disordered = set(self._clients)
            self._ask(client, Op.CLOSE_SESSION)
            client.connect(anew=True)
        elif what < 0.006:
            client.hang_up()
            client.connect(anew=False, last_zxid=self._engine.zxid)
        elif what < 0.007:
            client.connect(anew=False, wrong_password=True)
            client.hang_up()
        elif what < 0.008:
            client.connect(anew=False, last_zxid=self._engine.zxid + 10)
            client.hang_up()
        elif what < 0.009:
            client.send(self._random.choice(NO_FRAMES))
        elif what < 0.017:
            scheme = self._random.choice(["digest"] * 6 + ["ip", "world", "nonsense"])
            credential = protocol.buffer(self._requests.credential())
            body = protocol.number(0) + protocol.text(scheme) + credential
            self._ask(client, Op.AUTH, body, AUTH_XID)
        else:
            self._ask(client, *self._requests.next(self._engine.zxid))

    def _ask(self, client: Twins, op: int, body: bytes = b"", xid: int | None = None) -> None:
        in_order = client not in self._may_be_disordered
        seen = client.ask(op, body, xid, events_in_order=in_order)
        self._may_be_disordered.discard(client)
        for answer in seen:
            if answer[0] != "event" and answer != "hung up":
                self.outcomes[op, answer[2]] += 1

    def _versions(self) -> dict[str, tuple[int, int]]:
        nodes = self._engine.tree.nodes
        return {path: (node.version, node.aversion) for path, node in nodes.items() if path}


def test_the_same_requests_have_the_same_answers_as_from_a_real_server(
    undisturbed_server: Server,
) -> None:
    engine = Engine(
        lambda: 1_700_000_000_000,
        b"secret",
        limits=SessionLimits(200, 300_000),
        superuser=digest(SUPERUSER[1]),
    )
    real, own = Side(undisturbed_server.port), Side(Service(engine))
    with ExitStack() as stack:
        clients = [stack.enter_context(Twins(real, own)) for _ in range(CLIENTS)]
        conversation = Conversation(engine, clients)
        conversation.go_on(OPERATIONS)
    outcomes = conversation.outcomes
    assert sum(outcomes.values()) > OPERATIONS * 0.9
    successes = sum(count for (_, code), count in outcomes.items() if code == 0)
    assert OPERATIONS * 0.3 < successes < OPERATIONS * 0.8
