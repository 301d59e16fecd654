"""The name service: it takes no session away, and holds up no caller."""

from __future__ import annotations

import pytest

from tests.binding.subprocesses import run
from tests.nameserver import own_network

SCENARIOS = [
    "fails_while_connected",
    "silent_while_connected",
    "slow_while_connected",
    "vanishes_while_connected",
    "all_moved",
    "names_and_connection_gone",
    "silent_from_the_start",
    "silent_to_a_client",
    "silent_to_a_command",
    "interrupted",
    "known_later",
    "failing_without_waiting",
    "forked_meanwhile",
    "out_of_threads",
    "out_of_descriptors",
]


@pytest.mark.skipif(not own_network(), reason="needs a network namespace, which root may have")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_name_service(scenario: str) -> None:
    assert run("names", scenario, within=own_network(), seconds=30) == "done"
