"""Imports of what an export writes are not parsed, and end as those that are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zc.zk
import zookeeper
from tests.awkward import never_answer
from tests.pure.test_unparsed import altered, data
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op, Request
from zc.zk import OPEN_ACL_UNSAFE
from zc.zk.operations import import_
from zc.zk.operations.place import MANY_SUBTREES, Place
from zc.zk.tree import unparsed
from zc.zk.tree.changes import Change
from zc.zk.tree.parse import parse_tree

TREE = """\
/app : web
  threads = 3
  /main
    /providers
  /odd
    string_value = 'x y'
/empty
/last
  x = 1
"""
NOT_TO_BE_READ = [zc.zk.world_permission(zookeeper.PERM_ALL & ~zookeeper.PERM_READ)]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that are parsed although they might have been exports."""
    texts: list[str] = []

    def parse(text: str) -> Any:
        texts.append(text)
        return parse_tree(text)

    monkeypatch.setattr(unparsed, "_parse", parse)
    return texts


def plan_parsed(zk: zc.zk.ZooKeeper, text: str, path: str = "/", **options: Any) -> list[Change]:
    """Plan as for any other tree that is parsed."""
    plan = import_.make_plan(
        zk._session, parse_tree(text), path, acl=OPEN_ACL_UNSAFE, options=import_.Options(**options)
    )
    return [*plan]


def outcome(call: Callable[[], Any]) -> object:
    """Return the changes of a plan, or the exception's type and text."""
    try:
        return [*call()]
    except Exception as fault:
        return type(fault), str(fault)


class TestUnchanged:
    @pytest.mark.parametrize("trim", [None, True, False])
    def test_nothing_is_parsed_written_or_told(self, zk, parsed, capsys, trim) -> None:
        zk.import_tree(TREE)
        parsed.clear()
        before = [(node.path, node.stat) for node in zk.read_tree("/")]
        zk.import_tree(TREE, trim=trim, strict=True)
        zk.import_tree(TREE, trim=trim, dry_run=True, verbose=True)
        plan = zk.plan_import(TREE, trim=trim)
        assert parsed == []
        assert [(node.path, node.stat) for node in zk.read_tree("/")] == before
        assert capsys.readouterr().out == ""
        assert (repr(plan), str(plan), [*plan], plan.losses) == ("<Plan of 0 changes>", "", [], [])
        assert plan.zxid >= max(stat["mzxid"] for _, stat in before)
        plan.apply()

    def test_nor_below_another_node(self, zk, parsed) -> None:
        zk.import_tree("/some\n  /where\n")
        zk.import_tree(TREE, "/some/where")
        parsed.clear()
        zk.import_tree(zk.export_tree("/some/where/app"), "/some/where", trim=True)
        assert parsed == []

    @pytest.mark.parametrize("trim", [None, True, False])
    def test_nor_beside_ephemeral_nodes_that_an_export_leaves_out(
        self, zk, other, parsed, capsys, trim
    ) -> None:
        zk.import_tree(TREE)
        other.register("/app/main/providers", "1.2.3.4:80")
        parsed.clear()
        zk.import_tree(TREE, trim=trim)
        assert (parsed, plan_parsed(zk, TREE, trim=trim)) == ([], [])
        assert zk.get_children("/app/main/providers") == ["1.2.3.4:80"]
        assert capsys.readouterr().out == ""

    def test_a_review_sees_a_plan_without_changes(self, zk, parsed) -> None:
        zk.import_tree(TREE)
        parsed.clear()
        seen: list[Any] = []
        options = import_.Options(review=lambda plan: seen.append([*plan]))
        source = unparsed.read_text(TREE)
        plan = import_.import_tree(zk._session, source, "/", acl=OPEN_ACL_UNSAFE, options=options)
        assert (len(plan), seen, parsed) == (0, [[]], [])


class TestParsed:
    """Texts and nodes of which an export tells too little."""

    @pytest.mark.parametrize(
        "text",
        [
            f"# mine\n{TREE}", f"{TREE}\n", TREE.replace("    /providers", "     /providers"),
            TREE.replace("3", "0x3"), TREE.replace("/main", "/'main'"), TREE.replace("\n", "\r\n"),
            TREE.replace("/empty\n", "") + "/empty\n", TREE.replace("3", "4"), TREE + "/new\n",
            TREE.replace("  /main\n    /providers\n", ""), TREE.replace("    /providers\n", ""),
            TREE.replace("/app : web\n", "/app : web\n  = acl world:anyone:r\n"),
            TREE.replace("/app : web\n", "/app : web\n  = container\n"), "/empty\n/app : web\n",
        ],
        ids=range(14),
    )  # fmt: skip
    @pytest.mark.parametrize("trim", [None, True, False])
    def test_another_text_is_planned_as_it_says(self, zk, text, trim) -> None:
        zk.import_tree(TREE)
        assert [*zk.plan_import(text, trim=trim)] == plan_parsed(zk, text, trim=trim)

    @pytest.mark.parametrize("trim", [None, True, False])
    def test_ephemeral_nodes_in_the_text_and_not_in_it(self, zk, other, parsed, trim) -> None:
        zk.import_tree("/a\n  /b\n")
        other.create("/a/b/e", "", flags=zookeeper.EPHEMERAL)
        other.create("/e", "", flags=zookeeper.EPHEMERAL)
        for text in ("/a\n  /b\n    /e\n", "/e\n", "/a\n  /b\n/e\n", "/e\n  /below\n"):
            parsed.clear()
            made = outcome(lambda text=text: zk.plan_import(text, trim=trim))
            assert len(parsed) == 1
            assert made == outcome(lambda text=text: plan_parsed(zk, text, trim=trim))

    def test_acls_that_are_to_be_reset(self, zk, parsed) -> None:
        zk.import_tree("/a\n  /b\n")
        own = [zc.zk.world_permission(zookeeper.PERM_ALL), *zc.zk.READ_ACL_UNSAFE]
        parsed.clear()
        zk.import_tree("/a\n  /b\n", acl=own, reset_acls=True)
        assert len(parsed) == 1
        assert zk.get_acl("/a/b")[1] == own

    @pytest.mark.parametrize("node", ["/a", "/a/b", "/a/b/c"])
    def test_nodes_that_cannot_be_read(self, zk, parsed, node) -> None:
        text = "/a\n  /b\n    /c\n"
        zk.import_tree(text)
        zk.set_acl(node, -1, NOT_TO_BE_READ)
        parsed.clear()
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.import_tree(text)
        assert (caught.value.path, len(parsed)) == (node, 1)
        skipped: list[str] = []
        zk.import_tree(text, skip=lambda path, fault: skipped.append(path))
        assert skipped == [node]

    def test_a_path_with_links(self, zk) -> None:
        zk.import_tree("/real\n  /a\n    x = 1\n/links\n  here -> /real\n")
        assert len(zk.plan_import("/a\n  x = 1\n", "/links/here")) == 0
        assert str(zk.plan_import("/a\n  x = 2\n", "/links/here")) == (
            "/real/a x change from 1 to 2"
        )

    def test_more_nodes_at_the_top_than_are_read_one_by_one(self, zk, parsed) -> None:
        text = "".join(f"/n{number:02}\n  /child\n" for number in range(MANY_SUBTREES + 1))
        zk.import_tree(text)
        parsed.clear()
        assert len(zk.plan_import(text)) == 0
        assert len(zk.plan_import(text.replace("00", "new"))) == 2
        assert len(parsed) == 2

    def test_servers_own_nodes_are_told_of(self, connection_string, parsed) -> None:
        with zc.zk.ZooKeeper(connection_string) as zk:
            text = zk.export_tree("/zookeeper")
            assert [*zk.plan_import(text, trim=True)] == plan_parsed(zk, text, trim=True)
        assert len(parsed) == 1


class TestFaults:
    BAD = "/a\n  what?\n"

    def test_those_of_the_text_come_before_all_others(self, zk, monkeypatch) -> None:
        class Enough(Exception):
            pass

        def enough(*done: object) -> None:
            raise Enough

        monkeypatch.setattr(import_, "read_place", enough)
        with pytest.raises(Enough):
            zk.import_tree("/a\n")
        for call in (zk.import_tree, zk.plan_import):
            with pytest.raises(ValueError, match="line 2"):
                call(self.BAD)
            with pytest.raises(ValueError, match="line 2"):
                call(self.BAD, acl=[])

    def test_nothing_is_waited_for_where_there_is_no_connection(self, zk, monkeypatch) -> None:
        monkeypatch.setattr(import_, "read_place", lambda *arguments: pytest.fail("it is asked"))
        zk.close()
        with pytest.raises(ValueError, match="line 2"):
            zk.import_tree(self.BAD)
        with pytest.raises(ValueError, match="line 2"):
            zk.plan_import(self.BAD)

    def test_a_change_after_the_look_is_seen_by_the_next_import(
        self, zk, other, monkeypatch, parsed
    ) -> None:
        zk.import_tree(TREE)
        tops = Place.tops

        def changed(place: Place) -> Any:
            other.set("/last", '{"x":2}')
            return tops(place)

        parsed.clear()
        with monkeypatch.context() as patched:
            patched.setattr(Place, "tops", changed)
            zk.import_tree(TREE)  # it was as the text says when it was read
        assert (zk.get_properties("/last"), parsed) == ({"x": 2}, [])
        zk.import_tree(TREE)
        assert (zk.get_properties("/last"), len(parsed)) == ({"x": 1}, 1)

    def test_a_conflict_is_planned_again_from_the_parsed_text(
        self, zk, other, monkeypatch, parsed
    ) -> None:
        zk.import_tree("/a\n  x = 1\n")
        parsed.clear()
        seen = Place.seen
        meanwhile = ['{"x":3}', '{"x":4}']

        def changed(place: Place, *arguments: Any, **options: Any) -> Any:
            states = seen(place, *arguments, **options)
            if meanwhile:
                other.set("/a", meanwhile.pop())
            return states

        monkeypatch.setattr(Place, "seen", changed)
        zk.import_tree("/a\n  x = 2\n")
        assert (zk.get_properties("/a"), len(parsed), meanwhile) == ({"x": 2}, 1, [])

    @pytest.mark.parametrize("place", range(4))
    @pytest.mark.parametrize("text", ["/a\n  /b\n    x = 1\n", "/a\n  /b\n    x = 2\n"])
    @pytest.mark.not_emulated("it has no network")
    def test_a_connection_that_is_lost_while_nodes_are_read(
        self, client, server, root, other, place, text
    ) -> None:
        other.import_tree("/a\n  /b\n    x = 1\n")
        left = [place]
        reads = (Op.MULTI_READ, Op.GET_DATA, Op.GET_CHILDREN, Op.GET_CHILDREN2)

        def on_request(request: Request) -> bool:
            if request.op in reads and left:
                left[0] -= 1
                if left[0] < 0:
                    left.clear()
                    return False
            return True

        with TcpProxy(server.connection_string, on_request) as proxy:
            zk = client(proxy.connection_string + root)
            zk.import_tree(text)
            assert other.export_tree() == text
            with pytest.raises(ValueError, match="line 2"):
                zk.import_tree(self.BAD)
            zk.close()

    @pytest.mark.not_emulated("it has no network")
    def test_a_bad_text_is_told_when_no_server_answers(self, client, server, root) -> None:
        with TcpProxy(server.connection_string) as proxy:
            zk = client(proxy.connection_string + root, session_timeout=4000)
            zk.create("/a")
            proxy.on_request = never_answer(Op.MULTI_READ)
            with pytest.raises(ValueError, match="line 2"):
                zk.import_tree(self.BAD)
            proxy.on_request = None
            zk.close()

    @pytest.mark.not_emulated("it has no network")
    def test_it_takes_no_more_requests_whether_it_differs_or_not(self, client, proxy, root) -> None:
        zk = client(proxy.connection_string + root)
        zk.import_tree(TREE)

        def requests_of(call: Callable[[], object]) -> int:
            before = sum(proxy.requests.values()) - proxy.requests[Op.PING]
            call()
            return sum(proxy.requests.values()) - proxy.requests[Op.PING] - before

        for text in (TREE, TREE.replace("3", "4"), TREE + "/new\n", f"# mine\n{TREE}"):
            assert requests_of(lambda text=text: zk.plan_import(text)) == requests_of(
                lambda text=text: plan_parsed(zk, text)
            )


names = st.sampled_from(["a", "b", "c", "é", "x y", "1:80"])
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.just({}),
    lambda below: st.dictionaries(names, st.tuples(data, below), max_size=3),
    max_leaves=6,
)


@pytest.mark.first
@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(trees, st.booleans(), st.booleans(), st.sampled_from([None, True, False]), st.data())
def test_plans_are_those_of_parsed_texts(zk, tree, has_session, ephemeral, trim, draw) -> None:
    operations: list[Any] = []
    to_do = [("", tree)]
    while to_do:
        path, children = to_do.pop()
        for name, (content, below) in children.items():
            flags = zookeeper.EPHEMERAL if has_session and not below and name < "b" else 0
            operations.append(("create", f"{path}/{name}", content, OPEN_ACL_UNSAFE, flags))
            to_do.append((f"{path}/{name}", below))
    if operations:
        zk.multi(operations)
    try:
        text = draw.draw(altered(zk.export_tree(ephemeral=ephemeral)))
        assert outcome(lambda: zk.plan_import(text, trim=trim)) == outcome(
            lambda: plan_parsed(zk, text, trim=trim)
        )
    finally:
        for name in tree:
            zk.delete_recursive(f"/{name}", force=True)
