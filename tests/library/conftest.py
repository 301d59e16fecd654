"""Clients of the library, each in the test's own place, closed at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

import zc.zk
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS, SHARED_SERVER

Client = Callable[..., zc.zk.ZooKeeper]

# What cannot be asked of an emulation in this process, by module, class or function.
NOT_FOR_THE_EMULATION = {
    # Other processes reach nothing.
    "test_prefork",
    "test_reopen",
    "TestFork",
    "test_a_child_can_have_a_client_of_its_own",
    "test_a_program_that_just_ends_leaves_no_ephemeral_node",
    "test_two_processes_that_count_lose_nothing",
    # Whoever changes something calls the callbacks himself, and nobody else does meanwhile.
    "test_a_callback_that_blocks_delays_neither_data_nor_session",
    "test_a_callback_waiting_for_its_turn_does_not_keep_its_object_alive",
    "test_a_thread_per_task_and_none_before_they_are_needed",
    "test_block_while_the_session_is_lost_and_restored",
    "test_changes_while_callbacks_are_busy_are_told_in_one_call",
    "test_deleted_while_a_new_session_makes_it_again_stays_away",
    "test_export_and_walk_go_on",
    "test_it_does_not_wait_for_ever_for_a_callback_that_blocks",
    "test_subscribers_are_called_like_callbacks_one_at_a_time",
    "test_who_just_computes_has_nothing_read_again",
    "test_that_is_withdrawn_while_it_is_being_made_stays_away",
    "test_the_first_call_is_in_the_programs_thread_and_all_others_in_one",
    # There is nobody who tries again after some time.
    "test_it_is_kept_where_that_is_wished",
    "test_one_that_lost_its_connection_is_called_again",
    "test_what_is_taken_out_of_the_list_is_not_called_again",
    "test_a_credential_refused_later_on_is_given_again_at_growing_intervals",
    "test_a_handle_that_somebody_else_closed_is_replaced",
    "test_a_node_made_for_good_meanwhile_is_nobodys_former_one",
    "test_a_permission_that_is_taken_away_and_given_back",
    "test_one_that_has_ended_leaves_nothing_though_the_keeper_comes_late",
    "test_while_there_is_no_session_it_is_pending",
    # Servers that are somewhere else, or nowhere.
    "test_it_reads_while_the_quorum_is_lost_and_goes_on_as_before",
    "test_without_being_asked_for_it_waits_for_a_server_that_can_write",
    "test_a_bad_connection_string_is_an_error_that_quotes_it",
    "test_a_pause_of_the_process_beyond_the_timeout_is_lived_through",
    "test_a_server_restart_is_lived_through",
    "test_a_server_that_is_stopped_is_no_different",
    "test_registering_while_there_is_no_server",
    "TestServersThatAreAwayForLong",
    "test_while_there_is_no_server_it_is_not_in_the_way",
    "test_with_wait_it_waits_until_there_is_a_server",
    # The functions are others.
    "test_they_have_names_and_documentation",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED_SERVER == "emulation":
        skip = pytest.mark.skip(reason="not with the emulation")
        for item in items:
            if NOT_FOR_THE_EMULATION.intersection(re.split(r"[:/.\[]+", item.nodeid)):
                item.add_marker(skip)


@pytest.fixture
def client(connection_string: str, root: str) -> Iterator[Client]:
    """A function that makes clients, by default of `root`.

    `hosts` replaces address and root; other arguments are those of `zc.zk.ZooKeeper`.
    """
    with ExitStack() as opened:

        def client(hosts: str | None = None, **arguments: object) -> zc.zk.ZooKeeper:
            arguments.setdefault("session_timeout", SESSION_TIMEOUT_MILLISECONDS)
            zk = zc.zk.ZooKeeper(hosts or connection_string + root, **arguments)
            opened.callback(zk.close)
            return zk

        yield client


@pytest.fixture
def zk(client: Client) -> zc.zk.ZooKeeper:
    """A client whose `/` is `root`."""
    return client()


@pytest.fixture
def other(client: Client) -> zc.zk.ZooKeeper:
    """Another client of the same place."""
    return client()


@pytest.fixture
def providers(zk: zc.zk.ZooKeeper) -> None:
    """A node for servers to register below."""
    zk.create("/providers")
