"""The changes of an import or a deletion, and their messages word for word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import REFERENCE
from zc.zk._speedups import is_same
from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.links import join
from zc.zk.tree import ParseNode, parse_tree
from zc.zk.tree.changes import (
    AddNode,
    Change,
    DeleteNode,
    KeepAncestor,
    KeepEphemeral,
    KeepExtra,
    SetData,
    messages,
    operations,
)
from zc.zk.tree.diff import AS_WANTED, KeepOwn, NodeState, plan_deletion, plan_import, snapshot
from zc.zk.tree.planned import Changes
from zc.zk.tree.render import render
from zookeeper.errors import NoAuthException, NoChildrenForEphemeralsException, NoNodeException

from . import strategies

pytestmark = pytest.mark.quick

ACL = READ_ACL_UNSAFE

UPDATED = """\
/lb : ipvs
  /pools
    /cms
      address = '1.2.3.4:80'
      providers -> /cms/providers

/cms : z4m cms
  threads = 4
  /providers
  /databases
    /main
      /providers
"""


class Server:
    """Nodes in memory that operations are applied to; versions are checked."""

    def __init__(self, text: str = "") -> None:
        self.nodes: dict[str, tuple[str | None, int, bool]] = {"/": ("", 0, False)}
        self.apply(plan_import(parse_tree(text), "/", self.state()))

    def state(self) -> dict[str, NodeState]:
        in_order = sorted(self.nodes, key=lambda path: path.split("/") if path != "/" else [""])
        return snapshot((path, *self.nodes[path], None) for path in in_order)

    def apply(self, plan: Iterable[Change]) -> None:
        if isinstance(plan, Changes):  # as they are sent
            assert [*plan.operations(ACL)] == [*operations(plan, ACL)]
        for kind, path, *arguments in operations(plan, ACL):
            parent = path.rpartition("/")[0] or "/"
            if kind == "create":
                data, acl, flags = arguments
                assert path not in self.nodes
                assert not self.nodes[parent][2]
                assert (acl, flags) == (ACL, 0)
                self.nodes[path] = (data, 0, False)
                continue
            assert arguments[-1] == self.nodes[path][1], f"bad version: {path}"
            if kind == "set":
                self.nodes[path] = (arguments[0], arguments[1] + 1, self.nodes[path][2])
            else:
                assert kind == "delete"
                assert not any(other.startswith(path + "/") for other in self.nodes)
                del self.nodes[path]

    def register(self, path: str) -> None:
        self.nodes[path] = ('{"pid":1}', 0, True)

    def plan(self, text: str, path: str = "/", trim: bool | None = None) -> list[Change]:
        return list(plan_import(parse_tree(text), path, self.state(), trim))

    def dry_run(self, text: str, trim: bool | None = None, verbose: bool = False) -> list[str]:
        return list(messages(self.plan(text, trim=trim), dry_run=True, verbose=verbose))


@pytest.mark.parametrize(
    ("lines", "is_sure"),
    [
        ("/a\n  x = 'é'\n  y = 0.5\n  z -> /b", True),
        ("/a : t\n  x = [1, {'y': None}]", True),
        ("/'a b'\n  x = 1", True),
        ("/a\n  # why\n  x = 1\n  # and\n  y = 1", True),
        ("/a\n  = 'as it is'", True),
        ("/'a\\x01'", False),
        ("/'a\\x01'\n  x = 1\n  x2 = 2\n  /b", False),
        ("/a\n  x = '" + "x" * 19_000 + "'", True),
        ("/a\n  x = '" + "x" * 100_000 + "'", False),
        ("/a\n  = '" + "x" * 100_001 + "'", False),
        ("/é\n  x = 1", False),
    ],
    ids=range(11),
)
def test_changes_that_no_server_can_refuse_are_sure(lines: str, is_sure: bool) -> None:
    plan = Server().plan(lines)
    assert all(change.is_sure for change in plan) == is_sure
    for change in plan:
        if change.is_sure:  # if the changes above it are
            assert isinstance(change, AddNode)
            assert change.path.rpartition("/")[2].isprintable()
            assert len((change.data or "").encode()) < 1_000_000


class Found(NamedTuple):
    depth: int
    name: str
    data: str | None
    ephemeralOwner: int = 0


@settings(deadline=None)
@given(strategies.trees.map(strategies.depth_first), st.data())
def test_only_the_very_same_nodes_are_the_same(
    nodes: strategies.Nodes, draw: st.DataObject
) -> None:
    parsed = tree_of(nodes)
    wanted = [Found(depth, node.name, node.data) for depth, node in parsed.walk()]
    assert is_same(parsed, wanted) == all(node.data is not None for node in wanted)
    place = draw.draw(st.integers(0, len(wanted) - 1))
    node = wanted[place]
    spoilt = [[], [node] * 2, [node._replace(depth=node.depth + 1)], [node._replace(data="{")]]
    if node.depth:
        spoilt.append([node._replace(name=node.name + "x")])
    for instead in spoilt:
        assert not is_same(parsed, wanted[:place] + instead + wanted[place + 1 :])


def test_a_subtree_that_is_as_wanted_is_not_looked_into() -> None:
    present = {"/": NodeState("", 0, False, ["a", "b"]), "/a": AS_WANTED}
    plan = plan_import(parse_tree("/a\n  x = 1\n  /c\n/b"), "/", present, trim=True)
    assert list(plan) == [AddNode("/b", "")]


def test_data_that_are_made_late_are_those_of_the_text() -> None:
    text = "/a : t\n  b = 'x'\n  a -> /c\n  n = -5\n  d = 00.50\n/c\n  s = 'it\"s'\n  é = 1\n"
    tree = parse_tree(text)
    plan = plan_import(tree, "/", Server().state())
    assert [change.attributes() for change in plan] == [
        ("/a", '{"a ->":"/c","b":"x","d":0.5,"n":-5,"type":"t"}', False),
        ("/c", '{"s":"it\\"s","\\u00e9":1}', False),
    ]
    # A request for the properties in between makes no difference.
    properties = [node.properties for _, node in tree.walk()]
    assert [change.attributes() for change in plan] == [
        (f"/{node.name}", node.data, False) for _, node in tree.walk() if node.name
    ]
    assert properties[1] == {"type": "t", "b": "x", "a ->": "/c", "n": -5, "d": 0.5}


@pytest.mark.parametrize("place", ["/", "/a/b"])
@given(strategies.trees.map(strategies.depth_first), st.data())
def test_operations_of_a_part_of_a_plan_are_those_of_its_changes(
    place: str, nodes: strategies.Nodes, draw: st.DataObject
) -> None:
    changes = plan_import(tree_of(nodes), place, {place: NodeState("", 0, False)})
    some = draw.draw(
        st.lists(st.sampled_from(changes.items), unique_by=id) if changes else st.just([])
    )
    for part in (changes, changes[1:], changes.of(some)):
        made = [*part.operations(READ_ACL_UNSAFE)]
        assert made == [change.operation(READ_ACL_UNSAFE) for change in part]


def test_an_import_into_an_empty_place_adds_parents_first() -> None:
    plan = Server().plan("/a : t\n  x = 1\n  /b\n/c")
    assert plan == [
        AddNode("/a", '{"type":"t","x":1}'),
        AddNode("/a/b", "", is_nested=True),
        AddNode("/c", ""),
    ]
    assert operations(plan, ACL) == [
        ("create", "/a", '{"type":"t","x":1}', ACL, 0),
        ("create", "/a/b", "", ACL, 0),
        ("create", "/c", "", ACL, 0),
    ]


def test_an_import_at_a_path_puts_the_top_level_nodes_there() -> None:
    server = Server("/fooservice\n  x = 1\n")
    plan = server.plan("/provision\n  /node1\n", "/fooservice", trim=True)
    assert [change.path for change in plan] == [
        "/fooservice/provision",
        "/fooservice/provision/node1",
    ]


def test_an_import_at_a_path_that_is_missing_is_refused() -> None:
    with pytest.raises(NoNodeException, match="no node: /missing"):
        Server().plan("/a", "/missing")


def test_an_unchanged_tree_needs_no_change() -> None:
    assert Server(REFERENCE).plan(REFERENCE, trim=True) == []


def test_the_reference_s_warning() -> None:
    server = Server(REFERENCE)
    plan = server.plan(UPDATED)
    assert list(messages(plan)) == ["extra path not trimmed: /lb/pools/retail"]
    assert list(messages(plan, dry_run=True)) == [
        "/cms threads change from 3 to 4",
        "extra path not trimmed: /lb/pools/retail",
    ]
    server.apply(plan)
    assert "/lb/pools/retail" in server.nodes
    assert server.nodes["/cms"] == ('{"threads":4,"type":"z4m cms"}', 1, False)


def test_the_reference_s_trimming() -> None:
    server = Server(REFERENCE)
    server.apply(server.plan(UPDATED))
    plan = server.plan(UPDATED, trim=True)
    assert plan == [DeleteNode("/lb/pools/retail", 0)]
    assert list(messages(plan, dry_run=True)) == ["would delete /lb/pools/retail."]
    assert list(messages(plan)) == []
    server.apply(plan)
    assert server.plan(UPDATED, trim=True) == []
    assert "/retail" in server.nodes, "top-level nodes are never trimmed"


def test_without_a_wish_to_trim_nothing_is_said() -> None:
    server = Server(REFERENCE)
    assert server.dry_run(UPDATED, trim=False) == ["/cms threads change from 3 to 4"]


def test_changes_are_told_in_the_words_of_the_contract() -> None:
    server = Server(
        "/n\n  b = 1\n  c = 'x'\n  e = [1]\n  gone = {'a': None}\n"
        "  l -> /old\n  m -> /away\n  p => /old x\n  q => /away\n"
    )
    assert server.dry_run(
        "/n\n  a = 'new'\n  b = 2\n  c = 'y'\n  d = True\n  e = [1]\n"
        "  k -> /here\n  l -> /new\n  o => /here y\n  p => /new\n"
    ) == [
        "/n b change from 1 to 2",
        "/n c change from 'x' to 'y'",
        "/n remove property gone = {'a': None}",
        "/n l link change from /old to /new",
        "/n remove link m -> /away",
        "/n p link change from /old x to /new",
        "/n remove link q => /away",
        "/n add property a = 'new'",
        "/n add property d = True",
        "/n add link k -> /here",
        "/n add link o => /here y",
    ]


def test_a_link_that_is_none_is_told_as_a_property() -> None:
    server = Server("/n\n  'a ->' = 5\n  'b ->' = 6\n  'c =>' = 7\n")
    assert server.dry_run("/n\n  a -> /x\n  'c =>' = []\n") == [
        "/n a -> change from 5 to '/x'",
        "/n remove property b -> = 6",
        "/n c => change from 7 to []",
    ]


def test_extra_children_are_told_before_new_ones() -> None:
    server = Server("/n\n  /b\n    /deep\n  /x\n    y = 1\n")
    text = "/n\n  z = 1\n  /a\n  /x\n    y = 2\n"
    assert server.dry_run(text) == [
        "/n add property z = 1",
        "extra path not trimmed: /n/b",
        "add /n/a",
        "/n/x y change from 1 to 2",
    ]
    assert server.dry_run(text, trim=True) == [
        "/n add property z = 1",
        "would delete /n/b/deep.",
        "would delete /n/b.",
        "add /n/a",
        "/n/x y change from 1 to 2",
    ]


def test_a_dry_run_shows_the_top_of_a_new_subtree_and_all_of_it_when_verbose() -> None:
    server = Server("/old")
    text = "/old\n  /new : t\n    /deep\n      x = 'y'\n      l -> /z\n/top\n"
    assert server.dry_run(text) == ["add /old/new", "add /top"]
    assert server.dry_run(text, verbose=True) == [
        "add /old/new",
        "/old/new add property type = 't'",
        "add /old/new/deep",
        "/old/new/deep add link l -> /z",
        "/old/new/deep add property x = 'y'",
        "add /top",
    ]


def test_a_change_reads_as_what_a_dry_run_says() -> None:
    assert [
        str(change)
        for change in (
            AddNode("/a", '{"x":1}', is_nested=True),
            SetData("/a", '{"x":1}', '{"y":2}', 7),
            SetData("/a", None, " ", 7),
            DeleteNode("/a", 7),
            KeepExtra("/a"),
            KeepEphemeral("/a"),
            KeepAncestor("/a"),
        )
    ] == [
        "add /a",
        "/a remove property x = 1\n/a add property y = 2",
        "/a data change from None to ' '",
        "would delete /a.",
        "extra path not trimmed: /a",
        "wouldn't delete /a because it's ephemeral.",
        "/a not deleted due to ephemeral descendent.",
    ]


def test_a_plan_that_is_applied_gives_its_notices() -> None:
    plan = [
        AddNode("/a", '{"x":1}'),
        SetData("/a", '{"x":1}', '{"y":2}', 7),
        DeleteNode("/a", 7),
        KeepExtra("/b"),
        KeepEphemeral("/c"),
        KeepAncestor("/d"),
    ]
    assert list(messages(plan)) == [
        "extra path not trimmed: /b",
        "Not deleting /c because it's ephemeral.",
        "/d not deleted due to ephemeral descendent.",
    ]


@pytest.mark.parametrize("data", ['{"b": 2, "a": [1, 2]}', ' {"a":[1,2],"b":2}\n'])
def test_the_same_properties_in_another_layout_are_no_change(data: str) -> None:
    server = Server()
    server.nodes["/n"] = (data, 3, False)
    assert server.plan("/n\n  a = (1, 2)\n  b = 2") == []


@pytest.mark.parametrize("data", [None, "", "  ", "{}"])
def test_one_way_to_have_no_properties_is_as_good_as_another(data: str | None) -> None:
    server = Server()
    server.nodes["/n"] = (data, 3, False)
    assert server.plan("/n") == []


def test_data_given_as_a_whole_are_written_when_a_byte_differs() -> None:
    server = Server("/n\n  a = 1")
    text = "/n\n  = '{\"a\": 1}'"
    assert server.dry_run(text) == ["""/n data change from '{"a":1}' to '{"a": 1}'"""]
    server.apply(server.plan(text))
    assert server.nodes["/n"] == ('{"a": 1}', 1, False)
    assert server.plan(text) == []
    assert server.plan("/n\n  = None") == [SetData("/n", '{"a": 1}', None, 1)]


@pytest.mark.parametrize(("old", "new"), [("1", "True"), ("1", "1.0"), ("0.0", "-0.0")])
def test_values_that_python_takes_for_equal_are_told_apart(old: str, new: str) -> None:
    server = Server(f"/n\n  x = {old}\n  y = 2")
    assert server.dry_run(f"/n\n  x = {new}\n  y = 2") == [f"/n x change from {old} to {new}"]


def test_a_string_that_reads_as_properties_does_not_stay_a_difference() -> None:
    server = Server()
    server.nodes["/n"] = ('{"string_value":"{\\"a\\":1}"}', 0, False)
    text = "/n\n  string_value = '{\"a\":1}'"
    server.apply(server.plan(text))
    assert server.nodes["/n"] == ('{"a":1}', 1, False)
    assert server.plan(text) == []


def test_ephemeral_nodes_and_what_is_above_them_are_never_trimmed() -> None:
    server = Server("/n\n  /free\n    /x\n  /used\n    /free\n    /used\n  /wanted\n")
    server.register("/n/used/used/host:1")
    server.register("/n/used/used/host:2")
    server.register("/n/wanted/host:3")
    plan = server.plan("/n\n  /wanted", trim=True)
    assert plan == [
        DeleteNode("/n/free/x", 0),
        DeleteNode("/n/free", 0),
        DeleteNode("/n/used/free", 0),
        KeepEphemeral("/n/used/used/host:1"),
        KeepEphemeral("/n/used/used/host:2"),
        KeepAncestor("/n/used/used"),
        KeepAncestor("/n/used"),
    ]
    server.apply(plan)
    assert sorted(server.nodes) == [
        "/",
        "/n",
        "/n/used",
        "/n/used/used",
        "/n/used/used/host:1",
        "/n/used/used/host:2",
        "/n/wanted",
        "/n/wanted/host:3",
    ]


def test_registered_servers_are_not_worth_a_warning() -> None:
    server = Server("/service\n  /providers")
    server.register("/service/providers/host:1")
    for trim in (None, False, True):
        assert server.plan("/service\n  /providers", trim=trim) == []


def test_children_for_an_ephemeral_node_are_refused() -> None:
    server = Server("/n")
    server.register("/n/host:1")
    with pytest.raises(NoChildrenForEphemeralsException, match="/n/host:1"):
        server.plan("/n\n  /host:1\n    /child")
    assert server.dry_run("/n\n  /host:1\n    pid = 2") == ["/n/host:1 pid change from 1 to 2"]


def test_the_reference_s_recursive_deletion() -> None:
    server = Server("/fooservice\n  /providers")
    paths = [f"/fooservice/providers/192.168.0.42:808{digit}" for digit in "012"]
    for path in paths:
        server.register(path)
    plan = plan_deletion("/fooservice", server.state())
    kept = [
        "/fooservice/providers not deleted due to ephemeral descendent.",
        "/fooservice not deleted due to ephemeral descendent.",
    ]
    assert list(messages(plan)) == [
        *(f"Not deleting {path} because it's ephemeral." for path in paths),
        *kept,
    ]
    assert list(messages(plan, dry_run=True)) == [
        *(f"wouldn't delete {path} because it's ephemeral." for path in paths),
        *kept,
    ]
    assert operations(plan, ACL) == []


def test_a_forced_deletion_spares_nothing() -> None:
    server = Server("/n\n  /m")
    server.register("/n/m/host:1")
    server.apply(plan_deletion("/n", server.state(), force=True))
    assert list(server.nodes) == ["/"]


def test_an_ephemeral_node_passed_directly_can_go_without_saying() -> None:
    server = Server()
    server.register("/host:1")
    assert plan_deletion("/host:1", server.state(), ignore_if_ephemeral=True) == []
    assert plan_deletion("/host:1", server.state()) == [KeepEphemeral("/host:1")]
    assert plan_deletion("/host:1", server.state(), force=True, ignore_if_ephemeral=True) == [
        DeleteNode("/host:1", 0)
    ]


def test_nodes_that_vanished_while_reading_are_no_trouble() -> None:
    present = {
        "/": NodeState("", 0, False, ["n"]),
        "/n": NodeState("", 0, False, ["gone", "kept"]),
        "/n/kept": NodeState("", 5, False),
    }
    assert plan_deletion("/missing", present) == []
    assert plan_deletion("/n", present) == [DeleteNode("/n/kept", 5), DeleteNode("/n", 0)]
    assert list(plan_import(parse_tree("/n"), "/", present)) == [KeepExtra("/n/kept")]
    assert list(plan_import(parse_tree("/n"), "/", present, True)) == [DeleteNode("/n/kept", 5)]


def test_the_servers_own_nodes_are_not_trimmed() -> None:
    present = {
        "/": NodeState("", 0, False, ["zookeeper", "zookeepers"]),
        "/zookeeper": NodeState("", 0, False, ["config", "quota"]),
        "/zookeeper/config": NodeState("", 0, False),
        "/zookeeper/quota": NodeState("", 0, False),
        "/zookeepers": NodeState("", 0, False, ["old"]),
        "/zookeepers/old": NodeState("", 3, False),
    }
    tree = parse_tree("/zookeeper\n  /quota\n/zookeepers\n")
    deletion = DeleteNode("/zookeepers/old", 3)
    kept, deleted = plan_import(tree, "/", present, True, own="/zookeeper")
    assert (kept, deleted) == (KeepOwn("/zookeeper/config"), deletion)
    assert kept.notice == "not trimmed, as it is the servers' own: /zookeeper/config"
    assert list(plan_import(tree, "/", present, True))[1:] == [deletion]


def test_a_node_that_must_be_known_and_cannot_be_read_is_an_error() -> None:
    present = snapshot(
        [
            ("/", "", 0, False, None),
            ("/n", "", 0, False, None),
            ("/n/secret", None, 0, False, NoAuthException("/n/secret")),
        ]
    )
    with pytest.raises(NoAuthException):
        plan_import(parse_tree("/n\n  /secret"), "/", present)
    with pytest.raises(NoAuthException):
        plan_import(parse_tree("/n"), "/", present, trim=True)
    with pytest.raises(NoAuthException):
        plan_deletion("/n", present)
    assert list(plan_import(parse_tree("/n"), "/", present)) == [KeepExtra("/n/secret")]


def test_two_thousand_levels_are_planned() -> None:
    text = "".join(f"{'  ' * depth}/n\n" for depth in range(2000))
    server = Server(text)
    assert len(server.nodes) == 2001
    assert server.plan(text, trim=True) == []
    server.apply(plan_deletion("/n", server.state()))
    assert list(server.nodes) == ["/"]


def tree_of(nodes: strategies.Nodes) -> ParseNode:
    return parse_tree("".join(render(nodes)))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_an_import_that_trims_leaves_just_what_the_text_says(data: st.DataObject) -> None:
    # The names are few, so that old and new have much in common.
    few_names = st.sampled_from(["a", "b c", "d"])
    few_trees: st.SearchStrategy[strategies.Tree] = st.recursive(
        st.just({}),
        lambda below: st.dictionaries(few_names, st.tuples(strategies.data, below), max_size=3),
        max_leaves=8,
    )
    old, new = data.draw(few_trees), data.draw(few_trees)
    server = Server()
    server.apply(plan_import(tree_of(strategies.depth_first(old)), "/", server.state()))
    wanted = tree_of(strategies.depth_first({"top": ("", new)}))
    before = server.state()
    plan = plan_import(wanted, "/", before, trim=True)
    for change in plan:
        assert isinstance(change, (AddNode, SetData, DeleteNode))
        assert str(change)
    server.apply(plan)
    assert list(plan_import(wanted, "/", server.state(), trim=True)) == []
    top = {path for path in server.nodes if path.startswith("/top/")}
    expected = [(join("/top", name), d) for name, d in _paths(new)]
    assert top == {path for path, _ in expected}
    for path, content in expected:
        kept = before.get(path)
        if kept is None:
            assert server.nodes[path][0] == content
        else:
            assert server.nodes[path][0] in (content, kept.data)


def _paths(tree: strategies.Tree) -> list[tuple[str, str | None]]:
    stack: list[str] = []
    paths = []
    for depth, name, content in strategies.depth_first(tree):
        del stack[depth:]
        stack.append(name)
        paths.append(("/".join(stack), content))
    return paths
