"""Answers are taken in, and those who depend on nodes are refreshed for what is news."""

from __future__ import annotations

import pytest

import zookeeper
from zc.zk.watching.dependencies import UNREAD, CachedNode, Kind
from zc.zk.watching.settling import ask, note_first, settle, take_untold

STAT = b"\1"


@pytest.fixture
def node() -> CachedNode:
    return CachedNode((Kind.DATA, "/n"))


def read(node: CachedNode, answer: object, ticket: int) -> None:
    settle([(node, answer)], ticket)


def test_an_equal_answer_stays_the_same_object(node):
    first = ("data", STAT)
    read(node, first, 1)
    read(node, ("".join(["da", "ta"]), bytes(bytearray(STAT))), 2)
    assert node.answer is first
    read(node, other := ("data", b"\2"), 3)
    assert node.answer is other


def test_an_answer_to_a_read_that_began_earlier_is_dropped(node):
    read(node, later := ("later", STAT), 2)
    read(node, ("earlier", STAT), 1)
    assert node.answer is later


def test_a_missing_node_keeps_nothing_that_was_made_of_it(node):
    read(node, ("data", STAT), 1)
    node.view, node.decoded, node.good = object(), ("data", {}), {}
    read(node, zookeeper.error(zookeeper.NONODE, "/n"), 2)
    assert (node.view, node.decoded, node.good) == (None, None, None)


def test_the_first_answer_that_the_worker_reads_is_news_once(node):
    read(node, ("data", STAT), 1)
    assert take_untold([node]) == [node]
    assert take_untold([node]) == []


def test_the_first_readers_of_a_node_have_seen_its_answer(node):
    read(node, ("data", STAT), 1)
    note_first([node])
    read(node, ("data", bytes(STAT)), 2)
    assert take_untold([node]) == []
    read(node, ("new", STAT), 3)
    assert take_untold([node]) == [node]


def test_a_change_that_one_reader_saw_first_is_news_to_the_others(node):
    read(node, ("data", STAT), 1)
    note_first([node])
    read(node, ("new", STAT), 2)
    note_first([node])
    read(node, ("new", STAT), 3)
    assert take_untold([node]) == [node]


def test_an_answer_is_news_to_those_who_asked_though_others_read_it_first(node):
    ask([node])
    read(node, ("data", STAT), 1)
    note_first([node])
    assert take_untold([node]) == [node]


def test_an_answer_as_before_is_news_to_those_who_asked(node):
    read(node, ("data", STAT), 1)
    note_first([node])
    ask([node])
    read(node, ("data", STAT), 2)
    assert take_untold([node]) == [node]
    assert node.told is node.answer is not UNREAD
