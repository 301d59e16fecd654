"""Errors stay what they are when no descriptors are left.

Nothing can be imported then.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.deadlines import scaled
from tests.ports import LOOPBACK, free_ports

PROGRAM = """
import os, resource, sys
import zc.zk
zc.zk.ZooKeeper.initial_connection_wait = 0.5
left = int(sys.argv[1])
used = max(map(int, os.listdir("/proc/self/fd")))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, used + 20))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
for _ in range(left):
    os.close(taken.pop())
try:
    zc.zk.ZooKeeper(sys.argv[2])
except zc.zk.FailedConnect as failure:
    print(failure)
else:
    raise AssertionError("connected")
# Python ends daemon threads by pthread_exit, for which glibc needs a descriptor at first.
for fd in taken:
    os.close(fd)
"""


@pytest.mark.parametrize("left", range(7))
def test_failed_connect_is_what_it_is(left: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(left), f"{LOOPBACK}:{free_ports(1)[0]}"],
        capture_output=True,
        text=True,
        timeout=scaled(30),
    )
    assert ended.returncode == 0, ended.stderr
    assert LOOPBACK in ended.stdout
