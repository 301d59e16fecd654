"""Has many sessions with a server and leaves their closing to the exit.

Arguments: hosts, the number of sessions, and their module (zookeeper or zc.zk). Prints a line when
they are connected, and ends when told to.
"""

from __future__ import annotations

import sys

import zc.zk
import zookeeper
from tests.sessions import wait_until_connected


def main() -> None:
    hosts, count, module = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if module == "zc.zk":
        kept = [zc.zk.ZooKeeper(hosts) for _ in range(count)]
        assert all(client.state == zookeeper.CONNECTED_STATE for client in kept)
    else:
        for handle in [zookeeper.init(hosts) for _ in range(count)]:
            wait_until_connected(zookeeper, handle)
    print("connected", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
