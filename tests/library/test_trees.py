"""Import, export, deletion and walks on real nodes."""

from __future__ import annotations

import math
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.pure.strategies import Tree, data
from tests.reference import EXPORTED
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, formats
from zc.zk.operations import walk
from zc.zk.tree.changes import AddNode, DeleteNode, SetData

TREE = EXPORTED[: EXPORTED.index("/retail : z4m")]

WITHOUT_RETAIL = TREE[: TREE.index("    /retail")].replace("threads = 3", "threads = 4")


class TestWaysToExport:
    def test_a_path_with_dots_gives_the_name_of_the_node_it_leads_to(self, zk) -> None:
        zk.import_tree("/a\n  x = 1\n  /b\n    y = 2\n")
        whole = "/a\n  x = 1\n  /b\n    y = 2\n"
        for path in ("/a", "/a/.", "/a/b/..", "/a/./b/../../a", "/./a"):
            text = zk.export_tree(path)
            assert text == whole, path
            zk.import_tree(text, "/new")
        assert zk.export_tree("/a/..", name="top") == (
            "/top\n  /a\n    x = 1\n    /b\n      y = 2\n  /new\n    /a\n      x = 1\n      /b\n"
            "        y = 2\n"
        )

    def test_a_path_that_leads_to_the_root_leaves_the_root_out(self, zk) -> None:
        zk.import_tree("/a\n  x = 1\n")
        for path in ("/", "/.", "/..", "/a/.."):
            assert zk.export_tree(path) == "/a\n  x = 1\n", path

    def test_a_name_that_no_node_can_have_is_refused(self, zk) -> None:
        zk.create("/a")
        for name in ("", "a/b", "..", "a\0"):
            with pytest.raises(ValueError, match="bad node name"):
                zk.export_tree("/a", name=name)
        wrong: list[Any] = [[], 5, b"a"]
        for value in wrong:
            with pytest.raises(TypeError, match="a node's name must be str, not"):
                zk.export_tree("/a", name=value)

    def test_a_link_keeps_its_own_name(self, zk) -> None:
        zk.import_tree("/a\n  x = 1\n/l\n  here -> /a\n")
        assert zk.export_tree("/l/here") == "/here\n  x = 1\n"
        assert zk.export_tree("/l/here/.") == "/a\n  x = 1\n"

    @pytest.mark.parametrize("path", ["/", "/.", "/..", "/{}/..", "/{}/up"])
    def test_servers_own_nodes_are_left_out_whatever_leads_to_the_root(
        self, connection_string, path
    ) -> None:
        """Without a root of the client's, as there is beside other tests."""
        top = f"top{uuid.uuid4().hex}"
        with zc.zk.ZooKeeper(connection_string) as zk:
            zk.import_tree(f"/{top}\n  up -> ..\n")
            try:
                assert zk.exists("/zookeeper")
                text = zk.export_tree(path.format(top))
            finally:
                zk.delete_recursive(f"/{top}")
        assert f"/{top}" in text
        assert "/zookeeper" not in text
        assert "/quota" not in text


class TestImport:
    @pytest.mark.parametrize("path", ["/", "/some", "/links/./here"])
    @pytest.mark.parametrize(
        "acl",
        [[], [{}], [5], 5, None, "world:anyone:r", [{"perms": 1, "scheme": "world", "id": 5}]],
    )
    def test_a_bad_acl_is_refused_before_anything_is_planned(self, zk, path, acl) -> None:
        for call in (zk.plan_import, zk.import_tree):
            with pytest.raises(zookeeper.InvalidACLException, match="invalid acl: /"):
                call("/x\n", path, acl=acl)
        assert zk.get_children("/") == []

    def test_a_tree_that_is_imported_is_exported(self, zk, capsys) -> None:
        zk.import_tree(TREE)
        assert zk.export_tree() == TREE
        assert capsys.readouterr().out == ""

    def test_at_a_path(self, zk) -> None:
        zk.create_recursive("/some/place")
        zk.import_tree("/a\n  x = 1\n", "/some/place")
        assert zk.get_properties("/some/place/a") == {"x": 1}
        zk.import_tree("/b\n", "/some/place/")
        assert sorted(zk.get_children("/some/place")) == ["a", "b"]

    def test_at_a_path_that_is_missing(self, zk, capsys) -> None:
        zk.import_tree("/a\n  /b\n", "/some/place", dry_run=True)
        assert capsys.readouterr().out == "add /some\n"
        assert not zk.exists("/some")
        zk.import_tree("/a\n  /b\n", "/some/place")
        assert zk.exists("/some/place/a/b")

    def test_at_a_path_with_links(self, zk) -> None:
        zk.import_tree("/real\n/links\n  here -> /real\n")
        zk.import_tree("/a\n", "/links/here")
        assert zk.exists("/real/a")

    def test_a_node_that_the_text_lacks_is_reported_kept_or_trimmed(self, zk, capsys) -> None:
        zk.import_tree(TREE)
        zk.import_tree(WITHOUT_RETAIL)
        assert capsys.readouterr().out == "extra path not trimmed: /lb/pools/retail\n"
        assert zk.get_properties("/cms")["threads"] == 4
        zk.import_tree(WITHOUT_RETAIL, trim=False)
        assert capsys.readouterr().out == ""
        zk.import_tree(WITHOUT_RETAIL, trim=True, dry_run=True)
        assert capsys.readouterr().out == "would delete /lb/pools/retail.\n"
        assert zk.exists("/lb/pools/retail")
        zk.import_tree(WITHOUT_RETAIL, trim=True)
        assert capsys.readouterr().out == ""
        assert zk.export_tree() == WITHOUT_RETAIL

    def test_top_level_nodes_are_never_trimmed(self, zk, capsys) -> None:
        zk.import_tree("/a\n/b\n")
        zk.import_tree("/a\n", trim=True)
        assert zk.exists("/b")
        assert capsys.readouterr().out == ""

    def test_ephemeral_nodes_are_never_trimmed(self, zk, capsys) -> None:
        zk.import_tree(TREE)
        zk.register_server("/lb/pools/retail", ("1.2.3.4", 80))
        zk.register_server("/cms/providers", ("1.2.3.4", 80))
        zk.import_tree(WITHOUT_RETAIL, trim=True)
        assert capsys.readouterr().out.splitlines() == [
            "Not deleting /lb/pools/retail/1.2.3.4:80 because it's ephemeral.",
            "/lb/pools/retail not deleted due to ephemeral descendent.",
        ]
        assert zk.exists("/lb/pools/retail")

    def test_a_dry_run_tells_everything_and_does_nothing(self, zk, capsys) -> None:
        zk.import_tree(TREE)
        before = zk.export_tree()
        text = "/cms : other\n  /new\n    x = 1\n    /below\n  link -> /lb\n"
        zk.import_tree(text, trim=True, dry_run=True)
        assert capsys.readouterr().out.splitlines() == [
            "/cms remove property threads = 3",
            "/cms type change from 'z4m cms' to 'other'",
            "/cms add link link -> /lb",
            "would delete /cms/databases/main/providers.",
            "would delete /cms/databases/main.",
            "would delete /cms/databases.",
            "would delete /cms/providers.",
            "add /cms/new",
        ]
        zk.import_tree(text, dry_run=True, verbose=True)
        assert "/cms/new add property x = 1" in capsys.readouterr().out
        assert zk.export_tree() == before

    def test_new_nodes_get_the_acl(self, zk) -> None:
        zk.import_tree("/a\n")
        zk.import_tree("/a\n  /b\n", acl=READ_ACL_UNSAFE + OPEN_ACL_UNSAFE)
        assert zk.get_acl("/a")[1] == OPEN_ACL_UNSAFE
        assert zk.get_acl("/a/b")[1] == READ_ACL_UNSAFE + OPEN_ACL_UNSAFE

    @pytest.mark.parametrize("trim", [None, True, False])
    def test_nodes_that_are_there_keep_their_acl(self, zk, trim) -> None:
        own = [zc.zk.world_permission(zookeeper.PERM_ALL), *READ_ACL_UNSAFE]
        zk.import_tree("/a\n  x = 1\n  /b\n", acl=own)
        zk.import_tree("/a\n  x = 2\n  /b\n    y = 1\n", "/", trim, READ_ACL_UNSAFE)
        zk.import_tree("/a\n  x = 3\n  /b\n", "/", trim)
        assert zk.get_properties("/a") == {"x": 3}
        assert zk.get_acl("/a") == ({**zk.get_acl("/a")[0], "aversion": 0}, own)
        assert zk.get_acl("/a/b") == ({**zk.get_acl("/a/b")[0], "aversion": 0}, own)

    def test_a_bad_line_changes_nothing(self, zk) -> None:
        with pytest.raises(ValueError, match="line 2"):
            zk.import_tree("/a\n  what?\n/b\n")
        assert zk.get_children("/") == []

    def test_bytes_are_refused(self, zk) -> None:
        for work in (zk.import_tree, zk.plan_import):
            with pytest.raises(TypeError, match="tree text must be str, not bytes"):
                work(b"/a\n")

    def test_of_a_small_plan_all_or_nothing_is_done(self, zk, other) -> None:
        zk.import_tree("/a\n  /b\n  /c\n")
        plan = zk.plan_import("/a\n  x = 1\n  /new\n  /c\n    y = 1\n", trim=True)
        other.set("/a/c", "theirs")
        with pytest.raises(zookeeper.BadVersionException):
            plan.apply()
        assert zk.export_tree() == "/a\n  /b\n  /c\n    string_value = 'theirs'\n"

    def test_an_unchanged_tree_writes_nothing_and_wakes_nobody(self, zk, other) -> None:
        text = "/top\n" + "".join(f"  /n{i}\n    x = {i}\n" for i in range(2000))
        zk.import_tree(text)
        callback = Calls()
        children, properties = zk.children("/top")(callback), zk.properties("/top/n7")(callback)
        before = {node.path: node.stat for node in other.read_tree("/")}
        other.import_tree(text, trim=True)
        assert {node.path: node.stat for node in other.read_tree("/")} == before
        other.create("/top/last")
        callback.wait(3)
        assert (len(callback), len(children), properties["x"]) == (3, 2001, 7)

    def test_more_than_one_transaction_can_hold(self, zk) -> None:
        text = "/top\n" + "".join(f"  /n{i}\n    x = {'y' * 500!r}\n" for i in range(3000))
        told = Calls()
        zk.import_tree(text, progress=told)
        assert told.all()[-1] == (3001, 3001)
        assert len(zk.get_children("/top")) == 3000
        zk.import_tree("/top\n", trim=True)
        assert zk.get_children("/top") == []

    def test_many_top_level_nodes(self, zk, capsys) -> None:
        text = "".join(f"/n{i}\n  /child\n" for i in range(100))
        zk.create("/unrelated")
        zk.import_tree(text)
        zk.import_tree(text.replace("/child", "/other"), trim=True)
        assert sorted(zk.export_tree().splitlines()) == sorted(
            ["/unrelated", *text.replace("/child", "/other").splitlines()]
        )

    def test_an_unreadable_node_is_an_error_that_names_it(self, zk) -> None:
        zk.import_tree("/a\n  /secret\n")
        zk.set_acl("/a/secret", -1, [zc.zk.world_permission(zookeeper.PERM_ALL & ~1)])
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.import_tree("/a\n  /secret\n    x = 1\n")
        assert caught.value.path == "/a/secret"

    def test_data_that_do_not_fit_are_an_error_that_names_node_and_limit(self, zk) -> None:
        with pytest.raises(zookeeper.BadArgumentsException, match="limit") as caught:
            zk.import_tree(f"/a\n  /big\n    x = {'y' * 2_000_000!r}\n")
        assert caught.value.path == "/a/big"
        assert zk.get_children("/") == []

    @pytest.mark.parametrize(
        ("last", "error"),
        [
            ("  /'bad\\x01name'\n", zookeeper.BadArgumentsException),
            ("  /big\n    x = '" + "x" * 2_000_000 + "'\n", zookeeper.BadArgumentsException),
            ("  /x\n    bad = (\n", ValueError),
        ],
    )
    def test_a_fault_in_the_last_of_many_nodes_changes_nothing(self, zk, last, error) -> None:
        many = "/a\n" + "".join(f"  /n{number}\n    number = {number}\n" for number in range(2000))
        with pytest.raises(error):
            zk.import_tree(many + last)
        assert zk.get_children("/") == []

    def test_a_progress_function_that_raises_gives_up(self, zk) -> None:
        class Enough(Exception):
            pass

        def enough(done: int, total: int | None) -> None:
            raise Enough

        zk.import_tree("/a\n")
        with pytest.raises(Enough):
            zk.export_tree(progress=enough)
        with pytest.raises(Enough):
            zk.import_tree("/b\n" + "".join(f"  /n{i}\n" for i in range(1000)), progress=enough)
        with pytest.raises(Enough):
            zk.delete_recursive("/b", progress=enough)


class TestPlan:
    def test_it_is_a_sequence_of_changes_that_can_be_read(self, zk) -> None:
        zk.import_tree(TREE)
        plan = zk.plan_import(WITHOUT_RETAIL.replace("/main", "/new"), trim=True)
        assert [type(change) for change in plan] == [
            SetData, DeleteNode, DeleteNode, AddNode, AddNode, DeleteNode,
        ]  # fmt: skip
        assert len(plan) == 6
        assert plan[0].path == "/cms"
        assert str(plan).splitlines() == [
            "/cms threads change from 3 to 4",
            "would delete /cms/databases/main/providers.",
            "would delete /cms/databases/main.",
            "add /cms/databases/new",
            "would delete /lb/pools/retail.",
        ]
        assert repr(plan) == "<Plan of 6 changes>"
        assert zk.export_tree() == TREE
        plan.apply()
        assert zk.export_tree() == WITHOUT_RETAIL.replace("/main", "/new")
        assert len(zk.plan_import(WITHOUT_RETAIL.replace("/main", "/new"), trim=True)) == 0

    def test_it_is_applied_once_only(self, zk) -> None:
        plan = zk.plan_import("/a\n")
        assert repr(plan) == "<Plan of 1 change>"
        plan.apply()
        with pytest.raises(zookeeper.NodeExistsException):
            plan.apply()


class TestExport:
    def test_a_part_under_a_name(self, zk) -> None:
        zk.import_tree(TREE)
        assert zk.export_tree("/lb/pools/cms") == (
            "/cms\n  address = '1.2.3.4:80'\n  providers -> /cms/providers\n"
        )
        assert zk.export_tree("/cms/databases/", name="other") == (
            "/other\n  /main\n    /providers\n"
        )
        assert zk.export_tree(name="all").startswith("/all\n  /cms : z4m cms\n    threads = 3\n")

    @pytest.mark.parametrize("name", ["", ".", "..", "x/y", "/x", "a\0b"])
    def test_a_name_that_no_node_can_have_is_refused(self, zk, name) -> None:
        for path in ("/", "/missing"):
            with pytest.raises(ValueError, match="bad node name") as caught:
                zk.export_tree(path, name=name)
            assert repr(name) in str(caught.value)

    def test_ephemeral_nodes_only_when_asked_for(self, zk, capsys) -> None:
        zk.create("/providers")
        zk.register_server("/providers", ("1.2.3.4", 80), pid=1)
        assert zk.export_tree() == "/providers\n"
        with_them = "/providers\n  /1.2.3.4:80\n    pid = 1\n"
        assert zk.export_tree(ephemeral=True) == with_them
        zk.print_tree()
        assert capsys.readouterr().out == with_them
        zk.print_tree("/providers/1.2.3.4:80")
        assert capsys.readouterr().out == "/1.2.3.4:80\n  pid = 1\n"

    def test_zookeepers_own_node_is_left_out(self, client, connection_string) -> None:
        whole = client(connection_string)
        assert "zookeeper" in whole.get_children("/")
        assert "/zookeeper" not in whole.export_tree().split()
        assert whole.export_tree("/zookeeper").startswith("/zookeeper\n")

    def test_links_in_the_path_are_followed(self, zk) -> None:
        zk.import_tree("/real\n  x = 1\n/links\n  here -> /real\n")
        assert zk.export_tree("/links/here") == "/here\n  x = 1\n"

    def test_nothing_is_nothing(self, zk) -> None:
        assert zk.export_tree() == ""

    def test_a_missing_node_is_an_error_that_names_it(self, zk) -> None:
        with pytest.raises(zookeeper.NoNodeException) as caught:
            zk.export_tree("/missing")
        assert caught.value.path == "/missing"

    def test_a_node_that_may_not_be_read_is_an_error_that_names_it(self, zk) -> None:
        zk.import_tree("/a\n  /secret\n")
        zk.set_acl("/a/secret", -1, [zc.zk.world_permission(zookeeper.PERM_ALL & ~1)])
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.export_tree()
        assert caught.value.path == "/a/secret"


class TestDeletion:
    def test_a_node_goes_with_all_below_it(self, zk, capsys) -> None:
        zk.import_tree(TREE)
        zk.delete_recursive("/lb")
        assert zk.get_children("/") == ["cms"]
        assert capsys.readouterr().out == ""

    def test_ephemeral_nodes_and_those_above_them_stay(self, zk, capsys) -> None:
        zk.import_tree("/service\n  /other\n  /providers\n")
        for port in (1, 2):
            zk.register_server("/service/providers", ("host", port))
        zk.delete_recursive("/service", dry_run=True)
        assert capsys.readouterr().out.splitlines() == [
            "would delete /service/other.",
            "wouldn't delete /service/providers/host:1 because it's ephemeral.",
            "wouldn't delete /service/providers/host:2 because it's ephemeral.",
            "/service/providers not deleted due to ephemeral descendent.",
            "/service not deleted due to ephemeral descendent.",
        ]
        assert zk.exists("/service/other")
        zk.delete_recursive("/service")
        assert capsys.readouterr().out.splitlines() == [
            "Not deleting /service/providers/host:1 because it's ephemeral.",
            "Not deleting /service/providers/host:2 because it's ephemeral.",
            "/service/providers not deleted due to ephemeral descendent.",
            "/service not deleted due to ephemeral descendent.",
        ]
        assert not zk.exists("/service/other")
        zk.delete_recursive("/service/providers/host:1", ignore_if_ephemeral=True)
        assert capsys.readouterr().out == ""
        zk.delete_recursive("/service", force=True)
        assert not zk.exists("/service")

    def test_a_plan_shows_what_it_deletes_and_deletes_just_that(self, zk, capsys) -> None:
        zk.import_tree("/service\n  /other\n  /providers\n")
        zk.create("/service/providers/e", flags=zookeeper.EPHEMERAL)
        plan = zk.plan_delete("/service")
        assert plan.deletions == ["/service/other"]
        assert str(plan).splitlines()[:2] == [
            "would delete /service/other.",
            "wouldn't delete /service/providers/e because it's ephemeral.",
        ]
        zk.create("/service/new")
        plan.apply()
        assert sorted(zk.get_children("/service")) == ["new", "providers"]
        assert capsys.readouterr().out == ""

    def test_a_plan_is_not_applied_when_somebody_else_has_been_there(self, zk, other) -> None:
        zk.import_tree("/a\n  /b\n")
        plan = zk.plan_delete("/a")
        other.create("/a/b/c")
        with pytest.raises(zookeeper.NotEmptyException):
            plan.apply()
        assert zk.exists("/a/b/c")

    def test_a_node_of_ours_that_a_plan_deletes_is_not_made_again(self, zk, other) -> None:
        zk.import_tree("/service\n")
        registration = zk.register("/service", ("host", 1))
        zk.create("/service/e", flags=zookeeper.EPHEMERAL)
        zk.plan_delete("/service", force=True).apply()
        assert not other.exists("/service")
        assert registration.state == "ended"

    def test_a_node_of_ours_that_a_plan_fails_to_delete_stays(self, zk, other) -> None:
        zk.import_tree("/service\n")
        registration = zk.register("/service", ("host", 1))
        plan = zk.plan_delete("/service", force=True)
        other.create("/service/new")
        with pytest.raises(zookeeper.NotEmptyException):
            plan.apply()
        assert registration.state == "registered"
        other.delete("/service/host:1")
        wait_until(lambda: other.exists("/service/host:1"), "it is made again")

    def test_a_plan_for_a_missing_node_is_an_error(self, zk) -> None:
        for path, fault in (
            ("/missing", zookeeper.NoNodeException),
            ("/", zookeeper.BadArgumentsException),
        ):
            with pytest.raises(fault):
                zk.plan_delete(path)

    def test_links_are_not_followed(self, zk) -> None:
        zk.import_tree("/real\n/links\n  here -> /real\n")
        with pytest.raises(zookeeper.NoNodeException):
            zk.delete_recursive("/links/here")
        assert zk.exists("/real")

    def test_the_root_is_refused(self, zk) -> None:
        zk.create("/a")
        with pytest.raises(zookeeper.BadArgumentsException, match="root"):
            zk.delete_recursive("/")
        assert zk.exists("/a")

    def test_a_missing_node_is_an_error_that_names_it(self, zk) -> None:
        with pytest.raises(zookeeper.NoNodeException) as caught:
            zk.delete_recursive("/missing")
        assert caught.value.path == "/missing"

    def test_without_a_permission_it_is_an_error(self, zk) -> None:
        zk.import_tree("/a\n  /b\n    /c\n")
        zk.set_acl("/a/b", -1, [zc.zk.world_permission(zookeeper.PERM_ALL & ~8)])
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.delete_recursive("/a")
        assert caught.value.path == "/a/b/c"
        zk.set_acl("/a/b", -1, OPEN_ACL_UNSAFE)


# 301 nodes below and at /top.
WIDE_AND_DEEP = "/top\n" + "".join(
    f"  /n{number:03}\n    /below\n      /deep\n" for number in range(100)
)


def node_by_node(other: zc.zk.ZooKeeper, children: bool) -> Iterator[Any]:
    """Walk as `walk` does, one node after another, with any number of requests."""
    to_do = ["/"]
    while to_do:
        path = to_do.pop()
        try:
            names = sorted(other.get_children(path))
            yield (path, names) if children else path
            if not children:
                names = sorted(other.get_children(path))
        except zookeeper.NoNodeException:
            continue
        to_do += [f"{path.rstrip('/')}/{name}" for name in reversed(names)]


def walked(
    walk: Callable[..., Iterator[Any]],
    zk: zc.zk.ZooKeeper,
    other: zc.zk.ZooKeeper,
    seed: int,
    children: bool,
) -> list[Any]:
    """Return what a walk shows whose steps change other nodes of the tree."""
    chance = random.Random(seed)
    zk.import_tree(WIDE_AND_DEEP[: WIDE_AND_DEEP.index("/n020")], trim=True)
    seen = []
    for step in walk(children=children):
        seen.append((step[0], list(step[1])) if children else step)
        number = chance.randrange(40)
        place = f"/top/n{number % 20:03}"
        if number < 10:
            _ignoring(other.delete_recursive, place)
        elif number < 20:
            _ignoring(other.create, f"{place}/new{number}")
        elif number < 25:
            _ignoring(other.delete_recursive, f"{place}/below")
            _ignoring(other.create, f"{place}/below")
        elif number < 30 and children:
            del step[1][:1]
    return seen


class Readings:
    """The reads of many nodes: subtrees by path, others by their number."""

    def __init__(self) -> None:
        self.trees: list[str] = []
        self.nodes: list[int] = []


@pytest.fixture
def readings(monkeypatch) -> Readings:
    made = Readings()
    read_tree, get_many = zookeeper.read_tree, zookeeper.get_many

    def noting_read_tree(handle: int, path: str, **arguments: Any) -> zookeeper.Subtree:
        made.trees.append(path)
        return read_tree(handle, path, **arguments)

    def noting_get_many(handle: int, paths: list[str], **arguments: Any) -> Any:
        made.nodes.append(len(paths))
        return get_many(handle, paths, **arguments)

    monkeypatch.setattr(zookeeper, "read_tree", noting_read_tree)
    monkeypatch.setattr(zookeeper, "get_many", noting_get_many)
    return made


class TestWalk:
    def test_nodes_come_before_their_children_sorted_by_name(self, zk) -> None:
        zk.import_tree(TREE)
        assert list(zk.walk()) == [
            "/", "/cms", "/cms/databases", "/cms/databases/main", "/cms/databases/main/providers",
            "/cms/providers", "/lb", "/lb/pools", "/lb/pools/cms", "/lb/pools/retail",
        ]  # fmt: skip
        assert list(zk.walk("/lb/pools")) == ["/lb/pools", "/lb/pools/cms", "/lb/pools/retail"]

    def test_ephemeral_nodes_can_be_left_out(self, zk) -> None:
        zk.create("/a")
        zk.create("/a/e", flags=zookeeper.EPHEMERAL)
        assert list(zk.walk()) == ["/", "/a", "/a/e"]
        assert list(zk.walk(ephemeral=False)) == ["/", "/a"]
        assert list(zk.walk(ephemeral=False, children=True)) == [("/", ["a"]), ("/a", [])]

    def test_with_children_the_caller_chooses_where_to_go(self, zk) -> None:
        zk.import_tree(TREE)
        seen = []
        for path, names in zk.walk(children=True):
            seen.append((path, list(names)))
            if path == "/":
                names.remove("cms")
            if path == "/lb/pools":
                del names[:]
        assert seen == [("/", ["cms", "lb"]), ("/lb", ["pools"]), ("/lb/pools", ["cms", "retail"])]

    @pytest.mark.parametrize("children", [False, True])
    def test_a_change_made_on_the_way_is_seen(self, zk, other, children) -> None:
        zk.import_tree("/a\n  /gone\n    /deep\n/b\n/c\n  /below\n")
        seen = []
        for step in zk.walk(children=children):
            path = step[0] if children else step
            seen.append(path)
            if path == "/a":
                other.delete_recursive("/a/gone")
            if path == "/b":
                other.delete_recursive("/c")
                if not children:
                    other.create("/b/new")
        expected = ["/", "/a", "/b"] if children else ["/", "/a", "/b", "/b/new"]
        assert seen == expected

    def test_a_missing_node_is_an_error(self, zk) -> None:
        with pytest.raises(zookeeper.NoNodeException):
            list(zk.walk("/missing"))

    @pytest.mark.parametrize("children", [False, True])
    @pytest.mark.parametrize("seed", range(5))
    def test_a_walk_amid_changes_goes_where_a_reader_of_each_node_goes(
        self, zk, other, seed, children
    ) -> None:
        assert walked(zk.walk, zk, other, seed, children) == walked(
            partial(node_by_node, other), zk, other, seed, children
        )

    def test_it_may_go_on_in_another_thread(self, zk, other) -> None:
        zk.import_tree("/a\n  /gone\n/b\n  /gone\n/c\n")
        walk = zk.walk()
        seen = []

        def step() -> None:
            seen.append(next(walk))
            if seen[-1] in ("/a", "/b"):
                other.delete(f"{seen[-1]}/gone")

        for _ in range(4):
            thread = threading.Thread(target=step)
            thread.start()
            thread.join()
        assert seen == ["/", "/a", "/b", "/c"]

    @pytest.mark.parametrize("children", [False, True])
    def test_a_walk_that_waits_at_each_node_costs_a_small_reading_each(
        self, zk, readings, children
    ) -> None:
        zk.import_tree(WIDE_AND_DEEP)
        for _ in zk.walk("/top", children=children):
            time.sleep(0.0002)
        assert readings.trees == ["/top"]
        assert len(readings.nodes) < 2 * 301
        assert sum(readings.nodes) < 4 * 301

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_a_walk_that_just_computes_has_nothing_read_again(self, zk, readings) -> None:
        """Others may take the processor, but not at every other node."""
        zk.import_tree(WIDE_AND_DEEP)
        for _ in zk.walk("/top"):
            ready_at = time.monotonic() + 0.0002
            while time.monotonic() < ready_at:
                pass
        assert readings.trees == ["/top"]
        assert len(readings.nodes) < 301 / 2

    def test_after_a_change_only_what_is_concerned_is_read_anew(self, zk, other, readings) -> None:
        zk.import_tree(WIDE_AND_DEEP)
        for path in zk.walk("/top"):
            if path == "/top/n000/below":
                other.create("/top/n050/new")
        assert readings.trees == ["/top", "/top/n050"]

    @pytest.mark.parametrize("children", [False, True])
    @pytest.mark.parametrize("how", ["client", "other client", "raw", "asynchronous"])
    def test_a_change_by_this_process_is_seen_at_the_next_step(
        self, zk, other, monkeypatch, how, children
    ) -> None:
        """The change is seen, however young the known data are: read-your-writes."""
        monkeypatch.setattr(walk, "MAX_AGE_SECONDS", math.inf)
        zk.import_tree("/top\n" + "".join(f"  /n{number:02}\n" for number in range(20)))
        seen = []
        for step in zk.walk("/top", children=children):
            seen.append(step[0] if children else step)
            if seen[-1] == "/top":
                continue
            following = f"/top/n{int(seen[-1][-2:]) + 1:02}"
            if not zk.exists(following):
                continue
            if how == "client":
                zk.delete(following)
            elif how == "other client":
                other.delete(following)
            elif how == "raw":
                zookeeper.delete(zk.handle, following)
            else:
                done = Calls()
                zookeeper.adelete(other.handle, following, -1, done)
                done.wait()
        assert seen == ["/top", *(f"/top/n{number:02}" for number in range(0, 20, 2))]

    @pytest.mark.not_emulated("it delivers in the calling thread, and is asked at each step")
    def test_a_walk_without_writes_has_nothing_read_again(self, zk, monkeypatch, readings) -> None:
        monkeypatch.setattr(walk, "MAX_AGE_SECONDS", math.inf)
        zk.import_tree(WIDE_AND_DEEP)
        readings.nodes.clear()
        for path in zk.walk("/top"):
            zk.get_properties(path)
            time.sleep(0.0002)
        assert (readings.trees, readings.nodes) == (["/top"], [])

    @pytest.mark.parametrize("children", [False, True])
    @pytest.mark.parametrize("seed", range(3))
    def test_a_change_by_others_is_seen_when_the_reading_is_old(
        self, zk, other, monkeypatch, seed, children
    ) -> None:
        """The other client stands for another process, whose writes do not count."""
        monkeypatch.setattr(walk, "MAX_AGE_SECONDS", 0)
        monkeypatch.setattr(zookeeper, "write_count", lambda: 0)
        assert walked(zk.walk, zk, other, seed, children) == walked(
            partial(node_by_node, other), zk, other, seed, children
        )

    @pytest.mark.not_emulated("it delivers in the calling thread, and is asked at each step")
    def test_while_nobody_changes_anything_old_knowledge_costs_a_small_reading(
        self, zk, monkeypatch, readings
    ) -> None:
        zk.import_tree(WIDE_AND_DEEP)
        readings.nodes.clear()
        monkeypatch.setattr(walk, "MAX_AGE_SECONDS", 0)
        assert len(list(zk.walk("/top"))) == 301
        assert readings.trees == ["/top"]
        assert set(readings.nodes) <= {1, walk.MIN_AHEAD}

    def test_it_may_be_left_half_way(self, zk) -> None:
        zk.import_tree(TREE)
        walk: Iterator[str] = zk.walk()
        assert next(walk) == "/"
        del walk


class TestSmallThings:
    def test_ln_makes_links(self, zk) -> None:
        zk.import_tree("/real\n  /node\n/links\n  x = 1\n")
        zk.ln("/real", "/links/")
        zk.ln("/real/node", "/links/other")
        zk.ln("../real/node", "/links/relative")
        zk.ln("/real", "/top")
        assert zk.get_properties("/links") == {
            "x": 1, "real ->": "/real", "other ->": "/real/node", "relative ->": "../real/node",
        }  # fmt: skip
        assert zk.resolve("/links/real/node") == "/real/node"
        assert zk.resolve("/links/relative") == "/real/node"
        assert zk.resolve("/top/node") == "/real/node"
        with pytest.raises(ValueError, match="name"):
            zk.ln("/", "/links/")
        with pytest.raises(zookeeper.NoNodeException):
            zk.ln("/real", "/missing/link")

    def test_resolve(self, zk) -> None:
        zk.import_tree("/a\n  /b\n    up -> ..\n    loop -> loop\n")
        assert zk.resolve("/a/b") == "/a/b"
        assert zk.resolve("/a/b/..") == "/a"
        assert zk.resolve("/a/..") == "/"
        assert zk.resolve("/a/./b/up/b/up") == "/a"
        with pytest.raises(zc.zk.LinkLoop):
            zk.resolve("/a/b/loop")
        with pytest.raises(zookeeper.NoNodeException) as caught:
            zk.resolve("/a/b/up/missing")
        assert caught.value.path == "/a/b/up/missing"

    def test_create_recursive(self, zk) -> None:
        assert zk.create_recursive("/a/b/c", '{"x": 1}', OPEN_ACL_UNSAFE) is None
        assert zk.get_properties("/a/b/c") == {"x": 1}
        assert zk.get("/a/b")[0] == ""
        assert zk.create_recursive("/a/b/d") is None
        with pytest.raises(zookeeper.NodeExistsException):
            zk.create_recursive("/a/b/c")
        deep = "/deep" * 500
        zk.create_recursive(deep)
        assert zk.exists(deep)

    def test_is_ephemeral(self, zk) -> None:
        zk.create("/e", flags=zookeeper.EPHEMERAL)
        assert zk.is_ephemeral("/e") is True
        assert zk.is_ephemeral("/") is False
        with pytest.raises(zookeeper.NoNodeException):
            zk.is_ephemeral("/missing")


# The characters that the server accepts in names (PathUtils): no control characters, no private
# or non-characters, and nothing that Java needs two characters for.
_NAME_CHARACTERS = st.characters(
    exclude_characters="/", exclude_categories=["Cc", "Cs", "Co"], max_codepoint=0xFFEF
)
_NAMES = st.one_of(
    st.sampled_from(["a b", "a = b", "a -> b", "x =>", "'q'", '"', "# c", "a:", "é", "\u2028"]),
    st.text(_NAME_CHARACTERS, min_size=1, max_size=8),
).filter(lambda name: name not in (".", "..", "zookeeper"))
_TREES: st.SearchStrategy[Tree] = st.recursive(
    st.just({}),
    lambda below: st.dictionaries(_NAMES, st.tuples(data, below), max_size=3),
    max_leaves=10,
)


def _create(zk, top, tree) -> list[tuple[str, str | None]]:
    """Create a tree by single operations; return what is there then."""
    operations = [("create", top, "", OPEN_ACL_UNSAFE)]
    to_do = [(top, tree)]
    while to_do:
        path, children = to_do.pop()
        for name, (content, below) in children.items():
            operations.append(("create", f"{path}/{name}", content, OPEN_ACL_UNSAFE))
            to_do.append((f"{path}/{name}", below))
    zk.multi(operations)
    return _there(zk, top)


def _there(zk, top) -> list[tuple[str, str | None]]:
    return [(node.path, node.data) for node in zk.read_tree(top)]


@pytest.mark.first
class TestRoundTrip:
    SETTINGS = settings(
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )

    @settings(SETTINGS, max_examples=2000)
    @given(tree=_TREES)
    def test_export_delete_import_brings_back_every_byte(self, zk, tree) -> None:
        before = _create(zk, "/all", tree)
        try:
            text = zk.export_tree("/all")
            zk.delete_recursive("/all")
            zk.import_tree(text)
            assert _there(zk, "/all") == before
            assert len(zk.plan_import(text, trim=True)) == 0
        finally:
            zk.delete_recursive("/all")

    @pytest.mark.parametrize("format", [formats.JSON, formats.YAML])
    @settings(SETTINGS, max_examples=300)
    @given(tree=_TREES)
    def test_so_it_does_by_other_formats(self, zk, tree, format) -> None:
        before = _create(zk, "/all", tree)
        try:
            exported = formats.parse(zk.export_tree("/all"), formats.TEXT)
            written = "".join(formats.render(exported, format))
            zk.delete_recursive("/all")
            read = formats.parse(written, format)
            zk.import_tree("".join(formats.render(read, formats.TEXT)))
            assert _there(zk, "/all") == before
        finally:
            zk.delete_recursive("/all")


class TestSize:
    def test_two_thousand_levels(self, zk) -> None:
        text = "".join(f"{'  ' * depth}/d\n" for depth in range(2000))
        zk.import_tree(text)
        assert zk.export_tree() == text
        assert sum(1 for _ in zk.walk()) == 2001
        zk.delete_recursive("/d")
        assert zk.get_children("/") == []

    def test_fifty_thousand_children(self, zk) -> None:
        names = sorted(f"n{number}" for number in range(50_000))
        text = "/top\n" + "".join(f"  /{name}\n" for name in names)
        zk.import_tree(text)
        assert zk.export_tree() == text
        assert sum(1 for _ in zk.walk("/top")) == 50_001
        zk.delete_recursive("/top")
        assert zk.get_children("/") == []


class TestSomebodyElseAtWork:
    @pytest.fixture
    def churn(self, client) -> Iterator[Calls]:
        """Run a client that creates and deletes all the time; yield its rounds.

        It works under /top and /top/inner.
        """
        stop = threading.Event()
        rounds = Calls()
        busy = client()

        def work() -> None:
            while not stop.is_set():
                for parent in ("/top", "/top/inner"):
                    for name in ("x", "y", "x/z"):
                        _ignoring(busy.create, f"{parent}/{name}", "data")
                    for name in ("x/z", "y", "x"):
                        _ignoring(busy.delete, f"{parent}/{name}")
                rounds()

        thread = threading.Thread(target=work)
        thread.start()
        rounds.wait()
        yield rounds
        stop.set()
        thread.join(scaled(30))

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_export_and_walk_go_on(self, zk, churn) -> None:
        zk.import_tree("/top\n  /inner\n" + "".join(f"    /n{i}\n" for i in range(300)))
        for _ in range(100):
            assert "    /n299\n" in zk.export_tree()
            assert "/top/inner/n299" in zk.walk()

    def test_deletion_comes_to_an_end(self, zk, churn) -> None:
        for _ in range(20):
            zk.import_tree("/top\n  /inner\n" + "".join(f"    /n{i}\n" for i in range(300)))
            rounds = len(churn)
            churn.wait(rounds + 1)
            zk.delete_recursive("/top")
            assert not zk.exists("/top")

    def test_importers_of_one_tree_at_the_same_time_converge(self, client, zk) -> None:
        texts = [
            "/top\n" + "".join(f"  /n{i}\n    x = {number}\n" for i in range(10, 60))
            for number in range(3)
        ]
        clients = [client() for _ in texts]
        faults: list[BaseException] = []

        def work(own: zc.zk.ZooKeeper, text: str) -> None:
            try:
                for _ in range(10):
                    own.import_tree(text, trim=True)
            except BaseException as fault:
                faults.append(fault)

        threads = [
            threading.Thread(target=work, args=each) for each in zip(clients, texts, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(scaled(60))
        assert not faults
        assert zk.export_tree() in texts

    def test_work_on_trees_rides_over_a_broken_connection(self, client, proxy, root, zk) -> None:
        shaken = client(proxy.connection_string + root)
        text = "/top\n" + "".join(f"  /n{i}\n    x = {i}\n" for i in range(5000))
        stop = threading.Event()

        def shake() -> None:
            # The interval grows: a busy machine may do nothing of this work within a short one.
            interval = 0.1
            while not stop.wait(interval):
                proxy.cut()
                interval *= 1.15

        shaker = threading.Thread(target=shake)
        shaker.start()
        try:
            for _ in range(3):
                shaken.import_tree(text)
                assert sorted(shaken.export_tree().splitlines()) == sorted(text.splitlines())
                shaken.delete_recursive("/top")
        finally:
            stop.set()
            shaker.join()
        assert zk.get_children("/") == []

    def test_live_objects_see_an_import(self, zk, other) -> None:
        zk.create("/top")
        children = zk.children("/top")
        other.import_tree("/top\n" + "".join(f"  /n{i}\n" for i in range(2000)))
        wait_until(lambda: len(children) == 2000, "all are seen")


def _ignoring(call: Callable[..., object], *arguments: str) -> None:
    try:
        call(*arguments)
    except (
        zookeeper.NoNodeException,
        zookeeper.NodeExistsException,
        zookeeper.NotEmptyException,
    ):
        pass
