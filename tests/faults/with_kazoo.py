"""The clients of a fault run, made of kazoo, as its documentation leads to.

Live objects are its recipes DataWatch and ChildrenWatch. It has no recipe for registrations: the
way of its users is an ephemeral node, and a listener that makes it again when the session was lost.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    ConnectionClosedError,
    ConnectionLoss,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    OperationTimeoutError,
    SessionExpiredError,
    SessionMovedError,
)
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.retry import RetryFailedError
from kazoo.security import OPEN_ACL_UNSAFE

from tests.faults.library import Told
from tests.faults.logins import for_kazoo

OPEN_ACL = [
    {"perms": entry.perms, "scheme": entry.id.scheme, "id": entry.id.id}
    for entry in OPEN_ACL_UNSAFE
]


class Registered:
    def __init__(self, library: Library, path: str, properties: dict[str, Any]) -> None:
        self._library = library
        self.path = path
        self.properties = properties
        self.acl = OPEN_ACL

    def is_registered(self) -> bool:
        return True

    def make(self) -> None:
        self._library.create(self.path, json.dumps(self.properties), ephemeral=True)

    def update(self, n: int) -> None:
        self.properties = {**self.properties, "n": n}
        self._library.set(self.path, json.dumps(self.properties))

    def unregister(self) -> None:
        self._library.registered.discard(self)
        self._library.delete(self.path)


class Followed:
    """The last value that a watch said."""

    def __init__(self, told: Told | None) -> None:
        self._told = told
        self._value: Any = None

    def note(self, value: Any) -> None:
        self._value = value
        if self._told is not None:
            self._told(value)

    def value(self) -> Any:
        return self._value


class Library:
    trouble = (
        ConnectionLoss,
        ConnectionClosedError,
        OperationTimeoutError,
        SessionExpiredError,
        SessionMovedError,
        KazooTimeoutError,
        RetryFailedError,
    )
    conflicts = (NoNodeError, NodeExistsError, BadVersionError, NotEmptyError)
    has_links = False
    has_trees = False
    has_providers = False
    revives_nodes = False
    callbacks_may_block = False

    def __init__(
        self,
        hosts: str,
        session_milliseconds: int,
        tls: dict[str, str] | None,
        login: list[str] | None = None,
    ) -> None:
        self.registered: set[Registered] = set()
        self._was_lost = False
        files = {"ca": tls["ca"], "certfile": tls["certificate"]} if tls else {}
        self._client = KazooClient(
            hosts,
            timeout=session_milliseconds / 1000,
            use_ssl=bool(tls),
            **files,
            **for_kazoo(login),
        )
        self._client.add_listener(self._listen)
        while True:
            try:
                self._client.start()
                break
            except KazooTimeoutError:
                continue

    def _listen(self, state: str) -> None:
        if state == KazooState.LOST:
            self._was_lost = True
        elif state == KazooState.CONNECTED and self._was_lost:
            self._was_lost = False
            # A listener must not wait for the server.
            threading.Thread(target=self._register_again, daemon=True).start()

    def _register_again(self) -> None:
        for registered in list(self.registered):
            try:
                self._client.retry(registered.make)
            except NodeExistsError:
                pass  # it is there already
            except self.trouble:
                return  # the next session will do it

    def session(self) -> tuple[int, str]:
        number, password = self._client.client_id or (0, b"")
        return number & (2**64 - 1), password.decode("utf-8", "surrogateescape")

    def register(self, parent: str, name: str, properties: dict[str, Any]) -> Registered:
        registered = Registered(self, f"{parent}/{name}", properties)
        registered.make()
        self.registered.add(registered)
        return registered

    def follow(self, kind: str, path: str, told: Told | None) -> Followed:
        followed = Followed(told)
        if kind == "children":
            self._client.ChildrenWatch(path, lambda names: followed.note(sorted(names)))
        else:
            self._client.DataWatch(
                path,
                lambda data, stat: followed.note(None if stat is None else json.loads(data)),
            )
        return followed

    def create(self, path: str, data: str, ephemeral: bool = False) -> None:
        self._client.create(path, data.encode(), ephemeral=ephemeral)

    def get(self, path: str) -> str:
        data: bytes = self._client.get(path)[0]
        return data.decode()

    def set(self, path: str, data: str) -> None:
        self._client.set(path, data.encode())

    def delete(self, path: str) -> None:
        self._client.delete(path)

    def children(self, path: str) -> list[str]:
        names: list[str] = self._client.get_children(path)
        return names

    def update(self, path: str, n: int) -> None:
        data, stat = self._client.get(path)
        self._client.set(path, json.dumps({**json.loads(data), "n": n}).encode(), stat.version)

    def export(self, path: str) -> str:
        raise NotImplementedError

    def import_(self, path: str, text: str) -> None:
        raise NotImplementedError

    def sync(self, path: str) -> None:
        self._client.sync(path)

    def newest(self, path: str) -> int:
        raise NotImplementedError

    def delete_tree(self, path: str) -> None:
        raise NotImplementedError

    def walk(self, path: str) -> list[str]:
        raise NotImplementedError

    def close(self) -> None:
        self._client.stop()
        self._client.close()
