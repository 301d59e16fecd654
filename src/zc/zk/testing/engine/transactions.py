"""Writes: checks of an operation, in the server's order, and then the change.

The order decides which of several errors a client gets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zc.zk import owners
from zc.zk.testing.engine import acl as acls
from zc.zk.testing.engine import paths
from zc.zk.testing.engine.operations import (
    Check,
    Create,
    Created,
    Delete,
    Kind,
    SetAcl,
    SetData,
    Write,
    Written,
)
from zc.zk.testing.engine.refusal import Refusal
from zc.zk.testing.engine.watches import Happening
from zc.zk.testing.engine.znodes import StatRecord, Tree
from zookeeper import constants
from zookeeper.constants import (
    CHANGED_EVENT,
    CREATED_EVENT,
    DELETED_EVENT,
    PERM_ADMIN,
    PERM_CREATE,
    PERM_DELETE,
    PERM_READ,
    PERM_WRITE,
)

EPHEMERAL = (constants.EPHEMERAL, constants.EPHEMERAL | constants.SEQUENCE)
SEQUENTIAL = (
    constants.SEQUENCE,
    constants.EPHEMERAL | constants.SEQUENCE,
    constants.PERSISTENT_SEQUENTIAL_WITH_TTL,
)
WITH_TTL = (constants.PERSISTENT_WITH_TTL, constants.PERSISTENT_SEQUENTIAL_WITH_TTL)
HIGHEST_FLAGS = constants.PERSISTENT_SEQUENTIAL_WITH_TTL


class Transaction:
    """Writes by one client at one moment. Watches may wait for what `happened`."""

    def __init__(
        self,
        tree: Tree,
        session: int,
        identities: Sequence[acls.Identity],
        schemes: Collection[str],
        zxid: int,
        time: int,
    ) -> None:
        self._tree = tree
        self._session = session
        self._identities = identities
        self._schemes = schemes
        self._zxid = zxid
        self._time = time
        self.happened: list[Happening] = []

    def do(self, operation: Write) -> Written:
        """Do one operation, or refuse it, with nothing changed."""
        if isinstance(operation, Create):
            return self._create(operation)
        if isinstance(operation, SetData):
            return self._set_data(operation)
        if isinstance(operation, SetAcl):
            return self._set_acl(operation)
        if isinstance(operation, Delete):
            self._delete(operation)
        else:
            self._check(operation)
        return None

    def _create(self, operation: Create) -> Created:
        path, data, acl, flags, ttl, kind = operation
        if not 0 <= flags <= HIGHEST_FLAGS:
            raise Refusal(constants.BADARGUMENTS)
        needs_ttl = flags in WITH_TTL or kind is Kind.WITH_TTL
        if not (owners.is_ttl(ttl) if needs_ttl else ttl < 0):
            raise Refusal(constants.BADARGUMENTS)
        parent_path = paths.parent_to_create_in(path)
        fixed = acls.fixed_up(acl, self._identities, self._schemes)
        parent = self._tree.node(parent_path)
        acls.check(parent.acl, PERM_CREATE, self._identities)
        if flags in SEQUENTIAL:
            path += f"{parent.creations:010}"
        paths.validate(path)
        if path in self._tree.nodes:
            raise Refusal(constants.NODEEXISTS)
        if owners.is_session(parent.owner):
            raise Refusal(constants.NOCHILDRENFOREPHEMERALS)
        owner = self._owner(operation)
        stat = self._tree.create(path, data, fixed, owner, self._zxid, self._time)
        self.happened.append(Happening(CREATED_EVENT, path, fixed, parent.acl))
        return Created(path, stat)

    def _owner(self, operation: Create) -> int:
        """Return the owner; for containers and TTL nodes the operation decides."""
        if operation.kind is Kind.CONTAINER:
            return owners.CONTAINER
        if operation.kind is Kind.WITH_TTL:
            return owners.of_ttl(operation.ttl)
        return self._session if operation.flags in EPHEMERAL else owners.PERSISTENT

    def _delete(self, operation: Delete) -> None:
        path, version = operation
        parent = self._tree.node(paths.parent_to_delete_from(path))
        acls.check(parent.acl, PERM_DELETE, self._identities)
        node = self._tree.node(path)
        _check_version(node.version, version)
        if node.children:
            raise Refusal(constants.NOTEMPTY)
        self._tree.delete(path, self._zxid)
        self.happened.append(Happening(DELETED_EVENT, path, node.acl, parent.acl))

    def _set_data(self, operation: SetData) -> StatRecord:
        path, data, version = operation
        paths.validate(path)
        node = self._tree.node(path)
        acls.check(node.acl, PERM_WRITE, self._identities)
        _check_version(node.version, version)
        self._tree.set_data(path, data, node.version + 1, self._zxid, self._time)
        self.happened.append(Happening(CHANGED_EVENT, path, node.acl, ()))
        return node.stat()

    def _set_acl(self, operation: SetAcl) -> StatRecord:
        path, acl, version = operation
        paths.validate(path)
        fixed = acls.fixed_up(acl, self._identities, self._schemes)
        node = self._tree.node(path)
        acls.check(node.acl, PERM_ADMIN, self._identities)
        _check_version(node.aversion, version)
        self._tree.set_acl(path, fixed, node.aversion + 1)
        return node.stat()

    def _check(self, operation: Check) -> None:
        path, version = operation
        paths.validate(path)
        node = self._tree.node(path)
        acls.check(node.acl, PERM_READ, self._identities)
        _check_version(node.version, version)


def _check_version(actual: int, expected: int) -> None:
    if expected not in (-1, actual):
        raise Refusal(constants.BADVERSION)
