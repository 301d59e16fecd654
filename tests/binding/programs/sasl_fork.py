"""Forks with a session that has logged in, and ends while a step of another one goes on.

Prints the outcome as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import threading

import zookeeper
from tests.deadlines import scaled
from tests.hostile import hostility
from tests.mechanisms import Scripted, sasl_server
from tests.sessions import wait_until_connected

TIMEOUT = int(scaled(10_000))


def main() -> None:
    """Connect, fork, look, and leave a step where it is."""
    with hostility() as hostile:
        server = hostile.serve(sasl_server())
        mechanism = Scripted()
        handle = zookeeper.init(server.connection_string, None, TIMEOUT, sasl=mechanism)
        wait_until_connected(zookeeper, handle)
        session = zookeeper.client_id(handle)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            told = ""
            try:
                zookeeper.get(handle, "/")
            except zookeeper.ZooKeeperException as fault:
                told = type(fault).__name__
            gc.collect()
            own = zookeeper.init(server.connection_string, None, TIMEOUT, sasl=mechanism)
            wait_until_connected(zookeeper, own)
            zookeeper.close(own)
            outcome = {"child": told, "own session of the child": mechanism.completed == 2}
            os.write(writing, json.dumps(outcome).encode())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        outcome = json.loads(os.read(reading, 1000))
        assert zookeeper.exists(handle, "/")
        outcome["status"] = status
        outcome["session is the same"] = zookeeper.client_id(handle) == session
        outcome["exchanges"] = mechanism.completed
        reached = threading.Event()

        def block(challenge: bytes) -> bytes:
            reached.set()
            threading.Event().wait()
            return b""

        zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted(block))
        assert reached.wait(scaled(30))
        print(json.dumps(outcome), flush=True)


main()
