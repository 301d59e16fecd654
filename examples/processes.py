"""Add up baskets in several processes of `multiprocessing`, whatever starts them.

    processes.py fork|forkserver|spawn

A client belongs to the process that opened it, and cannot be passed to another one. So each process
of the pool opens its own when it begins; what it is given is the connection string. The prices that
it follows are live there. Its end closes the client, and ends its registration.

With `fork` alone, a process may go on with the client that its parent has opened, by `reopen`.
ZC_ZK_CONNECTION_STRING says where ZooKeeper is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor

import zc.zk

BASKETS = [["tea"], ["tea", "bun"], ["bun", "bun", "tea"]]


class Till:
    """The client of a process of the pool, and what it follows."""

    zk: zc.zk.ZooKeeper
    prices: Mapping[str, float]


def begin(connection_string: str) -> None:
    """Begin a process of the pool."""
    # As a pool ends its processes when it is not left to end by itself: the client is closed then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    Till.zk = zc.zk.ZooKeeper(connection_string)
    Till.prices = Till.zk.properties("/prices")
    Till.zk.register("/prices/tills", f"till:{os.getpid()}")


def cost(basket: list[str]) -> float:
    return sum(Till.prices[item] for item in basket)


def look_again(zk: zc.zk.ZooKeeper, prices: zc.zk.Properties) -> None:
    """Go on with the client of the parent, in a process that it has forked."""
    zk.reopen()
    print("a forked process reads", prices["tea"], flush=True)


def main(method: str) -> None:
    with zc.zk.ZooKeeper() as zk:
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(
            2, mp_context=context, initializer=begin, initargs=(zk.connection_string,)
        ) as pool:
            print("costs", *pool.map(cost, BASKETS))
            print("tills are registered:", bool(zk.get_children("/prices/tills")))
        print("tills at the end:", zk.get_children("/prices/tills"))
        if method == "fork":
            arguments = (zk, zk.properties("/prices"))
            process = multiprocessing.get_context("fork").Process(target=look_again, args=arguments)
            process.start()
            process.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
