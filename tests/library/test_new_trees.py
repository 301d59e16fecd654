"""Imports of nodes that are not there yet: plain text is not parsed, and ends as if it were."""

from __future__ import annotations

import pytest

import zc.zk
import zookeeper
from tests.library.test_unchanged_imports import outcome, parsed, plan_parsed
from tests.wireframes import Op, Request
from zc.zk import OPEN_ACL_UNSAFE
from zc.zk.errors import TreeSyntaxError
from zc.zk.operations import import_
from zc.zk.tree import unparsed
from zc.zk.tree.parse import parse_tree

__all__ = ["parsed"]

TREE = """\
/app : web
  threads = 3
  /main
    /providers
/last
  x = 'y'
"""
MANY = "/many\n" + "".join(f"  /n{number:04}\n    x = {number}\n" for number in range(1200))


@pytest.mark.parametrize("path", ["/", "/some", "/some/where", "/linked/there", "/linked/there/x"])
@pytest.mark.parametrize("text", [TREE, MANY], ids=["small", "large"])
def test_nodes_that_are_not_there_are_made_without_parsing(zk, parsed, path, text) -> None:
    zk.import_tree("/some\n/linked\n  there -> /some\n  /n\n    x = 1\n")
    parsed.clear()
    wanted = outcome(lambda: plan_parsed(zk, text, path))
    assert outcome(lambda: zk.plan_import(text, path)) == wanted
    if path == "/linked/there/x":  # there is no such node, and links lead nowhere
        return
    zk.import_tree(text, path)
    assert parsed == []
    names = [line[1:].partition(" ")[0] for line in text.splitlines() if line.startswith("/")]
    place = zk.resolve(path).rstrip("/")
    assert "".join(zk.export_tree(f"{place}/{name}") for name in names) == text


class Text(str):
    """A string of a class of a program's, as of an enumeration."""

    __slots__ = ()


@pytest.mark.parametrize("text", [TREE, f"# {TREE}"], ids=["plain", "parsed"])
@pytest.mark.parametrize("path", ["/", "/app", "/new"])
def test_text_and_path_may_be_of_subclasses_of_str(zk, text, path) -> None:
    text = text.replace("# ", "# parsed\n")
    for _ in range(2):  # nodes that are new, and nodes that are there
        zk.import_tree(Text(text), Text(path))
        assert "".join(zk.export_tree(Text(path.rstrip("/") + "/last"))) == "/last\n  x = 'y'\n"


def test_a_dry_run_tells_the_same(zk, parsed, capsys) -> None:
    for verbose in (False, True):
        zk.import_tree(TREE, dry_run=True, verbose=verbose)
    assert parsed == []
    told = capsys.readouterr().out
    plan = import_.make_plan(
        zk._session,
        parse_tree(TREE),
        "/",
        acl=OPEN_ACL_UNSAFE,
        options=import_.Options(),
    )
    assert told.splitlines() == [*plan.lines(), *plan.lines(verbose=True)]


def test_nodes_behind_a_link_are_not_taken_for_new(zk) -> None:
    zk.import_tree("/real\n  /app\n    threads = 2\n/linked\n  there -> /real\n")
    zk.import_tree(TREE, "/linked/there")
    assert zk.export_tree("/real/app") == TREE.partition("/last")[0]


@pytest.mark.parametrize("text", [TREE, MANY], ids=["small", "large"])
def test_a_node_that_is_made_meanwhile_is_found(zk, text) -> None:
    top = text.splitlines()[0][1:].partition(" ")[0]

    def intrude(plan: object) -> None:
        if not zookeeper.exists(zk.handle, f"/{top}"):
            zk.create(f"/{top}", '{"other":1}', OPEN_ACL_UNSAFE)

    source = unparsed.read_text(text)
    options = import_.Options(review=intrude)
    import_.import_tree(zk._session, source, "/", acl=OPEN_ACL_UNSAFE, options=options)
    assert text.startswith(zk.export_tree(f"/{top}"))


@pytest.mark.parametrize("fault", ["  x\n", "/many\n", "  /n\n", "/z\n    x = 1\n  y = 2\n"])
def test_a_fault_in_the_last_line_changes_nothing(zk, fault) -> None:
    text = MANY + "  /n\n" + fault
    line = text.count("\n")
    with pytest.raises(TreeSyntaxError, match=f"^line {line}: "):
        zk.import_tree(text)
    assert zk.get_children("/") == []


USUAL = "".join(f"    p{number:02} = {value}\n" for number, value in enumerate(["'x y'", 7, True]))
KINDS = (
    "/kinds : top\n  a = 1\n"
    + "".join(f"  /n{number:04}\n{USUAL}    x = {number}\n" for number in range(1200))
    + "  /o\n    b = 0.50\n    c = [1, {'d': None}]\n    e = False\n    a -> /x/y\n    z -> /x\n"
    + f"  /p : web\n    x = 1\n    /q\n      x = '{20_000 * 'x'}'\n      /r\n"
    + f"  /s\n    x = '{150_000 * 'x'}'\n    /t\n      y = None\n"
    + "  /u\n"
    + "".join(f"{2 * depth * ' '}/v\n" for depth in range(2, 40))
    + "  /w\n    x = ''\n"
)


@pytest.mark.parametrize("path", ["/", "/some/where", "/é"])
def test_new_nodes_of_all_kinds_are_made_as_parsed(zk, parsed, path) -> None:
    zk.import_tree(KINDS, path)
    assert parsed == []
    start = path.rstrip("/")
    wanted = {
        start + node.path: node.data for _, node in parse_tree(KINDS).walk() if node.path != "/"
    }
    found = {node.path: node.data for node in zookeeper.read_tree(zk.handle, f"{start}/kinds")}
    assert found == wanted


def test_a_new_node_that_is_refused_ends_the_import_and_is_named(zk, parsed) -> None:
    closed = [zc.zk.world_permission(zookeeper.PERM_READ)]
    zk.create("/top", "", OPEN_ACL_UNSAFE)
    plan = zk.plan_import(MANY + "  /o\n    /below\n", "/top", acl=closed)
    with pytest.raises(zookeeper.NoAuthException) as caught:
        plan.apply()
    assert parsed == []
    assert caught.value.path == "/top/many/n0000"
    assert str(caught.value).endswith("(done: 1 of 1203 creations)")


def test_a_new_node_that_is_there_meanwhile_is_named_and_found_the_next_time(
    client, proxy, root, zk, parsed
) -> None:
    transactions: list[Request] = []

    def intrude(request: Request) -> bool:
        if request.op == Op.MULTI:
            transactions.append(request)
            if len(transactions) == 2:  # the first one has made the node above
                zk.create("/many/n0700", "", OPEN_ACL_UNSAFE)
        return True

    plan = client(proxy.connection_string + root).plan_import(MANY)
    proxy.on_request = intrude
    with pytest.raises(zookeeper.NodeExistsException) as caught:
        plan.apply()
    assert parsed == []
    assert caught.value.path == "/many/n0700"
    assert " of 1201 creations)" in str(caught.value)
    zk.import_tree(MANY)
    assert zk.export_tree("/many") == MANY


def test_nothing_is_made_below_a_node_of_somebody_else(zk, parsed) -> None:
    plan = zk.plan_import(MANY)
    zk.create("/many", "", OPEN_ACL_UNSAFE)
    with pytest.raises(zookeeper.NodeExistsException) as caught:
        plan.apply()
    assert parsed == []
    assert caught.value.path == "/many"
    assert str(caught.value).endswith("(done: none of 1201 creations)")
    assert zk.get_children("/many") == []


def test_new_nodes_that_a_lost_connection_left_out_are_made_the_next_time(
    client, proxy, root, zk, parsed
) -> None:
    text = "/many\n" + "".join(f"  /n{number:05}\n    x = {number}\n" for number in range(10_000))
    shaken = client(proxy.connection_string + root)
    plan = shaken.plan_import(text)
    assert parsed == []
    proxy.cut_after(60_000)  # a transaction's answer has about 14,000
    with pytest.raises(zookeeper.ConnectionLossException) as caught:
        plan.apply()
    done = int(str(caught.value).partition("(done: ")[2].split(" ")[0])
    uncertain = int(str(caught.value).partition("; ")[2].split(" ")[0])
    assert 0 < done <= len(zk.read_tree("/many")) <= done + uncertain < 10_001
    shaken.import_tree(text)
    assert zk.export_tree("/many") == text
