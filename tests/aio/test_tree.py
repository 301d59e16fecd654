"""A live tree in an event loop."""

from __future__ import annotations

from typing import Any

import pytest

import zc.zk
import zc.zk.aio
import zookeeper
from tests.aio.conftest import NewClient
from tests.aio.running import Run, until


def test_a_tree_is_awaited_gone_through_and_tells_of_changes(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await zk.import_tree("/shop\n  x = 1\n  /providers\n")
            with pytest.raises(zookeeper.NoNodeException):
                await zk.tree("/missing")
            tree = await zk.tree("/shop")
            assert list(tree) == ["/shop", "/shop/providers"]
            assert tree["/shop"].properties["x"] == 1
            assert tree.export() == "/shop\n  x = 1\n  /providers\n"
            told: list[tuple[Any, ...]] = []

            @tree
            async def changed(tree: zc.zk.aio.Tree, changes: Any) -> None:
                told.append((changes.added, changes.changed, changes.removed))

            await zk.set("/shop", '{"x": 2}')
            await zk.create("/shop/providers/a")
            await until(lambda: "/shop/providers/a" in tree, "the node is there")
            await until(
                lambda: (
                    {path for added, *_ in told for path in added}
                    == {"/shop", "/shop/providers", "/shop/providers/a"}
                ),
                "all is told",
            )
            assert told[0][0] == ["/shop", "/shop/providers"]
            await until(lambda: any(each[1] == ["/shop"] for each in told[1:]), "the change, too")
            async for now in zk.tree("/shop", depth=1):
                if "/shop/late" in now:
                    break
                await zk.create("/shop/late")

    run(main())
