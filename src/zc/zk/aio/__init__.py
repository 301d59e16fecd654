"""The client for programs with an event loop: everything that `zc.zk.ZooKeeper` does, awaited.

    import zc.zk.aio

    async with zc.zk.aio.ZooKeeper("zk1:2181") as zk:
        await zk.register("/prices/providers", ("10.0.0.7", 8080), weight=2)
        settings = await zk.properties("/shop")
        async for addresses in zk.children("/prices/providers"):
            ...  # as they are, and at each change

It takes the package greenlet, `pip install 'zc.zk[asyncio]'`. `crossing.py` says how it works.
"""

from __future__ import annotations

try:
    import greenlet as _greenlet
except ImportError as _missing:
    raise ImportError("zc.zk.aio needs greenlet: pip install 'zc.zk[asyncio]'") from _missing

from zc.zk.aio.children import Children
from zc.zk.aio.client import ZK, ZooKeeper
from zc.zk.aio.plan import Plan
from zc.zk.aio.properties import Properties
from zc.zk.aio.providers import Providers
from zc.zk.aio.registration import Registration, Registrations
from zc.zk.aio.tree import Tree

__all__ = [
    "ZK", "Children", "Plan", "Properties", "Providers", "Registration", "Registrations", "Tree",
    "ZooKeeper",
]  # fmt: skip

del _greenlet
