"""The contract of the binding holds for four targets.

- real: the binding and Debian's ZooKeeper
- tls: the same, but all servers want TLS and client certificates (tests/secured.py)
- wire: the binding and our own server
- emulation: our own server in this process, without the binding

ZK_TEST_TARGETS ("real wire") chooses among them; without it, modules that are marked `also_by_tls`
have the target tls and the others have not. A test that cannot be of that target is marked
`not_over_tls`. A test that stops, kills or pauses a server asks for
`own_server` or `ensemble`, which are real ones, or is marked `real_only`. A test that needs a
network between client and server asks for `server` or `proxy`, or is marked `not_emulated`. So is
a test of behaviour that the C client has and an emulation of it has not.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import zc.zk.testing
from tests.conftest import EXTERNAL_SERVICE, TARGETS, TARGETS_ARE_CHOSEN, Connect
from tests.embedded import embedded
from tests.ports import LOOPBACK
from tests.servers import SUPERUSER, Ensemble, Server, ensemble_of, standalone
from tests.sessions import OPEN
from zc.zk.testing.engine import SessionLimits, digest

if TYPE_CHECKING:
    from tests.certificates import Authority, Issued

# The address of the emulation; nobody listens there.
EMULATED = "127.0.0.1:2181"

NEED_A_REAL_SERVER = {"own_server", "ensemble"}
NEED_A_NETWORK = {"server", "proxy"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        also = [] if TARGETS_ARE_CHOSEN or not _is_marked_for_tls(metafunc) else ["tls"]
        targets = [target for target in [*TARGETS, *also] if _is_for(metafunc, target)]
        metafunc.parametrize("target", targets, indirect=True, scope="session")


def _is_marked_for_tls(metafunc: pytest.Metafunc) -> bool:
    return metafunc.definition.get_closest_marker("also_by_tls") is not None


def _is_for(metafunc: pytest.Metafunc, target: str) -> bool:
    needs, marked = set(metafunc.fixturenames), metafunc.definition.get_closest_marker
    if target == "real":
        return True
    if target == "tls":
        return not (marked("not_over_tls") or EXTERNAL_SERVICE)
    if needs & NEED_A_REAL_SERVER or marked("real_only") or EXTERNAL_SERVICE:
        return False
    return target == "wire" or not (needs & NEED_A_NETWORK or marked("not_emulated"))


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> str:
    """Return the name of the target."""
    return str(request.param)


@pytest.fixture(scope="session")
def zookeeper(target: str) -> Iterator[ModuleType]:
    """Yield the binding under test."""
    binding = importlib.import_module("zookeeper")
    if target != "emulation":
        yield binding
        return
    emulation = zc.zk.testing.Emulation(
        EMULATED,
        limits=SessionLimits(200, 300_000),
        check_seconds=0.2,
        superuser=digest(SUPERUSER[1]),
    )
    module = ModuleType("zookeeper")
    vars(module).update({**vars(binding), **emulation.functions})
    yield module
    emulation.close()


@pytest.fixture(scope="session")
def server(target: str, own_servers_only: None) -> Iterator[object]:
    """Yield the server that the tests share; no test stops it."""
    if target == "wire":
        with embedded() as running:
            yield running
    else:
        with standalone() as running:
            yield running


@pytest.fixture
def own_server(target: str, own_servers_only: None) -> Iterator[Server]:
    """Yield a server for one test, to stop, kill and pause."""
    with standalone() as running:
        yield running


@pytest.fixture(scope="session")
def ensemble(target: str, own_servers_only: None) -> Iterator[Ensemble]:
    """Yield three servers that are one service.

    A test that stops one of them starts it again.
    """
    with ensemble_of(3) as running:
        yield running


@pytest.fixture(scope="session")
def connection_string(target: str, request: pytest.FixtureRequest) -> str:
    """Return the address of the service under test."""
    if target == "emulation":
        return EMULATED
    if EXTERNAL_SERVICE:
        return EXTERNAL_SERVICE
    where: str = request.getfixturevalue("server").connection_string
    return where


@pytest.fixture
def opened() -> Iterator[list[int]]:
    """Yield a list for handles; they are closed before their servers end.

    The handles are those of the extension.
    """
    binding = importlib.import_module("zookeeper")
    handles: list[int] = []
    yield handles
    for handle in handles:
        binding.close(handle)


@pytest.fixture
def node(zookeeper: ModuleType, handle: int) -> str:
    """Create a node, with data, and return its path."""
    zookeeper.create(handle, "/a", "data", OPEN)
    return "/a"


@pytest.fixture
def other(connect: Connect) -> int:
    """Return another session, which makes the changes."""
    return connect()


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    """Return the certificate of a server on this machine."""
    return authority.issue("server", LOOPBACK, "localhost")
