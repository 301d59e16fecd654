"""A consumer of the price service in an event loop, which asks its servers in turn.

It is consumer.py for asyncio: two tasks follow a node each, and a third one asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import zc.zk.aio


async def ask(address: str, item: str) -> str:
    """Return the price of `item`, or the fault of the server at `address`."""
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 2)
        with contextlib.closing(writer):
            writer.write(f"GET /{item} HTTP/1.0\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 2)
    except (OSError, asyncio.TimeoutError) as fault:
        return f"no answer ({fault})"
    return answer.decode().rpartition("\r\n\r\n")[2].strip()


async def main() -> None:
    async with zc.zk.aio.ZooKeeper() as zk:
        servers = await zk.children("/shop/prices")
        settings = await zk.properties("/shop")

        async def follow_servers() -> None:
            async for addresses in servers:
                print("news: the servers are", ", ".join(sorted(addresses)) or "gone")

        async def follow_settings() -> None:
            async for properties in settings:
                print("news: the item is", properties["item"])

        async def ask_in_turn() -> None:
            for turn in itertools.count():
                if addresses := sorted(servers):
                    address, item = addresses[turn % len(addresses)], settings["item"]
                    print(f"{address} says {item}: {await ask(address, item)}")
                await asyncio.sleep(0.5)

        await asyncio.gather(follow_servers(), follow_settings(), ask_in_turn())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
