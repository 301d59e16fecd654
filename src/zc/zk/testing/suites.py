"""The place of a doctest or unittest: an emulation, or part of a real server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.client import ZooKeeper
from zc.zk.session import ending
from zc.zk.testing.dispatch import installed
from zc.zk.testing.emulation import Emulation
from zc.zk.testing.waiting import assert_, wait_until

CONNECTION_STRING: Final = "zookeeper.example.com:2181"

REAL_SERVER_VARIABLE: Final = "TEST_ZOOKEEPER_CONNECTION"

TREE: Final = """
/fooservice
  database = '/databases/foomain'
  threads = 1
  favorite_color = 'red'
  /providers
"""

# The attribute of a test that keeps what `tearDown` undoes.
_PLACE: Final = "_zc_zk_testing"


def testing_with_real_zookeeper() -> bool:
    """Tell whether TEST_ZOOKEEPER_CONNECTION has suites run on a real server."""
    return bool(os.environ.get(REAL_SERVER_VARIABLE))


def setUp(test: Any, tree: str | None = None, connection_string: str = CONNECTION_STRING) -> None:
    """Prepare a test: `connection_string` leads to a server of its own.

    test: a `doctest.DocTest`, whose globals, or a `unittest.TestCase`, whose attributes get
        `ZooKeeper` (the emulated server, or None with a real one), `assert_` and `wait_until`.
    tree: what the server holds, as text for `import_tree`; a small service without it.
    connection_string: where the test's clients look for the server.

    Clients of servers on this machine, such as a `zc.zk.testing.Server`, reach these as ever; see
    `zc.zk.testing.dispatch`.

    With TEST_ZOOKEEPER_CONNECTION in the environment (`host:port,...`) that service is used: the
    test's root is a new node there, which `tearDown` removes.
    """
    with ExitStack() as place:
        emulation = place.enter_context(service(connection_string))
        plant(connection_string, TREE if tree is None else tree)
        namespace = test.globs if hasattr(test, "globs") else vars(test)
        names = {"ZooKeeper": emulation, "assert_": assert_, "wait_until": wait_until}
        place.enter_context(_replaced(namespace, names))
        setattr(test, _PLACE, place.pop_all())


def tearDown(test: Any) -> None:
    """Undo `setUp`, and close clients that the test left open. Idempotent."""
    place: ExitStack | None = vars(test).pop(_PLACE, None)
    if place is not None:
        place.close()


@contextmanager
def service(connection_string: str) -> Iterator[Emulation | None]:
    """Have a connection string lead to an emulation, or a real server's new node.

    Yields the emulation, None with a real server. Clients that are open at the end are closed.
    """
    real = os.environ.get(REAL_SERVER_VARIABLE)
    with ExitStack() as place:
        if real:
            emulation = None
            place.enter_context(_redirected_to(connection_string, real))
        else:
            emulation = place.enter_context(_emulated(connection_string))
        place.enter_context(clients_closed())
        yield emulation


@contextmanager
def new_root(servers: str) -> Iterator[str]:
    """Make a node of a service, as a connection string; remove it at the end."""
    root = f"/zc.zk.testing-{uuid.uuid4().hex}"
    with _client(servers) as zk:
        zk.create_recursive(f"{root}/zookeeper/quota", "", OPEN_ACL_UNSAFE)
    try:
        yield servers.rstrip("/") + root
    finally:
        with _client(servers) as zk:
            zk.delete_recursive(root, force=True)


@contextmanager
def _emulated(connection_string: str) -> Iterator[Emulation]:
    # Older suites print the whole tree, in which servers had no /zookeeper/config.
    emulation = Emulation(connection_string, with_config=False)
    with closing(emulation), installed(emulation):
        yield emulation


@contextmanager
def _redirected_to(connection_string: str, real: str) -> Iterator[None]:
    with new_root(real) as root:
        init = _redirected(zookeeper.init, connection_string.partition("/")[0], root)
        with _replaced(vars(zookeeper), {"init": init}):
            yield


def _redirected(init: Callable[..., int], servers: str, root: str) -> Callable[..., int]:
    def redirected_init(hosts: str, *args: Any, **kwargs: Any) -> int:
        if hosts.partition("/")[0] == servers:
            hosts = root + hosts[len(servers) :].rstrip("/")
        return init(hosts, *args, **kwargs)

    return redirected_init


@contextmanager
def clients_closed() -> Iterator[None]:
    """Close clients that a test leaves open: they must not outlive it."""
    before = set(ending.open_sessions)
    try:
        yield
    finally:
        for session in set(ending.open_sessions) - before:
            session.close()


def plant(connection_string: str, tree: str) -> None:
    """Make nodes of a tree's text."""
    if tree.strip():
        with _client(connection_string.partition("/")[0]) as zk:
            zk.import_tree(tree)


def _client(connection_string: str) -> ZooKeeper:
    return ZooKeeper(connection_string)


@contextmanager
def _replaced(namespace: dict[str, Any], names: Mapping[str, Any]) -> Iterator[None]:
    """Replace the values of some names, and put the former ones back."""
    before = {name: namespace[name] for name in names if name in namespace}
    namespace.update(names)
    try:
        yield
    finally:
        namespace.update(before)
        for name in names.keys() - before.keys():
            namespace.pop(name, None)
