"""A consumer of the price service, which asks its servers in turn.

It runs until it is stopped, and follows two nodes. The children of /shop/prices are the servers;
the property `item` of /shop says which price to ask for. ZC_ZK_CONNECTION_STRING says where
ZooKeeper is.
"""

from __future__ import annotations

import http.client
import itertools
import time
from collections.abc import Iterable
from contextlib import closing

import zc.zk


def ask(address: str, item: str) -> str:
    """Return the price of `item`, or the fault of the server at `address`."""
    with closing(http.client.HTTPConnection(address, timeout=2)) as connection:
        try:
            connection.request("GET", f"/{item}")
            return connection.getresponse().read().decode().strip()
        except (OSError, http.client.HTTPException) as fault:
            return f"no answer ({fault})"


def main() -> None:
    with zc.zk.ZooKeeper() as zk:

        @zk.children("/shop/prices")
        def servers(addresses: Iterable[str] = ()) -> None:
            print("callback: the servers are", ", ".join(sorted(addresses)) or "gone")

        @zk.properties("/shop")
        def settings(properties: zc.zk.Properties) -> None:
            print("callback: the item is", properties["item"])

        for turn in itertools.count():
            addresses = sorted(servers)
            if addresses:
                address, item = addresses[turn % len(addresses)], settings["item"]
                print(f"{address} says {item}: {ask(address, item)}")
            time.sleep(0.5)


if __name__ == "__main__":
    main()
