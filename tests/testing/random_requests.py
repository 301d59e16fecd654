"""Requests at random, from one seed: most are sensible, many are wrong.

They are wrong in one way or another.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.testing import protocol
from tests.testing.protocol import (
    acl,
    boolean,
    buffer,
    long,
    multi,
    number,
    text,
    texts,
)
from tests.wireframes import Op

Request = tuple[int, bytes]

USERS = [b"bob:secret", b"amy:other", b"\xffno text:x", b"without a password"]
SUPERUSER = b"super:secret"

ALL, READ, WRITE, CREATE, DELETE, ADMIN = 31, 1, 2, 4, 8, 16
ANYONE = ("world", "anyone")
BOB = ("digest", "bob:lKGRx9QWkRYKxbgfZcbuNeGYj+E=")
OPEN = acl([(ALL, *ANYONE)])

NAMES = ["a", "b", "c", "zażółć", "with space", ".hidden", "...", "s-", "a.b", "-> x = y"]
BAD_PATHS = [
    *["", "a", "a/b", "//", "//a", "/a/", "/a//b", "/.", "/..", "/a/.", "/a/../b", "/./a"],
    *["/\0", "/a\0b", "/\x01", "/\x1f", "/\x7f", "/\x9f", "/\ue000", "/\uf8ff", "/\ufff0"],
    *["/\uffff", "/\U0001f418", "/nobody/home", "/nobody//home"],
]
SYSTEM_PATHS = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"]
QUOTA = "/zookeeper/quota"
STATS = "zookeeper_stats"
LIMITS = "zookeeper_limits"

FEW_NODES, MANY_NODES = 30, 200
LONG_TTL = 10**9


class RandomRequests:
    """Makes requests.

    `versions` returns the nodes that there are: data version and ACL version of each.
    """

    def __init__(self, seed: int, versions: Callable[[], dict[str, tuple[int, int]]]) -> None:
        self.random = random.Random(seed)
        self._versions = versions
        self._nodes: dict[str, tuple[int, int]] = {}
        self._zxid = 0
        self._makers: list[tuple[int, Callable[[], Request]]] = [
            (20, self._create),
            (3, self._create2),
            (3, self._create_container),
            (3, self._create_ttl),
            (14, self._delete),
            (12, self._set_data),
            (5, self._set_acl),
            (10, self._multi),
            (8, lambda: (Op.GET_DATA, text(self.path()) + self._watch())),
            (8, lambda: (Op.EXISTS, text(self.path()) + self._watch())),
            (6, lambda: (Op.GET_CHILDREN, text(self.path()) + self._watch())),
            (4, lambda: (Op.GET_CHILDREN2, text(self.path()) + self._watch())),
            (5, lambda: (Op.GET_ACL, text(self.path()))),
            (2, lambda: (Op.SYNC, text(self._one_of(self.path(), self.path(), None)))),
            (4, self._multi_read),
            (2, self._set_watches),
            (2, self._set_watches2),
            (3, lambda: (Op.ADD_WATCH, text(self.path()) + number(self._one_of(0, 1, 0, 1, 2)))),
            (3, self._check_watches),
            (5, lambda: (Op.REMOVE_WATCHES, text(self.path()) + self._watch_kinds())),
            (1, lambda: (Op.GET_EPHEMERALS, text(self._one_of("", "/", "/a", self.path(), " ")))),
            (1, lambda: (Op.GET_ALL_CHILDREN_NUMBER, text(self.path() or "/"))),
            (1, lambda: (Op.WHO_AM_I, b"")),
            (1, lambda: (Op.PING, b"")),
            (1, self._reconfigure),
        ]

    def next(self, zxid: int) -> Request:
        """Return operation and body. `zxid` is the server's latest."""
        self._nodes = self._versions()
        self._zxid = zxid
        if len(self._nodes) > MANY_NODES and self.random.random() < 0.5:
            op, body = self._delete()
        else:
            weights, makers = zip(*self._makers, strict=True)
            op, body = self.random.choices(makers, weights)[0]()
        if self._sometimes(0.01) and body:
            body = body[: self.random.randrange(len(body))]
        return op, body

    def credential(self) -> bytes:
        """Return a credential for an identity."""
        return SUPERUSER if self._sometimes(0.05) else self._one_of(*USERS)

    def path(self) -> str:
        """Return a path, of a node that is there, may come to be, or cannot be."""
        kind = self.random.random()
        if kind < 0.55:
            return self._one_of(*self._nodes)
        if kind < 0.9:
            return self._child(self._one_of(*self._nodes))
        if kind < 0.95:
            return self._one_of(*BAD_PATHS)
        if kind < 0.97:
            return self._one_of(*SYSTEM_PATHS)
        return self._quota_path()

    def _sometimes(self, how_often: float) -> bool:
        return self.random.random() < how_often

    def _one_of(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def _child(self, parent: str) -> str:
        if parent.count("/") > 4:
            parent = "/"
        return f"{parent.rstrip('/')}/{self._one_of(*NAMES)}"

    def _quota_path(self) -> str:
        limited = self._one_of("/a", "/b", "/a/b", "/c", "/a/a")
        return QUOTA + limited + self._one_of("", "", "/" + LIMITS, "/" + STATS)

    def _watch(self) -> bytes:
        return boolean(self._sometimes(0.4))

    def _watch_kinds(self) -> bytes:
        return number(self._one_of(1, 2, 3, 1, 2, 3, 0, 4))

    def _data(self, path: str) -> bytes | None:
        if path.endswith(STATS):
            # Anything else ends the real server for good.
            return self._one_of(
                b"count=3,bytes=7", b"", b"bytes=1,count=-1", b"count=1,bytes=2,z=4"
            )
        size = 1_000_000 if self._sometimes(0.0005) else self._one_of(0, 1, 3, 10, 200)
        return None if self._sometimes(0.1) else self.random.randbytes(size)

    def _acl(self) -> bytes:
        if self._sometimes(0.75):
            return OPEN
        if self._sometimes(0.03):
            return number(self._one_of(-1, 0, -2))
        entries = [self._entry() for _ in range(self._one_of(1, 1, 1, 2, 3))]
        # The server stumbles over nulls where it compares entries.
        return acl([entry for entry in entries if None not in entry] or entries[:1])

    def _entry(self) -> tuple[int, str | None, str | None]:
        perms = self._one_of(ALL, ALL, READ, WRITE, CREATE, DELETE, ADMIN, READ | WRITE, 0, 15, 64)
        if self._sometimes(0.9):
            return perms, *self._one_of(
                ANYONE, ANYONE, ("auth", ""), ("auth", "whatever"), BOB, ("ip", "127.0.0.1"),
                ("ip", "127.0.0.0/8"), ("ip", "10.0.0.0/8"), ("ip", "0.0.0.0/0"), ("digest", "x:y"),
            )  # fmt: skip
        return perms, *self._one_of(
            ("world", "nobody"), ("ip", "1.2.3"), ("ip", "1.2.3.4/33"), ("ip", "localhost"),
            ("digest", "x"), ("digest", ""), ("digest", "a:b:c"), ("digest", "a:b:"), ("", ""),
            ("nonsense", "x"), ("super", ""), (None, "x"), ("digest", None), ("world", None),
            ("auth", None), ("ip", "+1.2.3.4/+8"),
        )  # fmt: skip

    def _version(self, actual: int | None) -> bytes:
        if self._sometimes(0.6):
            return number(-1)
        if actual is not None and self._sometimes(0.6):
            return number(actual)
        return number(self._one_of(0, 1, 2, 5, -2))

    def _data_version(self, path: str) -> bytes:
        return self._version(self._nodes.get(path, (None, None))[0])

    def _new_path(self) -> str:
        return self.path() if self._sometimes(0.3) else self._child(self._one_of(*self._nodes))

    def _create_body(self, *flags: int) -> bytes:
        path = self._new_path()
        return text(path) + buffer(self._data(path)) + self._acl() + number(self._one_of(*flags))

    def _create(self) -> Request:
        return Op.CREATE, self._create_body(0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, -1)

    def _create2(self) -> Request:
        return Op.CREATE2, self._create_body(0, 0, 0, 1, 2, 3)

    def _create_container(self) -> Request:
        return Op.CREATE_CONTAINER, self._create_body(4)

    def _create_ttl(self) -> Request:
        # Other combinations of flags and TTL end the real server for good.
        ttl = self._one_of(LONG_TTL, LONG_TTL, 2**40 - 1, 2**40, 0, -1, -5)
        return Op.CREATE_TTL, self._create_body(5, 6) + long(ttl)

    def _delete(self) -> Request:
        if len(self._nodes) < FEW_NODES and self._sometimes(0.5):
            return self._set_data()
        path = self.path()
        if self._sometimes(0.7):
            path = max((self._one_of(*self._nodes) for _ in range(3)), key=len)
        return Op.DELETE, text(path) + self._data_version(path)

    def _set_data(self) -> Request:
        path = self.path()
        return Op.SET_DATA, text(path) + buffer(self._data(path)) + self._data_version(path)

    def _set_acl(self) -> Request:
        path = self.path()
        version = self._version(self._nodes.get(path, (None, None))[1])
        return Op.SET_ACL, text(path) + self._acl() + version

    def _check(self) -> Request:
        path = self.path()
        return Op.CHECK, text(path) + self._data_version(path)

    def _create_in_multi(self) -> Request:
        op = self._one_of(Op.CREATE, Op.CREATE, Op.CREATE, Op.CREATE2, Op.CREATE_CONTAINER)
        return op, self._create_body(0, 0, 0, 1, 2, 3, 4, 9)

    def _multi(self) -> Request:
        makers = [self._create_in_multi] * 3 + [self._set_data, self._delete, self._check]
        makers += [self._create_ttl] * self._sometimes(0.2)
        count = self._one_of(0, 1, 1, 2, 2, 3, 4, 6)
        operations = [self._one_of(*makers)() for _ in range(count)]
        if self._sometimes(0.01):
            operations.append(self._one_of(self._set_acl, self._multi_read)())
        return Op.MULTI, multi(operations)

    def _multi_read(self) -> Request:
        reads = [
            (self._one_of(Op.GET_DATA, Op.GET_CHILDREN), text(self.path()) + self._watch())
            for _ in range(self._one_of(0, 1, 2, 5))
        ]
        if self._sometimes(0.02):
            reads.append((Op.EXISTS, text(self.path()) + self._watch()))
        return Op.MULTI_READ, multi(reads)

    def _watched(self) -> bytes:
        return texts(self.path() for _ in range(self._one_of(0, 1, 2, 4)))

    def _check_watches(self) -> Request:
        # Recursive watches make a difference to the real server for other paths.
        path = self.path()
        return Op.CHECK_WATCHES, text(path if path[:1] == "/" else "/a") + self._watch_kinds()

    def _set_watches(self) -> Request:
        seen = max(0, self._zxid - self._one_of(0, 0, 3, 30, 1000))
        if self._sometimes(0.02):
            return Op.SET_WATCHES, long(seen) + number(-1) * 3
        return Op.SET_WATCHES, long(seen) + b"".join(self._watched() for _ in range(3))

    def _set_watches2(self) -> Request:
        _, body = self._set_watches()
        return Op.SET_WATCHES2, body + self._watched() + self._watched()

    def _reconfigure(self) -> Request:
        return Op.RECONFIG, text(None) + text(None) + text("server.1=a:1:2:participant") + long(-1)


def without_order(op: int, value: Any) -> Any:
    """Return an answer with its unordered parts sorted: children, identities."""
    if op in (Op.GET_CHILDREN, Op.GET_EPHEMERALS, Op.WHO_AM_I):
        return sorted(value)
    if op == Op.GET_CHILDREN2:
        return sorted(value[0]), value[1]
    if op == Op.GET_ACL:
        return sorted(value[0]), value[1]
    if op == Op.MULTI_READ:
        return [
            (result[0], without_order(result[0], result[1]))
            if isinstance(result, tuple)
            else result
            for result in value
        ]
    return value


__all__ = ["RandomRequests", "protocol", "without_order"]
