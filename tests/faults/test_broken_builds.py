"""The checker finds the faults of clients that are broken on purpose.

The injected faults are chosen by hand, and a client that is whole lives through them.
"""

from __future__ import annotations

import pytest

from tests.faults import broken
from tests.faults.checker import Loss
from tests.faults.clients import Options
from tests.faults.plan import Fault, Kind
from tests.faults.report import Report
from tests.faults.run import Run
from tests.servers import Ensemble, Server

# The process that replaces a killed one finds the nodes of its session, which then ends.
SUCCESSION = [[Fault(Kind.CLIENT_KILLED, at=0.5, client=0)]]

# The others change nodes for a while after the session has been replaced.
EXPIRY = [
    [Fault(Kind.SESSION_EXPIRED, at=0.2, client=0)],
    [Fault(Kind.DELAYED, at=0.0, seconds=2.0, client=1)],
]

# The other changes nodes until the connection is back, within the session, also on a busy machine.
GAPS = [[Fault(Kind.NETWORK_DOWN, at=2.0, seconds=1.5, client=0)]] * 2
GAP_SESSION_SECONDS = 6.0


def losses(
    server: Server, rounds: list[list[Fault]], fault: str, session_seconds: float = 2.0
) -> set[Loss]:
    """Return what is found after `rounds` with two clients broken by `fault`."""
    environment = {broken.VARIABLE: fault}
    options = Options(clients=2, environment=environment, session_seconds=session_seconds)
    report = Report("zc.zk")
    Run(Ensemble([server]), 1, options, report, print).run(rounds)
    print(report)
    assert report.faults.total() == sum(map(len, rounds))
    return set(report.losses)


@pytest.mark.parametrize("rounds", [SUCCESSION, EXPIRY], ids=["succession", "expiry"])
def test_nothing_is_found_with_a_client_that_is_whole(real_server, rounds) -> None:
    assert losses(real_server, rounds, "") == set()


def test_registering_again_without_a_look_at_the_owner_is_found(real_server) -> None:
    found = losses(real_server, SUCCESSION, broken.IGNORE_NODEEXISTS)
    assert found & {Loss.LOST, Loss.WRONG_OWNER}
    assert not found & {Loss.CRASH, Loss.ERROR, Loss.HUNG}


def test_watches_that_are_not_set_again_are_found(real_server) -> None:
    # On a busy machine nobody may have changed what these objects show.
    runs = (losses(real_server, EXPIRY, broken.DROP_REWATCH) for _ in range(4))
    found = next((found for found in runs if Loss.STALE in found), None)
    assert found
    assert not found & {Loss.CRASH, Loss.ERROR, Loss.HUNG}


def test_one_node_that_is_not_read_after_a_gap_is_found(real_server) -> None:
    # The one may be a registration's. One whose object has been dropped by the check is no loss.
    runs = (losses(real_server, GAPS, broken.SKIP_ONE, GAP_SESSION_SECONDS) for _ in range(4))
    found = next((found for found in runs if found & {Loss.STALE, Loss.LOST}), None)
    assert found
    assert not found & {Loss.CRASH, Loss.ERROR, Loss.HUNG}


def test_a_tree_that_is_trusted_after_a_gap_is_found(real_server) -> None:
    runs = (losses(real_server, GAPS, broken.TRUST_TREES, GAP_SESSION_SECONDS) for _ in range(4))
    found = next((found for found in runs if Loss.STALE in found), None)
    assert found
    assert not found & {Loss.CRASH, Loss.ERROR, Loss.HUNG}
