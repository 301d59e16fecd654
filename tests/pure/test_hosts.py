"""Connection strings, taken apart; and the errors of bad ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zookeeper.hosts import parse

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("text", "servers", "root"),
    [
        ("h:2181", [("h", 2181)], ""),
        ("h:2181/", [("h", 2181)], ""),
        ("h:2181/a/b", [("h", 2181)], "/a/b"),
        ("a:1,b:65535", [("a", 1), ("b", 65535)], ""),
        (" a:1 ,\n b:2\n/x\n", [("a", 1), ("b", 2)], "/x"),
        ("a:1,\nb:2,\n", [("a", 1), ("b", 2)], ""),
        ("a:1,,b:2", [("a", 1), ("b", 2)], ""),
        ("[::1]:2181", [("::1", 2181)], ""),
        ("[fe80::1%eth0]:1,h:2", [("fe80::1%eth0", 1), ("h", 2)], ""),
        ("::1:2181", [("::1", 2181)], ""),
        ("10.0.0.1:1", [("10.0.0.1", 1)], ""),
        ("h:1/a,b", [("h", 1)], "/a,b"),
        ("h:1/a:2", [("h", 1)], "/a:2"),
    ],
)
def test_a_good_connection_string_is_taken_apart(text, servers, root) -> None:
    ensemble = parse(text)
    assert (ensemble.servers, ensemble.root) == (tuple(servers), root)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it names no server; HOST:PORT is needed"),
        (" \n", "it names no server; HOST:PORT is needed"),
        (",", "it names no server; HOST:PORT is needed"),
        ("/x", "it names no server before the root '/x'; HOST:PORT is needed"),
        (",/x", "it names no server before the root '/x'; HOST:PORT is needed"),
        ("h", "the server 'h' has no port: HOST:PORT is needed"),
        ("h/x", "the server 'h' has no port: HOST:PORT is needed"),
        ("a:1,h", "the server 'h' (part 2 of 2) has no port: HOST:PORT is needed"),
        ("[::1]", "the server '[::1]' has no port: [ADDRESS]:PORT is needed"),
        ("zk://h:1", "it is no URL; HOST:PORT,HOST:PORT/ROOT is needed"),
        ("h:1,zk://h:1/root", "it is no URL; HOST:PORT,HOST:PORT/ROOT is needed"),
        (":", "the server ':' has no port behind the colon"),
        ("h:", "the server 'h:' has no port behind the colon"),
        (":1", "the server ':1' has no host before the colon"),
        ("h:x", "the server 'h:x' has the port 'x', which is no number"),
        ("h:1 2", "the server 'h:1 2' has the port '1 2', which is no number"),
        ("h:-1", "the server 'h:-1' has the port '-1', which is no number"),
        ("h:²", "the server 'h:\\xb2' has the port '\\xb2', which is no number"),
        ("h:٣", "the server 'h:\\u0663' has the port '\\u0663', which is no number"),
        ("h:0", "the server 'h:0' has the port '0'; ports are numbers from 1 to 65535"),
        ("h:00", "the server 'h:00' has the port '00'; ports are numbers from 1 to 65535"),
        ("h:010", "the server 'h:010' has the port '010', which must not begin with a zero"),
        ("h:0x8", "the server 'h:0x8' has the port '0x8', which is no number"),
        ("h:65536", "the server 'h:65536' has no such port: '65536' is over 65535"),
        ("h:99999999", "the server 'h:99999999' has no such port: '99999999' is over 65535"),
        ("a b:1", "the server 'a b:1' has the character ' ' in its host"),
        ("a\0:1", "the server 'a\\x00:1' has the character '\\x00' in its host"),
        ("a\u202e:1", "the server 'a\\u202e:1' has the character '\\u202e' in its host"),
        ("[::1:1", "the server '[::1:1' has a bracket that is not closed before the port"),
        ("[x]:1", "the server '[x]:1' has no IPv6 address in its brackets"),
        ("a:b:1", "the server 'a:b:1' has more than one colon, and is no IPv6 address"),
        ("h" * 256 + ":1", "has a host of 256 characters; there are 255 at most"),
        (
            "h1:2181/x,h2:2181/x",
            "there is a server 'h2:2181' behind the root; the root comes once, behind the last"
            " server",
        ),
    ],
)
def test_a_bad_connection_string_is_refused_with_the_reason(text, fault) -> None:
    with pytest.raises(ValueError, match=re.escape(fault) + "$"):
        parse(text)


HOSTS = st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True) | st.ip_addresses().map(str)
BLANKS = st.sampled_from(["", " ", "\n", "\t "])


@given(
    st.lists(st.tuples(HOSTS, st.integers(1, 65535), BLANKS, BLANKS), min_size=1, max_size=5),
    st.sampled_from(["", "/", "/a", "/a/b"]),
)
def test_the_text_says_the_same(servers, root) -> None:
    written = [
        f"{before}[{host}]:{port}{after}" if ":" in host else f"{before}{host}:{port}{after}"
        for host, port, before, after in servers
    ]
    ensemble = parse(",".join(written) + root)
    assert ensemble.servers == tuple((host, port) for host, port, _, _ in servers)
    assert ensemble.root == root.rstrip("/")
    again = parse(ensemble.text)
    assert (again.servers, again.root) == (ensemble.servers, ensemble.root)


@given(st.text())
def test_any_text_is_read_or_refused(text) -> None:
    try:
        ensemble = parse(text)
    except ValueError:
        return
    assert ensemble.servers
    assert all(host and 0 < port < 65536 for host, port in ensemble.servers)
    again = parse(ensemble.text)
    assert (again.servers, again.root) == (ensemble.servers, ensemble.root)
