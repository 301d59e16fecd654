"""A consumer of the price service, which asks its servers in turn.

It runs until it is stopped, and follows two nodes. The children of /shop/prices are the servers;
the property `item` of /shop says which price to ask for. ZC_ZK_CONNECTION_STRING says where
ZooKeeper is.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable
from contextlib import closing

import zc.zk


def ask(prices: zc.zk.Providers, item: str) -> str:
    """Return the price of `item`, or the fault of the server that was asked, or that there is none.

    A server that does not answer is passed over for a while.
    """
    try:
        server = prices.pick()
    except zc.zk.NoProvider as nothing:
        return str(nothing)
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=2)) as connection:
        try:
            connection.request("GET", f"/{item}")
            told = connection.getresponse().read().decode().strip()
            prices.succeeded(server)
        except (OSError, http.client.HTTPException) as fault:
            told = f"no answer ({fault})"
            prices.failed(server)
        return f"{server.address} says {item}: {told}"


def main() -> None:
    with zc.zk.ZooKeeper() as zk:
        prices = zk.providers("/shop/prices")

        @prices
        def servers(addresses: Iterable[str] = ()) -> None:
            print("callback: the servers are", ", ".join(sorted(addresses)) or "gone")

        @zk.properties("/shop")
        def settings(properties: zc.zk.Properties) -> None:
            print("callback: the item is", properties["item"])

        while True:
            print(ask(prices, settings["item"]))
            time.sleep(0.5)


if __name__ == "__main__":
    main()
