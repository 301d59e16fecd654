"""Clients over TLS register and follow, and hear of failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import zc.zk
from tests.certificates import Authority, Issued
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS as TIMEOUT
from tests.library.bad_days import live_through_a_cut
from tests.tcpproxy import TcpProxy
from tests.tlsfront import Front, tls_front
from zc.zk.testing import Emulation, Server


@pytest.fixture(scope="module")
def client(authority: Authority) -> Issued:
    return authority.issue("client")


@pytest.fixture
def front(authority: Authority) -> Iterator[Front]:
    issued = authority.issue("server", "127.0.0.1")
    with Server() as server:
        with tls_front(
            issued.certificate, issued.key, authority.file, server.connection_string
        ) as front:
            yield front


def test_registrations_and_live_objects_survive_over_tls(front, authority, client) -> None:
    tls = zc.zk.TLS(ca=authority.file, certificate=client.certificate, key=client.key)
    with TcpProxy(front.connection_string, is_opaque=True) as proxy:
        with zc.zk.ZooKeeper(proxy.connection_string, TIMEOUT, tls=tls) as zk:
            with zc.zk.ZooKeeper(front.connection_string, TIMEOUT, tls=tls) as other:
                live_through_a_cut(zk, other, proxy)


def test_a_client_below_a_root_that_is_missing_is_told_so(front, authority, client) -> None:
    """The root is made by a session of its own, over TLS too."""
    tls = zc.zk.TLS(ca=authority.file, certificate=client.certificate, key=client.key)
    with zc.zk.ZooKeeper(f"{front.connection_string}/a/b", TIMEOUT, tls=tls) as zk:
        zk.import_tree("/app\n")
        assert zk.exists("/app")


@pytest.mark.parametrize(
    ("with_certificate", "words"),
    [
        (True, "is not of an authority that is trusted here"),
        (False, "wants a client certificate"),
    ],
)
def test_failed_connect_says_what_is_wrong(
    front, authority, client, tmp_path, monkeypatch, with_certificate, words
) -> None:
    monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 1.0)
    if with_certificate:
        others = Authority(tmp_path, "others")
        tls = zc.zk.TLS(ca=others.file, certificate=client.certificate, key=client.key)
    else:
        tls = zc.zk.TLS(ca=authority.file)
    with pytest.raises(zc.zk.FailedConnect) as caught:
        zc.zk.ZooKeeper(front.connection_string, TIMEOUT, tls=tls)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{front.connection_string}: no session within 1 seconds (")


def test_a_bad_file_is_an_error_that_names_it(tmp_path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(zc.zk.FailedConnect, match="cannot be read") as caught:
        zc.zk.ZooKeeper("127.0.0.1:1", tls=zc.zk.TLS(ca=missing))
    assert str(missing) in str(caught.value)


def test_settings_that_are_too_long_are_refused_with_their_limit(authority, client) -> None:
    own: dict[str, Any] = {"certificate": client.certificate, "key": client.key}
    zc.zk.TLS(**own, key_password="p" * 1024, server_hostname="x" * 255).configuration()
    for name, most in (("key_password", 1024), ("server_hostname", 255)):
        for value in ("x" * (most + 1), "é" * (most // 2 + 1)):
            with pytest.raises(ValueError, match=f"^{name} has more than {most} bytes$"):
                zc.zk.TLS(**{**own, name: value})


def test_the_emulation_takes_tls_and_reads_its_files(authority, tmp_path) -> None:
    emulation = Emulation("127.0.0.1:2181")
    binding = emulation.functions
    handle = binding["init"]("127.0.0.1:2181", tls=zc.zk.TLS(ca=authority.file))
    assert binding["connection_fault"](handle) is None
    binding["close"](handle)
    with pytest.raises(ValueError, match="cannot be read"):
        binding["init"]("127.0.0.1:2181", tls=zc.zk.TLS(ca=tmp_path / "missing.pem"))
    with pytest.raises(TypeError, match="tls must be"):
        binding["init"]("127.0.0.1:2181", tls="yes")
    emulation.close()
