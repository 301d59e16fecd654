"""A consumer of the price service in an event loop, which asks its servers in turn.

It is consumer.py for asyncio: two tasks follow a node each, and a third one asks.
"""

from __future__ import annotations

import asyncio
import contextlib

import zc.zk
import zc.zk.aio


async def ask(prices: zc.zk.aio.Providers, item: str) -> str:
    """Return the price of `item`, or the fault of the server that was asked, or that there is none.

    A server that does not answer is passed over for a while.
    """
    try:
        server = prices.pick()
    except zc.zk.NoProvider as nothing:
        return str(nothing)
    try:
        told = await asyncio.wait_for(fetch(server.host, server.port, f"/{item}"), 2)
        prices.succeeded(server)
    except (OSError, asyncio.TimeoutError) as fault:
        told = f"no answer ({fault})"
        prices.failed(server)
    return f"{server.address} says {item}: {told}"


async def fetch(host: str, port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection(host, port)
    with contextlib.closing(writer):
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = await reader.read()
    return answer.decode().rpartition("\r\n\r\n")[2].strip()


async def main() -> None:
    async with zc.zk.aio.ZooKeeper() as zk:
        prices = await zk.providers("/shop/prices")
        settings = await zk.properties("/shop")

        async def follow_servers() -> None:
            async for addresses in prices:
                print("news: the servers are", ", ".join(sorted(addresses)) or "gone")

        async def follow_settings() -> None:
            async for properties in settings:
                print("news: the item is", properties["item"])

        async def ask_in_turn() -> None:
            while True:
                print(await ask(prices, settings["item"]))
                await asyncio.sleep(0.5)

        await asyncio.gather(follow_servers(), follow_settings(), ask_in_turn())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
