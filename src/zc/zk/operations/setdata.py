"""Replacing one node's data, with the answer to whether it happened."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import TYPE_CHECKING, NamedTuple

import zookeeper
from zc.zk.operations.real import at_node
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import Data


class Written(NamedTuple):
    """The node whose data were written, links followed, and its version since then."""

    path: str
    version: int


def set_data(session: Session, path: str, data: "Data", version: int = -1) -> Written:
    """Replace the data of the node at `path`, if it has that version; -1 is any.

    A lost connection has it done again, unless it turns out to be done. Raises NoNodeException,
    BadVersionException, and BadArgumentsException for data that no request can hold.
    """
    return at_node(session, path, lambda real_path: _set(session, real_path, data, version))


def _set(session: Session, path: str, data: "Data", version: int) -> Written:
    is_doubtful = False
    for attempt in attempts(session):
        with attempt:
            try:
                stat = session.call(session.binding.set2, path, data, version)
            except zookeeper.BadVersionException:
                if is_doubtful and _has(session, path, data, version + 1):
                    return Written(path, version + 1)
                raise
            except zookeeper.SessionError as fault:
                is_doubtful = is_doubtful or fault.may_have_happened
                raise
    return Written(path, stat["version"])


def _has(session: Session, path: str, data: "Data", version: int) -> bool:
    """Say whether a node has these data, in this version: an attempt whose answer was lost."""
    found, stat = session.call(session.binding.get, path)
    return stat["version"] == version and as_bytes(found) == as_bytes(data)


def as_bytes(data: "Data") -> bytes | None:
    """Return data as a server has them; what was read is text."""
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
