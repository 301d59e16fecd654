"""Spans of time, kinds of nodes, selections, excerpts, sums and answers of servers: pure parts."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from zc.zk import owners
from zc.zk.ensemble import reports
from zc.zk.spans import in_words, seconds_of
from zc.zk.tree import facts, matching
from zc.zk.tree.selection import Selection, Wanted, name_pattern
from zc.zk.tree.usage import largest, usages
from zookeeper.types import Stat

pytestmark = pytest.mark.quick

STAT: Stat = {
    "czxid": 1,
    "mzxid": 2,
    "ctime": 1000,
    "mtime": 2000,
    "version": 0,
    "cversion": 0,
    "aversion": 0,
    "ephemeralOwner": 0,
    "dataLength": 3,
    "numChildren": 0,
    "pzxid": 2,
}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("2h", 7200), ("1d12h", 129_600), ("1.5m", 90), ("5 ms", 0.005)],
)
def test_spans_of_time_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "h", "2x", "-1", "0", "1h-2m", "nan", "1e9", "\u0662h", "9999999w"]
)
def test_a_text_that_is_no_span_of_time_is_refused(text):
    with pytest.raises(ValueError, match="not a time, such as"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0125, "12 ms"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (90, "1 minute 30 seconds"),
        (3600, "1 hour"),
        (3601, "1 hour"),
        (90_061, "1 day 1 hour"),
    ],
)
def test_spans_of_time_are_written_in_two_units(seconds, words):
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        (0, "persistent"),
        (0x1000A2B3C4D0001, "ephemeral"),
        (-(1 << 63) + 5, "ephemeral"),  # a session of a server with the number 128
        (-(1 << 63), "persistent"),
        (owners.of_ttl(1), "persistent"),
        (owners.of_ttl((1 << 40) - 1), "persistent"),
    ],
)
def test_kinds_are_told_by_owners(owner, kind):
    assert owners.kind(owner) == kind
    assert owners.is_session(owner) == (kind == "ephemeral")


@pytest.mark.parametrize("time", [-(1 << 63), -1, 0, (1 << 63) - 1])
def test_any_time_that_a_server_can_tell_is_written(time):
    told = facts.as_lines("/n", {**STAT, "mtime": time}, 0.0)
    assert told[3].isprintable()
    assert ("ahead of this clock" in told[3]) == (time > 0)


class TestSelection:
    def test_names_match_whole(self):
        assert name_pattern("p*").fullmatch("p10")
        assert name_pattern("p?").fullmatch("p10") is None
        assert name_pattern("a.b[1]").fullmatch("a.b[1]")
        assert name_pattern("*").fullmatch("a\nb")

    def test_times_are_compared_with_the_last_change_and_the_creation(self):
        assert Selection(changed_after=2000).has_outside("/n", STAT)
        assert not Selection(changed_after=2001).has_outside("/n", STAT)
        assert not Selection(changed_before=1999).has_outside("/n", STAT)
        assert Selection(created_before=1000).has_outside("/n", STAT)
        assert not Selection(created_after=1001).has_outside("/n", STAT)

    @pytest.mark.parametrize(
        ("value", "is_in"), [(1, True), (1.0, False), (True, False), ("1", False)]
    )
    def test_values_of_properties_equal_as_json_does(self, value, is_in):
        assert Selection(properties=[Wanted("a", True, value)]).has_inside('{"a": 1}') == is_in

    def test_data_that_are_no_properties_have_the_whole_as_string_value(self):
        for data in "text", "{bad}":
            assert Selection(properties=[Wanted("string_value", True, data)]).has_inside(data)
        assert not Selection(properties=[Wanted("a")]).has_inside(None)

    def test_no_value_is_equal_to_one_beyond_json(self):
        nan = float("nan")
        assert Selection(properties=[Wanted("a", True, nan)]).has_inside('{"a": NaN}')
        assert not Selection(properties=[Wanted("a", True, nan)]).has_inside('{"a": 1}')


class TestExcerpts:
    def test_each_line_comes_once(self):
        assert matching.excerpts("aa\nb\na", re.compile("a")) == ["aa", "a"]
        assert matching.excerpts("a\nb", re.compile("a\nb")) == ["a"]
        assert matching.excerpts("", re.compile("")) == [""]

    @pytest.mark.parametrize("at", [0, 10, 100, 5000, 9990, 9999])
    def test_a_cut_line_has_the_match(self, at):
        line = "x" * at + "!" + "x" * (9999 - at)
        (cut,) = matching.excerpts(f"before\n{line}\nbehind", re.compile("!"))
        assert "!" in cut
        assert len(cut) <= matching.MAX_SHOWN + 2 * len(matching.CUT)

    def test_very_many_lines_are_counted(self):
        found = matching.excerpts("a\n" * 1000, re.compile("a"))
        assert len(found) == matching.MAX_LINES + 1
        assert found[-1] == "... and 900 more lines"


class Node(NamedTuple):
    path: str
    depth: int
    stat: Stat


def test_usages_count_all_below():
    nodes = [
        Node("/", 0, STAT),
        Node("/a", 1, STAT),
        Node("/a/b", 2, {**STAT, "ephemeralOwner": 5}),
        Node("/a/b/c", 3, STAT),
        Node("/d", 1, {**STAT, "dataLength": 100}),
    ]
    told = [(u.path, u.nodes, u.ephemerals, u.bytes) for u in usages(nodes, 1)]
    assert told == [("/a", 3, 1, 9), ("/d", 1, 0, 100), ("/", 5, 1, 112)]
    assert [u.path for u in usages(nodes, 9)] == ["/a/b/c", "/a/b", "/a", "/d", "/"]
    assert [u.path for u in largest(usages(nodes, 1), 2)] == ["/", "/d"]
    assert [u.path for u in largest(usages(nodes, 1), 2, by_nodes=True)] == ["/", "/a"]


SRVR = """\
Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25 08:49 UTC
Latency min/avg/max: 0/1.5/20
Received: 10
Sent: 9
Connections: 2
Outstanding: 0
Zxid: 0x100000005
Mode: leader
Node count: 7
Proposal sizes last/min/max: 32/32/36
"""

CONS = """\
 /127.0.0.1:53212[0](queued=0,recved=1,sent=0)
 /127.0.0.1:53211[1](queued=0,recved=3,sent=3,sid=0x1000a2b3c4d0001,lop=GETD,est=1700000000000,to=10000,lcxid=0x1,lzxid=0x5,lresp=1,llat=0,minlat=0,avglat=0,maxlat=1)
 /[2001:db8::1]:53213[1](queued=0,recved=3,sent=3,sid=0xff00000000000001,lop=PING,est=1,to=2)

"""

DUMP = """\
SessionTracker dump:
Session Sets (1)/(1):
0 expire at Fri Nov 27 02:00:00 UTC 2026:
\t0x1000a2b3c4d0001
ephemeral nodes dump:
Sessions with Ephemerals (2):
0x1000a2b3c4d0001:
\t/a/b
\t/a/c d
0x5:
\t/e
Connections dump:
Connections Sets (1)/(1):
\t/forged
"""


class TestReports:
    def test_srvr(self):
        report = reports.of_srvr(SRVR)
        assert report.role == "leader"
        assert report.zxid == 0x100000005
        assert report.latency == (0, 1.5, 20)
        assert (report.connections, report.nodes, report.received, report.sent) == (2, 7, 10, 9)
        assert report.version is not None
        assert reports.short_version(report.version) == "3.8.0"

    def test_mntr(self):
        report = reports.of_mntr(
            "zk_version\t3.8.0-x, built on y\nzk_server_state\tfollower\nzk_avg_latency\t0.5\n"
            "zk_min_latency\t0\nzk_max_latency\t3\nzk_znode_count\t7\nnonsense\n"
        )
        assert (report.role, report.nodes, report.zxid) == ("follower", 7, None)
        assert report.latency == (0, 0.5, 3)

    def test_cons_has_the_connections_of_sessions(self):
        first, second = reports.of_cons(CONS)
        assert first == ("127.0.0.1:53211", 0x1000A2B3C4D0001, 10000, 1700000000000, "GETD")
        assert (second.client, second.session) == ("[2001:db8::1]:53213", 0xFF00000000000001)

    def test_dump_has_ephemeral_nodes_by_session(self):
        assert reports.ephemerals_of_dump(DUMP) == {
            0x1000A2B3C4D0001: ["/a/b", "/a/c d"],
            5: ["/e"],
        }

    @pytest.mark.parametrize(
        "read", [reports.of_srvr, reports.of_mntr, reports.of_cons, reports.ephemerals_of_dump]
    )
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\x00\xff",
            "Zxid: 0x" + "f" * 100 + "\nNode count: " + "9" * 5000,
            "Latency min/avg/max: ...../../..\n",
            "zk_min_latency\tx\nzk_avg_latency\t\n",
            "Sessions with Ephemerals",
            " /x[1](sid=0x" + "f" * 50 + ",to=x)\n (((,=,=",
        ],
    )
    def test_nonsense_is_no_error(self, read, text):
        read(text)

    def test_admin_servers_tell_the_same_as_words(self):
        connection = {
            "remote_socket_address": "127.0.0.1:48988",
            "session_id": -5,
            "last_operation": "PING",
            "established": 1795748961031,
            "session_timeout": 2000,
        }
        told = {"connections": [connection, {"session_id": 0}], "secure_connections": []}
        assert reports.of_admin_connections(told) == [
            ("127.0.0.1:48988", 2**64 - 5, 2000, 1795748961031, "PING")
        ]
        dump = {"session_id_to_ephemeral_paths": {"-5": ["/a", 7], "x": ["/b"], "6": None}}
        assert reports.ephemerals_of_admin_dump(dump) == {2**64 - 5: ["/a"], 6: []}

    @pytest.mark.parametrize(
        "nonsense",
        [
            None,
            [],
            5,
            {},
            {"connections": 5, "session_id_to_ephemeral_paths": [1]},
            {"connections": [None, {"session_id": True}, {"session_id": "5"}]},
        ],
    )
    def test_nonsense_of_admin_servers_is_no_error(self, nonsense):
        assert reports.of_admin_connections(nonsense) == []
        assert reports.ephemerals_of_admin_dump(nonsense) == {}

    def test_lags_are_told_within_an_epoch(self):
        assert reports.lag(0x100000003, 0x100000005) == 2
        assert reports.lag(0x100000003, 0x200000001) is None
