"""Servers of ASGI, such as uvicorn: registered in the lifespan of an application.

    @asynccontextmanager
    async def lifespan(app):
        async with zc.zk.serving.asgi.registered('/prices/providers', weight=2):
            yield

    app = FastAPI(lifespan=lifespan)

The lifespan begins before the server listens; it is registered when it does. With several workers
each of them does this for the address that they share: one has the node, and the others have it
registered as soon as that one is gone.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.serving.service import Service
from zc.zk.serving.withdrawal import GRACE_SECONDS, Withdrawal

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.registration.address import Address
    from zookeeper.types import Acl

logger = logging.getLogger("zc.zk")

# How often to look whether the process listens, and after how long to say that it does not.
LOOK_SECONDS = 0.02
USUAL_START_SECONDS = 30.0


@asynccontextmanager
async def registered(
    path: str,
    address: Address | None = None,
    *,
    zk: ZooKeeper | None = None,
    port: int | None = None,
    grace: float = GRACE_SECONDS,
    acl: Acl = READ_ACL_UNSAFE,
    **data: Any,
) -> AsyncIterator[Service]:
    """Register this process at `path` when it listens; withdraw it `grace` seconds before it ends.

    `address` is by default the one at which it listens, at `port` if it does at several. `zk` is by
    default a client of its own, by the variables of the environment. `data` are the properties. If
    registering fails, it is logged, and tried again.
    """
    service = Service(path, address, zk=zk, port=port, acl=acl, **data)
    withdrawal = Withdrawal(service.withdraw, grace)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main:
        withdrawal.install()
    registering = asyncio.create_task(_register(service))
    try:
        yield service
    finally:
        registering.cancel()
        with suppress(asyncio.CancelledError):
            await registering
        if is_main:
            withdrawal.remove()
        await asyncio.to_thread(service.close)


async def _register(service: Service) -> None:
    seconds, told = 0.0, ""
    while True:
        try:
            if await asyncio.to_thread(service.register_if_listening):
                return
            fault = "this process does not listen" if seconds > USUAL_START_SECONDS else ""
        except Exception as problem:
            fault = f"{type(problem).__name__}: {problem}"
        if fault and fault != told:
            told = fault
            logger.error("not registered, will try again: %s", fault)
        pause = 1.0 if fault else LOOK_SECONDS
        await asyncio.sleep(pause)
        seconds += pause
