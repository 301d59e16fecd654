"""ACLs and kinds of nodes in trees: in text, JSON and YAML, and in plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zc.zk import formats, owners
from zc.zk.acl import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, world_permission
from zc.zk.tree import ParseNode, parse_tree, render_tree
from zc.zk.tree.changes import AddNode, Change, messages, operations
from zc.zk.tree.diff import NodeState, plan_import, snapshot
from zc.zk.tree.exporting import Marked, exported
from zc.zk.tree.leftbehind import LeftBehind
from zc.zk.tree.markchanges import LeaveOut, SetAcl
from zc.zk.tree.marking import Marking, losses, shut, with_acls, with_ways_in
from zc.zk.tree.marks import Marks, read_span, write_span
from zc.zk.tree.render import render
from zookeeper.constants import CONTAINER, PERM_CREATE, PERSISTENT_WITH_TTL
from zookeeper.errors import NoAuthException, NoChildrenForEphemeralsException, NoNodeException

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry

pytestmark = pytest.mark.quick

ALICE: AclEntry = {"perms": 31, "scheme": "digest", "id": "alice:Jq0="}
X509: AclEntry = {"perms": 1, "scheme": "x509", "id": "CN=app,O=Shop"}

TEXT = """\
/cms : z4m cms
  threads = 3
  = acl world:anyone:r, digest:alice:Jq0=:cdrwa, 'x509:CN=app,O=Shop:r'
  /leases
    = container
  /null
    = None
    = acl world:anyone:cdrwa
    = ttl 1h30m
  /reg
    = ephemeral
/open
  acl = 'world:anyone:r'
  container = True
  ttl = 5
"""
CMS_ACL = [world_permission(1), ALICE, X509]

JSON = """\
{
  "/cms": {"threads": 3, "type": "z4m cms"},
  "= /cms": {"acl": ["world:anyone:r", "digest:alice:Jq0=:cdrwa", "x509:CN=app,O=Shop:r"]},
  "/cms/leases": {},
  "= /cms/leases": {"container": true},
  "/cms/null": null,
  "= /cms/null": {"acl": ["world:anyone:cdrwa"], "ttl": "1h30m"},
  "/cms/reg": {},
  "= /cms/reg": {"ephemeral": true},
  "/open": {"acl": "world:anyone:r", "container": true, "ttl": 5}
}
"""


def marks_in(tree: ParseNode) -> dict[str, Marks]:
    return {node.path: node.marks for _, node in tree.walk() if node.marks is not None}


MARKS = {
    "/cms": Marks(CMS_ACL),
    "/cms/leases": Marks(kind="container"),
    "/cms/null": Marks(OPEN_ACL_UNSAFE, "ttl", 5_400_000),
    "/cms/reg": Marks(kind="ephemeral"),
}


def test_marks_are_read_and_written_in_all_formats() -> None:
    tree = parse_tree(TEXT)
    assert marks_in(tree) == MARKS
    assert "".join(render_tree(tree)) == TEXT
    assert "".join(formats.render(tree, "json")) == JSON
    for format in ("text", "json", "yaml"):
        again = formats.parse("".join(formats.render(tree, format)), format)
        assert marks_in(again) == MARKS
        assert "".join(render_tree(again)) == TEXT


def test_properties_with_the_names_of_marks_are_properties() -> None:
    node = parse_tree(TEXT).children["open"]
    assert node.marks is None
    assert node.properties == {"acl": "world:anyone:r", "container": True, "ttl": 5}
    text = "/a\n  'acl world:anyone:r' = 1\n  ephemeral -> /b\n  string_value = '= acl x'\n"
    assert marks_in(parse_tree(text)) == {}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("= acl", "bad ACL: not of the form SCHEME:ID:PERMISSIONS: ''"),
        ("= acl world:anyone:x", "bad ACL: not permissions, some of cdrwa"),
        ("= acl world:anyone:r\n  = acl world:anyone:r", "duplicate ACL"),
        ("= container\n  = ttl 5s", "duplicate kind of node: it is container already"),
        ("= container 5", "bad mark: more text behind 'container': '5'"),
        ("= ttl", "bad time to live, which is as 90s, 1h30m or 250ms: ''"),
        ("= ttl 5y", "bad time to live"),
        ("= ttl 0", "bad time to live"),
        ("= ttl 99999d", "bad time to live"),
        ("= contained", "bad layout: unknown word 'contained'"),
    ],
)
def test_a_bad_mark_is_an_error_that_names_the_line(lines: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"line \d") as raised:
        parse_tree(f"/a\n  {lines}\n")
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ('"= /a": 5', "marks are an object, not 5"),
        ('"= /b": {}', "marks of a node that is not there yet: '/b'"),
        ('"= /a": {"acl": []}', "bad ACL: a list of texts is needed, not an empty one"),
        ('"= /a": {"acl": [5]}', "bad ACL: an entry is text, not int"),
        ('"= /a": {"ttl": true}', "bad time to live: True"),
        ('"= /a": {"container": false}', "bad mark: container is true, or not there: False"),
        ('"= /a": {"colour": 1}', "unknown mark 'colour'"),
        ('"= /a": {"container": true, "ephemeral": true}', "duplicate kind of node"),
        ('"= /a": {"ephemeral": true}, "= /a": {"container": true}', "duplicate marks of '/a'"),
    ],
)
def test_a_bad_member_with_marks_is_an_error(member: str, reason: str) -> None:
    with pytest.raises(ValueError, match="line 1") as raised:
        formats.parse('{"/a": {}, ' + member + "}", "json")
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("1h30m", 5_400_000), ("90s", 90_000), ("250ms", 250), ("2d 1 ms", 172_800_001), ("7", 7)],
)
def test_a_time_to_live_is_read_as_people_write_it(text: str, milliseconds: int) -> None:
    assert read_span(text) == milliseconds
    assert read_span(write_span(milliseconds)) == milliseconds


# Exports


class Found:
    """A node as a server has it."""

    def __init__(self, path: str, owner: int = 0, error: Exception | None = None) -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.depth = path.count("/") if path != "/" else 0
        self.data: str | None = ""
        self.error = error
        self.ephemeralOwner = owner


def written(nodes: list[Found], ephemeral: bool = True, **marked: object) -> str:
    rows = exported(nodes, "", None, ephemeral=ephemeral, marked=Marked(**marked))  # type: ignore[arg-type]
    return "".join(render(rows))


SESSIONS = [
    Found("/"),
    Found("/a"),
    Found("/a/p", 0x1000),
    Found("/s", -(1 << 62)),  # of a server with a number over 127
]


def test_an_export_marks_ephemeral_nodes_if_it_is_told_to() -> None:
    assert written(SESSIONS) == "/a\n  /p\n/s\n"
    assert written(SESSIONS, ephemeral=False, kinds=True) == "/a\n"
    assert written(SESSIONS, kinds=True) == "/a\n  /p\n    = ephemeral\n/s\n  = ephemeral\n"


def test_an_export_writes_acls_that_are_not_the_parents() -> None:
    acls: dict[str, Acl | Exception] = {
        "/": READ_ACL_UNSAFE,
        "/a": OPEN_ACL_UNSAFE,
        "/a/b": [ALICE],
        "/a/b/c": [ALICE],
        "/a/d": OPEN_ACL_UNSAFE,
        "/e": [ALICE],
        "/e/f": OPEN_ACL_UNSAFE,
    }
    text = written([Found(path) for path in acls], acls=acls)
    assert text == (
        "/a\n  /b\n    = acl digest:alice:Jq0=:cdrwa\n    /c\n  /d\n"
        "/e\n  = acl digest:alice:Jq0=:cdrwa\n  /f\n    = acl world:anyone:cdrwa\n"
    )


def test_a_node_whose_acl_cannot_be_read_is_left_out_with_all_below() -> None:
    nodes = [Found(path) for path in ("/", "/a", "/a/b", "/a/b/c", "/ab", "/gone", "/gone/x")]
    acls: dict[str, Acl | Exception] = {node.path: OPEN_ACL_UNSAFE for node in nodes}
    acls["/a/b"] = fault = NoAuthException("no")
    acls["/gone"] = NoNodeException("no")
    with pytest.raises(NoAuthException):
        written(nodes, acls=acls)
    skipped: list[tuple[str, Exception]] = []
    rows = exported(
        nodes,
        "",
        None,
        lambda *each: skipped.append(each),
        ephemeral=True,
        marked=Marked(acls=acls),
    )
    assert "".join(render(rows)) == "/a\n/ab\n"
    assert skipped == [("/a/b", fault)]


def left_behind(nodes: list[Found], **marked: object) -> list[str]:
    behind = LeftBehind()
    mark = Marked(**marked)  # type: ignore[arg-type]
    list(exported(nodes, "", "/zookeeper", ephemeral=True, marked=mark, behind=behind))
    return behind.sentences()


def test_things_that_an_export_leaves_behind_are_named() -> None:
    paths = ["/", "/q", "/q/job-0000000007", "/q/job-0000000008", "/x", "/x/12345678901x"]
    of_servers = ["", "/config", "/quota", "/quota/a", "/quota/a/zookeeper_limits", "/mine"]
    paths += [f"/zookeeper{path}" for path in of_servers]
    assert left_behind([Found(path) for path in paths]) == [
        "the counters of sequential nodes: /q",
        "quotas: /a",
        "nodes of the servers' own: /zookeeper/mine",
    ]
    plain = [Found("/"), Found("/a")]
    assert left_behind(plain) == []
    acls = {"/": READ_ACL_UNSAFE, "/a": OPEN_ACL_UNSAFE}
    plain[0].data = "x"
    assert left_behind(plain, acls=acls) == ["the data of /", "the ACL of /"]


def test_an_acl_without_its_hashes_is_told_before_it_shuts_all_out() -> None:
    text = "/a\n  = acl digest:alice:x:cdrwa\n/b\n  = acl digest:bob:x:r\n"
    plan = plan_of(text, state(b=0), Marking({"/b": (OPEN_ACL_UNSAFE, 0)}))
    assert losses(plan) == ["ACLs without their hashes let nobody in: /a, /b"]


# Plans


def plan_of(
    text: str,
    present: dict[str, NodeState] | None = None,
    marking: Marking | None = None,
    trim: bool | None = None,
) -> list[Change]:
    states = present or {"/": NodeState("", 0, False)}
    return list(plan_import(parse_tree(text), "/", states, trim, marking))


def lines_of(plan: list[Change], verbose: bool = False) -> list[str]:
    return list(messages(plan, dry_run=True, verbose=verbose))


def test_new_nodes_are_made_with_their_acls_and_kinds() -> None:
    plan = plan_of(TEXT)
    assert operations(plan, READ_ACL_UNSAFE) == [
        ("create", "/cms", '{"threads":3,"type":"z4m cms"}', CMS_ACL, 0),
        ("create", "/cms/leases", "", CMS_ACL, CONTAINER),
        ("create", "/cms/null", None, OPEN_ACL_UNSAFE, PERSISTENT_WITH_TTL, 5_400_000),
        ("create", "/open", plan[-1].data, READ_ACL_UNSAFE, 0),  # type: ignore[attr-defined]
    ]
    assert plan[3] == LeaveOut("/cms/reg")
    assert lines_of(plan) == [
        "add /cms",
        "/cms add acl world:anyone:r, digest:alice:Jq0=:cdrwa, 'x509:CN=app,O=Shop:r'",
        "wouldn't create /cms/reg because it was ephemeral.",
        "add /open",
    ]
    assert "/cms/null add kind ttl 1h30m" in lines_of(plan, verbose=True)
    assert losses(plan) == ["ephemeral nodes are not made again: /cms/reg"]


def test_registrations_become_permanent_nodes_only_if_asked_for() -> None:
    plan = plan_of("/a\n  = ephemeral\n", marking=Marking(ephemeral_as_permanent=True))
    assert plan == [AddNode("/a", "")]
    below = "/a\n  = ephemeral\n  /b\n"
    with pytest.raises(NoChildrenForEphemeralsException):
        plan_of(below)
    assert len(plan_of(below, marking=Marking(ephemeral_as_permanent=True))) == 2
    there = snapshot([("/", "", 0, 0, None), ("/a", "of its owner", 3, 77, None)])
    assert plan_of("/a\n  x = 1\n  = ephemeral\n", there) == []


def state(**nodes: int) -> dict[str, NodeState]:
    return snapshot(
        [
            ("/", "", 0, 0, None),
            *((f"/{name}", "", 0, owner, None) for name, owner in nodes.items()),
        ]
    )


def test_acls_of_nodes_that_are_there_change_to_those_of_the_text() -> None:
    text = "/a\n  = acl world:anyone:r\n  /b\n/c\n"
    present = snapshot([(path, "", 0, 0, None) for path in ("/", "/a", "/a/b", "/c")])
    tree = parse_tree(text)
    assert sorted(with_acls(tree, "/", present, is_reset=False)) == ["/a", "/a/b"]
    assert sorted(with_acls(tree, "/", present, is_reset=True)) == ["/a", "/a/b", "/c"]
    acls: dict[str, tuple[Acl, int] | Exception] = {
        "/a": (READ_ACL_UNSAFE, 0),
        "/a/b": ([ALICE], 4),
        "/c": ([ALICE], 2),
    }
    change = SetAcl("/a/b", [ALICE], READ_ACL_UNSAFE, 4)
    assert plan_of(text, present, Marking(acls)) == [change]
    assert lines_of([change]) == ["/a/b acl change from digest:alice:Jq0=:cdrwa to world:anyone:r"]
    assert change.operation([]) == ("set_acl", "/a/b", READ_ACL_UNSAFE, 4)
    reset = SetAcl("/c", [ALICE], OPEN_ACL_UNSAFE, 2)
    assert plan_of(text, present, Marking(acls, reset=OPEN_ACL_UNSAFE)) == [change, reset]
    # Without marks in the text, too.
    assert plan_of("/c\n", present, Marking(acls, reset=OPEN_ACL_UNSAFE)) == [reset]


def test_an_acl_whose_hashes_are_hidden_is_compared_without_them() -> None:
    hidden: AclEntry = {**ALICE, "id": "alice:x"}
    text = "/a\n  = acl digest:alice:Jq0=:cdrwa\n"
    assert plan_of(text, state(a=0), Marking({"/a": ([hidden], 1)})) == []
    other: AclEntry = {**ALICE, "id": "bob:x"}
    assert len(plan_of(text, state(a=0), Marking({"/a": ([other], 1)}))) == 1


def test_containers_and_nodes_with_a_time_to_live_are_not_ephemeral() -> None:
    present = snapshot(
        [("/", "", 0, 0, None), ("/c", "", 0, owners.CONTAINER, None), ("/c/x", "", 0, 9, None)]
    )
    assert not present["/c"].is_ephemeral
    assert present["/c/x"].is_ephemeral
    assert plan_of("/c\n  /y\n", present, trim=True) == [AddNode("/c/y", "")]


@pytest.mark.parametrize(
    ("identities", "shown", "is_same"),
    [
        ([("ip", "1.2.3.4"), ("digest", "alice")], [ALICE], True),
        ([("digest", "alice"), ("sasl", "app")], [ALICE], False),
        ([("digest", "al")], [ALICE], False),
        ([("sasl", "app")], [{"perms": 31, "scheme": "sasl", "id": "app"}], True),
        ([], [ALICE], False),
    ],
)
def test_auth_stands_for_the_identities_of_the_session(
    identities: list[tuple[str, str]], shown: Acl, is_same: bool
) -> None:
    marking = Marking({"/a": (shown, 1)}, identities=identities)
    plan = plan_of("/a\n  = acl auth::cdrwa\n", state(a=0), marking)
    assert (plan == []) == is_same


def test_nodes_that_cannot_be_read_are_passed_over_if_asked_for() -> None:
    fault = NoAuthException("no")
    fault.path = "/a/secret"
    present = snapshot(
        [
            ("/", "", 0, 0, None),
            ("/a", "", 0, 0, None),
            ("/a/secret", None, 0, 0, fault),
            ("/b", "", 0, 0, None),
        ]
    )
    text = "/a\n  /secret\n    x = 1\n    /below\n/b\n  x = 1\n"
    with pytest.raises(NoAuthException):
        plan_of(text, present)
    skipped: list[str] = []
    marking = Marking({"/b": fault}, skip=lambda path, fault: skipped.append(path))
    assert [change.path for change in plan_of(text, present, marking)] == ["/b"]
    # Nor is what is extra deleted, if it is not known.
    assert plan_of("/a\n", present, marking, trim=True) == []
    assert skipped == ["/a/secret", "/a/secret"]
    with_acl = "/b\n  = acl world:anyone:r\n"
    assert plan_of(with_acl, present, marking) == []
    assert skipped[2:] == ["/b"]


@pytest.mark.parametrize(
    ("old", "new", "opens"),
    [
        ("world:anyone:r", "world:anyone:cdrwa", True),
        ("sasl:a:r", "world:anyone:r", True),
        ("sasl:a:r", "world:anyone:c", False),
        ("sasl:a:rw", "sasl:a:r, sasl:a:w", True),
        ("sasl:a:r, sasl:b:r", "sasl:a:cdrwa", False),
    ],
)
def test_a_change_that_takes_nothing_away_may_come_first(old: str, new: str, opens: bool) -> None:
    from zc.zk.tree.acltext import read_acl

    assert SetAcl("/a", read_acl(old), read_acl(new), 0).opens == opens


def test_a_node_that_would_shut_its_maker_out_gets_its_acl_at_last() -> None:
    text = "/a\n  = acl world:anyone:r\n  /b\n    = acl digest:alice:Jq0=:cdrwa\n    /c\n"
    plan = plan_of(text)
    assert [change.path for change in shut(plan)] == ["/a", "/a/b"]
    assert with_ways_in(plan, [("super", "")]) == plan
    assert with_ways_in(plan, []) == plan  # a server that tells nothing
    for identities, scheme, id, paths in (
        ([("ip", "10.0.0.7")], "ip", "10.0.0.7", ["/a", "/a/b"]),
        ([("ip", "10.0.0.7"), ("digest", "alice")], "auth", "", ["/a"]),
        ([("sasl", "bob"), ("ip", "10.0.0.7")], "auth", "", ["/a", "/a/b"]),
    ):
        opened = with_ways_in(plan, identities)
        way_in: AclEntry = {"perms": 16 | PERM_CREATE, "scheme": scheme, "id": id}
        assert [change.path for change in opened[3:]] == paths
        assert opened[0] == AddNode("/a", "", False, Marks([*READ_ACL_UNSAFE, way_in]))
        last = opened[3]
        assert isinstance(last, SetAcl)
        assert (last.new, last.version, last.is_of_new) == (READ_ACL_UNSAFE, 0, True)


def test_counters_of_sequential_nodes_are_named() -> None:
    plan = plan_of("/q\n  /job-0000000007\n  /job-0000000009\n")
    assert losses(plan) == ["sequence counters begin anew, below numbers in use: /q"]


def test_a_hostile_id_does_not_forge_a_line_of_a_plan() -> None:
    forged: AclEntry = {"perms": 1, "scheme": "sasl", "id": "x\nadd /all-is-well"}
    (line,) = lines_of([SetAcl("/a", [forged], READ_ACL_UNSAFE, 0)])
    assert line.isprintable()
