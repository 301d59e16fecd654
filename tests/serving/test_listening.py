"""Sockets at which a process listens, and the one that is to be registered."""

from __future__ import annotations

import socket

import pytest

from zc.zk.serving.listening import listening, the_one


def test_only_sockets_that_listen_are_found() -> None:
    before = set(listening())
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with socket.create_connection(one.getsockname()):
            assert set(listening()) - before == {one.getsockname()}
        bound.listen()
        assert set(listening()) - before == {one.getsockname(), bound.getsockname()}
        assert one.gettimeout() is None, "a copy shares its settings"
    assert set(listening()) == before


def test_the_only_one_needs_no_port() -> None:
    assert the_one([("::1", 80), ("127.0.0.1", 80)], None) == ("::1", 80)
    assert the_one([], None) is None


def test_of_several_the_port_says_which() -> None:
    found = [("127.0.0.1", 80), ("127.0.0.1", 9090)]
    assert the_one(found, 9090) == ("127.0.0.1", 9090)
    assert the_one(found, 7) is None
    with pytest.raises(ValueError, match="at the ports 80, 9090: say which"):
        the_one(found, None)
