"""Programs of event loops as users write them, for mypy --strict; they are never run."""

from __future__ import annotations

import asyncio
from typing import Any

from typing_extensions import assert_type

import zc.zk
import zc.zk.aio
import zc.zk.event
import zookeeper
from zc.zk.providers import Provider
from zookeeper.types import Stat


async def serve() -> None:
    async with zc.zk.aio.ZooKeeper("zk1:2181", session_timeout=4000, keep_callbacks=True) as zk:
        assert_type(zk, zc.zk.aio.ZooKeeper)
        registration = await zk.register("/prices/providers", ("10.0.0.7", 8080), weight=2)
        assert_type(registration, zc.zk.aio.Registration)
        await registration.update(weight=3)
        async with await zk.register("/prices/providers", "10.0.0.8:80") as other:
            assert_type(other.paths, list[str])
        zk.register("/prices/providers", 80)  # type: ignore[arg-type, unused-coroutine]


async def connect() -> zc.zk.aio.ZooKeeper:
    zk = await zc.zk.aio.ZooKeeper.connect("zk1:2181", wait=True, tls=zc.zk.TLS())
    assert_type(zk, zc.zk.aio.ZooKeeper)
    return zk


class Own(zc.zk.aio.ZooKeeper):
    async def price(self, item: str) -> Any:
        return (await self.get_properties("/prices"))[item]


async def own() -> None:
    async with Own() as zk:
        assert_type(zk, Own)
        assert_type(await Own.connect(), Own)
        assert await zk.price("tea")


async def single_calls(zk: zc.zk.aio.ZooKeeper) -> None:
    assert_type(await zk.get("/a"), tuple[str | None, Stat])
    assert_type(await zk.exists("/a", timeout=2.0), Stat | None)
    assert_type(await zk.create("/a", b"data", flags=zookeeper.EPHEMERAL), str)
    assert_type(await zk.get_children("/a"), list[str])
    await zk.get(7)  # type: ignore[arg-type]
    await zk.get("/a", bufferlength=7)  # type: ignore[call-arg]
    data, _ = await zk.get("/a")
    data.upper()  # type: ignore[union-attr]
    zk.get("/a")[0]  # type: ignore[index]
    async with asyncio.timeout(3):
        await zk.delete("/a", version=3)
    await asyncio.gather(zk.get("/a"), zk.set("/b", ""))


async def live(zk: zc.zk.aio.ZooKeeper) -> None:
    settings = await zk.properties("/shop")
    assert_type(settings, zc.zk.aio.Properties)
    settings["x"] = 1  # type: ignore[index]
    await settings.update(lambda now: {"n": now.get("n", 0) + 1})
    async for addresses in zk.children("/prices/providers"):
        assert_type(addresses, zc.zk.aio.Children)
        print(sorted(addresses))
    async for tree in zk.tree("/shop", depth=2):
        assert_type(tree, zc.zk.aio.Tree)
    servers = await zk.providers("/prices/providers")
    assert_type(servers.pick(), Provider)
    assert_type(await servers.wait(10), Provider)

    @settings
    async def changed(settings: zc.zk.aio.Properties) -> None:
        print(settings["x"])

    assert_type(changed, zc.zk.aio.Properties)


async def trees(zk: zc.zk.aio.ZooKeeper) -> None:
    plan = await zk.plan_import("/shop\n")
    assert_type(plan, zc.zk.aio.Plan)
    await plan.apply()
    assert_type(await zk.export_tree("/shop", ephemeral=True), str)
    async for path in zk.walk("/shop"):
        assert_type(path, str)
    async for _, names in zk.walk("/shop", children=True):
        assert_type(names, list[str])
    await zk.import_tree(7)  # type: ignore[arg-type]


async def subscriber(happened: zc.zk.event.ClientEvent) -> None:
    if isinstance(happened.zk, zc.zk.aio.ZooKeeper):
        assert_type(await happened.zk.get_properties("/"), dict[str, Any])


zc.zk.event.subscribers.append(subscriber)
