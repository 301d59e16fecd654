"""A process that registers in its lifespan, when it listens."""

from __future__ import annotations

import asyncio
import signal
import socket

import zc.zk
from tests.deadlines import scaled, wait_until
from zc.zk.serving.asgi import registered


async def until(condition, what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_it_is_registered_when_it_listens_and_no_sooner(zk) -> None:
    zk.create("/providers")
    former = signal.getsignal(signal.SIGTERM)

    async def main() -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            async with registered("/providers", zk=zk, port=port, weight=2) as service:
                assert not await asyncio.to_thread(service.register_if_listening)
                assert zk.get_children("/providers") == []
                bound.listen()
                await until(lambda: zk.get_children("/providers"), "it is registered")
                assert zk.get_children("/providers") == [f"127.0.0.1:{port}"]
                assert zk.get_properties(f"/providers/127.0.0.1:{port}")["weight"] == 2
            await until(lambda: not zk.get_children("/providers"), "it is withdrawn")

    asyncio.run(asyncio.wait_for(main(), scaled(60)))
    assert signal.getsignal(signal.SIGTERM) is former


def test_its_address_may_be_another_than_the_one_at_which_it_listens(zk) -> None:
    zk.create("/providers")

    async def main() -> None:
        with listener() as one:
            port = one.getsockname()[1]
            async with registered("/providers", ("shop.example.com", 80), zk=zk, port=port):
                await until(lambda: zk.get_children("/providers"), "it is registered")
                assert zk.get_children("/providers") == ["shop.example.com:80"]

    asyncio.run(asyncio.wait_for(main(), scaled(60)))


def test_a_failure_to_register_is_told_and_made_up_for(zk, caplog) -> None:
    async def main() -> None:
        with listener() as one:
            async with registered("/providers", zk=zk, port=one.getsockname()[1]):
                await until(lambda: "NoNodeException" in caplog.text, "it is told")
                zk.create("/providers")
                await until(lambda: zk.get_children("/providers"), "it is registered")

    asyncio.run(asyncio.wait_for(main(), scaled(60)))
    assert caplog.text.count("not registered, will try again: NoNodeException") == 1


def test_its_own_client_goes_by_the_environment_and_ends(place, zk, monkeypatch) -> None:
    monkeypatch.setenv("ZC_ZK_CONNECTION_STRING", place)
    zk.create("/providers")

    async def main() -> zc.zk.ZooKeeper:
        with listener() as one:
            async with registered("/providers", port=one.getsockname()[1]) as service:
                await until(lambda: zk.get_children("/providers"), "it is registered")
                assert service._zk is not None
                return service._zk

    own = asyncio.run(asyncio.wait_for(main(), scaled(60)))
    assert "closed" in repr(own)
    assert zk.get_children("/providers") == []
