"""Nothing waits for ever: each call ends though servers say nothing.

The servers accept connections and say nothing. The deadlines of the tests are far beyond those of
the calls, as machines may be busy; a call that has none at all fails its test all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from tests.library.forked import fault_in_a_child
from tests.tcpproxy import TcpProxy

SESSION_MILLISECONDS = int(scaled(1_000))

# A call that lasts for so long (seconds) counts as one that does not end.
NEVER = 30

TREE = "/tree\n  n = 1\n  /twig\n"


@pytest.fixture
def prepared(client, proxy: TcpProxy, root: str) -> Iterator[zc.zk.ZooKeeper]:
    """Return a client of a server that is about to hang."""
    zk = client(proxy.connection_string + root, session_timeout=SESSION_MILLISECONDS)
    zk.import_tree(TREE)
    yield zk
    proxy.resume()


def outcome_of(call: Callable[[], object]) -> object:
    """Return what a call raises or returns. Fail when it does not end."""
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(call())
        except Exception as fault:
            outcomes.append(fault)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(scaled(NEVER))
    assert outcomes, "it does not end"
    return outcomes[0]


def is_retriable(outcome: object) -> bool:
    return isinstance(outcome, zookeeper.SessionError) and outcome.is_retriable


CALLS: dict[str, Callable[[zc.zk.ZooKeeper], object]] = {
    "get": lambda zk: zk.get("/tree"),
    "set": lambda zk: zk.set("/tree", "x"),
    "create": lambda zk: zk.create("/other"),
    "delete": lambda zk: zk.delete("/tree/twig"),
    "multi": lambda zk: zk.multi([("check", "/tree", -1)]),
    "read_tree": lambda zk: zk.read_tree("/tree"),
    "sync": lambda zk: zk.sync("/"),
    "get_properties": lambda zk: zk.get_properties("/tree"),
    "is_ephemeral": lambda zk: zk.is_ephemeral("/tree"),
    "create_recursive": lambda zk: zk.create_recursive("/a/b/c"),
    "ln": lambda zk: zk.ln("/tree", "/tree/link"),
    "resolve": lambda zk: zk.resolve("/tree/link/x"),
    "children": lambda zk: zk.children("/tree"),
    "properties": lambda zk: zk.properties("/tree"),
    "a look without watching": lambda zk: zk.properties("/tree", watch=False),
    "walk": lambda zk: list(zk.walk("/tree")),
    "walk with children": lambda zk: list(zk.walk("/tree", children=True)),
    "export_tree": lambda zk: zk.export_tree("/tree"),
    "import_tree": lambda zk: zk.import_tree("/tree\n  n = 2\n", trim=True),
    "import_tree, dry": lambda zk: zk.import_tree("/tree\n  n = 2\n", dry_run=True),
    "plan_import": lambda zk: zk.plan_import("/tree\n  n = 2\n"),
    "plan_delete": lambda zk: zk.plan_delete("/tree"),
    "delete_recursive": lambda zk: zk.delete_recursive("/tree"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_fails_as_one_without_a_connection_does(prepared, proxy, name) -> None:
    proxy.stall()
    assert is_retriable(outcome_of(lambda: CALLS[name](prepared)))


def test_a_write_of_a_live_object_fails_and_changes_nothing_here(prepared, proxy) -> None:
    properties = prepared.properties("/tree")
    proxy.stall()
    for write in (
        lambda: properties.set(n=2),
        lambda: properties.update(n=2),
        lambda: properties.update(lambda now: {"n": now["n"] + 1}),
    ):
        assert is_retriable(outcome_of(write))
    assert properties["n"] == 1


def test_a_plan_that_cannot_be_applied_fails(prepared, proxy) -> None:
    plan = prepared.plan_import("/tree\n  n = 2\n")
    proxy.stall()
    assert is_retriable(outcome_of(plan.apply))


def test_a_registration_is_left_for_later(prepared, proxy, other) -> None:
    proxy.stall()
    registration = outcome_of(lambda: prepared.register("/tree", ("1.2.3.4", 80)))
    assert isinstance(registration, zc.zk.Registration)
    assert registration.state == "pending"
    assert outcome_of(lambda: registration.update(n=1)) is None
    proxy.resume()
    wait_until(lambda: other.exists("/tree/1.2.3.4:80"), "it is registered", 30)
    wait_until(lambda: str(registration.state) == "registered", "it knows", 30)
    proxy.stall()
    assert outcome_of(registration.unregister) is None
    proxy.resume()
    wait_until(lambda: not other.exists("/tree/1.2.3.4:80"), "it is gone", 30)


def test_the_timeout_given_is_the_one_that_counts(client, proxy, root) -> None:
    zk = client(proxy.connection_string + root, session_timeout=int(scaled(200_000)))
    proxy.stall()
    for call in (
        lambda: zk.get("/", timeout=0.05),
        lambda: zk.multi([("check", "/", -1)], timeout=0.05),
        lambda: zk.read_tree("/", timeout=0.05),
        lambda: zk.sync("/", timeout=0.05),
    ):
        assert isinstance(outcome_of(call), zookeeper.OperationTimeoutException)
    proxy.resume()


def test_leaving_a_with_block_takes_seconds_at_most(client, proxy, root) -> None:
    def leave() -> None:
        with client(proxy.connection_string + root, session_timeout=int(scaled(200_000))) as zk:
            zk.register_server("/", ("localhost", 80))
            zk.children("/")(lambda children: None)
            proxy.stall()

    assert outcome_of(leave) is None
    proxy.resume()


@pytest.mark.not_over_tls("what it is told is of a handshake then")
def test_a_new_client_gives_up_after_its_initial_wait(proxy, monkeypatch) -> None:
    monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 0.1)
    proxy.stall()
    fault = outcome_of(lambda: zc.zk.ZooKeeper(proxy.connection_string))
    assert isinstance(fault, zc.zk.FailedConnect)
    assert "(connections are accepted, and no session is opened)" in str(fault)
    proxy.resume()


def test_reopening_in_a_child_gives_up_after_the_initial_wait(client, proxy, root) -> None:
    zk = client(proxy.connection_string + root)
    zk.initial_connection_wait = 0.1
    proxy.stall()
    fault = fault_in_a_child(zk.reopen)
    assert fault.startswith("FailedConnect(")
    assert "no answer within 0.1 seconds" in fault
    proxy.resume()


@pytest.mark.not_emulated("the server is elsewhere, or nowhere")
def test_a_server_that_is_stopped_is_no_different(client, own_server) -> None:
    zk = client(own_server.connection_string, session_timeout=SESSION_MILLISECONDS)
    zk.import_tree(TREE)
    own_server.pause()
    try:
        for name in ("get", "children", "export_tree", "import_tree"):
            assert is_retriable(outcome_of(partial(CALLS[name], zk))), name
        assert outcome_of(zk.close) is None
    finally:
        own_server.resume()


def test_work_on_trees_goes_on_with_another_server(client, proxy, connection_string, root) -> None:
    with TcpProxy(connection_string) as second:
        second.refuse()
        hosts = f"{proxy.connection_string},{second.connection_string}{root}"
        zk = client(hosts, session_timeout=4 * SESSION_MILLISECONDS)
        second.allow()
        proxy.stall()
        assert outcome_of(lambda: zk.import_tree(TREE)) is None
        assert outcome_of(lambda: zk.export_tree("/tree")) == TREE
        proxy.resume()
        zk.close()
