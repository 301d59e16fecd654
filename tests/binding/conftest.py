"""The contract of the binding holds three times.

- real: the binding and Debian's ZooKeeper
- wire: the binding and our own server
- emulation: our own server in this process, without the binding

ZK_TEST_TARGETS ("real wire") limits them. Tests that need to stop, kill or pause a server are for
the real one only; those that need a network between client and server, not for the emulation; nor
those of what the C client does and an emulation of it does not (see EXCEPT_FOR_THE_EMULATION).
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

# Where the emulation is; nobody listens there.
EMULATED = "127.0.0.1:2181"

NEED_A_REAL_SERVER = {"own_server", "ensemble"}
NEED_A_NETWORK = {"server", "proxy"}

# Modules whose tests start such servers themselves.
ABOUT_REAL_SERVERS = {"test_ensemble"}

EXCEPT_FOR_THE_EMULATION = {
    # Other processes, other threads, name servers, the C client's log and descriptors.
    "test_close",
    "test_exit",
    "test_fork",
    "test_logging",
    "test_lost_connections",
    "test_old_server",
    "test_opening",
    "test_order_of_answers",
    "test_waiting",
    # One lock for the whole server, for one thread's tests.
    "test_reentrance",
    "test_a_name_that_does_not_resolve_does_not_hang_init",
    # Something that goes on while a call is under way: here whoever calls does everything himself.
    "test_a_read_of_a_subtree_survives_what_others_do_to_it",
    "test_a_change_after_the_read_is_never_missed",
    "test_a_slow_watcher_delays_no_synchronous_call",
    "test_counted_operations_are_taken_while_the_first_ones_are_done",
    "test_after_a_failure_no_more_operations_are_taken",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        targets = [target for target in TARGETS if _is_for(metafunc, target)]
        metafunc.parametrize("target", targets, indirect=True, scope="session")


def _is_for(metafunc: pytest.Metafunc, target: str) -> bool:
    needs = set(metafunc.fixturenames)
    if target == "real":
        return True
    module = metafunc.module.__name__.rpartition(".")[2]
    if needs & NEED_A_REAL_SERVER or module in ABOUT_REAL_SERVERS or EXTERNAL_SERVICE:
        return False
    if target == "wire":
        return True
    exceptions = {module, metafunc.function.__name__} & EXCEPT_FOR_THE_EMULATION
    return not (exceptions or needs & NEED_A_NETWORK)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> str:
    """Which of the three it is."""
    return str(request.param)


@pytest.fixture(scope="session")
def zookeeper(target: str) -> Iterator[ModuleType]:
    """The binding under test."""
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
    """The server that the tests share: nobody stops it."""
    if target == "wire":
        with embedded() as running:
            yield running
    else:
        with standalone() as running:
            yield running


@pytest.fixture(scope="session")
def connection_string(target: str, request: pytest.FixtureRequest) -> str:
    """Where the service under test is."""
    if target == "emulation":
        return EMULATED
    if EXTERNAL_SERVICE:
        return EXTERNAL_SERVICE
    where: str = request.getfixturevalue("server").connection_string
    return where
