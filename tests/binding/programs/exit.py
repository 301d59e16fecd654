"""Creates an ephemeral node and ends in some way, without closing anything.

Arguments: hosts, the way. The session timeout is a minute: a node that is gone at once belonged to
a session that was closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading

import zookeeper
from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN, wait_until_connected


def main() -> None:
    hosts, way = sys.argv[1:]
    handle = zookeeper.init(hosts, None, int(scaled(60_000)))
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    print(json.dumps("created"))
    if way == "return":
        return
    if way == "sys.exit":
        sys.exit(0)
    if way == "with calls under way":
        zookeeper.write_many(
            handle, [("create", f"/{number}", "", OPEN, 1) for number in range(1000)]
        )
        for _ in range(1000):
            zookeeper.aget(handle, "/e", None, lambda *_: None)
    if way == "with a daemon thread that waits":

        def wait() -> None:
            with contextlib.suppress(zookeeper.ClosingException, zookeeper.InvalidStateException):
                while True:
                    zookeeper.get(handle, "/e")

        threading.Thread(target=wait, daemon=True).start()
    if way == "inside a callback":
        entered = threading.Event()

        def callback(*_: object) -> None:
            entered.set()
            threading.Event().wait()

        zookeeper.aget(handle, "/e", None, callback)
        wait_until(entered.is_set, "the callback is called")
    if way == "SIGTERM made an exit":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(10)


if __name__ == "__main__":
    main()
