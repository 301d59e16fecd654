"""Has many sessions with a server and leaves their closing to the exit.

Arguments: hosts, how many. Prints a line when they are connected, and ends when told to.
"""

from __future__ import annotations

import sys

import zookeeper
from tests.sessions import wait_until_connected


def main() -> None:
    hosts, count = sys.argv[1], int(sys.argv[2])
    handles = [zookeeper.init(hosts) for _ in range(count)]
    for handle in handles:
        wait_until_connected(zookeeper, handle)
    print("connected", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
