"""Servers, sessions and a place for each test; a check that nothing is left.

TEST_ZOOKEEPER_CONNECTION ("host:port,...") makes the tests use that service and not a server of
their own; tests that need to stop, pause or look into a server are skipped then.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import zc.zk
from tests import leaks, secured, sessions
from tests.deadlines import scaled
from tests.embedded import EmbeddedServer, embedded
from tests.servers import SUPERUSER, Ensemble, Server, ensemble_of, standalone
from tests.tcpproxy import TcpProxy
from zc.zk.testing import Emulation
from zc.zk.testing.engine import SessionLimits, digest

if TYPE_CHECKING:
    from tests.certificates import Authority

EXTERNAL_SERVICE = os.environ.get("TEST_ZOOKEEPER_CONNECTION")

# Long enough not to expire while the machine is busy with something else.
SESSION_TIMEOUT_MILLISECONDS = int(scaled(10_000))

# The targets of the contract of the binding and of the pages, see tests/binding/conftest.py.
TARGETS_ARE_CHOSEN = "ZK_TEST_TARGETS" in os.environ
TARGETS = os.environ.get("ZK_TEST_TARGETS", "real wire emulation").split()

# The server that the tests share unless they need a real one: "embedded", which starts in no time,
# or "real", or "tls" (tests/secured.py). With "emulation" there is none, which is for tests/library
# alone.
SHARED_SERVER = os.environ.get("ZK_TEST_SERVER", "embedded")

# The fixtures that take Java.
REAL_SERVERS = {"real_server", "own_server", "ensemble"}

Connect = Callable[..., int]
SharedServer = Server | EmbeddedServer

# The address of the emulation for clients.
EMULATED = "zookeeper.example.com:2181"


def _have_patience() -> None:
    """Let no generated example fail by the time that it takes: the machine may be busy."""
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:
        return  # as in an environment for the binding's contract alone
    settings.register_profile(
        "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("patient")


_have_patience()


def pytest_configure() -> None:
    """Accept interrupts, and let children accept them; have I/O threads rest where that is wanted.

    A shell makes its background jobs ignore interrupts.
    """
    if "ZK_TEST_LEADERS" in os.environ:
        importlib.import_module("zookeeper._client")._rest_after(1, 3600)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # It is ignored under nohup. A function ignores it here too, and children have the default.
        signal.signal(signal.SIGHUP, lambda number, frame: None)


def pytest_collectstart() -> None:
    """Keep the garbage collector from looking at hundreds of thousands of objects that stay."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Have the garbage collector look at the objects of tests alone from here on.

    To look at all those of the modules takes a sixth of a second each time.
    """
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Answer pytest-xdist, where it is in use, how to share out the tests."""
    from tests.workers import Scheduling

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that are marked `first` first, and mark those on a real server."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    for item in items:
        mark = item.get_closest_marker("not_over_tls")
        if mark is not None and SHARED_SERVER == "tls":
            item.add_marker(pytest.mark.skip(reason=f"not over TLS: {mark.args[0]}"))
        if REAL_SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("java")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Secure the servers that a test of the target *tls* starts, with its fixtures.

    A fixture of the session would do so until another target comes, to all tests in between.
    """
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    with secured.by_default() if parameters.get("target") == "tls" else nullcontext():
        return (yield)


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or a descriptor behind."""
    before = leaks.resources()
    yield
    leaks.check(before)


@pytest.fixture(scope="session")
def zookeeper() -> ModuleType:
    """Return the binding under test."""
    return importlib.import_module("zookeeper")


@pytest.fixture(scope="session")
def own_servers_only() -> None:
    """Skip tests that another owner's service cannot be used for."""
    if EXTERNAL_SERVICE:
        pytest.skip("stops or looks into its server: not with TEST_ZOOKEEPER_CONNECTION")


@pytest.fixture(scope="session")
def real_server(own_servers_only: None) -> Iterator[Server]:
    """Yield a real server for all tests that need one; no test stops it."""
    with standalone() as running:
        yield running


@pytest.fixture(scope="session")
def emulated() -> Iterator[str]:
    """Yield the address of the emulation.

    The emulation replaces the binding's functions until the end.
    """
    emulation = Emulation(
        limits=SessionLimits(200, 300_000),
        check_seconds=0.2,
        superuser=digest(SUPERUSER[1]),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, function in emulation.functions.items():
            patch.setattr(f"zookeeper.{name}", function)
        yield EMULATED
        emulation.close()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, own_servers_only: None) -> Iterator[SharedServer]:
    """Yield the server that the tests share; no test stops it."""
    if SHARED_SERVER == "emulation":
        pytest.skip("needs a network")
    if SHARED_SERVER in ("real", "tls"):
        yield request.getfixturevalue("real_server")
    else:
        with embedded() as running:
            yield running


@pytest.fixture
def own_server(own_servers_only: None) -> Iterator[Server]:
    """Yield a server for one test, to stop, kill and pause."""
    with standalone() as running:
        yield running


@pytest.fixture(scope="session")
def ensemble(own_servers_only: None) -> Iterator[Ensemble]:
    """Yield three servers that are one service.

    A test that stops one of them starts it again.
    """
    with ensemble_of(3) as running:
        yield running


@pytest.fixture(scope="session")
def connection_string(request: pytest.FixtureRequest) -> str:
    """Return the address of the service under test."""
    if EXTERNAL_SERVICE:
        return EXTERNAL_SERVICE
    if SHARED_SERVER == "emulation":
        return request.getfixturevalue("emulated")
    server: SharedServer = request.getfixturevalue("server")
    return server.connection_string


@pytest.fixture
def root(zookeeper: ModuleType, connection_string: str) -> Iterator[str]:
    """Yield the path of a new node for one test.

    The node is deleted afterwards with everything below it.
    """
    path = f"/test-{uuid.uuid4().hex[:12]}"
    with sessions.session(zookeeper, connection_string) as handle:
        zookeeper.create(handle, path, "", sessions.OPEN)
    yield path
    with sessions.session(zookeeper, connection_string) as handle:
        if not EXTERNAL_SERVICE:
            zookeeper.add_auth(handle, *SUPERUSER)
        sessions.remove_tree(zookeeper, handle, path)


@pytest.fixture
def place(connection_string: str, root: str) -> str:
    """Return the connection string of the test's own node."""
    return connection_string + root


@pytest.fixture
def zk(place: str) -> Iterator[zc.zk.ZooKeeper]:
    """Yield a client of the library, whose `/` is `root`."""
    with zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as client:
        yield client


@pytest.fixture
def connect(zookeeper: ModuleType, connection_string: str, root: str) -> Iterator[Connect]:
    """Yield a function that opens sessions and waits until they are connected.

    The sessions are opened to `root` by default, and closed at the end. `hosts` replaces all of the
    connection string; other arguments are those of `zookeeper.init`. With wait=False the function
    returns at once.
    """
    opened: list[int] = []

    def connect(
        watcher: object = None,
        *,
        root: str = root,
        hosts: str | None = None,
        wait: bool = True,
        **more: object,
    ) -> int:
        more.setdefault("recv_timeout", SESSION_TIMEOUT_MILLISECONDS)
        handle: int = zookeeper.init(hosts or connection_string + root, watcher, **more)
        opened.append(handle)
        if wait:
            sessions.wait_until_connected(zookeeper, handle)
        return handle

    yield connect
    for handle in set(opened):
        try:
            zookeeper.close(handle)
        except zookeeper.InvalidStateException:
            pass  # the test has closed it


@pytest.fixture
def handle(connect: Connect) -> int:
    """Return a connected session whose `/` is `root`."""
    return connect()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority of a module's own, which issues certificates."""
    from tests.certificates import Authority  # slow

    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> secured.Keys:
    """Return keys of a module's own servers and clients."""
    return secured.Keys.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def proxy(own_servers_only: None, server: SharedServer) -> Iterator[TcpProxy]:
    """Yield a network to the shared server, to cut and to stall."""
    with TcpProxy(server.connection_string) as running:
        yield running
