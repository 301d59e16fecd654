"""The pure part of live trees: whatever happens when, the nodes become those of the servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zc.zk.watching import treeagenda
from zc.zk.watching.packedstats import packed, unpacked
from zc.zk.watching.treeagenda import MAX_READ_ALONG, Agenda, Answers, Reads
from zc.zk.watching.treechanges import ADDED, CHANGED, REMOVED, Changes, Log, merge, note
from zc.zk.watching.treenodes import Nodes, signs
from zookeeper.constants import NOAUTH, NONODE
from zookeeper.errors import error

pytestmark = pytest.mark.quick

LONG = "x" * (MAX_READ_ALONG + 1)


class Servers:
    """Nodes as servers have them, and the events of a recursive watch at `/top`."""

    def __init__(self, *, tells_of_refused: bool = True) -> None:
        self.zxid = 0
        self.nodes: dict[str, dict[str, Any]] = {}
        self.refused: set[str] = set()
        self.made_in_gaps: set[str] = set()
        self.events: list[str] = []
        self.is_connected = True
        self._tells_of_refused = tells_of_refused
        for path in ("/top", "/top/a", "/top/b", "/top/a/a"):
            self.create(path)
        self.events.clear()

    def create(self, path: str, data: str = "") -> None:
        above = path.rpartition("/")[0]
        if path in self.nodes or (path != "/top" and above not in self.nodes):
            return
        self.zxid += 1
        zxids = {"czxid": self.zxid, "mzxid": self.zxid, "pzxid": self.zxid, "cversion": 0}
        self.nodes[path] = {"data": data, **zxids}
        self.made_in_gaps.discard(path)
        if not self.is_connected:
            self.made_in_gaps.add(path)
        self._note_family(above)
        self._fire(path)

    def delete(self, path: str) -> None:
        if path not in self.nodes or self.children(path):
            return
        self.zxid += 1
        del self.nodes[path]
        self._note_family(path.rpartition("/")[0])
        self._fire(path)
        self.refused.discard(path)

    def set(self, path: str, data: str) -> None:
        if path in self.nodes:
            self.zxid += 1
            self.nodes[path].update(data=data, mzxid=self.zxid)
            self._fire(path)

    def _note_family(self, path: str) -> None:
        if path in self.nodes:
            self.nodes[path]["cversion"] += 1
            self.nodes[path]["pzxid"] = self.zxid

    def _fire(self, path: str) -> None:
        if self.is_connected and (self._tells_of_refused or path not in self.refused):
            self.events.append(path)

    def children(self, path: str) -> list[str]:
        return [each[len(path) + 1 :] for each in self.nodes if each.rpartition("/")[0] == path]

    def can_be_found(self, path: str) -> bool:
        """Say whether a client hears of a node, or finds it among the names above."""
        while path != "/top":
            above = path.rpartition("/")[0]
            if path in self.made_in_gaps and above in self.refused:
                return False
            path = above
        return True

    def stat(self, path: str) -> dict[str, int] | None:
        if path not in self.nodes:
            return None
        node = dict(self.nodes[path])
        data = node.pop("data")
        return {
            **dict.fromkeys(("ctime", "mtime", "version", "aversion", "ephemeralOwner"), 0),
            **node,
            "dataLength": len(data),
            "numChildren": len(self.children(path)),
        }

    def get(self, path: str) -> Any:
        if path not in self.nodes:
            return error(NONODE, path)
        if path in self.refused:
            return error(NOAUTH, path)
        return self.nodes[path]["data"], self.stat(path)

    def names(self, path: str) -> Any:
        answer = self.get(path)
        return answer if isinstance(answer, Exception) else self.children(path)

    def answers(self, reads: Reads) -> Answers:
        return Answers(
            [self.get(path) for path in reads.nodes],
            [self.stat(path) for path in reads.stats],
            [self.names(path) for path in reads.names],
        )


class UnderWay:
    """Reads, some of which have been answered."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._answers: tuple[list[Any], list[Any], list[Any]] = ([], [], [])

    def go_on(self, servers: Servers, count: int) -> bool:
        """Have so many more answered, in the order of sending; say whether these are all."""
        asks = servers.get, servers.stat, servers.names
        for ask, paths, answers in zip(asks, self._reads, self._answers, strict=True):
            while count and len(answers) < len(paths):
                answers.append(ask(paths[len(answers)]))
                count -= 1
        return [len(each) for each in self._answers] == [len(each) for each in self._reads]

    def take(self, agenda: Agenda) -> None:
        agenda.take(self._reads, Answers(*self._answers))


def settle(agenda: Agenda, servers: Servers, limit: int = 3) -> int:
    """Read until nothing is left to read; return how many reads of nodes that took."""
    count = 0
    while reads := agenda.next(limit):
        count += sum(map(len, reads))
        assert count < 10_000, "there is no end of it"
        agenda.take(reads, servers.answers(reads))
    return count


def shown(agenda: Agenda) -> dict[str, Any]:
    """Return what is known of each node: its data and numbers, or None if it is refused."""
    return {
        path: (entry[0], signs(entry[1])[:2]) if isinstance(entry[1], bytes) else None
        for path, _, entry in agenda.nodes.walk("/top")
    }


def stats(agenda: Agenda) -> dict[str, Any]:
    return {
        path: unpacked(entry[1])
        for path, _, entry in agenda.nodes.walk("/top")
        if isinstance(entry[1], bytes)
    }


def expected(servers: Servers, wants: Callable[[str], bool]) -> dict[str, Any]:
    return {
        path: None if path in servers.refused else (node["data"], (node["czxid"], node["mzxid"]))
        for path, node in servers.nodes.items()
        if wants(path)
    }


def check_log(before: dict[str, Any], after: dict[str, Any], log: Log) -> None:
    of_kind = {
        kind: {path for path in log if log[path] is kind} for kind in (ADDED, REMOVED, CHANGED)
    }
    assert of_kind[ADDED] == after.keys() - before.keys()
    assert of_kind[REMOVED] == before.keys() - after.keys()
    differ = {path for path in after.keys() & before.keys() if after[path] != before[path]}
    assert differ <= of_kind[CHANGED] <= after.keys() & before.keys()


PATHS = ["/top", *(f"/top/{a}" for a in "abx"), *(f"/top/{a}/{b}" for a in "abx" for b in "ax")]
PATHS += ["/top/a/a/a", "/top/a/a/x", "/top/b/x/a"]

steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["create", "delete", "set"]), st.sampled_from(PATHS)),
        st.tuples(st.sampled_from(["deliver", "ask", "answer"]), st.integers(1, 4)),
        st.tuples(
            st.sampled_from(["fail", "tell", "cut", "connect", "reconnect", "doubt", "remake"]),
            st.just("/top/a"),
        ),
    ),
    max_size=60,
)
refusals = st.tuples(st.sampled_from(["refuse", "allow"]), st.sampled_from(PATHS[1:]))


class Story:
    """A tree that is kept up to date, on good days and bad ones."""

    def __init__(self, servers: Servers, agenda: Agenda) -> None:
        self.servers, self.agenda = servers, agenda
        self.told: dict[str, Any] = {}
        self.under_way: UnderWay | None = None
        self.count = 0
        self.has_gap = False  # of which the agenda has not been told
        agenda.note("/top")
        settle(agenda, servers)

    def step(self, what: str, argument: Any) -> None:
        servers, agenda = self.servers, self.agenda
        self.count += 1
        if what == "create":
            servers.create(argument, LONG if self.count % 3 == 0 else str(self.count))
        elif what == "set":
            servers.set(argument, LONG if self.count % 3 == 0 else str(self.count))
        elif what == "delete":
            servers.delete(argument)
        elif what == "remake":
            for path in sorted(servers.nodes, reverse=True):
                if path.startswith(argument):
                    servers.delete(path)
            servers.create(argument, "anew")
        elif what == "refuse" and argument in servers.nodes:
            servers.refused.add(argument)
        elif what == "allow":
            servers.refused.discard(argument)
        elif what == "deliver":
            self.deliver(argument)
        elif what == "ask" and self.under_way is None and servers.is_connected:
            reads = agenda.next(argument)
            self.under_way = None if reads is None else UnderWay(reads)
        elif what == "answer" and self.under_way is not None and servers.is_connected:
            if self.under_way.go_on(servers, argument):
                self.under_way.take(agenda)
                self.under_way = None
        elif what == "fail":
            self.under_way = None
        elif what == "tell":
            self.tell()
        elif what == "cut":
            servers.is_connected = False
            self.under_way = None
        elif what == "connect" and not servers.is_connected:
            self.step("reconnect", None)
            self.step("doubt", None)
        elif what == "reconnect" and not servers.is_connected:
            servers.is_connected = True
            self.has_gap = True
            self.deliver(len(servers.events))
        elif what == "doubt" and self.has_gap and servers.is_connected:
            self.has_gap = False
            agenda.doubt()

    def deliver(self, count: int) -> None:
        for path in self.servers.events[:count]:
            self.agenda.note(path)
        del self.servers.events[:count]

    def tell(self) -> None:
        log, self.agenda.log = self.agenda.log, {}
        now = shown(self.agenda)
        check_log(self.told, now, log)
        self.told = now

    def end(self) -> None:
        self.under_way = None
        self.step("connect", None)
        self.step("doubt", None)
        self.deliver(len(self.servers.events))
        settle(self.agenda, self.servers)
        self.tell()


ASKED_MEANWHILE = [("deliver", 4), ("ask", 4), ("answer", 4)]


@pytest.mark.parametrize("believed", [treeagenda.MAX_BELIEVED, 0])
@pytest.mark.parametrize("is_filtered", [False, True])
@pytest.mark.parametrize("then", [["connect"], ["reconnect", *ASKED_MEANWHILE, "doubt"]])
@pytest.mark.parametrize(
    "in_the_gap",
    [
        [("create", "/top/b/a")],
        [("delete", "/top/a/a"), ("create", "/top/a/b")],
        [("create", "/top/b/a"), ("delete", "/top/a/a"), ("remake", "/top/a")],
    ],
)
@pytest.mark.parametrize("changed", ["/top/a", "/top/b", "/top"])
def test_a_node_that_changes_after_a_gap_hides_none_of_its_children(
    in_the_gap, then, changed, is_filtered, believed, monkeypatch
) -> None:
    """An event has a node read whose stat is of after the gap, before the gap is looked into."""
    monkeypatch.setattr(treeagenda, "MAX_BELIEVED", believed)
    accepts = (lambda path: not path.endswith("x")) if is_filtered else None
    story = Story(Servers(), Agenda("/top", None, accepts))
    after = [step if isinstance(step, tuple) else (step, None) for step in then]
    for what, argument in [("cut", None), *in_the_gap, after[0], ("set", changed), *after[1:]]:
        story.step(what, argument)
    story.end()
    assert story.told == expected(story.servers, lambda path: True)


def test_the_names_of_nodes_are_read_after_a_gap_as_few_as_before() -> None:
    """Nodes whose children have not changed since the last gap have their stats compared alone."""
    servers, agenda = Servers(), Agenda("/top")
    agenda.note("/top")
    settle(agenda, servers)
    for number in range(2):
        servers.create(f"/top/b/{number}")
    for path in servers.events:
        agenda.note(path)
    settle(agenda, servers)
    listed: list[list[str]] = []
    for _ in range(2):
        agenda.doubt()
        listed.append([])
        while reads := agenda.next(3):
            listed[-1] += reads.names
            agenda.take(reads, servers.answers(reads))
    assert listed == [["/top/b"], []]


@given(steps, st.sampled_from([None, 0, 1, 2]), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_tree_becomes_what_the_servers_have(what, depth, is_filtered) -> None:
    def accepts(path: str) -> bool:
        return not path.endswith("x")

    def wants(path: str) -> bool:
        names = path.split("/")[2:]
        return (depth is None or len(names) <= depth) and not (is_filtered and "x" in names)

    story = Story(Servers(), Agenda("/top", depth, accepts if is_filtered else None))
    for step in what:
        story.step(*step)
    story.end()
    assert story.told == expected(story.servers, wants)
    assert story.agenda.nodes.count == len(story.told)
    if depth is None and not is_filtered:
        assert stats(story.agenda) == {path: story.servers.stat(path) for path in story.told}


@pytest.mark.parametrize(
    "what",
    [
        [("create", "/top/a/x"), ("delete", "/top/a/x")],
        [("delete", "/top/a/a"), ("create", "/top/a/a")],
        [
            ("create", "/top/x"),
            ("create", "/top/x/a"),
            ("delete", "/top/x/a"),
            ("delete", "/top/x"),
        ],
    ],
)
def test_the_stat_above_nodes_that_have_come_and_gone_is_new(what) -> None:
    story = Story(Servers(), Agenda("/top"))
    for step in what:
        story.step(*step)
    story.end()
    assert stats(story.agenda) == {path: story.servers.stat(path) for path in story.told}


@given(
    st.lists(
        st.one_of(steps.map(lambda some: some[0] if some else ("tell", "")), refusals), max_size=60
    ),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_refused_nodes_are_marked_and_found_again(what, tells_of_refused) -> None:
    story = Story(Servers(tells_of_refused=tells_of_refused), Agenda("/top"))
    for step in what:
        story.step(*step)
    story.agenda.doubt()
    story.agenda.retry()
    story.end()
    # A node that nobody can find is known if it has changed later on, and else it is not.
    there = expected(story.servers, lambda path: True)
    unknown = there.keys() - story.told.keys()
    assert not any(map(story.servers.can_be_found, unknown))
    assert story.told == {path: there[path] for path in there.keys() - unknown}
    assert set(story.agenda.refused) == {
        path for path, known in story.told.items() if known is None
    }


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40), st.integers(0, 40))
def test_changes_are_merged_as_if_they_were_seen_at_once(what, middle) -> None:
    state: dict[str, int] = {"/a": 0}
    before = dict(state)
    first: Log = {}
    second: Log = {}
    for number, (name, is_deletion) in enumerate(what):
        path = f"/{name}"
        kind = REMOVED if is_deletion else CHANGED if path in state else ADDED
        if is_deletion and state.pop(path, None) is None:
            continue
        if not is_deletion:
            state[path] = number + 1
        note(first if number < middle else second, path, kind)
    merge(first, second)
    check_log(before, state, first)


class TestReads:
    """Nodes that are read, and those that are not."""

    def story(self) -> Story:
        return Story(Servers(), Agenda("/top"))

    def test_a_gap_without_changes_reads_each_node_once_and_no_names(self) -> None:
        story = self.story()
        story.agenda.doubt()
        read = story.agenda.next(100)
        assert read is not None
        assert sorted(read.nodes) == ["/top", "/top/a", "/top/a/a", "/top/b"]
        assert (read.stats, read.names) == ([], [])
        assert settle(story.agenda, story.servers) == 4

    def test_after_a_gap_names_are_read_where_they_have_changed(self) -> None:
        story = self.story()
        story.servers.is_connected = False
        story.servers.create("/top/b/new")
        story.agenda.doubt()
        names: list[str] = []
        while reads := story.agenda.next(100):
            names += reads.names
            story.agenda.take(reads, story.servers.answers(reads))
        assert names == ["/top/b"]
        assert "/top/b/new" in shown(story.agenda)

    def test_long_data_are_read_again_when_the_stat_says_so(self) -> None:
        story = self.story()
        for path in ("/top/a", "/top/b"):
            story.servers.set(path, LONG)
        story.deliver(9)
        settle(story.agenda, story.servers)
        story.servers.is_connected = False
        story.servers.set("/top/b", LONG + "!")
        story.agenda.doubt()
        reads = story.agenda.next(100)
        assert reads is not None
        assert reads.stats == ["/top/a", "/top/b"]
        story.agenda.take(reads, story.servers.answers(reads))
        again = story.agenda.next(100)
        assert again is not None
        assert again.nodes == ["/top/b"]

    def test_a_storm_is_one_read_for_each_node(self) -> None:
        story = self.story()
        for number in range(1000):
            story.servers.set("/top/a", str(number))
            story.servers.set("/top/b", str(number))
        story.deliver(5000)
        assert settle(story.agenda, story.servers, 5000) == 2

    def test_ten_thousand_new_children_are_read_in_bulk(self) -> None:
        story = self.story()
        for number in range(10_000):
            story.servers.nodes[f"/top/b/{number}"] = {
                "data": "", "czxid": 9, "mzxid": 9, "pzxid": 9, "cversion": 0,
            }  # fmt: skip
            story.agenda.note(f"/top/b/{number}")
        reads = story.agenda.next(20_000)
        assert reads is not None
        assert len(reads.nodes) == 10_000

    def test_a_failed_read_is_asked_for_again(self) -> None:
        story = self.story()
        story.servers.set("/top/a", "1")
        story.deliver(1)
        assert story.agenda.next(9) == story.agenda.next(9)

    def test_paths_beside_the_tree_are_none_of_it(self) -> None:
        story = self.story()
        for path in ("/", "/topping", "/to", "/other/top"):
            story.agenda.note(path)
        assert story.agenda.next(9) is None


class TestNodes:
    def nodes(self) -> Nodes:
        nodes = Nodes("/")
        for path in ("/", "/b", "/a", "/a/2", "/a/10"):
            nodes.put(path, path, error(NOAUTH, path))
        return nodes

    def test_they_are_walked_depth_first_by_name(self) -> None:
        walked = [(path, depth) for path, depth, _ in self.nodes().walk("/")]
        assert walked == [("/", 0), ("/a", 1), ("/a/10", 2), ("/a/2", 2), ("/b", 1)]
        assert [path for path, _, _ in self.nodes().walk("/a")] == ["/a", "/a/10", "/a/2"]
        assert list(self.nodes().walk("/c")) == []

    def test_those_that_vanish_on_the_way_are_passed_over(self) -> None:
        nodes, seen = self.nodes(), []
        for path, _, _ in nodes.walk("/"):
            seen.append(path)
            if path == "/a":
                assert nodes.remove("/a") == ["/a", "/a/10", "/a/2"]
        assert seen[:2] == ["/", "/a"]
        assert seen[-1] == "/b"
        assert nodes.count == 2

    def test_a_node_without_one_above_is_refused(self) -> None:
        with pytest.raises(KeyError):
            self.nodes().put("/c/1", None, error(NOAUTH, "/c/1"))
        assert Nodes("/top").find("/elsewhere") is None

    def test_a_stat_survives_being_packed(self) -> None:
        servers = Servers()
        stat = servers.stat("/top/a")
        assert stat is not None
        assert unpacked(packed(stat)) == stat


def test_the_first_call_is_about_all() -> None:
    asked: list[int] = []

    def list_all() -> list[str]:
        asked.append(1)
        return ["/b", "/a"]

    changes = Changes({}, list_all)
    assert changes
    assert not asked
    assert (changes.added, changes.removed, changes.changed) == (["/a", "/b"], [], [])
    assert repr(changes) == "<Changes: all is new>"


def test_changes_are_sorted_by_kind_and_path() -> None:
    changes = Changes({"/b": ADDED, "/a": ADDED, "/c": REMOVED, "/d": CHANGED})
    assert (changes.added, changes.removed, changes.changed) == (["/a", "/b"], ["/c"], ["/d"])
    assert repr(changes) == "<Changes: 2 added, 1 removed, 1 changed>"
    assert not Changes({})
