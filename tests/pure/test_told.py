"""Breaks that tell what the work had done before the servers could tell no more."""

from __future__ import annotations

import pytest

import zookeeper
from zc.zk.operations.told import Told


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
