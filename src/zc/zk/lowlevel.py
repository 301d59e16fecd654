"""The binding's functions as methods, without the handle.

Each calls the function of its name in the module `zookeeper`, looked up there at every call, so
that a test which patches it is seen. Those that write also tell what keeps ephemeral nodes in
being: what a program creates, changes or deletes here is known, and what it does to a handle
directly is not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE, Acl
from zc.zk.ephemeral import Ephemerals
from zc.zk.ephemeralnode import EphemeralNode
from zc.zk.session import Session

if TYPE_CHECKING:
    from zookeeper import Data, Operation, Stat, Watcher

P = ParamSpec("P")
R = TypeVar("R")

Completion = Callable[..., object]

# After these it may have been done or not. As it was to be deleted, a node counts as deleted then:
# what the program has deleted must not be revived, and what it has not, ends with the session.
_UNCERTAIN = {
    zookeeper.CONNECTIONLOSS,
    zookeeper.OPERATIONTIMEOUT,
    zookeeper.SESSIONEXPIRED,
    zookeeper.SESSIONMOVED,
    zookeeper.INVALIDSTATE,
    zookeeper.CLOSING,
    zookeeper.AUTHFAILED,
}
_GONE = {zookeeper.OK, zookeeper.NONODE, *_UNCERTAIN}


class call(Generic[P, R]):
    """A method that passes its arguments on to a function of the binding, behind the handle."""

    def __init__(self, function: Callable[Concatenate[int, P], R]) -> None:
        self._name = function.__name__
        self.__doc__ = function.__doc__

    def __get__(self, client: LowLevel, owner: type[LowLevel]) -> Callable[P, R]:
        def method(*args: P.args, **kwargs: P.kwargs) -> R:
            function: Callable[..., R] = getattr(zookeeper, self._name)
            return function(client._session.require_handle(), *args, **kwargs)

        method.__name__ = self._name
        method.__doc__ = self.__doc__
        return method


class LowLevel:
    """The part of `zc.zk.ZooKeeper` that gives access to the binding."""

    _session: Session
    _ephemerals: Ephemerals

    exists = call(zookeeper.exists)
    aexists = call(zookeeper.aexists)
    get = call(zookeeper.get)
    aget = call(zookeeper.aget)
    get_children = call(zookeeper.get_children)
    aget_children = call(zookeeper.aget_children)
    get_children2 = call(zookeeper.get_children2)
    aget_children2 = call(zookeeper.aget_children2)
    get_acl = call(zookeeper.get_acl)
    aget_acl = call(zookeeper.aget_acl)
    get_config = call(zookeeper.get_config)
    aget_config = call(zookeeper.aget_config)
    get_many = call(zookeeper.get_many)
    get_children_many = call(zookeeper.get_children_many)
    read_tree = call(zookeeper.read_tree)
    watch_many = call(zookeeper.watch_many)
    remove_watches = call(zookeeper.remove_watches)
    aremove_watches = call(zookeeper.aremove_watches)
    sync = call(zookeeper.sync)
    async_ = call(zookeeper.async_)
    client_id = call(zookeeper.client_id)
    recv_timeout = call(zookeeper.recv_timeout)
    is_unrecoverable = call(zookeeper.is_unrecoverable)

    # Creating

    def create(
        self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE, flags: int = 0, **options: Any
    ) -> str:
        """Create a node and return its path, as `zookeeper.create` does.

        An ephemeral node, unless it has a sequence number, is created again in later sessions.
        """
        epoch = self._session.epoch
        made = zookeeper.create(self._handle(), path, data, acl, flags, **options)
        self._note_created(made, data, acl, flags, epoch)
        return made

    def create2(
        self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE, flags: int = 0, **options: Any
    ) -> tuple[str, Stat]:
        """Like `create`, and return the path and the stat."""
        epoch = self._session.epoch
        made, stat = zookeeper.create2(self._handle(), path, data, acl, flags, **options)
        self._note_created(made, data, acl, flags, epoch)
        return made, stat

    def acreate(
        self, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: Completion | None = None, **options: Any,
    ) -> int:  # fmt: skip
        """Like `create`; `completion(handle, code, path)`."""
        epoch = self._session.epoch

        def done(handle: int, code: int, made: str | None) -> None:
            if made is not None:
                self._note_created(made, data, acl, flags, epoch)
            if completion is not None:
                completion(handle, code, made)

        return zookeeper.acreate(self._handle(), path, data, acl, flags, done, **options)

    def acreate2(
        self, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: Completion | None = None, **options: Any,
    ) -> int:  # fmt: skip
        """Like `create2`; `completion(handle, code, path, stat)`."""
        epoch = self._session.epoch

        def done(handle: int, code: int, made: str | None, stat: Stat | None) -> None:
            if made is not None:
                self._note_created(made, data, acl, flags, epoch)
            if completion is not None:
                completion(handle, code, made, stat)

        return zookeeper.acreate2(self._handle(), path, data, acl, flags, done, **options)

    # Deleting

    def delete(self, path: str, version: int = -1, **options: Any) -> int:
        """Delete a node, as `zookeeper.delete` does; a registered server ends with it."""
        handle = self._handle()
        held = self._ephemerals.hold(path)
        try:
            code = zookeeper.delete(handle, path, *_if_any(version), **options)
        except BaseException as fault:
            self._ephemerals.release(held, is_gone=_code_of(fault) in _GONE)
            raise
        self._ephemerals.release(held, is_gone=True)
        return code

    def adelete(self, path: str, version: int = -1, completion: Completion | None = None) -> int:
        """Like `delete`; `completion(handle, code)`."""
        handle = self._handle()
        held = self._ephemerals.hold(path)

        def done(handle: int, code: int) -> None:
            self._ephemerals.release(held, is_gone=code in _GONE)
            if completion is not None:
                completion(handle, code)

        try:
            return zookeeper.adelete(handle, path, version, done)
        except BaseException:
            self._ephemerals.release(held, is_gone=False)
            raise

    # Writing

    def set(self, path: str, data: Data, version: int = -1, **options: Any) -> int:
        """Replace a node's data, as `zookeeper.set` does."""
        epoch = self._session.epoch
        code = zookeeper.set(self._handle(), path, data, *_if_any(version), **options)
        self._ephemerals.note_data(path, data, epoch)
        return code

    def set2(self, path: str, data: Data, version: int = -1, **options: Any) -> Stat:
        """Like `set`, and return the new stat."""
        epoch = self._session.epoch
        stat = zookeeper.set2(self._handle(), path, data, *_if_any(version), **options)
        self._ephemerals.note_data(path, data, epoch)
        return stat

    def aset(
        self, path: str, data: Data, version: int = -1, completion: Completion | None = None
    ) -> int:
        """Like `set`; `completion(handle, code, stat)`."""
        epoch = self._session.epoch

        def done(handle: int, code: int, stat: Stat | None) -> None:
            if code == zookeeper.OK:
                self._ephemerals.note_data(path, data, epoch)
            if completion is not None:
                completion(handle, code, stat)

        return zookeeper.aset(self._handle(), path, data, version, done)

    def set_acl(self, path: str, version: int, acl: Acl, **options: Any) -> int:
        """Replace a node's access control list, as `zookeeper.set_acl` does."""
        epoch = self._session.epoch
        code = zookeeper.set_acl(self._handle(), path, version, acl, **options)
        self._ephemerals.note_acl(path, acl, epoch)
        return code

    def aset_acl(
        self, path: str, version: int, acl: Acl, completion: Completion | None = None
    ) -> int:
        """Like `set_acl`; `completion(handle, code)`."""
        epoch = self._session.epoch

        def done(handle: int, code: int) -> None:
            if code == zookeeper.OK:
                self._ephemerals.note_acl(path, acl, epoch)
            if completion is not None:
                completion(handle, code)

        return zookeeper.aset_acl(self._handle(), path, version, acl, done)

    # Transactions

    def multi(self, ops: Iterable[Operation], **options: Any) -> list[Any]:
        """Do several operations, all or none, as `zookeeper.multi` does."""
        operations = list(ops)
        epoch = self._session.epoch
        handle = self._handle()
        held = self._hold_deleted(operations)
        try:
            results = zookeeper.multi(handle, operations, **options)
        except BaseException as fault:
            self._release_all(held, _code_of(fault))
            raise
        self._note_results(operations, results, held, epoch)
        return results

    def amulti(self, ops: Iterable[Operation], completion: Completion | None = None) -> int:
        """Like `multi`; `completion(handle, code, results)`."""
        operations = list(ops)
        epoch = self._session.epoch
        handle = self._handle()
        held = self._hold_deleted(operations)

        def done(handle: int, code: int, results: list[Any] | None) -> None:
            if code == zookeeper.OK and results is not None:
                self._note_results(operations, results, held, epoch)
            else:
                self._release_all(held, code)
            if completion is not None:
                completion(handle, code, results)

        try:
            return zookeeper.amulti(handle, operations, done)
        except BaseException:
            self._release_all(held, None)
            raise

    def write_many(self, ops: Iterable[Operation], **options: Any) -> list[Any]:
        """Do many operations in a sequence of transactions, as `zookeeper.write_many` does."""
        operations = list(ops)
        epoch = self._session.epoch
        handle = self._handle()
        held = self._hold_deleted(operations)
        try:
            results = zookeeper.write_many(handle, operations, **options)
        except BaseException as fault:
            self._release_all(held, _code_of(fault))
            raise
        self._note_results(operations, results, held, epoch)
        return results

    # The session

    def add_auth(
        self, scheme: str, credential: str | bytes, completion: Completion | None = None
    ) -> int:
        """Authenticate this session, as `zookeeper.add_auth` does, and later ones.

        Also one that is still being opened, or has no connection just now. Where the answer is lost
        with the connection, `completion` is told; that it is accepted later is noted all the same.
        """

        def noted(handle: int, code: int) -> None:
            # One that is refused ends the session: it must not end the next one too.
            if code == zookeeper.OK:
                self._session.remember_credential(scheme, credential)
            elif code in (zookeeper.CONNECTIONLOSS, zookeeper.OPERATIONTIMEOUT):
                # It is sent again by itself; to hear of the answer takes another call.
                with contextlib.suppress(zookeeper.ZooKeeperException):
                    zookeeper.add_auth(handle, scheme, credential, noted)

        def done(handle: int, code: int) -> None:
            noted(handle, code)
            if completion is not None:
                completion(handle, code)

        handle = self._session.credentials_handle()
        return zookeeper.add_auth(handle, scheme, credential, done)

    def set_watcher(self, watcher: Watcher | None) -> int:
        """Have `watcher(handle, type, state, path)` called for session events, of all sessions.

        It is called like a callback of a live object, one at a time with these.
        """
        self._session.set_watcher(watcher)
        return zookeeper.OK

    def _handle(self) -> int:
        return self._session.require_handle()

    def _note_created(self, path: str, data: Data, acl: Acl, flags: int, epoch: int) -> None:
        # Of a node with a sequence number a later session would make another one.
        if flags == zookeeper.EPHEMERAL:
            self._ephemerals.track(path, data, acl, epoch)

    def _hold_deleted(self, operations: list[Operation]) -> dict[int, EphemeralNode]:
        held = {}
        for index, operation in enumerate(operations):
            if operation[0] == "delete" and (node := self._ephemerals.hold(operation[1])):
                held[index] = node
        return held

    def _release_all(self, held: dict[int, EphemeralNode], code: int | None) -> None:
        """A transaction has failed: nothing in it was done, unless the code leaves it open."""
        for node in held.values():
            self._ephemerals.release(node, is_gone=code in _UNCERTAIN)

    def _note_results(
        self,
        operations: list[Operation],
        results: list[Any],
        held: dict[int, EphemeralNode],
        epoch: int,
    ) -> None:
        for index, (operation, result) in enumerate(zip(operations, results, strict=True)):
            name, path, *arguments = operation
            failed = isinstance(result, Exception)
            if index in held:
                code = _code_of(result) if failed else zookeeper.OK
                self._ephemerals.release(held[index], is_gone=code in _GONE)
            elif failed:
                continue
            elif name in ("create", "create2"):
                made = result if name == "create" else result[0]
                data, acl, flags = (*arguments, 0)[:3]
                self._note_created(made, data, acl, flags, epoch)
            elif name == "set":
                self._ephemerals.note_data(path, arguments[0], epoch)


# A keyword since Python 3.7, and still the name under which programs know it.
setattr(LowLevel, "async", LowLevel.__dict__["async_"])


def _if_any(version: int) -> tuple[int, ...]:
    return () if version == -1 else (version,)


def _code_of(fault: BaseException) -> int | None:
    return fault.code if isinstance(fault, zookeeper.ZooKeeperException) else None
