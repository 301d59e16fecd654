"""Breaks that tell what the work had done before the servers could tell no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

import zookeeper
from zc.zk.operations.told import Told, of_servers
from zc.zk.session.session import Session


def test_a_break_tells_what_the_one_before_it_told():
    told = Told()
    with pytest.raises(zookeeper.ConnectionLossException), told.noted(5, 20):
        raise zookeeper.ConnectionLossException("connection loss: /b (done: 3 of 15 creations)")
    with (
        pytest.raises(zookeeper.ConnectionLossException) as caught,
        told.with_the_last(),
    ):
        raise zookeeper.ConnectionLossException("connection loss")
    assert str(caught.value) == (
        "connection loss (after connection loss: /b (done: 3 of 15 creations)"
        " (before that: 5 of 20))"
    )


def test_an_error_names_the_servers_where_there_are_others():
    one, other = (
        cast(Session, SimpleNamespace(connection_string=f"zk{n}:2181", root="")) for n in (1, 2)
    )
    for session, told in (one, "connection loss: /a"), (other, "zk1:2181: connection loss: /a"):
        with pytest.raises(zookeeper.ConnectionLossException) as caught, of_servers(one, session):
            raise zookeeper.error(zookeeper.CONNECTIONLOSS, "/a")
        assert str(caught.value) == told
        assert caught.value.path == "/a"
