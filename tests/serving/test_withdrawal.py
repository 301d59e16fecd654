"""A process that is asked to end withdraws first."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.calls import Calls
from tests.deadlines import wait_until
from zc.zk.serving.withdrawal import Withdrawal


@pytest.fixture
def ended() -> Iterator[Calls]:
    """Yield the calls of a server's own handler of SIGTERM."""
    calls = Calls()
    former = signal.signal(signal.SIGTERM, calls)
    yield calls
    signal.signal(signal.SIGTERM, former)


@pytest.fixture
def withdrawn() -> Calls:
    return Calls()


def installed(withdraw: Any, grace: float) -> Withdrawal:
    withdrawal = Withdrawal(withdraw, grace)
    withdrawal.install()
    return withdrawal


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def wait_for(calls: Calls, count: int) -> None:
    # In steps: signals are handled between them, in this thread.
    wait_until(lambda: len(calls) >= count, "it is called")


def test_a_signal_comes_to_the_server_after_the_withdrawal(ended, withdrawn) -> None:
    known: list[int] = []
    withdrawal = installed(Calls(lambda: known.append(len(ended))), 0.05)
    terminate()
    wait_for(ended, 1)
    assert known == [0]
    assert ended.all()[0][0] == signal.SIGTERM
    withdrawal.remove()


def test_a_second_signal_comes_to_the_server_at_once_and_alone(ended, withdrawn) -> None:
    withdrawal = installed(withdrawn, 3600)
    terminate()
    wait_for(withdrawn, 1)
    assert len(ended) == 0
    terminate()
    wait_for(ended, 1)
    withdrawal.remove()
    assert (len(ended), len(withdrawn)) == (1, 1)


def test_a_server_that_cannot_be_withdrawn_ends_all_the_same(ended, caplog) -> None:
    def fail() -> None:
        raise RuntimeError("no ZooKeeper")

    withdrawal = installed(fail, 0)
    terminate()
    wait_for(ended, 1)
    withdrawal.remove()
    assert "could not be withdrawn" in caplog.text


def test_the_servers_own_handler_is_there_again_afterwards(ended, withdrawn) -> None:
    withdrawal = installed(withdrawn, 0)
    withdrawal.remove()
    assert [signal.getsignal(signal.SIGTERM)] == [ended]
    terminate()
    wait_for(ended, 1)
    assert len(withdrawn) == 0


def test_a_handler_that_came_later_is_left_there(ended, withdrawn) -> None:
    withdrawal = installed(withdrawn, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    withdrawal.remove()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


@pytest.mark.parametrize("grace", [-1, float("nan"), float("inf")])
def test_a_grace_that_makes_no_sense_is_refused(grace) -> None:
    with pytest.raises(ValueError, match="a grace is a number of seconds"):
        Withdrawal(print, grace)
