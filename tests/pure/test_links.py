"""Symbolic links and property links are followed.

The nodes are in a dictionary, or are parsed trees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from zc.zk.errors import BadPropertyLink, LinkError, LinkLoop
from zc.zk.journey import MAX_LINKS, Resolution
from zc.zk.links import is_path, join, split_property_link
from zc.zk.propertylinks import MAX_STEPS, LinkedProperty, PropertyLinks
from zc.zk.resolver import Resolver
from zc.zk.tree import TreeResolver, parse_tree
from zookeeper.errors import (
    BadArgumentsException,
    ConnectionLossException,
    NoAuthException,
    NoNodeException,
)

pytestmark = pytest.mark.quick


class Nodes(Resolver):
    """Properties by path; values that are exceptions are raised."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self.nodes = {"/": {}, **nodes}

    def exists(self, path: str) -> bool:
        assert path == "/" or not {"", ".", ".."}.intersection(path.split("/")[1:]), path
        return path in self.nodes

    def get_properties(self, path: str) -> Mapping[str, Any]:
        properties = self.nodes.get(path, NoNodeException(path))
        if isinstance(properties, Exception):
            raise properties
        assert isinstance(properties, dict)
        return properties


TREE = """\
/top
  x = 1
  abs -> /other/deep
  rel -> ./real/child
  up -> ../other
  chain -> rel
  chain2 -> /top/chain
  real -> /nowhere
  broken -> /nowhere
  loop1 -> loop2
  loop2 -> ./loop3
  loop3 -> /top/loop1
  self -> self
  grows -> grows/more
  root -> /
  here -> .
  /real
    /child
      y = 2
      in -> ../../../other/deep
/other
  /deep
    back -> /top/real
    /leaf
"""


@pytest.fixture
def tree() -> TreeResolver[Any]:
    return TreeResolver(parse_tree(TREE))


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/", "/"),
        ("/top", "/top"),
        ("/top/real/child", "/top/real/child"),
        ("/top/abs", "/other/deep"),
        ("/top/abs/leaf", "/other/deep/leaf"),
        ("/top/rel", "/top/real/child"),
        ("/top/up", "/other"),
        ("/top/up/deep/back/child/in/leaf", "/other/deep/leaf"),
        ("/top/chain", "/top/real/child"),
        ("/top/chain2/in", "/other/deep"),
        ("/top/real", "/top/real"),
        ("/top/root", "/"),
        ("/top/root/top/root/top", "/top"),
        ("/top/here/here/abs", "/other/deep"),
        ("/top/..", "/"),
        ("/top/../..", "/"),
        ("/top/.", "/top"),
        ("/./top/./real/../abs", "/other/deep"),
        ("/top/abs/..", "/other"),
        ("/top/abs/../deep/back", "/top/real"),
        ("/..", "/"),
        ("/.", "/"),
    ],
)
def test_a_path_leads_to_a_node(tree: TreeResolver[Any], path: str, real: str) -> None:
    assert tree.resolve(path) == real
    assert tree.node(path).path == real


@pytest.mark.parametrize(
    "path", ["/missing", "/top/missing", "/top/broken", "/top/broken/x", "/missing/..", "/top/x"]
)
def test_a_path_that_leads_nowhere_is_named_as_it_was_asked_for(
    tree: TreeResolver[Any], path: str
) -> None:
    with pytest.raises(NoNodeException) as caught:
        tree.resolve(path)
    assert caught.value.path == path
    assert str(caught.value) == f"no node: {path}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "must not be empty"),
        ("top", "must start with '/'"),
        ("./top", "must start with '/'"),
        ("/top/", "must not end with '/'"),
        ("//top", "must not hold '//'"),
        ("/a//b", "must not hold '//'"),
        ("/a\0b", "must not hold a null character"),
    ],
)
def test_a_path_that_is_not_absolute_is_refused_with_the_reason(
    tree: TreeResolver[Any], path: str, reason: str
) -> None:
    with pytest.raises(BadArgumentsException, match=reason) as caught:
        tree.resolve(path)
    assert caught.value.path == path


@pytest.mark.parametrize("path", [b"/top", None, ["/top"]])
def test_a_path_that_is_no_text_is_refused(tree: TreeResolver[Any], path: Any) -> None:
    with pytest.raises(TypeError, match=f"a path must be str, not {type(path).__name__}"):
        tree.resolve(path)


def test_links_may_be_directly_under_the_root() -> None:
    nodes = Nodes({"/": {"a ->": "b/c", "d ->": "/a"}, "/b": {}, "/b/c": {}, "/b/c/e": {}})
    assert nodes.resolve("/a") == "/b/c"
    assert nodes.resolve("/d/e") == "/b/c/e"


def test_a_link_cycle_names_every_path_in_it(tree: TreeResolver[Any]) -> None:
    with pytest.raises(LinkLoop) as caught:
        tree.resolve("/top/loop1/any/thing")
    assert caught.value.paths == ("/top/loop1", "/top/loop2", "/top/loop3", "/top/loop1")
    assert caught.value.args == (caught.value.paths,)
    assert str(caught.value) == "/top/loop1 -> /top/loop2 -> /top/loop3 -> /top/loop1"


@pytest.mark.parametrize("name", ["self", "grows"])
def test_a_link_to_itself_is_a_loop(tree: TreeResolver[Any], name: str) -> None:
    with pytest.raises(LinkLoop) as caught:
        tree.resolve(f"/top/{name}")
    assert caught.value.paths == (f"/top/{name}", f"/top/{name}")


def test_passing_one_link_several_times_is_no_loop(tree: TreeResolver[Any]) -> None:
    assert tree.resolve("/top/abs/back/../abs/back/../abs") == "/other/deep"


def test_a_long_chain_of_links_is_followed() -> None:
    links: dict[str, Any] = {f"l{number} ->": f"l{number + 1}" for number in range(MAX_LINKS - 1)}
    nodes = Nodes({"/": links, f"/l{MAX_LINKS - 1}": {}})
    assert nodes.resolve("/l0") == f"/l{MAX_LINKS - 1}"


def test_links_that_multiply_are_given_up() -> None:
    links = {f"l{number} ->": f"l{number - 1}/../l{number - 1}" for number in range(1, 40)}
    nodes = Nodes({"/": links, "/l0": {}})
    assert nodes.resolve("/l5") == "/l0"
    with pytest.raises(LinkLoop):
        nodes.resolve("/l39")


@pytest.mark.parametrize("value", [5, None, "", ["/b"], "//", "/b/", "a\0b"])
def test_a_link_that_is_no_path_leads_nowhere(value: object) -> None:
    with pytest.raises(NoNodeException):
        Nodes({"/": {"a ->": value}, "/b": {}}).resolve("/a")


def test_an_answer_tells_what_it_depends_on(tree: TreeResolver[Any]) -> None:
    assert tree.resolution("/top") == Resolution("/top")
    assert tree.resolution("/top/real/../real") == Resolution("/top/real")
    assert tree.resolution("/top/chain2/in") == Resolution(
        "/other/deep",
        read=("/top", "/top/real/child"),
        missing=("/top/chain2", "/top/chain", "/top/rel", "/top/real/child/in"),
    )


def test_trouble_with_reading_is_passed_on() -> None:
    nodes = Nodes({"/a": NoAuthException("/a")})
    with pytest.raises(NoAuthException):
        nodes.resolve("/a/b")


def test_a_node_that_vanishes_on_the_way_is_a_missing_node() -> None:
    nodes = Nodes({"/a": NoNodeException("/a")})
    with pytest.raises(NoNodeException, match="/a/b/c"):
        nodes.resolve("/a/b/c")


class CountingNodes(Nodes):
    reads = 0

    def exists(self, path: str) -> bool:
        self.reads += 1
        return super().exists(path)

    def get_properties(self, path: str) -> Mapping[str, Any]:
        self.reads += 1
        return super().get_properties(path)


PROPERTY_LINKS = {
    "/a": {
        "x": 1,
        "same =>": "/b",
        "other =>": "/b y",
        "far =>": "/b next",
        "up =>": "../b y",
        "linked =>": "/sym y",
        "below =>": "./sub z",
        "lost =>": "/missing y",
        "lacking =>": "/b missing",
        "words =>": "/b y z",
        "number =>": 5,
        "looping =>": "/sym/loop1 y",
        "own =>": "/a own",
        "turn =>": "/b turn",
        "secret =>": "/secret y",
        "cut =>": "/cut y",
        "deep =>": "/b lost",
    },
    "/a/sub": {"z": 3},
    "/b": {
        "same": "of b",
        "y": 2,
        "next =>": "./c last",
        "turn =>": "/a turn",
        "lost =>": "/missing",
    },
    "/b/c": {"last =>": "../../a x"},
    "/": {"sym ->": "b"},
    "/secret": NoAuthException("/secret"),
    "/cut": ConnectionLossException("/cut"),
}


def follow(name: str) -> Any:
    nodes = Nodes(PROPERTY_LINKS)
    return nodes.follow_property_link("/a", name, nodes.get_properties("/a")[f"{name} =>"])


@pytest.mark.parametrize(
    ("name", "value", "end"),
    [
        ("same", "of b", "/b same"),
        ("other", 2, "/b y"),
        ("far", 1, "/a x"),
        ("up", 2, "/b y"),
        ("linked", 2, "/b y"),
        ("below", 3, "/a/sub z"),
    ],
)
def test_a_property_link_leads_to_a_value(name: str, value: object, end: str) -> None:
    found = follow(name)
    assert found.value == value
    assert f"{found.path} {found.name}" == end


def test_5000_links_in_a_chain_are_each_followed_once() -> None:
    """The last thousand lead to the value, the others give up.

    None is followed twice.
    """
    count = 5000
    properties: dict[str, Any] = {f"p{n} =>": f"/ p{n + 1}" for n in range(count)}
    nodes = CountingNodes({"/": {**properties, f"p{count}": "end"}})
    links = PropertyLinks(nodes, count)
    found = {n: links.find("/", f"p{n}", properties[f"p{n} =>"]) for n in range(count)}
    assert nodes.reads <= 2 * count
    for n in range(count):
        if n < count - MAX_LINKS:
            fault = found[n]
            assert isinstance(fault, BadPropertyLink)
            assert (fault.name, fault.reason) == (f"p{n}", f"more than {MAX_LINKS} links")
        else:
            assert found[n] == LinkedProperty("end", "/", f"p{count}")


def test_5000_links_in_a_circle_are_each_followed_once() -> None:
    count = 5000
    properties = {f"p{n} =>": f"/ p{(n + 1) % count}" for n in range(count)}
    nodes = CountingNodes({"/": properties})
    links = PropertyLinks(nodes, count)
    found = [links.find("/", f"p{n}", properties[f"p{n} =>"]) for n in range(count)]
    assert nodes.reads <= 2 * count
    assert all(isinstance(fault, BadPropertyLink) for fault in found)
    assert all(len(fault.reason) < 1000 for fault in found if isinstance(fault, BadPropertyLink))


def test_links_through_very_many_nodes_are_given_up() -> None:
    """Each of the chains alone is short enough to be followed."""
    branches, depth = 100, 900
    tree: dict[str, Any] = {"/": {f"b{n} =>": f"/b{n}/0 x" for n in range(branches)}}
    for n in range(branches):
        tree.update({f"/b{n}/{d}": {"x =>": f"/b{n}/{d + 1} x"} for d in range(depth)})
        tree[f"/b{n}/{depth}"] = {"x": n}
    nodes = CountingNodes(tree)
    links = PropertyLinks(nodes, branches)
    found = [links.find("/", f"b{n}", tree["/"][f"b{n} =>"]) for n in range(branches)]
    assert found[0] == LinkedProperty(0, f"/b0/{depth}", "x")
    assert isinstance(found[-1], BadPropertyLink)
    assert found[-1].reason == f"more than {MAX_STEPS} links in all"
    assert nodes.reads <= 3 * MAX_STEPS


def test_symbolic_links_count_as_well() -> None:
    count = 900
    chain = {f"l{n} ->": f"l{n + 1}" for n in range(count)}
    ways: dict[str, Any] = {f"p{n} =>": f"/./././l{n % 30}/{n} x" for n in range(300)}
    nodes = CountingNodes({"/": {**chain, **ways}, f"/l{count}": {}})
    links = PropertyLinks(nodes, len(ways))
    found = [links.find("/", name[:-3], value) for name, value in ways.items()]
    assert all(isinstance(fault, BadPropertyLink) for fault in found)
    assert nodes.reads <= 5 * MAX_STEPS


@pytest.mark.parametrize(
    ("name", "reason", "cause"),
    [
        ("lost", "no node: /missing", NoNodeException),
        ("deep", "no node: /missing", NoNodeException),
        ("lacking", "/b has no property 'missing'", type(None)),
        ("words", "neither a path nor a path and a property: '/b y z'", ValueError),
        ("number", "neither a path nor a path and a property: 5", ValueError),
        ("looping", "no node: /sym/loop1", NoNodeException),
        ("own", "leads back to itself: /a own => /a own", type(None)),
        ("turn", "leads back to itself: /a turn => /b turn => /a turn", type(None)),
        ("secret", "/secret", NoAuthException),
    ],
)
def test_a_property_link_that_leads_nowhere_says_why(name: str, reason: str, cause: type) -> None:
    with pytest.raises(BadPropertyLink) as caught:
        follow(name)
    fault = caught.value
    assert (fault.path, fault.name, fault.reason) == ("/a", name, reason)
    assert str(fault) == f"/a {name} =>: {reason}"
    assert isinstance(fault.__cause__, cause)
    assert isinstance(fault, LinkError)
    assert not isinstance(fault, LookupError), "a mapping's get() must not hide it"


def test_a_lost_connection_is_no_bad_link() -> None:
    with pytest.raises(ConnectionLossException):
        follow("cut")


def test_a_loop_of_symbolic_links_makes_a_bad_property_link() -> None:
    nodes = Nodes({"/": {"l ->": "m", "m ->": "l"}})
    with pytest.raises(BadPropertyLink) as caught:
        nodes.follow_property_link("/", "x", "l")
    assert caught.value.reason == "/l -> /m -> /l"
    assert isinstance(caught.value.__cause__, LinkLoop)


def test_property_links_without_end_are_given_up() -> None:
    class Endless(Nodes):
        def exists(self, path: str) -> bool:
            return True

        def get_properties(self, path: str) -> Mapping[str, Any]:
            return {"x =>": "down"}

    with pytest.raises(BadPropertyLink, match=f"more than {MAX_LINKS} links"):
        Endless({}).follow_property_link("/", "x", "down")


def test_links_are_followed_over_a_parsed_tree(tree: TreeResolver[Any]) -> None:
    assert tree.follow_property_link("/other", "y", "/top/rel").value == 2
    assert tree.find("/top/rel") is None
    with pytest.raises(NoNodeException):
        tree.get_properties("/top/rel")


def test_paths_are_joined() -> None:
    assert join("/", "a") == "/a"
    assert join("/a", "b") == "/a/b"


@pytest.mark.parametrize("text", ["/", "a", "/a", "../a", ".", "/a b"])
def test_a_path(text: str) -> None:
    assert is_path(text)


@pytest.mark.parametrize("text", ["", "//", "a/", "/a//b", "a\0", None, 5])
def test_no_path(text: object) -> None:
    assert not is_path(text)


def test_the_property_of_a_link_defaults_to_its_own_name() -> None:
    assert split_property_link("/a", "n") == ("/a", "n")
    assert split_property_link(" /a\tp ", "n") == ("/a", "p")
