"""Calls of the binding's functions at random, from one seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.testing.random_requests import BAD_PATHS, NAMES, USERS

OPEN = [{"perms": 31, "scheme": "world", "id": "anyone"}]

FEW_NODES, MANY_NODES = 30, 150
LONG_TTL = 10**9

WATCHER = "watcher"
COMPLETION = "completion"


class Call(NamedTuple):
    """A function's name and its arguments behind the handle.

    WATCHER and COMPLETION among them stand for a function of the caller.
    """

    name: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = MappingProxyType({})


class RandomCalls:
    """Makes calls; `nodes` returns the paths of the nodes there are."""

    def __init__(self, seed: int, nodes: Callable[[], list[str]]) -> None:
        self._random = random.Random(seed)
        self._tell_nodes = nodes
        self._nodes: list[str] = []
        self._makers: list[tuple[int, Callable[[], Call]]] = [
            (30, self._create),
            (15, self._delete),
            (15, self._set),
            (15, self._get),
            (15, self._exists),
            (15, self._get_children),
            (4, lambda: Call(self._of("get_acl"), (self._path(),))),
            (4, self._set_acl),
            (2, lambda: Call(self._of("sync", "async_"), (self._path(),))),
            (2, lambda: Call("get_config", ())),
            (12, lambda: Call(self._one_of("multi", "amulti"), (self._operations(),))),
            (4, self._write_many),
            (4, lambda: Call("get_many", (self._paths(),))),
            (3, lambda: Call("get_acl_many", (self._paths(),))),
            (4, lambda: Call("get_children_many", (self._paths(),))),
            (4, lambda: Call("read_tree", (self._path(),))),
            (6, self._watch_many),
            (8, self._remove_watches),
            (6, self._add_watch),
            (1, lambda: Call(self._of("get_ephemerals"), (self._path(),))),
            (1, lambda: Call(self._of("get_all_children_number"), (self._path(),))),
            (1, lambda: Call(self._one_of("whoami", "awhoami"), ())),
            (1, self._reconfigure),
            (1, lambda: Call("add_auth", ("digest", self._one_of(*USERS), COMPLETION))),
            (1, lambda: Call(self._one_of("state", "is_unrecoverable", "recv_timeout"), ())),
            (2, self._nonsense),
        ]

    def next(self) -> Call:
        self._nodes = self._tell_nodes()
        if len(self._nodes) > MANY_NODES and self._random.random() < 0.5:
            return self._delete()
        weights, makers = zip(*self._makers, strict=True)
        call: Call = self._random.choices(makers, weights)[0]()
        if call.name[0] == "a" and call.name not in ("add_auth", "add_watch"):
            return call._replace(options={**call.options, "completion": COMPLETION})
        return call

    # Calls

    def _create(self) -> Call:
        name = self._of("create", "create2")
        flags = self._one_of(0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7)
        ttl = LONG_TTL if flags in (5, 6) else None
        if self._sometimes(0.02):
            ttl = self._one_of(LONG_TTL, 0, -1, None, 2**40)
        arguments = (self._new_path(), self._data(), self._acl(), flags)
        return Call(name, arguments, {"ttl": ttl})

    def _delete(self) -> Call:
        if len(self._nodes) < FEW_NODES and self._sometimes(0.5):
            return self._set()
        path = max((self._one_of(*self._nodes) for _ in range(3)), key=len)
        path = path if self._sometimes(0.8) else self._path()
        return Call(self._of("delete"), (path, self._version()))

    def _set(self) -> Call:
        name = self._one_of("set", "set2", "aset")
        return Call(name, (self._path(), self._data(), self._version()))

    def _get(self) -> Call:
        return Call(self._of("get"), (self._path(), self._watcher()))

    def _exists(self) -> Call:
        return Call(self._of("exists"), (self._path(), self._watcher()))

    def _get_children(self) -> Call:
        return Call(self._of("get_children", "get_children2"), (self._path(), self._watcher()))

    def _set_acl(self) -> Call:
        return Call(self._of("set_acl"), (self._path(), self._version(), self._acl()))

    def _write_many(self) -> Call:
        # The calls under way when a transaction fails are the outcome of a race, if it is to stop.
        options = {"batch": self._one_of(1, 2, 500), "stop": False}
        return Call("write_many", (self._operations(),), options)

    def _watch_many(self) -> Call:
        paths = [self._paths() for _ in range(3)]
        return Call("watch_many", (*paths, WATCHER))

    def _remove_watches(self) -> Call:
        name = self._of("remove_watches")
        kind = self._one_of(1, 2, 3, 3, 4, 4, 5, 5, 6)
        return Call(name, (self._path(), kind, self._watcher(), self._sometimes(0.2)))

    def _add_watch(self) -> Call:
        return Call(self._of("add_watch"), (self._path(), self._one_of(0, 1, 0, 1, 2), WATCHER))

    def _reconfigure(self) -> Call:
        servers = [self._one_of(None, None, "", "9", "\0") for _ in range(3)]
        return Call(self._of("reconfig"), (*servers, self._version()))

    def _nonsense(self) -> Call:
        call: Call = self._random.choice([maker for _, maker in self._makers[:12]])()
        place = self._random.randrange(max(1, len(call.arguments)))
        wrong = self._one_of(None, 7, 1.5, "", b"/a", [], {}, "/a\udc80", "\ud800")
        arguments = (*call.arguments[:place], wrong, *call.arguments[place + 1 :])
        return call._replace(arguments=arguments)

    def _operations(self) -> list[tuple[Any, ...]]:
        return [self._operation() for _ in range(self._one_of(0, 1, 1, 2, 2, 3, 5))]

    def _operation(self) -> tuple[Any, ...]:
        kind = self._one_of(
            "create", "create", "create", "create2", "set", "delete", "check", "set_acl"
        )
        if kind in ("create", "create2"):
            flags = self._one_of(0, 0, 0, 1, 2, 3, 4)
            return kind, self._new_path(), self._data(), self._acl(), flags
        if kind == "set_acl":
            return kind, self._path(), self._acl(), self._version()
        if kind == "set":
            return kind, self._path(), self._data(), self._version()
        return kind, self._path(), self._version()

    # Arguments

    def _sometimes(self, how_often: float) -> bool:
        return self._random.random() < how_often

    def _one_of(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _of(self, *names: str) -> str:
        """Return one of some functions, or its asynchronous form."""
        name: str = self._one_of(*names)
        if self._sometimes(0.3) and name not in ("sync", "async_"):
            return f"a{name}"
        return name

    def _path(self) -> str:
        kind = self._random.random()
        if kind < 0.65:
            path: str = self._one_of(*self._nodes)
            return path
        if kind < 0.95:
            return self._child()
        return str(self._one_of(*BAD_PATHS))

    def _child(self) -> str:
        parent = self._one_of(*self._nodes)
        if parent.count("/") > 3:
            parent = "/"
        return f"{parent.rstrip('/')}/{self._one_of(*NAMES)}"

    def _new_path(self) -> str:
        return self._path() if self._sometimes(0.2) else self._child()

    def _paths(self) -> list[str]:
        paths = [self._path() for _ in range(self._one_of(0, 1, 2, 5))]
        # One bad path spoils the whole call.
        return paths if self._sometimes(0.1) else [p for p in paths if p not in BAD_PATHS]

    def _data(self) -> Any:
        return self._one_of(None, "", "text", "zażółć", b"\xff\0", self._random.randbytes(20))

    def _acl(self) -> Any:
        if self._sometimes(0.8):
            return OPEN
        good = [
            {"perms": self._one_of(31, 1, 3, 0, 16), "scheme": scheme, "id": id}
            for scheme, id in [
                ("world", "anyone"),
                ("auth", ""),
                ("ip", "127.0.0.1"),
                ("digest", "bob:lKGRx9QWkRYKxbgfZcbuNeGYj+E="),
            ]
        ]
        bad = [
            {"perms": 32, "scheme": "world", "id": "anyone"},
            {"perms": 1, "scheme": "world", "id": "nobody"},
            {"perms": 1, "scheme": "nonsense", "id": "x"},
            {"perms": 1, "scheme": "ip"},
        ]
        return [self._one_of(*good, *good, *good, *bad) for _ in range(self._one_of(0, 1, 1, 2))]

    def _version(self) -> int:
        return int(self._one_of(-1, -1, -1, 0, 1, 2, 7))

    def _watcher(self) -> Any:
        return self._one_of(None, WATCHER)
