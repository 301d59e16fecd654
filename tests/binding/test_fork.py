"""Forked processes: a clear exception in the child, no harm to the parent.

The exception comes at once.
"""

from __future__ import annotations

import pytest

from tests.binding import subprocesses
from tests.deadlines import scaled

pytestmark = [
    pytest.mark.not_emulated("other processes do not reach it"),
    pytest.mark.also_by_tls,
]


@pytest.mark.parametrize(
    ("made_by", "ended_by"), [("fork", "_exit"), ("fork", "exit"), ("multiprocessing", "exit")]
)
def test_every_call_in_a_child_raises_and_the_parents_session_lives_on(
    zookeeper, connection_string, root, made_by, ended_by
):
    seen = subprocesses.run("fork", connection_string + root, made_by, ended_by)
    child = seen["child"]
    assert set(child["outcomes"].values()) == {"ForkedException"}, child["outcomes"]
    assert len(child["outcomes"]) > 40
    assert child["slowest"] < scaled(1)
    assert "fork" in child["message"]
    assert child["own handle"][1] == "/by-the-child"
    assert seen["status"] == 0
    assert seen["session is the same"]
    assert seen["ephemeral"]
    assert seen["events"] == 1
    assert seen["nodes"] == ["e"]


def test_a_child_that_python_does_not_know_of_is_refused_as_well(
    zookeeper, connection_string, root
):
    seen = subprocesses.run("fork_unseen", connection_string + root)
    assert set(seen["children"].values()) == {"ForkedException"}, seen
    assert seen["data"] == "the parent's"
    assert seen["ours"]


def test_a_fork_with_busy_threads_leaves_no_child_waiting_for_a_lock(
    zookeeper, connection_string, root
):
    seen = subprocesses.run("fork_under_load", connection_string + root, "100", seconds=120)
    assert seen == {"codes": [0] * 100, "ephemeral": True}
