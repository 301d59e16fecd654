"""Addresses in the forms that programs use."""

from __future__ import annotations

import ipaddress
import socket
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from zc.zk.registration.address import (
    format_addr,
    hosts_of_blank,
    names_to_register,
    parse_addr,
    worth_registering,
)

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("1.2.3.4:80", ("1.2.3.4", 80)),
        ("host.example.com:65535", ("host.example.com", 65535)),
        (":80", ("", 80)),
        ("[::1]:80", ("::1", 80)),
        ("[fe80::1%eth0]:0", ("fe80::1%eth0", 0)),
    ],
)
def test_a_name_is_a_host_and_a_port(name: str, pair: tuple[str, int]) -> None:
    assert parse_addr(name) == pair
    assert format_addr(*pair) == name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (("host", 80), "host:80"),
        (("host", "8080"), "host:8080"),
        (("host", "http"), "host:http"),
        (["host", 80], "host:80"),
        ((b"host", 80), "host:80"),
        ((bytearray(b"host"), 80), "host:80"),
        ((ipaddress.ip_address("::1"), 80), "[::1]:80"),
        (("two words", 80), "two words:80"),
        (("::1", 80), "[::1]:80"),
        (("[::1]", 80), "[::1]:80"),
        (("::1", 80, 0, 3), "[::1]:80"),
        (("fe80::1%eth0", 65535), "[fe80::1%eth0]:65535"),
        *((name, name) for name in (
            "addr", "a:b", "1.2.3.4", "1.2.3.4:80", "[::1]:80", "::1:80", "1.2.3.4:99999", "host:",
            ":x", "größe", "with blanks", "...", "-",
        )),
    ],
)  # fmt: skip
def test_a_node_has_the_name_of_what_is_registered(address: Any, name: str) -> None:
    assert names_to_register(address) == [name]


@pytest.mark.parametrize(
    "address",
    [
        ("", 80), ("", "80"), (b"", 80), ("0.0.0.0", 80), ("::", 80), ("::", 80, 0, 0),
        ":80", "0.0.0.0:80", "[::]:80",
    ],
)  # fmt: skip
def test_all_interfaces_have_many_spellings(monkeypatch: pytest.MonkeyPatch, address: Any) -> None:
    monkeypatch.setattr(
        "zc.zk.registration.address.hosts_of_blank", lambda: ["10.0.0.1", "10.0.0.2"]
    )
    assert names_to_register(address) == ["10.0.0.1:80", "10.0.0.2:80"]


@pytest.mark.parametrize("listening", [socket.AF_INET, socket.AF_INET6])
def test_the_address_of_a_listening_server_means_all_interfaces(
    monkeypatch: pytest.MonkeyPatch, listening: socket.AddressFamily
) -> None:
    monkeypatch.setattr("zc.zk.registration.address.hosts_of_blank", lambda: ["10.0.0.1"])
    with socket.socket(listening) as server:
        try:
            server.bind(("", 0))
        except OSError:
            pytest.skip("no IPv6 here")
        port = server.getsockname()[1]
        assert names_to_register(server.getsockname()) == [f"10.0.0.1:{port}"]


@pytest.mark.parametrize(
    "address", [("host", 0), ("host", "0"), ("", 0), "host:0", ":0", "[::1]:0"]
)
def test_nobody_finds_a_server_at_port_0(address: Any) -> None:
    with pytest.raises(ValueError, match="port 0 is any port that is free"):
        names_to_register(address)


@pytest.mark.parametrize(
    "name",
    [
        "", "host", "host:", "host:http", "host:-1", "host:65536", "host:+80", "host: 80", "host:٣",
        "::1:80", "[::1]", "[::1]80", "[::1:80", "::1]:80", "[host]:80", "[]:80", "a/b:80",
        "a b:80", "a\0:80", "host:80\n",
    ],
)  # fmt: skip
def test_a_pair_that_is_no_address_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|not a port|not a host|in brackets"):
        parse_addr(name)


def test_an_ipv6_host_without_brackets_gets_a_hint() -> None:
    with pytest.raises(ValueError, match=r"an IPv6 host goes in brackets: \[::1\]:80"):
        parse_addr("::1:80")


@pytest.mark.parametrize(
    "address",
    [
        None, 80, b"host:80", (), ("host",), ("host", 80, 0), ("host", True), ("host", None),
        ("host", 80.0), ("host", ""), ("host", 65536), ("host", "65536"), ("host", -1), (None, 80),
        ("a/b", 80), (b"a/b", 80), ("host", "a/b"), "", ".", "..", "a/b", "/", "a\0b", "a\n",
        "a\x9f", "\ud800", "\U0001f600", ":99999",
    ],
)  # fmt: skip
def test_an_object_that_is_no_address_is_a_value_error(address: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        names_to_register(address)


@pytest.mark.parametrize(
    ("addresses", "chosen"),
    [
        ([], []),
        (["127.0.0.1"], ["127.0.0.1"]),
        (["127.0.0.1", "127.0.1.1", "127.0.0.1"], ["127.0.0.1", "127.0.1.1"]),
        (["127.0.0.1", "10.0.0.2", "192.168.0.3", "10.0.0.2"], ["10.0.0.2", "192.168.0.3"]),
    ],
)
def test_local_addresses_count_only_when_there_are_no_others(
    addresses: list[str], chosen: list[str]
) -> None:
    assert worth_registering(addresses) == chosen


def with_interfaces(monkeypatch: pytest.MonkeyPatch, interfaces: dict[str, Any]) -> None:
    module = SimpleNamespace(
        AF_INET=2, interfaces=lambda: list(interfaces), ifaddresses=interfaces.__getitem__
    )
    monkeypatch.setitem(sys.modules, "netifaces", module)


def test_a_blank_host_stands_for_all_ipv4_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with_interfaces(
        monkeypatch,
        {
            "lo": {2: [{"addr": "127.0.0.1"}], 10: [{"addr": "::1"}]},
            "eth0": {2: [{"addr": "10.0.0.2"}, {"addr": "10.0.0.3"}, {"peer": "10.0.0.9"}]},
            "down": {},
        },
    )
    assert hosts_of_blank() == ["10.0.0.2", "10.0.0.3"]


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_blank_host_is_the_full_name_where_no_addresses_are_known(
    monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    if is_installed:
        with_interfaces(monkeypatch, {})
    else:
        monkeypatch.setitem(sys.modules, "netifaces", None)
    monkeypatch.setattr(socket, "getfqdn", lambda: "me.example.com")
    assert hosts_of_blank() == ["me.example.com"]
