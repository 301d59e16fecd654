"""The programs in C that benchmarks compare with: they do what they are said to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

import zookeeper
from harness import c_programs
from harness.floor import create_floor, prepared, read_floor
from harness.shapes import SHAPES, generate
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op
from zc.zk.testing import Server

ROOT = "/floor"
NODES = 1200  # more than one transaction has
CALLS = 200
WARM_CALLS = CALLS // 10


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with Server() as server, TcpProxy(server.connection_string) as running:
        yield running


def nodes_of(proxy: TcpProxy) -> list[tuple[str, bytes]]:
    handle = zookeeper.init(proxy.connection_string)
    try:
        tree = zookeeper.read_tree(handle, ROOT)
        return sorted((node.path.removeprefix(ROOT), (node.data or "").encode()) for node in tree)
    finally:
        zookeeper.close(handle)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_floors_create_and_read_all_nodes(proxy: TcpProxy, shape: str) -> None:
    nodes = prepared(generate(shape, NODES))
    create_floor(proxy.connection_string, ROOT, nodes)
    assert proxy.requests[Op.MULTI] >= NODES / 500
    assert proxy.requests[Op.CREATE] == 0
    read_floor(proxy.connection_string, ROOT, nodes)
    assert proxy.requests[Op.MULTI_READ] >= NODES / 500
    assert proxy.requests[Op.GET_DATA] == proxy.requests[Op.GET_CHILDREN] == 0
    assert nodes_of(proxy) == sorted(nodes)


def test_a_floor_that_reads_too_little_is_no_floor(proxy: TcpProxy) -> None:
    nodes = prepared(generate("mixed", NODES))
    create_floor(proxy.connection_string, ROOT, nodes)
    with pytest.raises(AssertionError, match="answers have all data"):
        read_floor(proxy.connection_string, "/elsewhere", nodes)


@pytest.mark.parametrize("threads", [1, 4])
def test_gets_in_a_loop_are_as_many_as_it_says(proxy: TcpProxy, threads: int) -> None:
    found = c_programs.run("get_loop", proxy.connection_string, "/", CALLS, threads, 1)
    assert proxy.requests[Op.GET_DATA] == threads * (CALLS + WARM_CALLS)
    # Of calls that follow each other, none at once with another of its thread.
    assert found["calls_per_second"] <= threads * 1e6 / found["mean_us"] * 1.01


def test_the_floor_of_a_get_is_as_many_as_it_says(proxy: TcpProxy) -> None:
    found = c_programs.run("floor_get", proxy.connection_string, "/", CALLS)
    assert proxy.requests[Op.GET_DATA] == CALLS + WARM_CALLS
    assert found["calls_per_second"] <= 1e6 / found["mean_us"] * 1.01


def test_a_node_that_is_not_there_ends_them(proxy: TcpProxy) -> None:
    for program, *more in (("floor_get",), ("get_loop", 1, 1)):
        with pytest.raises(subprocess.CalledProcessError):
            c_programs.run(program, proxy.connection_string, "/nowhere", CALLS, *more)
