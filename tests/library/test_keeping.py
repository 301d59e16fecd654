"""Ephemeral nodes with any data, kept in being for as long as a program wants."""

from __future__ import annotations

import pytest

import zookeeper
from tests.deadlines import wait_until
from tests.library.bad_days import expire
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.operations.keeping import kept_ephemeral


def test_a_kept_node_is_there_in_later_sessions_and_gone_at_the_end(zk, other, connection_string):
    with kept_ephemeral(zk._ephemerals, "/me", b"\xff\0", OPEN_ACL_UNSAFE) as kept:
        assert kept.is_there
        assert kept.path == "/me"
        before = other.exists("/me")["ephemeralOwner"]
        expire(zk, connection_string)
        wait_until(lambda: kept.is_there, "made again")
        data, stat = other.get("/me")
        assert data.encode("utf-8", "surrogateescape") == b"\xff\0"
        assert stat["ephemeralOwner"] not in (0, before)
        other.delete("/me")
        wait_until(lambda: other.exists("/me"), "made again")
    assert not other.exists("/me")


def test_a_kept_node_waits_for_the_end_of_another_sessions_node(zk, other):
    other.create("/me", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
    with kept_ephemeral(zk._ephemerals, "/me", "mine", OPEN_ACL_UNSAFE) as kept:
        assert not kept.is_there
        other.delete("/me")
        wait_until(lambda: kept.is_there, "made")
        assert other.get("/me")[0] == "mine"


def test_a_place_that_is_not_there(zk):
    with pytest.raises(zookeeper.NoNodeException):
        with kept_ephemeral(zk._ephemerals, "/none/me", "", OPEN_ACL_UNSAFE):
            pass
