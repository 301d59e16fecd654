"""A task that is cancelled wherever it waits leaves nothing half done, and nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

import zc.zk
import zc.zk.aio
import zc.zk.testing
import zookeeper
from tests.aio import running
from tests.aio.conftest import NewClient
from tests.aio.running import Run, until
from tests.aio.switches import Cancelling, Locks, told_to
from tests.tcpproxy import TcpProxy
from zc.zk.imports import importing

TREE = "/shop\n  x = 1\n  /providers\n"

MAX_SWITCHES = 200


async def cancelled_at(
    call: Callable[[], Awaitable[object]], *numbers: int
) -> tuple[Cancelling, bool]:
    """Call something, in a task that is cancelled there; whether it was."""
    cancelling = Cancelling(*numbers)

    async def task() -> None:
        await call()

    with told_to(cancelling):
        try:
            await asyncio.create_task(task())
        except asyncio.CancelledError:
            return cancelling, True
    return cancelling, False


async def registered_names(zk: zc.zk.aio.ZooKeeper) -> list[str]:
    await zk.sync("/shop/providers")
    return await zk.get_children("/shop/providers")


def is_settled(zk: zc.zk.aio.ZooKeeper) -> bool:
    """Whether the registry knows of no node, nor of anything to do."""
    assert zk._inner is not None
    registry = zk._inner._ephemerals.if_any
    return registry is None or not (registry._by_path or registry.schedule._due)


@pytest.mark.parametrize("then", [0, 1, 2], ids=["once", "and at the next", "and after that"])
def test_a_register_that_is_cancelled_anywhere_leaves_no_node(new_client: NewClient, then: int):
    async def main() -> None:
        async with new_client() as zk:
            await zk.import_tree(TREE)
            for number in range(1, MAX_SWITCHES):
                cancelling, was = await cancelled_at(
                    lambda: zk.register("/shop/providers", ("10.0.0.7", 80), weight=2),
                    number,
                    *([number + then] if then else []),
                )
                if cancelling.is_over:
                    break
                assert was
                await until(lambda: is_settled(zk), "what was cancelled is withdrawn")
                assert await registered_names(zk) == []
            assert number > 1
            assert not was
            assert await registered_names(zk) == ["10.0.0.7:80"]

    running.run(main())


@pytest.mark.parametrize("then", [0, 1], ids=["once", "and at the next"])
def test_many_that_are_cancelled_anywhere_leave_no_node(new_client: NewClient, then: int):
    servers = [("/shop/providers", ("10.0.0.7", port)) for port in range(1, 9)]

    async def main() -> None:
        async with new_client() as zk:
            await zk.import_tree(TREE)
            for number in range(1, MAX_SWITCHES):
                cancelling, _ = await cancelled_at(
                    lambda: zk.register_all(servers), number, *([number + then] if then else [])
                )
                if cancelling.is_over:
                    break
                await until(lambda: is_settled(zk), "what was cancelled is withdrawn")
                assert await registered_names(zk) == []
            assert number > 1
            assert len(await registered_names(zk)) == len(servers)

    running.run(main())


def test_one_of_several_nodes_that_is_cancelled_takes_the_others_with_it(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
):
    from zc.zk.registration import address

    monkeypatch.setattr(address, "names_to_register", lambda server: ["a:1", "b:1", "c:1"])

    async def main() -> None:
        async with new_client() as zk:
            await zk.import_tree(TREE)
            for number in range(1, MAX_SWITCHES):
                cancelling, _ = await cancelled_at(
                    lambda: zk.register("/shop/providers", ("", 80)), number, number + 1
                )
                if cancelling.is_over:
                    break
                await until(lambda: is_settled(zk), "what was cancelled is withdrawn")
                assert await registered_names(zk) == []
            assert number > 3
            assert sorted(await registered_names(zk)) == ["a:1", "b:1", "c:1"]

    running.run(main())


def test_an_unregister_that_is_cancelled_anywhere_is_done_all_the_same(new_client: NewClient):
    async def main() -> None:
        async with new_client() as zk:
            await zk.import_tree(TREE)
            for number in range(1, MAX_SWITCHES):
                server = await zk.register("/shop/providers", "a:1")
                cancelling, _ = await cancelled_at(server.unregister, number)
                await until(lambda: is_settled(zk), "it is withdrawn")
                assert await registered_names(zk) == []
                if cancelling.is_over:
                    break
            assert number > 1

    running.run(main())


def test_an_update_that_is_cancelled_anywhere_is_written_all_the_same(new_client: NewClient):
    async def main() -> None:
        async with new_client() as zk:
            await zk.import_tree(TREE)
            server = await zk.register("/shop/providers", "a:1", acl=zc.zk.OPEN_ACL_UNSAFE)
            live = await zk.properties("/shop/providers/a:1")
            for number in range(1, MAX_SWITCHES):
                cancelling, _ = await cancelled_at(lambda n=number: server.update(n=n), number)
                await until(lambda n=number: live.get("n") == n, "it is written")
                if cancelling.is_over:
                    break
            assert number > 1

    running.run(main())


def test_an_import_that_is_cancelled_anywhere_can_be_done_again(new_client: NewClient):
    text = "/shop\n" + "".join(f"  /n{i}\n    x = {i}\n" for i in range(600))
    changed = text.replace("x = 1", "y = 1").replace("  /n7\n    x = 7\n", "")

    async def main() -> None:
        async with new_client() as zk:
            for number in range(1, MAX_SWITCHES):
                await zk.import_tree(text, trim=True)
                cancelling, _ = await cancelled_at(
                    lambda: zk.import_tree(changed, trim=True), number
                )
                if cancelling.is_over:
                    break
            assert number > 3
            assert await zk.export_tree("/shop") == zc_sorted(changed)

    running.run(main())


def zc_sorted(text: str) -> str:
    with zc.zk.testing.Server() as server, zc.zk.ZooKeeper(server.connection_string) as zk:
        zk.import_tree(text)
        return zk.export_tree("/shop")


def test_a_deletion_that_is_cancelled_anywhere_can_be_done_again(new_client: NewClient):
    async def main() -> None:
        async with new_client() as zk:
            for number in range(1, MAX_SWITCHES):
                await zk.import_tree("/top\n" + "".join(f"  /n{i}\n" for i in range(30)))
                cancelling, _ = await cancelled_at(lambda: zk.delete_recursive("/top"), number)
                if cancelling.is_over:
                    break
                with suppress(zookeeper.NoNodeException):  # all was done
                    await zk.delete_recursive("/top")
            assert number > 2
            assert await zk.exists("/top") is None

    running.run(main())


@pytest.mark.parametrize(
    "work",
    [
        lambda zk: zk.export_tree("/"),
        lambda zk: zk.resolve("/alias/providers"),
        lambda zk: zk.children("/alias/providers").__await__.__self__._made(),
        lambda zk: zk.get_many(["/"] * 50),
        lambda zk: anext(zk.walk("/")),
    ],
    ids=["export", "resolve", "children", "bulk", "walk"],
)
def test_a_read_that_is_cancelled_anywhere_leaves_the_client_working(
    new_client: NewClient, work: Callable[[zc.zk.aio.ZooKeeper], Awaitable[object]]
):
    async def main() -> None:
        async with new_client() as zk:
            await zk.import_tree(TREE)
            await zk.ln("/shop", "/alias")
            for number in range(1, MAX_SWITCHES):
                cancelling, _ = await cancelled_at(lambda: work(zk), number)
                if cancelling.is_over:
                    break
            assert number > 1
            await until(lambda: len(zk.watches) == 0, "nothing is watched for nobody")

    running.run(main())


def test_no_lock_is_held_where_a_crossing_switches(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
):
    locks = Locks(monkeypatch)
    locks.made.append(importing)

    async def main() -> None:
        async with new_client() as zk:
            plan = await zk.plan_import(TREE)
            await plan.apply()
            await zk.ln("/shop", "/alias")
            settings = await zk.properties("/alias")
            await settings.update(lambda now: {"n": 1})
            await settings.delete("n")
            children = await zk.children("/alias/providers")
            async with await zk.register("/alias/providers", "a:1") as server:
                await server.update(x=1)
                await until(lambda: list(children) == ["a:1"], "it is told")
                servers = await zk.providers("/alias/providers")
                assert (await servers.wait(60)).address == "a:1"
            await zk.create_recursive("/x/y/z")
            await zk.import_tree("/x\n  /y\n", trim=True)
            assert len([path async for path in zk.walk()]) > 3
            await zk.export_tree()
            await zk.delete_recursive("/shop")
            with pytest.raises(zookeeper.NoNodeException):
                await zk.children("/missing")

    with told_to(locks.look):
        running.run(main())
    assert locks.switches > 30
    assert locks.owned_at_switches == []


def test_the_time_of_a_call_runs_out_by_timeout_and_by_argument(
    run: Run[None], proxy: TcpProxy, root: str
):
    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(proxy.connection_string + root, 60_000) as zk:
            await zk.create("/a")
            proxy.stall()
            try:
                with pytest.raises(zookeeper.OperationTimeoutException) as late:
                    await zk.get("/a", timeout=0.05)
                assert late.value.may_have_happened
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(zk.get("/a"), 0.05)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(zk.register("/a", "x:1"), 0.05)
                with pytest.raises(zookeeper.OperationTimeoutException):
                    await zk.get_many(["/a"], timeout=0.05)
            finally:
                proxy.resume()
            assert (await zk.get("/a"))[0] == ""

    run(main())


def test_an_ephemeral_node_whose_create_is_cancelled_is_known_all_the_same(
    run: Run[None], new_client: NewClient
):
    async def main() -> None:
        async with new_client() as zk:
            task = asyncio.create_task(zk.create("/e", flags=zookeeper.EPHEMERAL))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await zk.sync("/")
            if await zk.exists("/e"):
                assert zk._inner is not None
                registry = zk._inner._ephemerals.registry
                await until(lambda: "/e" in registry._by_path, "later sessions have it, too")

    run(main())
