"""A process that ends without closing its sessions."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.binding import subprocesses
from tests.deadlines import scaled
from tests.wireframes import Op

pytestmark = [
    pytest.mark.not_emulated("other processes do not reach it"),
    pytest.mark.also_by_tls,
]


@pytest.mark.parametrize(
    "way",
    [
        "return",
        "sys.exit",
        "with calls under way",
        "with a daemon thread that waits",
        "inside a callback",
        "SIGTERM made an exit",
    ],
)
def test_a_normal_exit_ends_the_session_at_once(zookeeper, connection_string, root, handle, way):
    assert subprocesses.run("exit", connection_string + root, way) == "created"
    zookeeper.sync(handle, "/")
    assert zookeeper.get_children(handle, "/") == []


def test_an_exit_does_not_wait_for_a_server_that_does_not_answer(zookeeper, proxy, root):
    proxy.on_request = stall_after_create(proxy)
    subprocesses.run("exit", proxy.connection_string + root, "return", seconds=20)


@pytest.mark.parametrize("module", ["zookeeper", "zc.zk"])
def test_an_exit_closes_all_sessions_side_by_side(zookeeper, proxy, root, module):
    """Each takes two seconds with a server that does not answer."""
    program = [sys.executable, "-m", "tests.binding.programs.exit_many"]
    with subprocess.Popen(
        [*program, proxy.connection_string + root, "50", module],
        cwd=subprocesses.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "connected\n"
            proxy.stall()
            process.communicate("\n", timeout=scaled(20))
        finally:
            process.kill()
    assert process.returncode == 0


def stall_after_create(proxy):
    """Stall the connection from the request to close the session on."""

    def observe(request):
        if request.op == Op.CLOSE_SESSION:
            proxy.stall()
        return True

    return observe


def test_importing_starts_nothing():
    assert subprocesses.run("imported") == {"threads": 1, "descriptors": 0, "logged": []}
