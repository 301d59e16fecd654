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
from tests.deadlines import wait_until
from tests.servers import Server
from zc.zk.testing import Emulation

CONNECTION_STRING = "zookeeper.example.com:2181"


def handle_of(zk: zc.zk.ZooKeeper) -> int:
    assert zk.handle is not None
    return zk.handle


class Test(unittest.TestCase):
    """A test that is used for its attributes alone."""

    def runTest(self) -> None: ...


@pytest.fixture
def test() -> Iterator[Any]:
    """Yield a test that has been set up."""
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


class TestBesideTheBinding:
    """Clients of a server on this machine, while the emulation is active."""

    @pytest.fixture
    def server(self) -> Iterator[zc.zk.testing.Server]:
        with zc.zk.testing.Server() as server:
            yield server

    def use(self, zk: zc.zk.ZooKeeper, name: str) -> list[list[str]]:
        """Do a bit of everything; return the values that a live object saw."""
        zk.import_tree(f"/{name}\n  x = 1\n  /providers\n")
        told: list[list[str]] = []
        providers = zk.children(f"/{name}/providers")
        providers(lambda providers: told.append(sorted(providers)))
        zk.register_server(f"/{name}/providers", "1.2.3.4:80")
        wait_until(lambda: told[-1:] == [["1.2.3.4:80"]], "the live object is told")
        assert zk.export_tree(f"/{name}") == f"/{name}\n  x = 1\n  /providers\n"
        zk.delete_recursive(f"/{name}", force=True)
        return told

    def test_both_work_in_one_test(self, test: Any, server: zc.zk.testing.Server) -> None:
        with (
            zc.zk.ZooKeeper(server.connection_string) as real,
            zc.zk.ZooKeeper(CONNECTION_STRING) as emulated,
        ):
            assert emulated.handle == 0
            assert real.handle != 0
            assert zookeeper.event_thread(handle_of(real)) is not None
            assert zookeeper.event_thread(handle_of(emulated)) is None
            real.create("/only-here")
            assert not emulated.exists("/only-here")
            self.use(real, "real")
            self.use(emulated, "emulated")

    def test_lost_sessions_of_either_are_the_other_s_business(
        self, test: Any, server: zc.zk.testing.Server
    ) -> None:
        with (
            zc.zk.ZooKeeper(server.connection_string) as real,
            zc.zk.ZooKeeper(CONNECTION_STRING) as emulated,
        ):
            for zk in real, emulated:
                zk.create_recursive("/providers")
                zk.register_server("/providers", "1.2.3.4:80")
            before, sessions = real.handle, server.sessions()
            test.ZooKeeper.sessions[0].expire()
            assert emulated.get_children("/providers") == ["1.2.3.4:80"]
            assert real.handle == before
            server.expire()
            wait_until(lambda: server.sessions() not in (sessions, []), "there is another session")

            def is_registered() -> bool:
                try:
                    return real.get_children("/providers") == ["1.2.3.4:80"]
                except zookeeper.ConnectionLossException:
                    return False  # the client has not got the new session yet

            wait_until(is_registered, "it is registered again")
            assert emulated.get_children("/providers") == ["1.2.3.4:80"]

    def test_clients_that_were_there_before_go_on(self, server: zc.zk.testing.Server) -> None:
        with zc.zk.ZooKeeper(server.connection_string) as real:
            taken = real.handle
            test: Any = Test()
            zc.zk.testing.setUp(test)
            try:
                with zc.zk.ZooKeeper(CONNECTION_STRING) as emulated:
                    assert emulated.handle != taken
                    assert real.handle == taken
                    self.use(real, "real")
                    self.use(emulated, "emulated")
            finally:
                zc.zk.testing.tearDown(test)
            assert real.handle == taken
            self.use(real, "again")

    def test_handles_and_completions_are_told_apart(
        self, test: Any, server: zc.zk.testing.Server
    ) -> None:
        called: list[tuple[Any, ...]] = []
        real = zookeeper.init(server.connection_string)
        emulated = zookeeper.init(hosts=CONNECTION_STRING)
        assert emulated == 0
        wait_until(lambda: zookeeper.state(real) == zookeeper.CONNECTED_STATE, "it is connected")
        for handle in real, emulated:
            zookeeper.aexists(handle, "/fooservice", None, lambda *got: called.append(got[:2]))
        wait_until(lambda: len(called) == 2, "both are answered")
        assert sorted(called) == sorted([(real, zookeeper.NONODE), (emulated, zookeeper.OK)])
        assert zookeeper.get_children(h=emulated, path="/zookeeper") == ["quota"]
        for handle in emulated, real:
            assert zookeeper.close(handle) == zookeeper.OK
            with pytest.raises(zookeeper.InvalidStateException, match=f"handle {handle} is closed"):
                zookeeper.close(handle)
        wrong: Any
        for wrong in (True, None, "0", [], 0.0):
            with pytest.raises(TypeError):
                zookeeper.state(wrong)

    def test_many_are_closed_wherever_they_are(
        self, test: Any, server: zc.zk.testing.Server
    ) -> None:
        handles = [zookeeper.init(place) for place in (server.connection_string, CONNECTION_STRING)]
        wait_until(lambda: server.sessions(), "it is connected")
        assert zookeeper.close_many(iter([*handles, 77])) == zookeeper.OK
        for handle in handles:
            with pytest.raises(zookeeper.InvalidStateException):
                zookeeper.state(handle)
        assert not test.ZooKeeper.sessions
        wait_until(lambda: not server.sessions(), "the session is over")

    def test_several_emulations_and_the_binding(
        self, test: Any, server: zc.zk.testing.Server
    ) -> None:
        other: Any = Test()
        zc.zk.testing.setUp(other, "/other\n", "other.example.com:2181")
        places = (CONNECTION_STRING, "other.example.com:2181", server.connection_string)
        clients = [zc.zk.ZooKeeper(place) for place in places]
        try:
            assert len({zk.handle for zk in clients}) == 3
            tops = [sorted(zk.get_children("/")) for zk in clients]
            assert tops == [["fooservice", "zookeeper"], ["other", "zookeeper"], ["zookeeper"]]
        finally:
            for zk in clients:
                zk.close()
            zc.zk.testing.tearDown(other)

    def test_a_place_on_this_machine_can_be_emulated(self) -> None:
        test: Any = Test()
        zc.zk.testing.setUp(test, "/here\n", "127.0.0.1:2181")
        try:
            with zc.zk.ZooKeeper("127.0.0.1:2181") as zk:
                assert sorted(zk.get_children("/")) == ["here", "zookeeper"]
                assert zookeeper.event_thread(handle_of(zk)) is None
        finally:
            zc.zk.testing.tearDown(test)

    @pytest.mark.parametrize(
        "hosts", ["1.2.3.4:2181", "real.example.com:2181", "127.0.0.1:1,real.example.com:1"]
    )
    def test_no_server_elsewhere_is_reached_by_mistake(self, test: Any, hosts: str) -> None:
        handle = zookeeper.init(hosts)
        assert zookeeper.event_thread(handle) is None
        assert zookeeper.state(handle) == zookeeper.CONNECTING_STATE
        test.ZooKeeper._allow_connection(hosts)
        assert zookeeper.state(handle) == zookeeper.CONNECTED_STATE

    def test_a_bad_connection_string_is_refused_as_ever(self, test: Any) -> None:
        for nonsense in "nonsense", "", "h:x":
            with pytest.raises(zookeeper.BadArgumentsException):
                zookeeper.init(nonsense)
        with pytest.raises(TypeError):
            zookeeper.init(None)  # type: ignore[arg-type]

    def test_a_test_may_patch_functions_meanwhile(
        self, test: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with zc.zk.ZooKeeper(CONNECTION_STRING) as zk, monkeypatch.context() as patch:
            patch.setattr(zookeeper, "get", lambda handle, path: ("{}", {"handle": handle}))
            assert zk.get("/x") == ("{}", {"handle": 0})

    def test_a_function_patched_before_is_what_others_reach(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(zookeeper, "state", lambda handle: 4711 + handle)
        test: Any = Test()
        zc.zk.testing.setUp(test)
        try:
            handle = zookeeper.init(CONNECTION_STRING)
            assert zookeeper.state(handle) == zookeeper.CONNECTED_STATE
            assert zookeeper.state(999) == 4711 + 999
        finally:
            zc.zk.testing.tearDown(test)
        assert zookeeper.state(1) == 4712


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
            assert zookeeper.event_thread(handle_of(zk)) is not None
            assert zk.get_children("/zookeeper") == ["quota"]
            assert inner.get_children("/") == ["providers"]
            zk.create("/left", "", zc.zk.OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
            names = zookeeper.get_children(handle, f"/{root}")
            assert sorted(names) == ["fooservice", "left", "zookeeper"]
        zc.zk.testing.tearDown(test)
        assert sorted(zookeeper.get_children(handle, "/")) == before
