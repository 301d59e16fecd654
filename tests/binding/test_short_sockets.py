"""Sockets that take and give little: requests are held, and answers read ahead, without loss."""

from __future__ import annotations

import pytest

from tests.binding import subprocesses
from tests.binding.preloads import library_of, with_library

pytestmark = [
    pytest.mark.not_emulated("it has no sockets"),
    pytest.mark.also_by_tls,
]


library = library_of("sockets.c")


@pytest.fixture
def run(zookeeper, connection_string, root, library):
    def run_scenario(scenario):
        return subprocesses.run(
            "short_sockets",
            connection_string + root,
            str(library),
            scenario,
            within=with_library(library),
        )

    return run_scenario


@pytest.mark.parametrize(
    "scenario", ["one byte out", "refused before each byte", "one byte in", "some bytes"]
)
def test_a_socket_that_takes_or_gives_little_costs_no_byte_and_no_order(run, scenario):
    assert set(run(scenario).values()) == {True}


@pytest.mark.not_over_tls("what is sent there is a record")
def test_a_request_goes_out_by_one_call_and_many_that_wait_by_one(run):
    seen = run("counted")
    assert seen["single"] == 100
    assert seen["together"] < 10


@pytest.mark.not_over_tls("its state belongs to the I/O thread")
def test_a_caller_sends_its_request_itself_where_all_other_threads_sleep(run):
    assert run("own thread") == {"waiting": True, "alone": True}


def test_a_request_that_is_held_when_the_connection_ends_is_never_sent(run):
    assert run("cut") == {"lost": True, "held": None, "after": True}


def test_a_request_that_is_held_at_a_fork_is_sent_by_the_parent_alone(run):
    assert run("fork") == {"child": "0", "status": 0, "code": 0, "path": "/held"}


def test_a_request_that_is_held_at_the_end_is_sent_before_the_session_closes(run):
    assert run("close") == {"nodes": ["held"]}


@pytest.mark.parametrize("where", ["behind a length", "within a request"])
def test_a_credential_is_never_sent_in_the_middle_of_a_request(run, where):
    """There it would be data of a node, for everybody to read."""
    assert set(run(f"credential {where}").values()) == {True}
