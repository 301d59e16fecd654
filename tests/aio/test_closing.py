"""The end of a client, and of its loop, its process and its program, in the middle of anything."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

import zc.zk
import zc.zk.aio
import zookeeper
from tests.aio import running
from tests.aio.conftest import NewClient
from tests.aio.running import Run, until
from tests.aio.switches import Cancelling, told_to
from tests.blackhole import black_hole
from tests.deadlines import scaled, wait_until
from tests.tcpproxy import TcpProxy
from zc.zk.session import ending


def test_a_client_that_is_closed_by_another_task_ends_calls_that_wait(
    run: Run[None], proxy: TcpProxy, root: str
):
    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(proxy.connection_string + root, 60_000) as zk:
            await zk.create("/a")
            children = await zk.children("/a")
            rounds: list[str] = []

            async def look() -> None:
                async for _ in children:
                    pass
                rounds.append("over")

            proxy.stall()
            waiting = [
                asyncio.create_task(call)
                for call in (
                    zk.get("/a"), zk.register("/a", "a:1"), zk.get_many(["/a"] * 9),
                    zk.export_tree(), zk.create("/b", flags=zookeeper.EPHEMERAL),
                )
            ]  # fmt: skip
            looking = asyncio.create_task(look())
            await asyncio.sleep(0.05)
            closing = asyncio.create_task(zk.close())
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            proxy.resume()
            await closing
            assert [type(outcome) for outcome in outcomes] == (
                [zookeeper.ClosingException] * len(waiting)
            )
            await looking
            assert rounds == ["over"]
            with pytest.raises(zookeeper.ClosingException):
                await zk.get("/a")
            with pytest.raises(zookeeper.ClosingException):
                zk.children("/a")
            await zk.close()
            await asyncio.gather(zk.close(), zk.close())
            assert zk.state == zookeeper.NOTCONNECTED_STATE
            assert "closed" in repr(zk)

    run(main())


def test_a_registration_of_a_closed_client_is_withdrawn_in_silence(
    run: Run[None], anywhere: NewClient
):
    async def main() -> None:
        async with anywhere() as zk:
            server = await zk.register("/", "a:1")
            async with server:
                await zk.close()
            assert str(server.state) == "ended"

    run(main())


def test_a_client_that_is_closed_while_it_is_opened_is_closed(run: Run[None]):
    async def main() -> None:
        with black_hole() as nowhere:
            zk = zc.zk.aio.ZooKeeper(nowhere, wait=True)
            opening = asyncio.create_task(zk.__aenter__())
            await asyncio.sleep(0.05)
            await zk.close()
            with pytest.raises((zc.zk.FailedConnect, zookeeper.ClosingException)):
                await opening

    run(main())


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (1, 2, 3)])
def test_an_opening_that_is_cancelled_leaves_no_session(numbers: tuple[int, ...]):
    """The first time while it waits for a connection, then while it closes."""

    async def main() -> None:
        with black_hole() as nowhere:
            cancelling = Cancelling(*numbers)
            zk = zc.zk.aio.ZooKeeper(nowhere)
            with told_to(cancelling), pytest.raises(asyncio.CancelledError):
                await asyncio.create_task(zk.__aenter__())
            assert cancelling.seen > 1
            for thread in threading.enumerate():
                if thread.name.startswith("zc.zk"):
                    await until(lambda t=thread: not t.is_alive(), "its threads have ended")

    running.run(main())


def test_no_servers_are_told_as_by_the_blocking_client(run: Run[None]):
    async def main() -> None:
        zk = zc.zk.aio.ZooKeeper("127.0.0.1:1")
        zk.initial_connection_wait = 0.2
        for _ in range(2):
            with pytest.raises(zc.zk.FailedConnect, match="Connection refused"):
                async with zk:
                    pass
        with pytest.raises(zc.zk.FailedConnect):
            await zc.zk.aio.ZooKeeper.connect("not a host:port")
        with pytest.raises(ValueError, match="timeout"):
            await zc.zk.aio.ZooKeeper.connect("127.0.0.1:1", -5)

    run(main())


def test_a_client_is_closed_also_where_no_thread_can_be_started(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch
):
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        async with new_client() as zk:
            await zk.register("/", "a:1")
            monkeypatch.setattr(threading.Thread, "start", start)
        monkeypatch.undo()
        assert not ending.open_sessions

    running.run(main())


def test_a_callback_may_close_its_client_and_others_are_cancelled(
    run: Run[None], new_client: NewClient
):
    ended: list[str] = []

    async def main() -> None:
        zk = await new_client().__aenter__()
        await zk.create("/a")
        one, other = await zk.children("/a"), await zk.properties("/a")

        async def endless(watched: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("endless")

        async def closing(watched: object) -> None:
            await zk.close()
            ended.append("closing")

        other(endless)
        await asyncio.sleep(0)
        one(closing)
        await until(lambda: sorted(ended) == ["closing", "endless"], "both have ended")

    run(main())


def test_a_client_belongs_to_the_loop_in_which_it_was_opened(new_client: NewClient):
    async def open_one() -> zc.zk.aio.ZooKeeper:
        zk = await new_client().__aenter__()
        with pytest.raises(RuntimeError, match="opened before"):
            await zk.__aenter__()
        told: list[BaseException] = []

        def in_thread() -> None:
            try:
                asyncio.run(zk.get("/"))
            except RuntimeError as fault:
                told.append(fault)

        thread = threading.Thread(target=in_thread)
        thread.start()
        await asyncio.to_thread(thread.join)
        assert "belongs to the event loop" in str(told[0])
        return zk

    async def use_and_close(zk: zc.zk.aio.ZooKeeper) -> None:
        with pytest.raises(RuntimeError, match="belongs to the event loop"):
            await zk.get("/")
        with pytest.raises(RuntimeError, match="belongs to the event loop"):
            zk.children("/")
        await zk.close()  # its own loop is gone

    zk = asyncio.run(open_one())
    with pytest.raises(RuntimeError, match="belongs to the event loop"):
        zk.children("/")
    asyncio.run(use_and_close(zk))
    assert not ending.open_sessions


def test_a_client_that_nobody_closes_is_told_and_closed(new_client: NewClient):
    async def main() -> None:
        zk = await new_client().__aenter__()
        await zk.register("/", "a:1")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            del zk
            gc.collect()
        assert [warning.category for warning in told] == [ResourceWarning]
        assert "unclosed client <zc.zk.aio.ZooKeeper" in str(told[0].message)
        await until(lambda: not ending.open_sessions, "it is closed")

    running.run(main())


def test_a_loop_that_ends_with_calls_under_way_leaves_no_complaint(
    run: Run[None], proxy: TcpProxy, root: str
):
    opened: list[zc.zk.aio.ZooKeeper] = []

    async def main() -> None:
        zk = await zc.zk.aio.ZooKeeper(proxy.connection_string + root, 60_000).__aenter__()
        opened.append(zk)
        children = await zk.children("/")
        children(lambda names: None)
        proxy.stall()
        zk.forgotten = [  # type: ignore[attr-defined]
            asyncio.create_task(zk.get("/")), asyncio.create_task(zk.export_tree()),
            asyncio.create_task(zk.register("/", "a:1")),
        ]  # fmt: skip
        await asyncio.sleep(0.02)

    run(main())
    proxy.resume()
    with zc.zk.ZooKeeper(proxy.connection_string + root) as other:
        other.create("/news")  # an event for a loop that is gone
    asyncio.run(opened.pop().close())


def test_a_loop_that_is_closed_at_once_leaves_no_complaint(proxy: TcpProxy, root: str):
    """Tasks are then destroyed while they wait, and cannot wait any more."""
    complaints: list[object] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    zk = zc.zk.aio.ZooKeeper(proxy.connection_string + root, 60_000)
    loop.run_until_complete(zk.__aenter__())
    proxy.stall()
    tasks = [
        loop.create_task(zk.register("/", "a:1")), loop.create_task(zk.get_properties("/")),
        loop.create_task(zk.get("/")), loop.create_task(zk.get_many(["/"] * 9)),
        loop.create_task(zk.export_tree()),
    ]  # fmt: skip
    loop.run_until_complete(asyncio.sleep(0.02))
    loop.close()
    count = len(tasks)
    proxy.resume()
    asyncio.run(zk.close())
    del tasks, zk
    gc.collect()
    # Of what the program has left there itself asyncio complains (not always, in 3.10), and of
    # nothing else.
    assert set(complaints) <= {"Task was destroyed but it is pending!"}
    assert len(complaints) <= count


PROGRAM = """
import asyncio, os, signal, sys
import zc.zk.aio

async def main():
    # A busy machine makes steps slow, which is nothing to be told here.
    asyncio.get_running_loop().slow_callback_duration = 60
    async with zc.zk.aio.ZooKeeper(sys.argv[1]) as zk:
        await zk.register("/", "a:1")

        async def look():
            async for names in zk.children("/"):
                print(*sorted(names), flush=True)
                seen.set()

        seen = asyncio.Event()
        watching = asyncio.create_task(look())
        await seen.wait()
        {end}

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("end", "status", "told"),
    [
        ("sys.exit(3)", 3, ""),
        ("os.kill(os.getpid(), signal.SIGINT); await zk.sync('/'); await asyncio.sleep(60)",
         -signal.SIGINT, "KeyboardInterrupt"),
        ("raise LookupError", 1, "LookupError"),
        ("return", 0, ""),
    ],
    ids=["exit", "interrupt", "exception", "return"],
)  # fmt: skip
def test_a_program_that_ends_in_the_middle_takes_its_node_along(
    place: str, tmp_path: Path, end: str, status: int, told: str
):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("{end}", end))
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", str(program), place],
        capture_output=True, text=True, timeout=scaled(60), check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (status, "a:1\n"), ran.stderr
    for complaint in ("never retrieved", "was destroyed", "never awaited", "ResourceWarning"):
        assert complaint not in ran.stderr
    assert told in ran.stderr
    assert bool(told) == bool(ran.stderr)
    with zc.zk.ZooKeeper(place) as zk:
        assert zk.get_children("/") == []


def test_a_forked_child_is_told_and_may_reopen_in_its_own_loop(place: str):
    def in_child(zk: zc.zk.aio.ZooKeeper, children: zc.zk.aio.Children) -> None:
        async def main() -> None:
            with pytest.raises(zookeeper.ForkedException, match="call its `reopen` here"):
                await zk.get("/")
            await zk.reopen()
            assert (await zk.get("/"))[0] == ""
            await zk.create("/child")
            await until(lambda: "child" in children, "the live object goes on")
            await zk.close()

        asyncio.run(main())

    async def open_and_fork() -> int:
        async with zc.zk.aio.ZooKeeper(place) as zk:
            children = await zk.children("/")
            await zk.reopen()  # nothing to do here
            child = await asyncio.to_thread(forked, zk, children)
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            assert await zk.exists("/child")
            return os.waitstatus_to_exitcode(status)

    def forked(zk: zc.zk.aio.ZooKeeper, children: zc.zk.aio.Children) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads at a fork
            child = os.fork()
        if child:
            return child
        try:
            in_child(zk, children)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    assert running.run(open_and_fork()) == 0


def test_a_blocked_loop_loses_no_session(place: str):
    """The thread of the binding pings, and another one keeps registrations."""

    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(place, 1000) as zk:
            number = zk.client_id()
            server = await zk.register("/", "a:1")
            with zc.zk.ZooKeeper(place) as other:
                gone: list[str] = []

                @other.children("/")
                def look(names: zc.zk.Children) -> None:
                    gone.append(" ".join(names))

                other.delete("/a:1")
                # All of it in one step of the loop: more than two timeouts of the session.
                wait_until(lambda: gone[-2:] == ["", "a:1"], "it is there again")
                threading.Event().wait(2.5)
            assert (await zk.get("/"))[0] == ""
            assert (zk.client_id(), str(server.state)) == (number, "registered")

    running.run(main())
