"""The asynchronous client on good days, in each kind of loop, with a server and an emulation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import zc.zk
import zc.zk.aio
import zookeeper
from tests.aio.conftest import NewClient
from tests.aio.running import Run, until

TREE = "/shop\n  x = 1\n  /providers\n"


async def planted(zk: zc.zk.aio.ZooKeeper) -> None:
    await zk.import_tree(TREE)


def test_single_calls_return_what_the_blocking_ones_do(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            assert await zk.create("/a", "data") == "/a"
            path, stat = await zk.create2("/a/b", flags=zookeeper.EPHEMERAL)
            assert (path, stat["version"]) == ("/a/b", 0)
            data, stat = await zk.get("/a")
            assert (data, stat["numChildren"]) == ("data", 1)
            assert await zk.exists("/a") == stat
            assert await zk.exists("/missing") is None
            assert await zk.get_children("/a") == ["b"]
            assert (await zk.get_children2("/a"))[0] == ["b"]
            assert await zk.set("/a", "new") == zookeeper.OK
            assert (await zk.set2("/a", "newer"))["version"] == 2
            stat, acl = await zk.get_acl("/a")
            assert (acl, stat["version"]) == (zc.zk.OPEN_ACL_UNSAFE, 2)
            assert await zk.set_acl("/a", 0, zc.zk.OPEN_ACL_UNSAFE) == zookeeper.OK
            assert await zk.sync("/a") == "/a"
            assert await zk.get_ephemerals("/a") == ["/a/b"]
            assert await zk.get_all_children_number("/a") == 1
            assert isinstance(await zk.whoami(), list)
            assert await zk.delete("/a/b") == zookeeper.OK
            answers = await zk.multi([("check", "/a", 2), ("create", "/a/c", "", acl)])
            assert answers == [None, "/a/c"]
            assert await zk.multi([]) == []
            assert await zk.is_ephemeral("/a/c") is False

    run(main())


def test_refusals_are_the_exceptions_of_the_blocking_calls(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            with pytest.raises(zookeeper.NoNodeException, match="/missing") as missing:
                await zk.get("/missing")
            assert missing.value.path == "/missing"
            with pytest.raises(zookeeper.NodeExistsException):
                await zk.create("/")
            with pytest.raises(zookeeper.BadArgumentsException):
                await zk.get("no slash")
            with pytest.raises(TypeError):
                await zk.get("/", "no watcher")  # type: ignore[arg-type]
            with pytest.raises(zookeeper.BadArgumentsException, match="number of seconds"):
                await zk.get("/", timeout=-1)
            with pytest.raises(zookeeper.NoNodeException) as of_transaction:
                await zk.multi([("check", "/"), ("delete", "/missing")])
            assert vars(of_transaction.value)["index"] == 1
            with pytest.raises(zookeeper.NoNodeException):
                await zk.children("/missing")
            with pytest.raises(zookeeper.NoNodeException):
                await zk.register("/missing", "1.2.3.4:80")
            with pytest.raises(ValueError, match="line 1"):
                await zk.import_tree("no tree")

    run(main())


def test_a_missing_root_is_told_by_single_calls_too(run: Run[None], new_client: NewClient):
    async def main() -> None:
        async with new_client() as zk:
            there = zk.connection_string + "/not/there"
            async with zc.zk.aio.ZooKeeper(there) as lost:
                for call in (lost.get("/a"), lost.get_properties("/a"), lost.delete("/a")):
                    with pytest.raises(zookeeper.NoNodeException, match=r"the root .* not exist"):
                        await call
                await lost.create_recursive("/a/b", "found")
                assert (await lost.get("/a/b"))[0] == "found"

    run(main())


def test_trees_are_made_shown_walked_and_deleted(
    run: Run[None], anywhere: NewClient, capsys: pytest.CaptureFixture[str]
):
    async def main() -> None:
        async with anywhere() as zk:
            plan = await zk.plan_import(TREE)
            assert len(plan) == 2
            assert "/shop" in str(plan)
            await plan.apply()
            assert await zk.export_tree("/shop") == TREE
            await zk.print_tree("/shop")
            assert capsys.readouterr().out == TREE
            assert [path async for path in zk.walk("/shop")] == ["/shop", "/shop/providers"]
            pairs = [pair async for pair in zk.walk("/shop", children=True)]
            assert pairs == [("/shop", ["providers"]), ("/shop/providers", [])]
            with pytest.raises(zookeeper.NoNodeException):
                await zk.walk("/missing").__anext__()
            await zk.ln("/shop", "/alias")
            assert await zk.resolve("/alias/providers") == "/shop/providers"
            deletion = await zk.plan_delete("/shop")
            assert deletion.deletions == ["/shop/providers", "/shop"]
            await zk.delete_recursive("/shop")
            assert await zk.exists("/shop") is None

    run(main())


def test_acls_are_part_of_trees(run: Run[None], anywhere: NewClient):
    text = "/shop\n  = acl world:anyone:ra\n  /providers\n"

    async def main() -> None:
        async with anywhere() as zk:
            await zk.import_tree(text)
            assert await zk.export_tree("/shop", acls=True) == text
            plan = await zk.plan_import("/shop\n", reset_acls=True, skip=print)
            assert str(plan) == (
                "/shop acl change from world:anyone:ra to world:anyone:cdrwa\n"
                "extra path not trimmed: /shop/providers"
            )
            assert plan.losses == []
            await plan.apply()
            acls = await zk.get_acl_many(["/shop", "/shop/providers"])
            assert [acl[0]["perms"] for _, acl in acls] == [31, 17]

    run(main())


def test_bulk_calls_return_what_the_blocking_ones_do(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            told: list[tuple[int, int | None]] = []
            operations = [("create", f"/{i}", str(i), zc.zk.OPEN_ACL_UNSAFE) for i in range(1200)]
            made = await zk.write_many(
                operations, progress=lambda done, total: told.append((done, total))
            )
            assert made == [path for _, path, *_ in operations]
            answers = await zk.get_many(made)
            assert [answer[0] for answer in answers if isinstance(answer, tuple)] == [
                data for _, _, data, _ in operations
            ]
            assert await zk.get_children_many(["/5"]) == [[]]
            tree = await zk.read_tree("/")
            assert len(tree) > 1200
            events: list[str] = []
            data, _, _ = await zk.watch_many(
                made, watcher=lambda handle, type, state, path: events.append(path)
            )
            assert data == answers
            await zk.set("/7", "new")
            await until(lambda: events == ["/7"], "the watch has fired")

    run(main())


def test_a_watcher_is_called_by_the_loop_and_may_be_a_coroutine_function(
    run: Run[None], anywhere: NewClient
):
    async def main() -> None:
        events: list[Any] = []
        loop = asyncio.get_running_loop()

        def plain(handle: int, type: int, state: int, path: str) -> None:
            assert asyncio.get_running_loop() is loop
            events.append((type, path))

        async def other(handle: int, type: int, state: int, path: str) -> None:
            await asyncio.sleep(0)
            events.append((type, path, "later"))

        async with anywhere() as zk:
            await zk.create("/a")
            await zk.get("/a", plain)
            await zk.exists("/b", watcher=other)
            await zk.get_children("/a", plain)
            await zk.remove_watches("/a", zookeeper.WATCH_CHILDREN, plain)
            await zk.set("/a", "new")
            await zk.create("/b")
            await until(lambda: len(events) == 2, "both watches have fired")
            assert events == [
                (zookeeper.CHANGED_EVENT, "/a"),
                (zookeeper.CREATED_EVENT, "/b", "later"),
            ]

    run(main())


def test_a_registration_is_changed_and_withdrawn(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await planted(zk)
            async with await zk.register("/shop/providers", ("10.0.0.7", 80), weight=2) as server:
                assert server.paths == ["/shop/providers/10.0.0.7:80"]
                assert str(server.state) == "registered"
                assert server.revive
                await server.update(weight=3)
                assert (await zk.get_properties(server.paths[0]))["weight"] == 3
                assert server.properties["weight"] == 3
            assert await zk.get_children("/shop/providers") == []
            await zk.register_server("/shop/providers", "1.2.3.4:80")
            with pytest.raises(zookeeper.NodeExistsException):
                await zk.register("/shop/providers", "1.2.3.4:80")
            assert await zk.get_children("/shop/providers") == ["1.2.3.4:80"]

    run(main())


def test_many_servers_are_registered_together(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await planted(zk)
            servers = [("/shop/providers", ("host", port), {"n": port}) for port in range(1, 601)]
            async with await zk.register_all(servers, load=1) as registrations:
                assert len(registrations) == 600
                assert len(registrations[:10]) == 10
                assert registrations[6].properties["n"] == 7
                assert repr(registrations) == "<Registrations: 600 registered>"
                assert len(await zk.get_children("/shop/providers")) == 600
                await registrations[0].update(load=2)
                assert (await zk.get_properties("/shop/providers/host:1"))["load"] == 2
                with pytest.raises(zookeeper.NodeExistsException, match="host:7"):
                    await zk.register_all([("/shop/providers", "a:1"), servers[6]])
            assert await zk.get_children("/shop/providers") == []
            with pytest.raises(zookeeper.NoNodeException, match="/nowhere/a:1 cannot be"):
                await zk.register_all([*servers, ("/nowhere", "a:1")])
            assert await zk.get_children("/shop/providers") == []

    run(main())


def test_properties_are_a_live_mapping_and_are_changed(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await planted(zk)
            settings = await zk.properties("/shop")
            assert dict(settings) == {"x": 1}
            await settings.update(y=2)
            assert (settings["y"], len(settings), "y" in settings) == (2, 2, True)
            await settings.update(lambda now: {"x": now["x"] + 1})
            await settings.rewrite(lambda now: {"z": now.pop("y"), **now})
            assert settings.data == settings.copy() == {"x": 2, "z": 2}
            await settings.delete("z")
            with pytest.raises(KeyError):
                await settings.delete("z")
            await settings.set(only=True)
            assert dict(settings) == {"only": True}
            assert settings.meta_data["version"] == 5
            assert (settings.real_path, settings.deleted) == ("/shop", False)
            other = await zk.properties("/shop", watch=False)
            with pytest.raises(TypeError, match="watch=False"):
                other(print)
            with pytest.raises(TypeError, match="watch=False"):
                async for _ in other:
                    pass
            with pytest.raises(RuntimeError, match="await it first"):
                len(zk.properties("/shop"))

    run(main())


def test_a_loop_over_children_comes_round_with_the_latest(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await planted(zk)
            seen: list[list[str]] = []
            async for names in zk.children("/shop/providers"):
                seen.append(sorted(names))
                if len(names) == 3:
                    break
                if len(names) == 0:
                    await zk.register("/shop/providers", "a:1")
                else:
                    await zk.register("/shop/providers", "b:1")
                    await zk.register("/shop/providers", "c:1")
                    # All of it is known before the next round.
                    await until(lambda n=names: len(n) == 3, "the children are there")
            assert seen[0] == []
            assert seen[-1] == ["a:1", "b:1", "c:1"]
            assert ["a:1", "b:1"] not in seen

    run(main())


def test_a_provider_is_waited_for_and_picked(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await planted(zk)
            servers = await zk.providers("/shop/providers")
            with pytest.raises(zc.zk.NoProvider):
                servers.pick()
            with pytest.raises(zc.zk.NoProvider):
                await servers.wait(0.01)
            waiting = asyncio.create_task(servers.wait(60))
            await asyncio.sleep(0)
            await zk.register("/shop/providers", "10.0.0.7:80", weight=2)
            assert (await waiting).address == "10.0.0.7:80"
            assert servers["10.0.0.7:80"]["weight"] == 2
            with servers.using() as provider:
                servers.failed(provider)
            async for found in zk.providers("/shop/providers"):
                assert list(found) == ["10.0.0.7:80"]
                break

    run(main())


def test_a_credential_is_accepted_before_the_call_returns(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            assert await zk.add_auth("digest", "me:secret") == zookeeper.OK
            assert ("digest", "me") in [(scheme, name) for scheme, name in await zk.whoami()]

    run(main())


def test_context_variables_are_those_of_the_task(run: Run[None], anywhere: NewClient):
    import contextvars

    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

    async def main() -> None:
        async with anywhere() as zk:
            await planted(zk)
            settings = await zk.properties("/shop")

            def change(now: dict[str, Any]) -> dict[str, Any]:
                changed_by = user.get()
                user.set(f"seen {changed_by}")
                return {"by": changed_by}

            async def one(name: str) -> None:
                user.set(name)
                await settings.update(change)
                assert user.get() == f"seen {name}"

            await asyncio.gather(one("ann"))
            assert settings["by"] == "ann"
            assert user.get() == "nobody"

    run(main())


def test_a_handle_replaced_just_before_a_call_is_a_lost_connection(
    run: Run[None], anywhere: NewClient, monkeypatch: pytest.MonkeyPatch
):
    async def main() -> None:
        async with anywhere() as zk:
            assert zk._inner is not None
            with monkeypatch.context() as patch:
                patch.setattr(zk._inner._session, "require_handle", lambda: 10_000_000)
                lost = pytest.raises(zookeeper.ConnectionLossException, match="just been lost")
                with lost as raised:
                    await zk.get("/")
            assert not raised.value.may_have_happened
            assert isinstance(raised.value.__cause__, zookeeper.InvalidStateException)
            assert await zk.exists("/")

    run(main())
