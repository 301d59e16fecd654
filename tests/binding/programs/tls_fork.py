"""Forks with a session over TLS, and executes another program.

Arguments: hosts, the authority's file, certificate and key. Prints the outcome as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import zookeeper
from tests.deadlines import scaled
from tests.sessions import wait_until_connected

TIMEOUT = int(scaled(10_000))


def sockets() -> set[str]:
    """Return the sockets of this process, as the kernel names them."""
    links = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return {os.path.basename(link) for link in links if "socket:" in link}


def main(hosts: str, authority: str, certificate: str, key: str) -> None:
    """Connect, execute, fork, look."""
    tls = zookeeper.TLS(ca=authority, certificate=certificate, key=key)
    handle = zookeeper.init(hosts, None, TIMEOUT, tls=tls)
    wait_until_connected(zookeeper, handle)
    session = zookeeper.client_id(handle)
    assert sockets()
    listing = subprocess.run(
        ["ls", "-l", "/proc/self/fd"], close_fds=False, capture_output=True, text=True, check=True
    ).stdout
    inherited = [name for name in sockets() if name in listing]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            zookeeper.get(handle, "/")
        except zookeeper.ZooKeeperException as fault:
            os.write(writing, type(fault).__name__.encode())
        own = zookeeper.init(hosts, None, TIMEOUT, tls=tls)
        wait_until_connected(zookeeper, own)
        zookeeper.close(own)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    outcome = os.read(reading, 100).decode()
    assert zookeeper.exists(handle, "/")
    same = zookeeper.client_id(handle) == session
    zookeeper.close(handle)
    print(
        json.dumps(
            {
                "inherited by exec": inherited,
                "child": outcome,
                "status": status,
                "session is the same": same,
            }
        )
    )


main(*sys.argv[1:])
