"""All methods have one rule for paths: absolute, or one clear error.

Where a method means a subtree, a slash at the end changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

import zc.zk
import zookeeper
from zc.zk import OPEN_ACL_UNSAFE

Call = Callable[[zc.zk.ZooKeeper, str], object]

SUBTREES: dict[str, Call] = {
    "walk": lambda zk, path: list(zk.walk(path)),
    "export_tree": lambda zk, path: zk.export_tree(path),
    "print_tree": lambda zk, path: zk.print_tree(path),
    "import_tree": lambda zk, path: zk.import_tree("/x\n", path, dry_run=True),
    "plan_import": lambda zk, path: zk.plan_import("/x\n", path),
    "delete_recursive": lambda zk, path: zk.delete_recursive(path, dry_run=True),
}

NODES: dict[str, Call] = {
    "children": lambda zk, path: zk.children(path),
    "properties": lambda zk, path: zk.properties(path),
    "get_properties": lambda zk, path: zk.get_properties(path),
    "is_ephemeral": lambda zk, path: zk.is_ephemeral(path),
    "resolve": lambda zk, path: zk.resolve(path),
    "register": lambda zk, path: zk.register(path, "h:1"),
    "register_server": lambda zk, path: zk.register_server(path, "h:1"),
    "create_recursive": lambda zk, path: zk.create_recursive(path),
    "get": lambda zk, path: zk.get(path),
    "exists": lambda zk, path: zk.exists(path),
    "get_children": lambda zk, path: zk.get_children(path),
    "get_acl": lambda zk, path: zk.get_acl(path),
    "create": lambda zk, path: zk.create(path),
    "acreate": lambda zk, path: zk.acreate(path, "", OPEN_ACL_UNSAFE),
    "delete": lambda zk, path: zk.delete(path),
    "set": lambda zk, path: zk.set(path, ""),
    "set_acl": lambda zk, path: zk.set_acl(path, -1, OPEN_ACL_UNSAFE),
    "sync": lambda zk, path: zk.sync(path),
    "multi": lambda zk, path: zk.multi([("delete", path)]),
    "write_many": lambda zk, path: zk.write_many([("delete", path)]),
    "get_many": lambda zk, path: zk.get_many([path]),
    "read_tree": lambda zk, path: zk.read_tree(path),
}

LINKS: dict[str, Call] = {
    "ln to": lambda zk, path: zk.ln("/x", path),
}

CALLS = {**SUBTREES, **NODES, **LINKS}

FAULTS = {
    "": "a path must not be empty",
    "a": "a path must start with '/'",
    "a/b": "a path must start with '/'",
    "//": "a path must not hold '//'",
    "/a//": "a path must not hold '//'",
    "/a//b": "a path must not hold '//'",
    "/a\0": "a path must not hold a null character",
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", [None, b"/", 1, ["/"]], ids=repr)
def test_a_path_that_is_no_text_is_a_type_error(zk, name, wrong) -> None:
    with pytest.raises(TypeError, match=f"a path must be str, not {type(wrong).__name__}"):
        CALLS[name](zk, wrong)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("path", "fault"), FAULTS.items(), ids=map(repr, FAULTS))
def test_a_bad_path_is_refused_with_the_reason(zk, name, path, fault) -> None:
    with pytest.raises(zookeeper.BadArgumentsException) as raised:
        CALLS[name](zk, path)
    assert fault in str(raised.value)
    assert zk.get_children("/") == []


@pytest.mark.parametrize("name", SUBTREES)
def test_a_slash_behind_the_path_of_a_subtree_changes_nothing(zk, name, capsys) -> None:
    zk.create_recursive("/a/b")
    plain = SUBTREES[name](zk, "/a"), capsys.readouterr()
    assert str((SUBTREES[name](zk, "/a/"), capsys.readouterr())) == str(plain)


@pytest.mark.parametrize("name", NODES)
def test_a_slash_behind_the_path_of_a_node_is_refused(zk, name) -> None:
    zk.create("/a")
    with pytest.raises(zookeeper.BadArgumentsException, match="a path must not end with '/'"):
        NODES[name](zk, "/a/")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (None, "must be str, not NoneType"),
        (1, "must be str, not int"),
        (b"/a", "must be str, not bytes"),
        ("", "must not be empty"),
        ("/a//b", "must not hold '//'"),
        ("a\0", "must not hold a null character"),
    ],
)
def test_a_link_to_no_path_is_refused_with_the_reason(zk, source, fault) -> None:
    with pytest.raises((TypeError, zookeeper.BadArgumentsException), match=fault):
        zk.ln(source, "/link")
    assert zk.get_properties("/") == {}


def test_a_link_leads_to_its_source_with_or_without_a_slash_behind(zk) -> None:
    zk.create("/a")
    for number, source in enumerate(["/a", "/a/", "a", "a/", "./a", "/"]):
        zk.ln(source, f"/link-{number}")
        assert zk.resolve(f"/link-{number}") == ("/" if source == "/" else "/a")
