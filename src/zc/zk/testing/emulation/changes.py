"""The binding's functions that change one node, synchronous and asynchronous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from zc.zk.testing.emulation import arguments, values
from zc.zk.testing.emulation.asking import Asking, first_only, without_results
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.engine import (
    Client,
    Create,
    Created,
    Delete,
    Kind,
    SetAcl,
    SetData,
    StatRecord,
)
from zookeeper import constants

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


class Changes(Asking):
    def create(
        self, h: int, path: str, data: Data, acl: Acl, flags: int = 0,
        *, ttl: int | None = None, timeout: float | None = None,
    ) -> str:  # fmt: skip
        """Create a node and return its path."""
        request = self._create(h, path, data, acl, flags, ttl)
        created: str = self._now(h, request, timeout)[0]
        return created

    def create2(
        self, h: int, path: str, data: Data, acl: Acl, flags: int = 0,
        *, ttl: int | None = None, timeout: float | None = None,
    ) -> tuple[str, Stat]:  # fmt: skip
        """Create a node and return its path and stat."""
        created, stat = self._now(h, self._create(h, path, data, acl, flags, ttl), timeout)
        return created, stat

    def acreate(
        self, h: int, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: StringCompletion | None = None, *, ttl: int | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as create; `completion(handle, code, path)`."""
        request = self._create(h, path, data, acl, flags, ttl)
        return self._later(h, first_only(request), completion)

    def acreate2(
        self, h: int, path: str, data: Data, acl: Acl, flags: int = 0,
        completion: StringStatCompletion | None = None, *, ttl: int | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as create2; `completion(handle, code, path, stat)`."""
        return self._later(h, self._create(h, path, data, acl, flags, ttl), completion)

    def _create(
        self, h: int, path: str, data: Data, acl: Acl, flags: int, ttl: int | None
    ) -> Request:
        handle = self._server.find(h)
        operation = create_operation(handle, path, data, acl, flags, ttl)
        size = len(operation.data or b"") + arguments.acl_size(operation.acl or ())
        handle.check_size(path, size)

        def perform(client: Client) -> tuple[Any, ...]:
            created = self._server.engine.write(client, operation)
            assert isinstance(created, Created)
            return handle.client_path(created.path), values.stat(created.stat)

        return Request(path, perform, failed=(None, None))

    def delete(
        self, h: int, path: str, version: int = -1, *, timeout: float | None = None
    ) -> Literal[0]:
        """Delete a node that has no children."""
        self._now(h, self._delete(h, path, version), timeout)
        return constants.OK

    def adelete(
        self, h: int, path: str, version: int = -1, completion: VoidCompletion | None = None
    ) -> Literal[0]:
        """Do the same as delete; `completion(handle, code)`."""
        return self._later(h, self._delete(h, path, version), completion)

    def _delete(self, h: int, path: str, version: int) -> Request:
        wanted = arguments.integer(version, "a version")
        _, where = self._find(h, path)
        operation = Delete(where, wanted)

        def perform(client: Client) -> tuple[Any, ...]:
            self._server.engine.write(client, operation)
            return ()

        return Request(path, perform)

    def set(
        self, h: int, path: str, data: Data, version: int = -1, *, timeout: float | None = None
    ) -> Literal[0]:
        """Replace a node's data."""
        self._now(h, self._set(h, path, data, version), timeout)
        return constants.OK

    def set2(
        self, h: int, path: str, data: Data, version: int = -1, *, timeout: float | None = None
    ) -> Stat:
        """Replace a node's data and return its stat."""
        stat: Stat = self._now(h, self._set(h, path, data, version), timeout)[0]
        return stat

    def aset(
        self, h: int, path: str, data: Data, version: int = -1,
        completion: StatCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as set2; `completion(handle, code, stat)`."""
        return self._later(h, self._set(h, path, data, version), completion)

    def _set(self, h: int, path: str, data: Data, version: int) -> Request:
        handle = self._server.find(h)
        wanted = arguments.integer(version, "a version")
        where = handle.server_path(arguments.path(path))
        content = arguments.data(data, path)
        handle.check_size(path, len(content or b""))
        return self._writing(path, SetData(where, content, wanted))

    def _writing(self, path: str, operation: SetData | SetAcl) -> Request:
        def perform(client: Client) -> tuple[Any, ...]:
            stat = self._server.engine.write(client, operation)
            assert isinstance(stat, StatRecord)
            return (values.stat(stat),)

        return Request(path, perform, failed=(None,))

    def set_acl(
        self, h: int, path: str, version: int, acl: Acl, *, timeout: float | None = None
    ) -> Literal[0]:
        """Replace a node's access control list."""
        self._now(h, self._set_acl(h, path, version, acl), timeout)
        return constants.OK

    def aset_acl(
        self, h: int, path: str, version: int, acl: Acl, completion: VoidCompletion | None = None
    ) -> Literal[0]:
        """Do the same as set_acl; `completion(handle, code)`."""
        return self._later(h, without_results(self._set_acl(h, path, version, acl)), completion)

    def _set_acl(self, h: int, path: str, version: int, acl: Acl) -> Request:
        handle = self._server.find(h)
        wanted = arguments.integer(version, "a version")
        where = handle.server_path(arguments.path(path))
        entries = arguments.acl(acl, path)
        handle.check_size(path, arguments.acl_size(entries))
        return self._writing(path, SetAcl(where, entries, wanted))


def create_operation(
    handle: Handle, path: str, data: Data, acl: Acl, flags: int, ttl: int | None
) -> Create:
    """Check arguments as the binding does, and make the operation of them."""
    kind = arguments.node_kind(flags, path)
    where = handle.server_path(arguments.path(path, kind in arguments.SEQUENTIAL))
    return Create(
        where,
        arguments.data(data, path),
        arguments.acl(acl, path),
        kind,
        arguments.ttl(kind, ttl, path),
        _OPERATION_OF.get(kind, Kind.PLAIN),
    )


# The server has an operation of its own for each of these.
_OPERATION_OF = {
    constants.CONTAINER: Kind.CONTAINER,
    constants.PERSISTENT_WITH_TTL: Kind.WITH_TTL,
    constants.PERSISTENT_SEQUENTIAL_WITH_TTL: Kind.WITH_TTL,
}
