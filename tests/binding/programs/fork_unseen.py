"""Forks in ways that Python, or the C library, does not see.

The child calls a handle of its parent. Argument: hosts. Prints as JSON what each child
has raised, and whether the parent goes on.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import zookeeper
from tests.sessions import OPEN, wait_until_connected

# Of Linux, by machine.
CLONE = {"x86_64": 56, "aarch64": 220}

# It keeps Python's lock during a call.
LIBC = ctypes.PyDLL(None)


def clone() -> int:
    """Fork by a system call, of which no handler of the C library hears."""
    return int(LIBC.syscall(CLONE[platform.machine()], signal.SIGCHLD, 0, 0, 0, 0))


def fork_in_c() -> int:
    """Fork as C code does, of which no hook of Python hears."""
    return int(LIBC.fork())


def raised_in_child(fork: Callable[[], int], handle: int) -> str:
    reading, writing = os.pipe()
    pid = fork()
    if pid == 0:
        try:
            zookeeper.set(handle, "/e", "the child's")
            name = "nothing"
        except BaseException as problem:
            name = type(problem).__name__
        os.write(writing, name.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as output:
        name = output.read()
    os.waitpid(pid, 0)
    return name


def raised_in_child_of_a_thread(handle: int) -> str:
    raised: list[str] = []
    thread = threading.Thread(target=lambda: raised.append(raised_in_child(os.fork, handle)))
    thread.start()
    thread.join()
    return raised[0]


def main() -> None:
    handle = zookeeper.init(sys.argv[1])
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/e", "the parent's", OPEN, zookeeper.EPHEMERAL)
    seen = {
        "clone": raised_in_child(clone, handle),
        "fork in C": raised_in_child(fork_in_c, handle),
        "fork in a thread": raised_in_child_of_a_thread(handle),
    }
    # By vfork: its child has the parent's memory until it executes another program.
    subprocess.run(["true"], check=True)
    data, stat = zookeeper.get(handle, "/e")
    ours = stat["ephemeralOwner"] == zookeeper.client_id(handle)[0]
    print(json.dumps({"children": seen, "data": data, "ours": ours}))
    zookeeper.close(handle)


if __name__ == "__main__":
    main()
