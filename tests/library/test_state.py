"""The state machine of a session: each transition's event and log lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from zc.zk.event import Connected, Disconnected, Expired, ReadOnly, SessionEvent
from zc.zk.session.state import CONNECTION_LOST, NOTHING, State, StateMachine, Transition

GRANTED = (
    "the session timeout is 4000 milliseconds, as the servers do not grant the 1000 that were"
    " asked for"
)


def lines(transition: Transition) -> list[tuple[int, str]]:
    return list(transition.lines)


@pytest.fixture
def make() -> Iterator[Callable[..., StateMachine]]:
    """Return machines whose locks are held, as each transition asks for."""
    with ExitStack() as held:

        def make(asked_ms: int | None = None, *, read_only: bool = False) -> StateMachine:
            machine = StateMachine(asked_ms, read_only=read_only)
            held.enter_context(machine.lock)
            return machine

        yield make


@pytest.fixture
def machine(make: Callable[..., StateMachine]) -> StateMachine:
    return make()


def connected(machine: StateMachine, *, is_new: bool = True) -> Transition:
    return machine.note_connected(is_new=is_new, granted_ms=None)


def test_a_connection_is_told_once(machine: StateMachine) -> None:
    told = connected(machine)
    assert (told.event, lines(told)) == (Connected, [(logging.INFO, "connected")])
    assert connected(machine) == NOTHING
    assert machine.state is State.CONNECTED


def test_a_moment_lasts_until_the_next_connection(machine: StateMachine) -> None:
    connected(machine)
    moment = machine.moment
    assert machine.moment == moment
    machine.note_disconnected()
    connected(machine, is_new=False)
    assert machine.moment != moment
    assert machine.moment.epoch == moment.epoch


def test_the_same_session_is_connected_again_and_another_one_is_new(machine: StateMachine) -> None:
    connected(machine)
    lost = machine.note_disconnected()
    assert (lost.event, lines(lost)) == (Disconnected, [(logging.WARNING, CONNECTION_LOST)])
    assert machine.note_disconnected() == NOTHING
    assert lines(connected(machine, is_new=False)) == [(logging.INFO, "connected again")]
    machine.note_disconnected()
    assert lines(connected(machine)) == [(logging.INFO, "connected, in a new session")]


def test_a_reader_is_told_what_it_is_connected_to(make: Callable[..., StateMachine]) -> None:
    machine = make(read_only=True)
    found = machine.note_connected(is_new=True, granted_ms=None, read_only=True)
    assert found.event is ReadOnly
    assert lines(found) == [
        (logging.INFO, "connected, read-only, to a server that is cut off from the others")
    ]


def test_a_timeout_that_is_not_granted_is_told_once(make: Callable[..., StateMachine]) -> None:
    machine = make(1000)
    found = machine.note_connected(is_new=True, granted_ms=4000)
    assert lines(found) == [(logging.INFO, "connected"), (logging.WARNING, GRANTED)]
    machine.note_disconnected()
    found = machine.note_connected(is_new=False, granted_ms=4000)
    assert lines(found) == [(logging.INFO, "connected again")]


@pytest.mark.parametrize(("was_established", "event"), [(True, Expired), (False, None)])
def test_the_same_reason_for_a_loss_is_no_news_until_it_is_restored(
    machine: StateMachine, was_established: bool, event: type[SessionEvent] | None
) -> None:
    levels = []
    for reason in ("gone", "gone", "other", "gone"):
        found = machine.note_lost(reason, was_established=was_established)
        assert found.event is event
        levels += [level for level, text in found.lines if text == reason]
    assert levels == [logging.WARNING, logging.DEBUG, logging.WARNING, logging.WARNING]


def test_a_refused_credential_is_the_end_at_the_first_session_only(
    make: Callable[..., StateMachine],
) -> None:
    machine = make()
    assert machine.note_refused(["digest"]).event is None
    assert machine.refusal == "the servers refuse the credential of the scheme 'digest'"
    machine = make()
    connected(machine)
    machine.note_refused(["digest"])
    assert machine.refusal is None


def test_a_closed_session_stays_closed(machine: StateMachine) -> None:
    machine.note_closed()
    assert connected(machine) == machine.note_disconnected() == machine.note_lost("x") == NOTHING
    assert (machine.state, machine.reason) == (State.CLOSED, "closed")
