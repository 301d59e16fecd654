"""The contract of the binding holds for three targets.

- real: the binding and Debian's ZooKeeper
- wire: the binding and our own server
- emulation: our own server in this process, without the binding

ZK_TEST_TARGETS ("real wire") limits them. A test that stops, kills or pauses a server asks for
`own_server` or `ensemble`, which are real ones, or is marked `real_only`. A test that needs a
network between client and server asks for `server` or `proxy`, or is marked `not_emulated`. So is
a test of behaviour that the C client has and an emulation of it has not.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest

import zc.zk.testing
from tests.conftest import EXTERNAL_SERVICE, TARGETS
from tests.embedded import embedded
from tests.servers import SUPERUSER, standalone
from zc.zk.testing.engine import SessionLimits, digest

# The address of the emulation; nobody listens there.
EMULATED = "127.0.0.1:2181"

NEED_A_REAL_SERVER = {"own_server", "ensemble"}
NEED_A_NETWORK = {"server", "proxy"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        targets = [target for target in TARGETS if _is_for(metafunc, target)]
        metafunc.parametrize("target", targets, indirect=True, scope="session")


def _is_for(metafunc: pytest.Metafunc, target: str) -> bool:
    if target == "real":
        return True
    needs, marked = set(metafunc.fixturenames), metafunc.definition.get_closest_marker
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
