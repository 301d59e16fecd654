"""A consumer of the price service that leaves the choice of a server to httpx's transport.

    httpx_consumer.py [SECONDS]

It asks twice a second, for a time or until it is stopped, and prints which server has answered. A
server that cannot be reached is passed over, and the request goes to another one; that is why no
request fails while servers come and go. ZC_ZK_CONNECTION_STRING says where ZooKeeper is.
"""

from __future__ import annotations

import signal
import sys
import time

import httpx

import zc.zk
from zc.zk.providers.httpx import ProvidersTransport


def main(seconds: float = float("inf")) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    end = time.monotonic() + seconds
    with zc.zk.ZooKeeper() as zk:
        settings = zk.properties("/shop")
        transport = ProvidersTransport(zk.providers("/shop/prices"))
        with httpx.Client(mounts={"http://prices": transport}, timeout=5) as client:
            while time.monotonic() < end:
                try:
                    answer = client.get(f"http://prices/{settings['item']}")
                except httpx.ConnectError as none:  # no server is left that can be reached
                    print(none, flush=True)
                    time.sleep(0.5)
                    continue
                server = answer.headers.get("server", "somebody").partition("/")[0]
                print(f"{server} says {settings['item']}: {answer.text.strip()}", flush=True)
                time.sleep(0.5)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
