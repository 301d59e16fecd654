"""setUp and tearDown: the place in which a doctest or a unittest runs."""

from __future__ import annotations

import doctest
import unittest
from collections.abc import Iterator
from typing import Any

import pytest

import zc.zk
import zc.zk.testing
import zookeeper
from tests import sessions
from tests.servers import Server
from zc.zk.testing import Emulation

CONNECTION_STRING = "zookeeper.example.com:2181"


class Test(unittest.TestCase):
    """Of no use but for its attributes."""

    def runTest(self) -> None: ...


@pytest.fixture
def test() -> Iterator[Any]:
    """A test that has been set up."""
    test = Test()
    zc.zk.testing.setUp(test)
    yield test
    zc.zk.testing.tearDown(test)


def functions() -> dict[str, object]:
    return {name: getattr(zookeeper, name) for name in dir(zookeeper)}


def test_a_unittest_gets_attributes_and_loses_them(test: Any) -> None:
    assert isinstance(test.ZooKeeper, Emulation)
    vars(test)["assert_"](True)
    with pytest.raises(AssertionError, match="so"):
        vars(test)["assert_"](0, "so")
    assert test.wait_until(lambda: 7) == 7
    other = Test()
    before = set(vars(other))
    zc.zk.testing.setUp(other)
    assert set(vars(other)) > before
    zc.zk.testing.tearDown(other)
    assert set(vars(other)) == before


def test_a_doctest_gets_globals() -> None:
    example = doctest.DocTestParser().get_doctest(
        """
        >>> import zc.zk
        >>> with zc.zk.ZooKeeper('zookeeper.example.com:2181') as zk:
        ...     zk.handle
        ...     zk.print_tree()
        0
        /fooservice
          database = '/databases/foomain'
          favorite_color = 'red'
          threads = 1
          /providers
        >>> assert_(len(ZooKeeper.sessions) == 0)
        >>> wait_until(lambda: 'yes')
        'yes'
        """,
        {},
        "example",
        None,
        0,
    )
    zc.zk.testing.setUp(example)
    try:
        failures: list[str] = []
        result = doctest.DocTestRunner().run(example, out=failures.append, clear_globs=False)
        assert (result.attempted, result.failed) == (4, 0), "".join(failures)
    finally:
        zc.zk.testing.tearDown(example)
    assert "ZooKeeper" not in example.globs


def test_everything_is_as_before_afterwards() -> None:
    before = functions()
    outer, inner = Test(), Test()
    zc.zk.testing.setUp(outer)
    between = functions()
    assert between != before
    zc.zk.testing.setUp(inner)
    zc.zk.testing.tearDown(inner)
    assert functions() == between
    zc.zk.testing.tearDown(outer)
    assert functions() == before


def test_a_set_up_that_fails_leaves_nothing_behind() -> None:
    before = functions()
    with pytest.raises(ValueError, match="1"):
        zc.zk.testing.setUp(Test(), tree="this is no tree")
    assert functions() == before


def test_the_tree_and_the_connection_string_can_be_others() -> None:
    test = Test()
    zc.zk.testing.setUp(test, "/other\n  x = 1\n", "elsewhere.example.com:1,there.example.com:2")
    try:
        with zc.zk.ZooKeeper("there.example.com:2") as zk:
            assert sorted(zk.get_children("/")) == ["other", "zookeeper"]
            assert zk.get_properties("/other") == {"x": 1}
    finally:
        zc.zk.testing.tearDown(test)


def test_clients_that_were_left_open_are_closed(test: Any) -> None:
    other = Test()
    zc.zk.testing.setUp(other, connection_string="other.example.com:2181")
    left = zc.zk.ZooKeeper("other.example.com:2181")
    zc.zk.testing.tearDown(other)
    assert left.handle is None
    with zc.zk.ZooKeeper(CONNECTION_STRING) as zk:
        left.close()
        assert zk.get_children("/fooservice") == ["providers"]


def test_a_client_of_other_servers_waits_until_it_is_let_in(
    test: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 0.01)
    with pytest.raises(zc.zk.FailedConnect):
        zc.zk.ZooKeeper("elsewhere.example.com:2181")
    test.ZooKeeper._allow_connection("elsewhere.example.com:2181")
    with zc.zk.ZooKeeper("elsewhere.example.com:2181") as zk:
        assert zk.get_children("/fooservice") == ["providers"]


def test_with_the_variable_the_suite_runs_on_a_real_server(
    real_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ZOOKEEPER_CONNECTION", real_server.connection_string)
    test: Any = Test()
    with sessions.session(zookeeper, real_server.connection_string) as handle:
        before = sorted(zookeeper.get_children(handle, "/"))
        zc.zk.testing.setUp(test)
        (root,) = set(zookeeper.get_children(handle, "/")) - set(before)
        assert test.ZooKeeper is None
        with (
            zc.zk.ZooKeeper(CONNECTION_STRING) as zk,
            zc.zk.ZooKeeper(CONNECTION_STRING + "/fooservice") as inner,
        ):
            assert zookeeper.event_thread(zk.handle) is not None
            assert zk.get_children("/zookeeper") == ["quota"]
            assert inner.get_children("/") == ["providers"]
            zk.create("/left", "", zc.zk.OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
            names = zookeeper.get_children(handle, f"/{root}")
            assert sorted(names) == ["fooservice", "left", "zookeeper"]
        zc.zk.testing.tearDown(test)
        assert sorted(zookeeper.get_children(handle, "/")) == before
