"""Addresses in the forms that programs have them."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from zc.zk.address import (
    format_addr,
    host_and_port,
    hosts_of_blank,
    parse_addr,
    worth_registering,
)


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
    assert host_and_port(name) == pair
    assert host_and_port(pair) == pair


def test_the_address_of_an_ipv6_socket() -> None:
    assert host_and_port(("::1", 80, 0, 3)) == ("::1", 80)


@pytest.mark.parametrize("host", [b"host", bytearray(b"host")])
def test_a_host_may_be_bytes(host: bytes | bytearray) -> None:
    assert host_and_port((host, 80)) == ("host", 80)


@pytest.mark.parametrize(
    "name",
    [
        "", "host", "host:", "host:http", "host:-1", "host:65536", "host:+80", "host: 80", "host:٣",
        "::1:80", "[::1]", "[::1]80", "[::1:80", "::1]:80", "[host]:80", "[]:80", "a/b:80",
        "a b:80", "a\0:80", "host:80\n",
    ],
)  # fmt: skip
def test_what_is_no_address_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|not a port|not a host|in brackets"):
        parse_addr(name)


def test_an_ipv6_host_without_brackets_gets_a_hint() -> None:
    with pytest.raises(ValueError, match=r"an IPv6 host goes in brackets: \[::1\]:80"):
        parse_addr("::1:80")


@pytest.mark.parametrize(
    "address",
    [
        None, 80, b"host:80", ("host",), ("host", 80, 0), ("host", "80"), ("host", True),
        ("host", 65536), (None, 80), ("a/b", 80), (b"a/b", 80),
    ],
)  # fmt: skip
def test_what_is_no_address_in_any_form_is_a_value_error(address: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        host_and_port(address)


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
