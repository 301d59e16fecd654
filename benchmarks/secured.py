"""Measure what TLS costs: calls, an export, watches and a reconnect, against kazoo over TLS.

One server has a port in the clear and one that takes nothing but TLS with client certificates; both
are Netty's. The floor is a socket of Python's that sends a prepared request and throws the answer
away, in the clear and by Python's `ssl`.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

from kazoo.client import KazooClient, KazooState

import zc.zk
import zookeeper
from calls import median_latency, throughput
from harness import kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.connections import TcpProxy, prepared_get
from harness.service import (
    CONNECT_SECONDS,
    SESSION_MILLISECONDS,
    Secured,
    Service,
    connected,
    raise_first,
    running_secured_service,
)
from harness.shapes import generate

ROOT = "/benchmark-secured"

OURS = "zookeeper over TLS"
OURS_PLAIN = "zookeeper in the clear"
LIBRARY = "zc.zk over TLS"
LIBRARY_PLAIN = "zc.zk in the clear"
KAZOO = "kazoo over TLS"
FLOOR = "a socket of ssl"
FLOOR_PLAIN = "a socket in the clear"

MAX_GET_RATIO = 1.25
MAX_EXPORT_RATIO = 1.3
SLOW_ROUNDS = 2
# A connection that has lasted so long is followed by the next one without a pause.
SETTLED_SECONDS = 1.1


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    secured = service.secured
    assert secured is not None
    nodes = generate("mixed", options.nodes)
    with service.tree(ROOT, nodes), ExitStack() as stack:
        plain = stack.enter_context(connected(service.hosts))
        safe = stack.enter_context(connected(secured.hosts, secured.tls()))
        client = stack.enter_context(kazoo_connected(secured))
        ours_plain, ours = partial(zookeeper.get, plain, ROOT), partial(zookeeper.get, safe, ROOT)
        yield Case(
            "get, 1 thread",
            "microseconds a call, median",
            [
                Competitor(OURS, partial(median_latency, ours)),
                Competitor(OURS_PLAIN, partial(median_latency, ours_plain)),
                Competitor(KAZOO, partial(median_latency, partial(client.get, ROOT))),
                Competitor(FLOOR, partial(floor, secured.hosts, secured)),
                Competitor(FLOOR_PLAIN, partial(floor, service.hosts, None)),
            ],
            [Goal(OURS, OURS_PLAIN, at_most=MAX_GET_RATIO)],
            {"threads": 1},
        )
        yield Case(
            "get, 8 threads",
            "calls a second",
            [
                Competitor(OURS, partial(throughput, 8, False, ours)),
                Competitor(OURS_PLAIN, partial(throughput, 8, False, ours_plain)),
                Competitor(KAZOO, partial(throughput, 8, False, partial(client.get, ROOT))),
            ],
            [Goal(OURS, OURS_PLAIN, at_least=1 / MAX_GET_RATIO), Goal(OURS, KAZOO, at_least=2)],
            {"threads": 8},
        )
        yield export_case(stack, service, secured, client, options.nodes)
        yield watches_case(service, secured, [ROOT + node.path for node in nodes])
        yield reconnect_case(stack, service, secured)


@contextmanager
def kazoo_connected(secured: Secured, hosts: str = "") -> Iterator[KazooClient]:
    """Yield a client of kazoo over TLS."""
    with kazoo_jobs.connected(
        hosts or secured.hosts,
        use_ssl=True,
        ca=str(secured.authority),
        certfile=str(secured.certificate),
        keyfile=str(secured.key),
    ) as client:
        yield client


def floor(hosts: str, secured: Secured | None) -> float:
    """Return the median microseconds of a request for one node."""
    with prepared_get(hosts, ROOT, secured) as call:
        return median_latency(call)


def export_case(
    stack: ExitStack, service: Service, secured: Secured, client: KazooClient, nodes: int
) -> Case:
    def library(hosts: str, **more: Any) -> zc.zk.ZooKeeper:
        return stack.enter_context(zc.zk.ZooKeeper(hosts, SESSION_MILLISECONDS, **more))

    plain, safe = library(service.hosts), library(secured.hosts, tls=secured.tls())
    expected = plain.export_tree(ROOT)

    def export(zk: zc.zk.ZooKeeper) -> float:
        seconds, text = timed(lambda: zk.export_tree(ROOT))
        expect(text == expected, True, "the same text")
        return seconds

    def export_with_kazoo() -> float:
        seconds, text = timed(lambda: kazoo_jobs.export_best(client, ROOT, ROOT[1:]))
        expect(text.count("\n"), expected.count("\n"), "lines")
        return seconds

    return Case(
        f"export {nodes:,} nodes",
        "seconds",
        [
            Competitor(LIBRARY, lambda: export(safe)),
            Competitor(LIBRARY_PLAIN, lambda: export(plain)),
            Competitor(KAZOO, export_with_kazoo, SLOW_ROUNDS),
        ],
        [Goal(LIBRARY, LIBRARY_PLAIN, at_most=MAX_EXPORT_RATIO)],
        {"nodes": nodes},
    )


def watches_case(service: Service, secured: Secured, paths: Sequence[str]) -> Case:
    """Each round sets its watches in a session of its own."""

    def watch(opening: Callable[[], AbstractContextManager[int]]) -> float:
        with opening() as handle:
            seconds, (data, children, _) = timed(
                lambda: zookeeper.watch_many(
                    handle, data=paths, children=paths, watcher=lambda *_: None
                )
            )
        raise_first(data)
        raise_first(children)
        return seconds

    def watch_with_kazoo() -> float:
        with kazoo_connected(secured) as client:

            def work() -> None:
                answers = [client.get_async(path, lambda event: None) for path in paths]
                answers += [client.get_children_async(path, lambda event: None) for path in paths]
                for answer in answers:
                    answer.get()

            return timed(work)[0]

    return Case(
        f"set {2 * len(paths):,} watches",
        "seconds",
        [
            Competitor(OURS, lambda: watch(lambda: connected(secured.hosts, secured.tls()))),
            Competitor(OURS_PLAIN, lambda: watch(lambda: connected(service.hosts))),
            Competitor(KAZOO, watch_with_kazoo, SLOW_ROUNDS),
        ],
        [],
        {"watches": 2 * len(paths)},
    )


def reconnect_case(stack: ExitStack, service: Service, secured: Secured) -> Case:
    """A connection is cut, and the time goes to the next one."""

    def proxy(hosts: str) -> TcpProxy:
        return stack.enter_context(TcpProxy(hosts, is_opaque=True))

    tls = secured.tls()
    safe = Reconnecting(stack, proxy(secured.hosts), tls)
    plain = Reconnecting(stack, proxy(service.hosts), None)

    def resumed() -> float:
        before = tls.configuration().counts()
        seconds = safe.cut()
        handshakes, resumptions = (
            now - then for now, then in zip(tls.configuration().counts(), before, strict=True)
        )
        expect((handshakes, resumptions), (1, 1), "handshakes, and resumed ones")
        return seconds

    rival = proxy(secured.hosts)
    client = stack.enter_context(kazoo_connected(secured, rival.connection_string))
    return Case(
        "reconnect",
        "milliseconds",
        [
            Competitor(OURS, resumed),
            Competitor(OURS_PLAIN, plain.cut),
            Competitor(KAZOO, partial(cut_kazoo, client, rival)),
        ],
    )


class Reconnecting:
    """A session whose connection is cut."""

    def __init__(self, stack: ExitStack, proxy: TcpProxy, tls: zookeeper.TLS | None) -> None:
        self._proxy = proxy
        self._connected = threading.Event()
        handle = zookeeper.init(proxy.connection_string, self._note, SESSION_MILLISECONDS, tls=tls)
        stack.callback(zookeeper.close, handle)
        expect(self._connected.wait(CONNECT_SECONDS), True, "connected")

    def _note(self, _handle: int, _kind: int, state: int, _path: str) -> None:
        if state == zookeeper.CONNECTED_STATE:
            self._connected.set()

    def cut(self) -> float:
        time.sleep(SETTLED_SECONDS)
        self._connected.clear()
        start = time.perf_counter()
        self._proxy.cut()
        expect(self._connected.wait(CONNECT_SECONDS), True, "connected again")
        return 1000 * (time.perf_counter() - start)


def cut_kazoo(client: KazooClient, proxy: TcpProxy) -> float:
    arrived = threading.Event()

    def note(state: str) -> None:
        if state == KazooState.CONNECTED:
            arrived.set()

    time.sleep(SETTLED_SECONDS)
    client.add_listener(note)
    start = time.perf_counter()
    proxy.cut()
    expect(arrived.wait(CONNECT_SECONDS), True, "connected again")
    client.remove_listener(note)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main(cases, __doc__, nodes=10_000, running=running_secured_service)
