"""A program that uses both faces and the binding; nobody runs it, type checkers read it."""

from __future__ import annotations

import zc.zk
import zc.zk.aio
import zookeeper


def blocking() -> None:
    with zc.zk.ZooKeeper("127.0.0.1:2181") as zk:
        registration = zk.register("/prices/providers", ("127.0.0.1", 80), weight=2)
        registration.update(weight=3)
        children = zk.children("/prices/providers")
        for name in children:
            print(name.upper())
        properties = zk.properties("/shop")
        print(properties["threads"])

        @children
        def changed(children: zc.zk.Children) -> None:
            print(sorted(children))

        providers = zk.providers("/prices/providers")
        print(providers.pick().address, changed)
        data, stat = zk.get("/shop")
        print(data, stat["version"])
        plan = zk.plan_import("/a\n  b = 1\n")
        print(plan)
        print(zk.export_tree("/"))
        zk.import_tree("/a\n")
        for path in zk.walk("/"):
            print(path.upper())
        tree = zk.tree("/")
        print([node.properties for node in tree.values()], zk.whoami(), zk.get_acl("/")[0])
        print(len(tree))


async def on_a_loop() -> None:
    async with zc.zk.aio.ZooKeeper("127.0.0.1:2181") as zk:
        registration = await zk.register("/prices/providers", ("127.0.0.1", 80), weight=2)
        await registration.update(weight=3)
        settings = await zk.properties("/shop")
        print(settings["threads"])
        data, stat = await zk.get("/shop")
        print(data, stat["version"])
        async for addresses in zk.children("/prices/providers"):
            print(sorted(addresses))
        async for path in zk.walk("/"):
            print(path)
        print(await zk.export_tree("/"))
        tree = await zk.tree("/")
        print(len(tree))
        providers = await zk.providers("/a")
        print((await providers.wait(1.0)).host)


def by_the_binding() -> None:
    handle = zookeeper.init("127.0.0.1:2181")
    data, stat = zookeeper.get(handle, "/a")
    print(data, stat["mzxid"])
    zookeeper.close(handle)
