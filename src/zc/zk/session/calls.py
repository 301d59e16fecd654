"""The binding's calls that wait for one answer, and the form of each that does not.

A function here sends a call by that form, `later`, which lacks the handle, and has `done` told of
the answer; the other parameters are those of the call. Beside it stands what the call returns.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE

if TYPE_CHECKING:
    from zookeeper.types import Acl, Data, Operation, Watcher

Later = Callable[..., object]
Done = Callable[..., object]


class Call(NamedTuple):
    """A call: the name of its other form, how it is sent, and what it returns.

    `send` is called with the other form, the completion, and the arguments; `take` with the results
    of a completion. `watcher` is the place of a watcher among the arguments.
    """

    later: str
    send: Callable[..., object]
    take: Callable[[tuple[Any, ...]], Any]
    watcher: int | None = None
    has_path: bool = True


# ---- how they are sent


def _plain(later: Later, done: Done, *arguments: Any) -> None:
    later(*arguments, done)


def _of_path(later: Later, done: Done, path: str) -> None:
    later(path, done)


def _read(
    later: Later, done: Done, path: str, watcher: "Watcher | None" = None,
    bufferlen: int | None = None,
) -> None:  # fmt: skip
    later(path, watcher, done)


def _watching(later: Later, done: Done, path: str, watcher: "Watcher | None" = None) -> None:
    later(path, watcher, done)


def _create(
    later: Later, done: Done, path: str, data: "Data" = "", acl: "Acl" = OPEN_ACL_UNSAFE,
    flags: int = 0, *, ttl: int | None = None,
) -> None:  # fmt: skip
    if ttl is None:
        later(path, data, acl, flags, done)
    else:
        later(path, data, acl, flags, done, ttl=ttl)


def _delete(later: Later, done: Done, path: str, version: int = -1) -> None:
    later(path, version, done)


def _set(later: Later, done: Done, path: str, data: "Data", version: int = -1) -> None:
    later(path, data, version, done)


def _set_acl(later: Later, done: Done, path: str, version: int, acl: "Acl") -> None:
    later(path, version, acl, done)


def _whoami(later: Later, done: Done) -> None:
    later(done)


def _get_config(later: Later, done: Done, watcher: "Watcher | None" = None) -> None:
    later(watcher, done)


def _reconfig(
    later: Later, done: Done, joining: str | None = None, leaving: str | None = None,
    members: str | None = None, version: int = -1,
) -> None:  # fmt: skip
    later(joining, leaving, members, version, done)


def _get_ephemerals(later: Later, done: Done, path: str = "/") -> None:
    later(path, done)


def _add_watch(later: Later, done: Done, path: str, mode: int, watcher: "Watcher") -> None:
    later(path, mode, watcher, done)


def _remove_watches(
    later: Later, done: Done, path: str, kind: int = 3, watcher: "Watcher | None" = None,
    local: bool = False,
) -> None:  # fmt: skip
    later(path, kind, watcher, local, done)


def _multi(later: Later, done: Done, ops: "Iterable[Operation]") -> None:
    later(ops, done)


# ---- what they return


def _all(results: tuple[Any, ...]) -> Any:
    return results


def _first(results: tuple[Any, ...]) -> Any:
    return results[0]


def _ok(results: tuple[Any, ...]) -> int:
    return zookeeper.OK


def _swapped(results: tuple[Any, ...]) -> Any:
    acl, stat = results
    return stat, acl


CALLS: dict[str, Call] = {
    "create": Call("acreate", _create, _first),
    "create2": Call("acreate2", _create, _all),
    "delete": Call("adelete", _delete, _ok),
    "set": Call("aset", _set, _ok),
    "set2": Call("aset", _set, _first),
    "exists": Call("aexists", _watching, _first, watcher=1),
    "get": Call("aget", _read, _all, watcher=1),
    "get_children": Call("aget_children", _watching, _first, watcher=1),
    "get_children2": Call("aget_children2", _watching, _all, watcher=1),
    "get_acl": Call("aget_acl", _of_path, _swapped),
    "set_acl": Call("aset_acl", _set_acl, _ok),
    "sync": Call("async_", _of_path, _first),
    "get_config": Call("aget_config", _get_config, _all, watcher=0, has_path=False),
    "reconfig": Call("areconfig", _reconfig, _all, has_path=False),
    "get_ephemerals": Call("aget_ephemerals", _get_ephemerals, _first),
    "get_all_children_number": Call("aget_all_children_number", _of_path, _first),
    "whoami": Call("awhoami", _whoami, _first, has_path=False),
    "add_watch": Call("aadd_watch", _add_watch, _ok, watcher=2),
    "remove_watches": Call("aremove_watches", _remove_watches, _ok, watcher=2),
    "multi": Call("amulti", _multi, _first, has_path=False),
}
