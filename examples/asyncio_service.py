"""Serve prices by HTTP in an event loop, and register the service.

It is service.py for asyncio: `GET /tea` answers with the price of tea, from the node /prices.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from http import HTTPStatus

import zc.zk.aio

# ZooKeeper waits so long, in milliseconds, for a server that does not answer any more. Then it
# counts as gone.
SESSION_TIMEOUT = 4000


def answer(request: str, prices: zc.zk.aio.Properties) -> bytes:
    """Return the answer to the first line of a request."""
    _, _, path = request.partition(" /")
    item, _, _ = path.partition(" ")
    price = prices.get(item)
    status = HTTPStatus.OK if price is not None else HTTPStatus.NOT_FOUND
    body = f"{price:.2f}\n" if price is not None else ""
    head = f"HTTP/1.0 {status.value} {status.phrase}\r\nContent-Type: text/plain\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def main() -> None:
    # A signal ends the `async with` blocks: the session ends, and the registration with it.
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with zc.zk.aio.ZooKeeper(session_timeout=SESSION_TIMEOUT) as zk:
        prices = await zk.properties("/prices")

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.closing(writer), contextlib.suppress(OSError, EOFError, ValueError):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                writer.write(answer(head.decode("latin-1"), prices))
                await writer.drain()

        async with await asyncio.start_server(serve, "127.0.0.1") as server:
            address = server.sockets[0].getsockname()
            async with await zk.register("/prices/providers", address) as registration:
                print("registered as", *registration.paths)
                await stopped.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
