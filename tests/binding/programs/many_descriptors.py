"""Opens 5,000 descriptors, and then sessions: all of theirs have numbers above 1,023.

Arguments: the authority's file, the certificate and key of the server. Prints the outcome as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import zookeeper
from tests.deadlines import scaled, wait_until
from tests.libssl import Context
from tests.sessions import wait_until_connected
from tests.tlspeer import HungUp, Link, answer_all, answer_to, serve, tls_peer
from zookeeper import TLS

COUNT = 5000
TIMEOUT = int(scaled(10_000))


def sockets() -> list[int]:
    return [
        int(number)
        for number in os.listdir("/proc/self/fd")
        if os.path.realpath(f"/proc/self/fd/{number}").rpartition("/")[2].startswith("socket:")
    ]


def cut_once(link: Link) -> None:
    """End the first connection after a second request."""
    link.shake()
    if link.number:
        answer_all(link)
        return
    limit = 3
    for request in link.requests():
        link.say(answer_to(request))
        limit -= 1
        if not limit:
            raise HungUp


def main(authority: str, certificate: str, key: str) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (COUNT + 1000, COUNT + 1000))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(COUNT)]
    context = Context(Path(certificate), Path(key))
    outcome = {}
    for name, tls in (("TLS", TLS(ca=authority)), ("plain", None)):
        own = context if tls else None
        with tls_peer(serve, own) as good, tls_peer(cut_once, own) as bad:
            # A name has to be looked up, and other servers refuse.
            hosts = f"127.0.0.1:1,localhost:{bad.port}"
            handles = [
                zookeeper.init(good.connection_string, None, TIMEOUT, tls=tls),
                zookeeper.init(hosts, None, TIMEOUT, tls=tls and TLS(ca=authority)),
            ]
            for handle in handles:
                wait_until_connected(zookeeper, handle)
            lowest = min(sockets())
            for _ in range(5):
                try:
                    zookeeper.get(handles[1], "/a")
                except zookeeper.ConnectionLossException:
                    wait_until_connected(zookeeper, handles[1])
            wait_until(lambda bad=bad: bad.connections == 2, "it connects again")
            wait_until_connected(zookeeper, handles[1])
            read = [zookeeper.get(handle, "/a")[0] for handle in handles]
            for handle in handles:
                zookeeper.close(handle)
        outcome[name] = {"is above": lowest > 1023, "read": read}
    for descriptor in held:
        os.close(descriptor)
    print(json.dumps(outcome))


main(*sys.argv[1:])
