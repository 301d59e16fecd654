"""The binding's functions as methods, without the handle.

Each calls the function of its name of the session's binding. That is the module `zookeeper`, unless
the client was given another one; the function is looked up at every call, so that a test which
patches it is seen. Those that write also tell what keeps ephemeral nodes in
being: what a program creates, changes or deletes here is known, and what it does to a handle
directly is not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE, kept
from zc.zk.registration.registry import Registry
from zc.zk.registration.schedule import Hold
from zc.zk.session.session import Session
from zookeeper.errors import CLASS_OF_CODE

if TYPE_CHECKING:
    from inspect import Signature

    from zookeeper.types import (
        Acl,
        Data,
        MultiCompletion,
        Operation,
        Progress,
        Stat,
        StatCompletion,
        StringCompletion,
        StringStatCompletion,
        VoidCompletion,
        Watcher,
    )

P = ParamSpec("P")
R = TypeVar("R")

# After an error of the session a deletion may have happened or not. The node counts as deleted:
# what the program has deleted must not be revived, and what it has not, ends with the session. But
# a server that can only be read has refused to delete it, and the session goes on.
_UNCERTAIN = {
    code for code, cls in CLASS_OF_CODE.items() if issubclass(cls, zookeeper.SessionError)
} - {zookeeper.NOTREADONLY}
_GONE = {zookeeper.OK, zookeeper.NONODE, *_UNCERTAIN}


class _Shown:
    """What `inspect.signature` finds behind a method: a function's, with `self` for `h`.

    It is made when somebody asks, as imports are to be quick, and `inspect` is a large one.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    @property
    def __signature__(self) -> Signature:
        import inspect

        signature = inspect.signature(self._function)
        _, *parameters = signature.parameters.values()
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return signature.replace(parameters=[own, *parameters])


def passed_on(function: Callable[Concatenate[int, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method that passes its arguments on to a function of the binding, behind the handle."""
    name = function.__name__

    def method(self: LowLevel, /, *args: P.args, **kwargs: P.kwargs) -> R:
        session = self._session
        function: Callable[..., R] = getattr(session.binding, name)
        return session.call(function, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"LowLevel.{name}"
    # The function's begins with its signature, in which there is the handle.
    _, _, method.__doc__ = (function.__doc__ or "").partition("\n\n")
    method.__wrapped__ = _Shown(function)  # type: ignore[attr-defined]
    return method


class LowLevel:
    """The part of `zc.zk.ZooKeeper` that gives access to the binding."""

    _session: Session
    _ephemerals: Registry

    exists = passed_on(zookeeper.exists)
    aexists = passed_on(zookeeper.aexists)
    get = passed_on(zookeeper.get)
    aget = passed_on(zookeeper.aget)
    get_children = passed_on(zookeeper.get_children)
    aget_children = passed_on(zookeeper.aget_children)
    get_children2 = passed_on(zookeeper.get_children2)
    aget_children2 = passed_on(zookeeper.aget_children2)
    get_acl = passed_on(zookeeper.get_acl)
    aget_acl = passed_on(zookeeper.aget_acl)
    get_config = passed_on(zookeeper.get_config)
    aget_config = passed_on(zookeeper.aget_config)
    get_many = passed_on(zookeeper.get_many)
    get_children_many = passed_on(zookeeper.get_children_many)
    read_tree = passed_on(zookeeper.read_tree)
    watch_many = passed_on(zookeeper.watch_many)
    check_operations = passed_on(zookeeper.check_operations)
    remove_watches = passed_on(zookeeper.remove_watches)
    aremove_watches = passed_on(zookeeper.aremove_watches)
    sync = passed_on(zookeeper.sync)
    async_ = passed_on(zookeeper.async_)
    client_id = passed_on(zookeeper.client_id)
    recv_timeout = passed_on(zookeeper.recv_timeout)
    is_unrecoverable = passed_on(zookeeper.is_unrecoverable)
    connection_fault = passed_on(zookeeper.connection_fault)

    # Creating

    def create(
        self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE, flags: int = 0, *,
        ttl: int | None = None, timeout: float | None = None,
    ) -> str:  # fmt: skip
        """Create a node and return its path, as `zookeeper.create` does.

        An ephemeral node, unless it has a sequence number, is created again in later sessions.
        """
        acl = kept(acl)
        epoch = self._session.epoch
        made = self._session.call(
            self._session.binding.create, path, data, acl, flags, **_given(ttl=ttl, timeout=timeout)
        )
        self._note_created(made, data, acl, flags, epoch)
        return made

    def create2(
        self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE, flags: int = 0, *,
        ttl: int | None = None, timeout: float | None = None,
    ) -> tuple[str, Stat]:  # fmt: skip
        """Like `create`, and return the path and the stat."""
        acl = kept(acl)
        epoch = self._session.epoch
        made, stat = self._session.call(
            self._session.binding.create2,
            path,
            data,
            acl,
            flags,
            **_given(ttl=ttl, timeout=timeout),
        )
        self._note_created(made, data, acl, flags, epoch)
        return made, stat

    def acreate(
        self, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: StringCompletion | None = None, *, ttl: int | None = None,
    ) -> int:  # fmt: skip
        """Like `create`; `completion(handle, code, path)`."""
        acl = kept(acl)
        epoch = self._session.epoch

        def done(handle: int, code: int, made: str | None) -> None:
            if made is not None:
                self._note_created(made, data, acl, flags, epoch)
            if completion is not None:
                completion(handle, code, made)

        return self._session.call(
            self._session.binding.acreate, path, data, acl, flags, done, **_given(ttl=ttl)
        )

    def acreate2(
        self, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: StringStatCompletion | None = None, *, ttl: int | None = None,
    ) -> int:  # fmt: skip
        """Like `create2`; `completion(handle, code, path, stat)`."""
        acl = kept(acl)
        epoch = self._session.epoch

        def done(handle: int, code: int, made: str | None, stat: Stat | None) -> None:
            if made is not None:
                self._note_created(made, data, acl, flags, epoch)
            if completion is not None:
                completion(handle, code, made, stat)

        return self._session.call(
            self._session.binding.acreate2, path, data, acl, flags, done, **_given(ttl=ttl)
        )

    # Deleting

    def delete(self, path: str, version: int = -1, *, timeout: float | None = None) -> int:
        """Delete a node, as `zookeeper.delete` does; a registered server ends with it."""
        self._session.require_handle()
        held = self._ephemerals.hold(path)
        try:
            code = self._session.call(
                self._session.binding.delete, path, *_if_any(version), **_given(timeout=timeout)
            )
        except BaseException as fault:
            self._ephemerals.release(held, is_gone=_code_of(fault) in _GONE)
            raise
        self._ephemerals.release(held, is_gone=True)
        return code

    def adelete(
        self, path: str, version: int = -1, completion: VoidCompletion | None = None
    ) -> int:
        """Like `delete`; `completion(handle, code)`."""
        self._session.require_handle()
        held = self._ephemerals.hold(path)

        def done(handle: int, code: int) -> None:
            self._ephemerals.release(held, is_gone=code in _GONE)
            if completion is not None:
                completion(handle, code)

        try:
            return self._session.call(self._session.binding.adelete, path, version, done)
        except BaseException:
            self._ephemerals.release(held, is_gone=False)
            raise

    # Writing

    def set(self, path: str, data: Data, version: int = -1, *, timeout: float | None = None) -> int:
        """Replace a node's data, as `zookeeper.set` does."""
        epoch = self._session.epoch
        code = self._session.call(
            self._session.binding.set, path, data, *_if_any(version), **_given(timeout=timeout)
        )
        self._ephemerals.note_data(path, data, epoch)
        return code

    def set2(
        self, path: str, data: Data, version: int = -1, *, timeout: float | None = None
    ) -> Stat:
        """Like `set`, and return the new stat."""
        epoch = self._session.epoch
        stat = self._session.call(
            self._session.binding.set2, path, data, *_if_any(version), **_given(timeout=timeout)
        )
        self._ephemerals.note_data(path, data, epoch)
        return stat

    def aset(
        self, path: str, data: Data, version: int = -1, completion: StatCompletion | None = None
    ) -> int:
        """Like `set`; `completion(handle, code, stat)`."""
        epoch = self._session.epoch

        def done(handle: int, code: int, stat: Stat | None) -> None:
            if code == zookeeper.OK:
                self._ephemerals.note_data(path, data, epoch)
            if completion is not None:
                completion(handle, code, stat)

        return self._session.call(self._session.binding.aset, path, data, version, done)

    def set_acl(self, path: str, version: int, acl: Acl, *, timeout: float | None = None) -> int:
        """Replace a node's access control list, as `zookeeper.set_acl` does."""
        acl = kept(acl)
        epoch = self._session.epoch
        code = self._session.call(
            self._session.binding.set_acl, path, version, acl, **_given(timeout=timeout)
        )
        self._ephemerals.note_acl(path, acl, epoch)
        return code

    def aset_acl(
        self, path: str, version: int, acl: Acl, completion: VoidCompletion | None = None
    ) -> int:
        """Like `set_acl`; `completion(handle, code)`."""
        acl = kept(acl)
        epoch = self._session.epoch

        def done(handle: int, code: int) -> None:
            if code == zookeeper.OK:
                self._ephemerals.note_acl(path, acl, epoch)
            if completion is not None:
                completion(handle, code)

        return self._session.call(self._session.binding.aset_acl, path, version, acl, done)

    # Transactions

    def multi(self, ops: Iterable[Operation], *, timeout: float | None = None) -> list[Any]:
        """Do several operations, all or none, as `zookeeper.multi` does."""
        operations = _kept_all(ops)
        epoch = self._session.epoch
        self._session.require_handle()
        held = self._hold_deleted(operations)
        try:
            results = self._session.call(
                self._session.binding.multi, operations, **_given(timeout=timeout)
            )
        except BaseException as fault:
            self._release_all(held, _code_of(fault))
            raise
        self._note_results(operations, results, held, epoch)
        return results

    def amulti(self, ops: Iterable[Operation], completion: MultiCompletion | None = None) -> int:
        """Like `multi`; `completion(handle, code, results)`."""
        operations = _kept_all(ops)
        epoch = self._session.epoch
        self._session.require_handle()
        held = self._hold_deleted(operations)

        def done(handle: int, code: int, results: list[Any] | None) -> None:
            if code == zookeeper.OK and results is not None:
                self._note_results(operations, results, held, epoch)
            else:
                self._release_all(held, code)
            if completion is not None:
                completion(handle, code, results)

        try:
            return self._session.call(self._session.binding.amulti, operations, done)
        except BaseException:
            self._release_all(held, None)
            raise

    def write_many(
        self, ops: Iterable[Operation], *, count: int | None = None, batch: int = 500,
        in_flight: int = 4, stop: bool = True, progress: Progress | None = None,
        timeout: float | None = None,
    ) -> list[Any]:  # fmt: skip
        """Do many operations in a sequence of transactions, as `zookeeper.write_many` does."""
        operations = _kept_all(ops)
        epoch = self._session.epoch
        self._session.require_handle()
        held = self._hold_deleted(operations)
        try:
            results = self._session.call(
                self._session.binding.write_many,
                operations,
                count=count,
                batch=batch,
                in_flight=in_flight,
                stop=stop,
                progress=progress,
                timeout=timeout,
            )
        except BaseException as fault:
            self._release_all(held, _code_of(fault))
            raise
        self._note_results(operations, results, held, epoch)
        return results

    # The session

    def add_auth(
        self, scheme: str, credential: str | bytes, completion: VoidCompletion | None = None
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
                    self._session.binding.add_auth(handle, scheme, credential, noted)

        def done(handle: int, code: int) -> None:
            noted(handle, code)
            if completion is not None:
                completion(handle, code)

        handle = self._session.credentials_handle()
        try:
            return self._session.binding.add_auth(handle, scheme, credential, done)
        except zookeeper.InvalidStateException as fault:
            raise self._session.as_lost(fault) from fault

    def set_watcher(self, watcher: Watcher | None) -> int:
        """Have `watcher(handle, type, state, path)` called for session events, of all sessions.

        It is called like a callback of a live object, one at a time with these.
        """
        self._session.announcements.watcher = watcher
        return zookeeper.OK

    def _note_created(self, path: str, data: Data, acl: Acl, flags: int, epoch: int) -> None:
        # Of a node with a sequence number a later session would make another one.
        if flags == zookeeper.EPHEMERAL:
            self._ephemerals.track(path, data, acl, epoch)

    def _hold_deleted(self, operations: list[Operation]) -> dict[int, Hold]:
        held = {}
        for index, operation in enumerate(operations):
            if operation[0] == "delete" and (hold := self._ephemerals.hold(operation[1])):
                held[index] = hold
        return held

    def _release_all(self, held: dict[int, Hold], code: int | None) -> None:
        """A transaction has failed: nothing in it was done, unless the code leaves it open."""
        for hold in held.values():
            self._ephemerals.release(hold, is_gone=code in _UNCERTAIN)

    def _note_results(
        self,
        operations: list[Operation],
        results: list[Any],
        held: dict[int, Hold],
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


def _kept_all(ops: Iterable[Operation]) -> list[Operation]:
    """The operations; of those that are remembered afterwards, ephemeral nodes, copies."""
    operations: list[Any] = list(ops)
    for index, operation in enumerate(operations):
        if isinstance(operation, list):
            operation = operations[index] = tuple(operation)
        if isinstance(operation, tuple) and operation[4:5] == (zookeeper.EPHEMERAL,):
            operations[index] = (*operation[:3], kept(operation[3]), *operation[4:])
    return operations


def _if_any(version: int) -> tuple[int, ...]:
    return () if version == -1 else (version,)


def _given(**options: Any) -> dict[str, Any]:
    """Those that the program has given: a test's stand-in for a function need not know others."""
    return {name: value for name, value in options.items() if value is not None}


def _code_of(fault: BaseException) -> int | None:
    return fault.code if isinstance(fault, zookeeper.ZooKeeperException) else None
