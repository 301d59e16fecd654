"""Writing: the binding's functions as methods, without the handle.

They also tell what keeps ephemeral nodes in being: what a program creates, changes or deletes here
is known, and what it does to a handle directly is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE, kept
from zc.zk.methods.passing import GONE, Methods, code_of, given, if_any

if TYPE_CHECKING:
    from zookeeper.types import (
        Acl,
        Data,
        Stat,
        StatCompletion,
        StringCompletion,
        StringStatCompletion,
        VoidCompletion,
    )


class Writing(Methods):
    """The methods that write one node."""

    # Creating

    def create(
        self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE, flags: int = 0, *,
        ttl: int | None = None, timeout: float | None = None,
    ) -> str:  # fmt: skip
        """Create a node and return its path, as `zookeeper.create` does.

        An ephemeral node, unless it has a sequence number, is created again in later sessions.
        """
        acl = kept(acl)
        self._ephemerals.expect(flags)
        epoch = self._session.epoch
        made = self._session.call(
            self._session.binding.create, path, data, acl, flags, **given(ttl=ttl, timeout=timeout)
        )
        self._note_created(made, data, acl, flags, epoch)
        return made

    def create2(
        self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE, flags: int = 0, *,
        ttl: int | None = None, timeout: float | None = None,
    ) -> tuple[str, Stat]:  # fmt: skip
        """Like `create`, and return the path and the stat."""
        acl = kept(acl)
        self._ephemerals.expect(flags)
        epoch = self._session.epoch
        made, stat = self._session.call(
            self._session.binding.create2,
            path,
            data,
            acl,
            flags,
            **given(ttl=ttl, timeout=timeout),
        )
        self._note_created(made, data, acl, flags, epoch)
        return made, stat

    def acreate(
        self, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: StringCompletion | None = None, *, ttl: int | None = None,
    ) -> int:  # fmt: skip
        """Like `create`; `completion(handle, code, path)`."""
        acl = kept(acl)
        self._ephemerals.expect(flags)
        epoch = self._session.epoch

        def done(handle: int, code: int, made: str | None) -> None:
            if made is not None:
                self._note_created(made, data, acl, flags, epoch)
            if completion is not None:
                completion(handle, code, made)

        return self._session.call(
            self._session.binding.acreate, path, data, acl, flags, done, **given(ttl=ttl)
        )

    def acreate2(
        self, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: StringStatCompletion | None = None, *, ttl: int | None = None,
    ) -> int:  # fmt: skip
        """Like `create2`; `completion(handle, code, path, stat)`."""
        acl = kept(acl)
        self._ephemerals.expect(flags)
        epoch = self._session.epoch

        def done(handle: int, code: int, made: str | None, stat: Stat | None) -> None:
            if made is not None:
                self._note_created(made, data, acl, flags, epoch)
            if completion is not None:
                completion(handle, code, made, stat)

        return self._session.call(
            self._session.binding.acreate2, path, data, acl, flags, done, **given(ttl=ttl)
        )

    # Deleting

    def delete(self, path: str, version: int = -1, *, timeout: float | None = None) -> int:
        """Delete a node, as `zookeeper.delete` does; a registered server ends with it."""
        self._session.require_handle()
        held = self._ephemerals.hold(path)
        try:
            code = self._session.call(
                self._session.binding.delete, path, *if_any(version), **given(timeout=timeout)
            )
        except BaseException as fault:
            self._ephemerals.release(held, is_gone=code_of(fault) in GONE)
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
            self._ephemerals.release(held, is_gone=code in GONE)
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
            self._session.binding.set, path, data, *if_any(version), **given(timeout=timeout)
        )
        self._ephemerals.note_data(path, data, epoch)
        return code

    def set2(
        self, path: str, data: Data, version: int = -1, *, timeout: float | None = None
    ) -> Stat:
        """Like `set`, and return the new stat."""
        epoch = self._session.epoch
        stat = self._session.call(
            self._session.binding.set2, path, data, *if_any(version), **given(timeout=timeout)
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
            self._session.binding.set_acl, path, version, acl, **given(timeout=timeout)
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

    def _note_created(self, path: str, data: Data, acl: Acl, flags: int, epoch: int) -> None:
        # Of a node with a sequence number a later session would make another one.
        if flags == zookeeper.EPHEMERAL:
            self._ephemerals.track(path, data, acl, epoch)
