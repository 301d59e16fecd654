"""`zk.tree`: a whole tree, live."""

from __future__ import annotations

import gc
import json
import logging
import threading
import weakref
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.sessions import OPEN
from zc.zk.watching.treechanges import Changes
from zc.zk.watching.treekeeper import Upkeep

NOBODY = [{"perms": zookeeper.PERM_ALL & ~zookeeper.PERM_READ, "scheme": "world", "id": "anyone"}]

TEXT = """\
/app : service
  name = 'shop'
  back -> /db
  /providers
    /one
      port = 1
    /two
      port = 2
/db
  url => /app name
"""


@pytest.fixture
def app(other: zc.zk.ZooKeeper) -> str:
    other.import_tree(TEXT)
    return "/app"


def follow(tree: Any) -> list[Changes]:
    """Return the list of what a callback is told from now on."""
    told: list[Changes] = []
    tree(lambda tree, changes: told.append(changes))
    del told[:]
    return told


class TestAsMapping:
    def test_it_has_all_nodes_depth_first(self, zk, app) -> None:
        tree = zk.tree(app)
        paths = ["/app", "/app/providers", "/app/providers/one", "/app/providers/two"]
        assert list(tree) == [node.path for node in tree.values()] == paths
        assert [path for path, _ in tree.items()] == paths
        assert len(tree) == 4
        assert "/app/providers" in tree
        assert "/db" not in tree
        assert (tree.path, tree.real_path, tree.deleted) == ("/app", "/app", False)
        assert tree.get("/app/none") is None
        assert 1 not in tree
        with pytest.raises(KeyError, match="/app/none"):
            tree["/app/none"]

    def test_a_node_has_data_properties_and_stat(self, zk, app) -> None:
        node = zk.tree(app)["/app"]
        data, stat = zk.get(app)
        assert (node.data, node.stat, node.error, node.name) == (data, stat, None, "app")
        assert node.properties == json.loads(data)
        assert node.properties["back ->"] == "/db", "links are shown as links"
        assert node.children == ["providers"]
        assert node.ephemeralOwner == 0

    def test_the_whole_of_the_servers_is_a_tree(self, zk, app) -> None:
        tree = zk.tree()
        assert {"/", "/app", "/db"} <= set(tree)
        assert tree["/"].name == ""
        assert tree["/app"].name == "app"

    def test_ephemeral_nodes_have_their_owner(self, zk, other, app) -> None:
        other.create("/app/mine", "", OPEN, zookeeper.EPHEMERAL)
        node = zk.tree(app)["/app/mine"]
        assert node.ephemeralOwner == other.client_id()[0]
        assert node.stat["ephemeralOwner"] == node.ephemeralOwner

    @pytest.mark.parametrize("data", ["\udcff\udc80", "{bad json}", "x" * 100_000, "", None])
    def test_data_are_kept_as_they_are(self, zk, other, app, data) -> None:
        other.create("/app/odd", data, OPEN)
        tree = zk.tree(app)
        assert tree["/app/odd"].data == data
        assert tree["/app/odd"].properties == zc.zk.decode(data)

    def test_nodes_are_as_they_were_and_the_tree_goes_on(self, zk, other, app) -> None:
        tree = zk.tree(app)
        node = tree["/app"]
        other.set("/app", "new")
        wait_until(lambda: tree["/app"].data == "new", "it is seen")
        assert node.properties["name"] == "shop"

    def test_depth_limits_the_levels(self, zk, other, app) -> None:
        assert list(zk.tree(app, depth=0)) == ["/app"]
        tree = zk.tree(app, depth=1)
        assert list(tree) == ["/app", "/app/providers"]
        other.create("/app/providers/three")
        other.create("/app/more")
        wait_until(lambda: "/app/more" in tree, "it is seen")
        assert "/app/providers/three" not in tree
        with pytest.raises(ValueError, match="must not be negative: -1"):
            zk.tree(app, depth=-1)

    def test_a_filter_leaves_out_nodes_and_what_is_below(self, zk, other, app) -> None:
        asked: set[str] = set()

        def accepts(path: str) -> bool:
            asked.add(path)
            return not path.startswith("/app/providers")

        tree = zk.tree(app, filter=accepts)
        assert list(tree) == ["/app"]
        other.create("/app/providers/three")
        other.create("/app/more")
        wait_until(lambda: list(tree) == ["/app", "/app/more"], "it is seen")
        assert asked == {"/app/providers", "/app/more"}, "nothing below is asked about"

    def test_a_filter_that_fails_is_told(self, zk, other, app, caplog) -> None:
        def accepts(path: str) -> bool:
            return bool(1 // len(tree_is_there))

        tree_is_there = [1]
        tree = zk.tree(app, filter=accepts)
        del tree_is_there[:]
        with pytest.raises(ZeroDivisionError):
            zk.tree(app, filter=accepts)
        other.create("/app/more")
        wait_until(lambda: "/app/more" in tree, "it is rather shown than lost")
        assert "the filter of a tree failed" in caplog.text


class TestWithoutRequests:
    def test_nodes_are_searched_by_pattern(self, zk, app) -> None:
        tree = zk.tree()

        def found(pattern: str) -> list[str]:
            return [node.path for node in tree.search(pattern)]

        assert found("/app/*") == ["/app/providers"]
        assert found("/*/providers/*") == ["/app/providers/one", "/app/providers/two"]
        assert found("/**/one") == found("/app/**/one") == ["/app/providers/one"]
        assert found("/app/**/providers") == ["/app/providers"]
        assert found("/app/providers/tw?") == found("/**wo") == ["/app/providers/two"]
        assert found("/app") == ["/app"]
        assert found("/nothing/*") == found("/ap") == []
        assert [node.path for node in tree.nodes("/app/providers")][1:] == found("/app/*/*")

    def test_it_is_exported_as_by_export_tree(self, zk, other, app) -> None:
        other.create("/app/mine", "", OPEN, zookeeper.EPHEMERAL)
        tree, part = zk.tree(), zk.tree(app)
        assert tree.export() == zk.export_tree()
        for ephemeral in (False, True):
            expected = zk.export_tree(app, ephemeral=ephemeral)
            assert tree.export(app, ephemeral=ephemeral) == expected
            assert part.export(ephemeral=ephemeral) == expected
        assert part.export(name="other") == zk.export_tree(app, name="other")
        assert tree.export("/app/providers/one") == zk.export_tree("/app/providers/one")
        with pytest.raises(ValueError, match="bad node name"):
            part.export(name="a/b")
        with pytest.raises(zookeeper.NoNodeException, match="/app/none"):
            part.export("/app/none")

    @pytest.mark.parametrize("path", ["/app/.", "/app/providers/..", "/.", "/app/.."])
    def test_a_path_with_dots_is_exported_as_by_export_tree(self, zk, app, path) -> None:
        assert zk.tree(path).export() == zk.export_tree(path)

    def test_it_is_compared_with_text(self, zk, app) -> None:
        text = TEXT.replace("port = 1", "port = 3") + "/new\n"
        expected = [str(change) for change in zk.plan_import(text)]
        changes = zk.tree().diff(text)
        assert [str(change) for change in changes] == expected
        assert {change.path for change in changes} == {"/app/providers/one", "/new"}
        assert zk.tree().diff(TEXT) == []
        trimmed = zk.tree(app).diff("/providers\n  /one\n    port = 1\n", trim=True)
        assert [change.path for change in trimmed] == ["/app/providers/two"]


class TestChanges:
    def test_callbacks_are_told_what_has_changed(self, zk, other, app) -> None:
        told: list[Changes] = []
        tree = zk.tree(app)

        @tree
        def changed(tree: Any, changes: Changes) -> None:
            told.append(changes)

        assert told.pop().added == list(tree)
        other.create("/app/providers/three", "3")
        wait_until(lambda: told, "it is told")
        assert told[0].added == ["/app/providers/three"]
        assert tree["/app/providers/three"].data == "3"
        wait_until(lambda: tree["/app/providers"].stat["numChildren"] == 3, "the stat is read")
        other.set("/app/providers/three", "4")
        wait_until(lambda: len(told) == 2, "it is told")
        assert told[1].changed == ["/app/providers/three"]
        other.delete("/app/providers/three")
        wait_until(lambda: len(told) == 3, "it is told")
        assert told[2].removed == ["/app/providers/three"]
        stat = zk.get("/app/providers")[1]
        wait_until(lambda: tree["/app/providers"].stat == stat, "the stat is read")
        assert not any(changes.added or changes.changed for changes in told[2:])

    def test_whole_subtrees_come_and_go(self, zk, other, app) -> None:
        tree = zk.tree(app)
        other.import_tree("/copy\n  /a\n    /b\n      /c\n        x = 1\n", "/app")
        wait_until(lambda: "/app/copy/a/b/c" in tree, "they are seen")
        assert tree.export() == zk.export_tree(app)
        other.delete_recursive("/app/copy")
        wait_until(lambda: len(tree) == 4, "they are gone")
        assert "/app/copy" not in tree

    def test_a_slow_callback_is_told_the_rest_at_once(self, zk, other, app) -> None:
        if zk._session.delivers_inline:
            pytest.skip("nothing goes on while a callback runs")
        begun, gate, told = threading.Event(), threading.Event(), []
        tree = zk.tree(app)

        @tree
        def changed(tree: Any, changes: Changes) -> None:
            told.append(changes)
            if len(told) == 2:
                begun.set()
                gate.wait(30)

        other.set("/app", "1")
        assert begun.wait(30)
        for number in range(20):
            other.create(f"/app/{number}")
            other.set("/app/providers", str(number))
        other.create("/app/brief")
        other.delete("/app/brief")
        other.create("/app/last")
        wait_until(lambda: len(tree) == 25 and "/app/last" in tree, "all is seen meanwhile")
        (log,) = tree._logs.values()
        wait_until(lambda: "/app/last" in log, "it waits to be told")
        gate.set()
        wait_until(lambda: len(told) > 2 and "/app/last" in told[-1].added, "it is told")
        assert len(told) == 3
        assert len(told[2].added) == 21
        assert told[2].removed == []
        assert told[2].changed == ["/app/providers"]

    def test_one_that_cancels_is_called_no_more(self, zk, other, app) -> None:
        told = Calls()
        tree = zk.tree(app)

        def once(tree: Any, changes: Changes) -> None:
            if changes.changed:
                raise zc.zk.CancelWatch

        tree(once)(told)
        other.set("/app", "1")
        told.wait(2)
        wait_until(lambda: tree.callbacks == [told], "it is dropped")
        assert tree.failed_calls == 0

    def test_changes_that_a_failed_call_was_told_are_told_again(self, client, other, app) -> None:
        zk = client(keep_callbacks=True)
        told: list[Changes] = []
        tree = zk.tree(app)

        @tree
        def changed(tree: Any, changes: Changes) -> None:
            told.append(changes)
            if changes.changed and len(told) < 3:
                raise OSError("disk full")

        other.set("/app", "1")
        wait_until(lambda: len(told) >= 2, "it is called")
        other.create("/app/more")
        wait_until(
            lambda: told[-1].added == ["/app/more"] and not any(tree._logs.values()), "all is told"
        )
        assert tree.failed_calls >= 1
        assert "/app" in {path for changes in told[2:] for path in changes.changed}

    def test_an_exception_of_the_first_call_propagates(self, zk, other, app) -> None:
        def bad(tree: Any, changes: Changes) -> None:
            raise KeyError("bad")

        tree = zk.tree(app)
        with pytest.raises(KeyError, match="bad"):
            tree(bad)
        assert tree.callbacks == []

    def test_a_callback_may_change_the_tree_and_make_another(self, zk, app) -> None:
        trees: list[Any] = []

        @zk.tree(app)
        def changed(tree: Any, changes: Changes) -> None:
            if changes.changed:
                trees.append(zk.tree("/app/providers"))
                zk.create("/app/made")
            elif changes.added == ["/app/made"]:
                trees.append("seen")

        zk.set("/app", "1")
        wait_until(lambda: len(trees) == 2, "it goes on")
        assert len(trees[0]) == 3
        assert changed.callbacks

    def test_one_that_nobody_refers_to_is_gone(self, zk, other, app) -> None:
        tree = zk.tree(app)
        assert len(zk.watches) == 1
        reference = weakref.ref(tree)
        del tree
        gc.collect()
        assert reference() is None
        wait_until(lambda: (zk.watches.wake_trees(), not zk.watches._trees)[1], "it ends")
        assert len(zk.watches) == 0
        other.set("/app", "1")

    def test_trees_may_overlap(self, zk, other, app) -> None:
        trees = [zk.tree("/"), zk.tree(app), zk.tree("/app/providers"), zk.tree(app)]
        watched = zk.properties("/app/providers/one"), zk.children("/app/providers")
        del trees[1]
        gc.collect()
        other.set("/app/providers/one", '{"port": 5}')
        other.create("/app/providers/three")
        wait_until(lambda: all("/app/providers/three" in tree for tree in trees), "all see it")
        assert {tree["/app/providers/one"].properties["port"] for tree in trees} == {5}
        wait_until(lambda: watched[0]["port"] == 5 and len(watched[1]) == 3, "others see it, too")


class TestTheTop:
    def test_a_missing_one_is_no_tree(self, zk) -> None:
        with pytest.raises(zookeeper.NoNodeException, match="/none"):
            zk.tree("/none")
        with pytest.raises(zookeeper.BadArgumentsException):
            zk.tree("none")
        wait_until(lambda: len(zk.watches) == 0, "nothing is left of it")

    def test_it_may_be_deleted_and_return(self, zk, other, app) -> None:
        tree = zk.tree(app)
        told = follow(tree)
        other.delete_recursive(app)
        wait_until(lambda: tree.deleted, "it is deleted")
        assert len(tree) == 0
        assert list(tree) == []
        assert repr(tree).startswith("DELETED: zc.zk.Tree(")
        wait_until(lambda: sum(len(changes.removed) for changes in told) == 4, "it is told")
        with pytest.raises(zookeeper.NoNodeException):
            tree.export()
        del told[:]
        other.import_tree(TEXT)
        wait_until(lambda: len(tree) == 4, "it is back")
        assert not tree.deleted
        assert tree.export() == zk.export_tree(app)
        wait_until(lambda: sum(len(changes.added) for changes in told) == 4, "it is told")

    def test_it_may_be_at_the_end_of_links(self, zk, other, app) -> None:
        other.import_tree("/apps\n  shop -> /app\n  to -> shop\n")
        tree = zk.tree("/apps/to")
        assert (tree.path, tree.real_path) == ("/apps/to", "/app")
        assert "/app/providers" in tree
        assert tree.export() == zk.export_tree("/apps/to")
        other.set("/app/providers", "1")
        wait_until(lambda: tree["/app/providers"].data == "1", "it is seen")

    def test_links_that_lead_elsewhere_move_it(self, zk, other, app) -> None:
        other.import_tree("/apps\n  shop -> /app\n/other\n  /one\n")
        tree = zk.tree("/apps/shop")
        told = follow(tree)
        other.set("/apps", '{"shop ->": "/other"}')
        wait_until(lambda: list(tree) == ["/other", "/other/one"], "it has moved")
        assert tree.real_path == "/other"
        wait_until(lambda: sum(len(changes.removed) for changes in told) == 4, "it is told")
        assert sorted(path for changes in told for path in changes.added) == list(tree)
        other.create("/other/two")
        wait_until(lambda: "/other/two" in tree, "it is seen")
        other.create("/apps/shop")
        wait_until(lambda: list(tree) == ["/apps/shop"], "a node hides the link")
        other.delete("/apps/shop")
        wait_until(lambda: "/other/two" in tree, "the link leads there again")

    def test_links_that_change_while_it_is_read_move_it(self, zk, other, app, monkeypatch) -> None:
        other.import_tree("/apps\n  shop -> /app\n/other\n  /one\n")
        begin = Upkeep.begin

        def begin_late(upkeep: Upkeep) -> None:
            if upkeep.root == "/app":
                # It is subscribed behind the tree, and so sees the change when the tree has.
                seen = zk.properties("/apps")
                other.set("/apps", '{"shop ->": "/other"}')
                wait_until(lambda: seen.get("shop ->") == "/other", "the change is seen")
            begin(upkeep)

        monkeypatch.setattr(Upkeep, "begin", begin_late)
        tree = zk.tree("/apps/shop")
        wait_until(lambda: list(tree) == ["/other", "/other/one"], "it has moved")

    def test_links_that_come_to_lead_nowhere_leave_it_empty(self, zk, other, app) -> None:
        other.import_tree("/apps\n  shop -> /app\n")
        tree = zk.tree("/apps/shop")
        told = follow(tree)
        for dangling in ('{"shop ->": "/none"}', "{}", '{"shop ->": "/apps/shop"}'):
            other.set("/apps", dangling)
            wait_until(lambda: tree.deleted, "it is deleted")
            assert list(tree) == []
            wait_until(lambda: sum(len(changes.removed) for changes in told) == 4, "it is told")
            other.create("/app/more")
            other.delete("/app/more")
            del told[:]
            other.set("/apps", '{"shop ->": "/app"}')
            wait_until(lambda: list(tree) == list(zk.tree(app)), "it is back")
            wait_until(lambda: sum(len(changes.added) for changes in told) == 4, "it is told")
            del told[:]
        other.set("/app/providers", "1")
        wait_until(lambda: tree["/app/providers"].data == "1", "it goes on")

    def test_a_link_takes_the_place_of_a_node_that_is_gone(self, zk, other, app) -> None:
        tree = zk.tree(app)
        other.delete_recursive(app)
        wait_until(lambda: tree.deleted, "it is gone")
        other.set("/", '{"app ->": "/db"}')
        wait_until(lambda: list(tree) == ["/db"], "the link is followed")
        other.create(app)
        wait_until(lambda: list(tree) == ["/app"], "the node is back")

    def test_links_that_lead_nowhere_are_an_error(self, zk, other) -> None:
        other.import_tree("/apps\n  a -> b\n  b -> a\n  c -> /none\n")
        with pytest.raises(zc.zk.LinkLoop):
            zk.tree("/apps/a")
        with pytest.raises(zookeeper.NoNodeException):
            zk.tree("/apps/c")


class TestNodesThatMayNotBeRead:
    def test_the_top_is_an_error(self, zk, other, app) -> None:
        other.create("/secret", "", NOBODY)
        with pytest.raises(zookeeper.NoAuthException, match="/secret"):
            zk.tree("/secret")

    def test_those_below_are_marked(self, zk, other, app) -> None:
        other.create("/app/secret", "hidden", NOBODY)
        tree = zk.tree(app)
        node = tree["/app/secret"]
        assert isinstance(node.error, zookeeper.NoAuthException)
        assert (node.data, node.stat, node.properties, node.ephemeralOwner) == (None, None, {}, 0)
        assert len(tree) == 5
        with pytest.raises(zookeeper.NoAuthException):
            tree.export()
        with pytest.raises(zookeeper.NoAuthException):
            tree.export("/app/secret")

    @pytest.mark.not_emulated("its worker has nothing that wakes it")
    def test_they_are_looked_at_again(self, zk, other, app) -> None:
        other.create("/app/secret", "hidden", NOBODY)
        tree = zk.tree(app)
        told = follow(tree)
        other.set_acl("/app/secret", -1, OPEN)
        wait_until(lambda: tree["/app/secret"].data == "hidden", "it can be read", 30)
        wait_until(lambda: told and told[-1].changed == ["/app/secret"], "it is told")

    def test_one_that_comes_later_is_marked_when_a_sibling_comes(self, zk, other, app) -> None:
        """Servers tell nothing of nodes that the client may not read."""
        tree = zk.tree(app)
        other.create("/app/secret", "hidden", NOBODY)
        other.create("/app/more")
        wait_until(lambda: "/app/secret" in tree, "it is seen")
        assert tree["/app/secret"].error is not None
        assert "/app/more" in tree

    @pytest.mark.not_emulated("its worker has nothing that wakes it")
    def test_one_that_goes_is_gone(self, zk, other, app) -> None:
        other.create("/app/secret", "hidden", NOBODY)
        tree = zk.tree(app)
        other.delete("/app/secret")
        wait_until(lambda: "/app/secret" not in tree, "it is gone", 30)

    def test_the_top_may_become_one(self, zk, other, app) -> None:
        tree = zk.tree(app)
        other.set_acl(app, -1, NOBODY)
        other.create("/app/more")
        wait_until(lambda: tree[app].error is not None, "it is marked")
        assert "/app/more" in tree, "what is below goes on"


def test_an_error_in_the_upkeep_of_one_tree_leaves_the_others(
    zk, other, app, monkeypatch, caplog
) -> None:
    bad, good = zk.tree(app), zk.tree(app)
    upkeep = bad._upkeep

    def fail(*_: Any) -> None:
        monkeypatch.undo()
        raise ArithmeticError("bad luck")

    monkeypatch.setattr(upkeep.agenda, "take", fail)
    with caplog.at_level(logging.ERROR):
        other.create("/app/more")
        wait_until(lambda: "/app/more" in good, "the others go on")
    assert "could not be updated" in caplog.text
    zk.watches.wake_trees()
    wait_until(lambda: "/app/more" in bad, "it is made good by itself")
