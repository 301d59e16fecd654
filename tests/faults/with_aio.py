"""The clients of a fault run, made of zc.zk.aio: one event loop, and threads that ask it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import zc.zk
import zc.zk.aio
import zookeeper
from tests.faults import with_zc_zk
from tests.faults.library import Told
from zc.zk.watching.treechanges import Changes

T = TypeVar("T")


CALLBACK_THREADS = 3


class Loop:
    """An event loop in a thread of its own, for those that wait; callbacks block in others."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._callbacks = ThreadPoolExecutor(CALLBACK_THREADS)
        # All of them from the beginning, as the threads of a client are counted.
        together = threading.Barrier(CALLBACK_THREADS)
        list(self._callbacks.map(lambda _: together.wait(), range(CALLBACK_THREADS)))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def call(self, function: Callable[[], object]) -> None:
        """Call a function that may block, on the loop."""
        await self._loop.run_in_executor(self._callbacks, function)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._callbacks.shutdown()


class Registered:
    def __init__(
        self, loop: Loop, registration: zc.zk.aio.Registration, acl: list[dict[str, Any]]
    ) -> None:
        self._loop = loop
        self._registration = registration
        self.acl = acl

    @property
    def path(self) -> str:
        return self._registration.paths[0]

    @property
    def properties(self) -> dict[str, Any]:
        return self._registration.properties

    def is_registered(self) -> bool:
        return self._registration.state == "registered"

    def update(self, n: int) -> None:
        self._loop.do(self._registration.update(n=n))

    def unregister(self) -> None:
        self._loop.do(self._registration.unregister())


class Followed:
    """A live object, and its callback, which runs beside the loop."""

    def __init__(self, live: Any, kind: str) -> None:
        self.live = live
        blocking: Any = with_zc_zk.FOLLOWED[kind]
        self.show = blocking.show

    def value(self) -> Any:
        return self.show(self.live)


class FollowedTree(with_zc_zk.Tree):
    def __init__(self, live: Any) -> None:
        self.live = live


class Library(with_zc_zk.Library):
    def __init__(
        self,
        hosts: str,
        session_milliseconds: int,
        tls: dict[str, str] | None,
        login: list[str] | None = None,
        **limits: Any,
    ) -> None:
        by_tls = zc.zk.TLS(ca=tls["ca"], certificate=tls["certificate"]) if tls else None
        sasl = zc.zk.SASL.digest_md5(*login) if login else None
        connect = zc.zk.aio.ZooKeeper.connect
        self._loop = Loop()
        self._do = self._loop.do
        self._zk = self._do(
            connect(hosts, session_milliseconds, True, tls=by_tls, sasl=sasl, **limits)
        )

    def session(self) -> tuple[int, str]:
        handle = self._zk.handle
        if handle is None:
            return 0, ""
        try:
            number, password = zookeeper.client_id(handle)
        except zookeeper.InvalidStateException:
            return 0, ""
        return number & (2**64 - 1), password

    def register(self, parent: str, name: str, properties: dict[str, Any]) -> Any:
        acl = zc.zk.READ_ACL_UNSAFE
        entries = [{**entry} for entry in acl]
        registration = self._do(self._zk.register(parent, name, acl, **properties))
        return Registered(self._loop, registration, entries)

    def follow(self, kind: str, path: str, told: Told | None) -> Any:
        loop = self._loop

        async def follow_tree() -> FollowedTree:
            followed = FollowedTree(await self._zk.tree(path))
            if told is not None:
                known: dict[str, Any] = {}
                values: list[Any] = []

                async def tell(tree: Any, changes: Changes) -> None:
                    with_zc_zk.Tree._tell(values.append, known, tree, changes)
                    await loop.call(partial(told, values.pop()))

                followed.live(tell)
            return followed

        if kind == "tree":
            return self._do(follow_tree())

        async def follow() -> Followed:
            # The methods have the names of the kinds.
            live: Any = getattr(self._zk, kind)(path)
            followed = Followed(await live, kind)
            if told is not None:
                show = followed.show

                async def tell(seen: Any = None) -> None:
                    value = None if seen is None else show(seen)
                    await loop.call(partial(told, value))

                live(tell)
            return followed

        return self._do(follow())

    def create(self, path: str, data: str, ephemeral: bool = False) -> None:
        flags = zookeeper.EPHEMERAL if ephemeral else 0
        self._do(self._zk.create(path, data, zc.zk.OPEN_ACL_UNSAFE, flags))

    def get(self, path: str) -> str:
        return self._do(self._zk.get(path))[0] or ""

    def set(self, path: str, data: str) -> None:
        self._do(self._zk.set(path, data))

    def delete(self, path: str) -> None:
        self._do(self._zk.delete(path))

    def children(self, path: str) -> list[str]:
        return self._do(self._zk.get_children(path))

    def update(self, path: str, n: int) -> None:
        async def update() -> None:
            properties = await self._zk.properties(path, watch=False)
            await properties.update(lambda now: {**now, "n": n})

        self._do(update())

    def export(self, path: str) -> str:
        return self._do(self._zk.export_tree(path))

    def import_(self, path: str, text: str) -> None:
        self._do(self._zk.import_tree(text, path, trim=True))

    def sync(self, path: str) -> None:
        self._do(self._zk.sync(path))

    def newest(self, path: str) -> int:
        stats = [node.stat for node in self._do(self._zk.read_tree(path)) if node.stat]
        return max(max(stat["mzxid"], stat["pzxid"]) for stat in stats)

    def delete_tree(self, path: str) -> None:
        self._do(self._zk.delete_recursive(path))

    def walk(self, path: str) -> list[str]:
        async def walk() -> list[str]:
            return [step async for step in self._zk.walk(path)]

        return self._do(walk())

    def close(self) -> None:
        self._do(self._zk.close())
        self._loop.close()
