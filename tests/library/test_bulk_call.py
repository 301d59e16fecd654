"""A call of many answers goes on while its caller does something else."""

from __future__ import annotations

import select
from functools import partial
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.deadlines import wait_until
from tests.sessions import OPEN
from tests.tcpproxy import TcpProxy
from zc.zk.session import bulkcall

pytestmark = pytest.mark.not_emulated("answers come while it is called")

OPERATIONS: list[Any] = [("create", f"/n{number}", "", OPEN) for number in range(20)]


def begin(zk: zc.zk.ZooKeeper, operations: Any = OPERATIONS) -> bulkcall.BulkCall | None:
    handle = zk.handle
    assert handle is not None
    later = partial(zookeeper.awrite_many, handle, operations)
    return bulkcall.begin(handle, later, zk._session.binding)


def begun(zk: zc.zk.ZooKeeper) -> bulkcall.BulkCall:
    call = begin(zk)
    assert call is not None
    return call


def test_its_results_are_there_when_it_is_waited_for(zk, other):
    call = begun(zk)
    wait_until(lambda: len(other.get_children("/")) == 20, "it is done without a wait")
    assert call.wait() == [path for _, path, *_ in OPERATIONS]


def test_one_that_is_given_up_is_done_all_the_same(zk, other):
    begun(zk).close()
    wait_until(lambda: len(other.get_children("/")) in (0, 20), "it is done, or was not sent")


def test_a_lost_connection_is_told_to_the_one_who_waits(client, proxy: TcpProxy, root):
    zk = client(proxy.connection_string + root)
    proxy.on_request = lambda request: False
    call = begun(zk)
    proxy.cut()
    outcome = call.wait()
    assert {type(result) for result in outcome} <= {
        zookeeper.ConnectionLossException, zookeeper.NothingException
    }  # fmt: skip


def test_a_closed_client_ends_it(client, proxy: TcpProxy, root):
    zk = client(proxy.connection_string + root)
    proxy.on_request = lambda request: False
    call = begun(zk)
    zk.close()
    try:
        assert all(isinstance(result, Exception) for result in call.wait())
    except zookeeper.ZooKeeperException:
        pass


def test_bad_arguments_are_told_at_once(zk):
    with pytest.raises(zookeeper.BadArgumentsException):
        begin(zk, [("create", "no path", "", OPEN)])


def test_without_descriptors_it_has_to_be_waited_for(zk, monkeypatch):
    def none_left() -> None:
        raise zookeeper.SystemErrorException("no descriptors")

    monkeypatch.setattr(zookeeper, "CompletionQueue", none_left)
    assert begin(zk) is None


def test_without_a_way_to_wait_for_it_it_is_not_begun(zk, monkeypatch):
    monkeypatch.delattr(select, "poll")
    assert begin(zk) is None
