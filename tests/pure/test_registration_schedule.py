"""The schedule of registrations, without a server.

It says which nodes are due, which thread has them in hand, and what is known of each.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

import zookeeper
from tests.library.test_reentrance import interrupted
from zc.zk.acl import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE
from zc.zk.registration.attempt import Attempt
from zc.zk.registration.bulk import BulkReconciliation, Outcome
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.schedule import Schedule
from zc.zk.registration.setbacks import MAX_LOSSES
from zc.zk.registration.step import Desired, OnDeletion, Presence, RegistrationState
from zc.zk.session import bulkcall

FIRST = Desired("1", READ_ACL_UNSAFE)
UNDONE = zookeeper.error(zookeeper.RUNTIMEINCONSISTENCY)


class Binding:
    """Answers `write_many` with the answers that it was given."""

    def __init__(self, *answers: list[object]) -> None:
        self.answers = list(answers)
        self.paths: list[list[str]] = []

    def write_many(self, handle: int, operations: list[Any], *, stop: bool) -> list[object]:
        self.paths.append([operation[1] for operation in operations])
        return self.answers.pop(0)


class Watches:
    """Another session has all nodes that are looked at; the paths of each look."""

    def __init__(self) -> None:
        self.looks: list[list[str]] = []

    def watch_each_and_read(self, wanted: Iterable[tuple[object, object, str]]) -> None:
        self.looks.append([path for _, _, path in wanted])

    def watch_and_read(self, *wanted: object, fresh: bool) -> dict[str, int]:
        assert not fresh
        return {"ephemeralOwner": 9, "version": 0}


class Places:
    """A registry that keeps nothing."""

    def __init__(self, *answers: list[object]) -> None:
        self.lock = threading.RLock()
        self.session: Any = SimpleNamespace(
            epoch=1,
            lives_in=1,
            is_kept_up=True,
            binding=Binding(*answers),
            is_ours=lambda stat: False,
            was_ours=lambda stat: False,
        )
        self.watches: Any = Watches()
        self.nudges = 0

    def nudge(self) -> None:
        self.nudges += 1

    def node(self, name: str = "a") -> EphemeralNode:
        return EphemeralNode(self, "/", name, FIRST, OnDeletion.IGNORE)

    def subscribe(self, node: EphemeralNode) -> Any:
        return None

    def claim(self, node: EphemeralNode, path: str) -> None: ...

    def vacate(self, node: EphemeralNode, path: str) -> None: ...

    def is_superseded(self, node: EphemeralNode) -> bool:
        return False

    def finish(self, node: EphemeralNode, *, is_deleted: bool = False) -> None: ...


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def schedule(places: Places) -> Schedule:
    return Schedule(places.lock, places.nudge)


class TestTheSchedule:
    def test_a_node_is_due_at_the_earliest_time_asked_for(self, places, schedule) -> None:
        node = places.node()
        for when in (1e12, 5.0, 1e12):
            schedule.add(node, when)
        assert schedule.seconds_left() == 0
        assert schedule.take_due() == [node]
        assert schedule.take_due() == []
        assert schedule.seconds_left() is None

    def test_one_that_is_put_off_comes_sooner_when_it_is_hastened(self, places, schedule) -> None:
        node, other = places.node(), places.node("b")
        schedule.add(node, 1e12)
        assert schedule.take_due() == []
        schedule.hasten([other])
        assert schedule.take_due() == [node, other]

    def test_one_that_ends_connections_rests_whatever_it_is_asked_for(
        self, places, schedule
    ) -> None:
        node = places.node()
        for _ in range(MAX_LOSSES):
            node.setbacks.note_loss(node.path, node.desired)
        schedule.add(node)
        schedule.hasten()
        schedule.put_back([node])
        assert schedule.take_due() == []
        node.change(Desired("smaller", READ_ACL_UNSAFE))
        schedule.add(node)
        assert schedule.take_due() == [node]

    def test_one_that_the_program_deletes_is_left_alone_until_then(self, places, schedule) -> None:
        node = places.node()
        schedule.add(node)
        first, second = schedule.hold(node, "/a"), schedule.hold(node, "/a")
        assert schedule.take_due() == []
        schedule.release(first)
        schedule.add(node)
        assert schedule.take_due() == [], "the other deletion goes on"
        schedule.release(second)
        schedule.add(node)
        assert schedule.take_due() == [node]
        assert [first.is_contested, second.is_contested] == [False, False]

    def test_one_that_another_thread_has_in_hand_is_due_when_that_ends(
        self, places, schedule
    ) -> None:
        node, other = places.node(), places.node("b")
        hand, idle = schedule.begin([node]), schedule.begin([places.node("c")])
        schedule.add(node)
        schedule.add(other)
        assert schedule.take_due() == [other]
        assert schedule.take_due() == []
        assert schedule.seconds_left() is None, "nobody need look at the clock for it"
        assert not schedule.end(idle)
        assert schedule.end(hand)
        assert schedule.seconds_left() == 0
        assert schedule.take_due() == [node]

    def test_one_whose_reconciling_is_cut_off_is_due_at_once(self, places, schedule) -> None:
        node = places.node()
        hand = schedule.begin({node})
        schedule.add(node)
        assert places.nudges == 0
        del hand
        assert places.nudges == 1
        assert schedule.take_due() == [node]

    def test_a_deletion_is_contested_by_whichever_begins_first(self, places, schedule) -> None:
        node = places.node()
        hand = schedule.begin([node])
        later = schedule.hold(node, "/a")
        schedule.end(hand)
        earlier = schedule.hold(node, "/a")
        assert later.is_contested
        assert not earlier.is_contested
        schedule.end(schedule.begin([node]))
        assert earlier.is_contested

    def test_a_deletion_cut_off_by_an_interrupt_leaves_nothing(self, places, schedule) -> None:
        node = places.node()
        hold = schedule.hold(node, "/a")
        schedule.add(node)
        assert schedule.take_due() == []
        assert places.nudges == 0
        del hold
        assert places.nudges == 1
        assert schedule.take_due() == [node]
        hand = schedule.begin([node])
        del hand
        assert not schedule.hold(node, "/a").is_contested

    def test_no_node_is_lost_whatever_comes_in_between(self, places, schedule) -> None:
        ours, theirs = places.node(), places.node("b")
        taken: set[EphemeralNode] = set()
        added = 0

        def meddle() -> None:
            nonlocal added
            added += 1
            schedule.add(theirs, (0.0, 5.0)[added % 2])
            schedule.release(schedule.hold(ours, "/a"))

        def main() -> None:
            schedule.add(ours)
            nodes = schedule.take_due()
            schedule.put_back(nodes)
            nodes = schedule.take_due()
            taken.update(nodes)
            assert ours in nodes

        interrupted(main, meddle, 1000)
        taken.update(schedule.take_due())
        assert taken == {ours, theirs}


class TestANode:
    def test_a_finding_of_a_former_session_comes_too_late(self, places) -> None:
        node = places.node()
        node.note_written(FIRST, 1)
        assert str(node.state) == "registered"
        places.session.epoch = places.session.lives_in = 2
        assert str(node.state) == "pending"
        node.note_written(FIRST, 2)
        node.note(1, state=RegistrationState.PENDING, written=None)
        assert (node.state, node.known.written) == (RegistrationState.REGISTERED, FIRST)

    def test_the_last_desire_stays_one_that_is_withdrawn_is_so_for_good(self, places) -> None:
        node = places.node()
        assert node.change(second := Desired("2", READ_ACL_UNSAFE))
        assert node.desired is second
        node.withdraw()
        assert not node.change(FIRST)
        assert node.desired is None

    def test_a_write_by_the_program_counts_if_all_else_is_written(self, places) -> None:
        node = places.node()
        node.note_written(FIRST, 1)
        assert node.amend(1, data="2")
        assert node.desired == Desired("2", READ_ACL_UNSAFE)
        assert node.known.written is node.desired
        node.change(Desired("3", READ_ACL_UNSAFE))
        assert not node.amend(1, acl=OPEN_ACL_UNSAFE), "the data are yet to be written"
        assert node.desired == Desired("3", OPEN_ACL_UNSAFE)
        assert node.known.written == Desired("2", READ_ACL_UNSAFE)

    def test_writes_of_two_threads_at_once_leave_nothing_to_write(self, places) -> None:
        outcomes = []

        def amend() -> None:
            outcomes.append(node.amend(1, data="3"))

        class Interrupted(EphemeralNode):
            """A node that another thread races for, just before it is noted as written."""

            __slots__ = ()

            def note(self, epoch: int, **found: Any) -> None:
                def try_to() -> None:
                    if places.lock.acquire(blocking=False):
                        amend()
                        places.lock.release()

                if "state" not in found:
                    thread = threading.Thread(target=try_to)
                    thread.start()
                    thread.join()
                super().note(epoch, **found)

        node = Interrupted(places, "/", "a", FIRST, OnDeletion.IGNORE)
        node.note_written(FIRST, 1)
        outcomes.append(node.amend(1, data="2"))
        amend()
        assert False not in outcomes
        assert node.known.written is node.desired

    def test_data_written_in_a_former_session_are_written_again(self, places) -> None:
        node = places.node()
        node.note_written(FIRST, 1)
        places.session.epoch = 2
        assert not node.amend(1, data="2")

    def test_data_written_before_a_new_session_leave_its_node_pending(self, places) -> None:
        """They are written to the former session's node, which is about to vanish."""
        node = places.node()
        node.note_written(FIRST, 1)
        places.session.epoch = places.session.lives_in = 2
        node.amend(2, data="2")
        assert node.desired == Desired("2", READ_ACL_UNSAFE)
        assert str(node.state) == "pending"

    def test_a_lost_answer_leaves_open_what_is_there_if_it_differs(self, places) -> None:
        node = places.node()
        node.note_written(FIRST, 1)
        node.note_uncertain(FIRST)
        assert node.known.written is FIRST
        node.note_uncertain(Desired("2", OPEN_ACL_UNSAFE))
        assert node.known.written is None


class TestBulkReconciliation:
    def reconcile(self, places: Places, nodes: list[EphemeralNode]) -> Outcome:
        return BulkReconciliation(places.session, places.watches).reconcile(1, nodes)

    def test_few_nodes_cost_no_transaction(self, places) -> None:
        nodes = [places.node(name) for name in "abc"]
        assert self.reconcile(places, nodes) == (nodes, {})
        assert places.session.binding.paths == []

    def test_one_that_is_there_is_looked_at_and_the_others_are_tried_again(self) -> None:
        exists = zookeeper.error(zookeeper.NODEEXISTS)
        places = Places([UNDONE, exists, UNDONE, "/d"], ["/a", "/c"])
        nodes = [places.node(name) for name in "abcd"]
        assert self.reconcile(places, nodes) == ([], {})
        assert places.session.binding.paths == [["/a", "/b", "/c", "/d"], ["/a", "/c"]]
        assert places.watches.looks == [["/b"]]
        assert [node.state.value for node in nodes] == [
            "registered", "waiting", "registered", "registered"
        ]  # fmt: skip

    def test_many_that_are_there_are_looked_at_together(self) -> None:
        exists = zookeeper.error(zookeeper.NODEEXISTS)
        places = Places([exists, *[UNDONE] * 4], [exists, *[UNDONE] * 3])
        nodes = [places.node(name) for name in "abcde"]
        assert self.reconcile(places, nodes) == ([], {})
        assert [len(paths) for paths in places.session.binding.paths] == [5, 4]
        looks = [path for paths in places.watches.looks for path in paths]
        assert sorted(looks) == ["/a", "/b", "/c", "/d", "/e"]
        assert len(places.watches.looks) == 2
        assert {node.state.value for node in nodes} == {"waiting"}

    def test_a_refusal_about_a_parent_is_one_of_all_below_it(self) -> None:
        refused = zookeeper.error(zookeeper.NOAUTH, "/a")
        places = Places([refused, *[UNDONE] * 4])
        nodes = [places.node(name) for name in "abcde"]
        left, told = self.reconcile(places, nodes)
        assert left == []
        assert [vars(fault)["path"] for fault in told.values()] == [
            "/a", "/b", "/c", "/d", "/e"
        ]  # fmt: skip
        assert len(places.session.binding.paths) == 1

    def test_an_operation_that_is_none_leaves_all_to_go_one_by_one(self, places) -> None:
        def write(*arguments: Any, **more: Any) -> Any:
            raise zookeeper.error(zookeeper.BADARGUMENTS, "/b")

        places.session.binding.write_many = write
        nodes = [places.node(name) for name in "abcd"]
        assert self.reconcile(places, nodes) == (nodes, {})

    def test_lost_answers_are_raised_once_the_others_are_taken_in(self) -> None:
        lost = zookeeper.error(zookeeper.CONNECTIONLOSS)
        places = Places([lost, lost, "/c", "/d"])
        nodes = [places.node(name) for name in "abcd"]
        nodes[0].note(1, written=Desired("0", READ_ACL_UNSAFE))
        with pytest.raises(zookeeper.ConnectionLossException):
            self.reconcile(places, nodes)
        assert nodes[0].known.written is None, "it may be the old one or the new one"
        assert [node.state.value for node in nodes[2:]] == ["registered", "registered"]

    def test_creations_under_way_are_taken_in_when_they_are_waited_for(self, monkeypatch) -> None:
        places, steps, nodes = self.under_way(monkeypatch, [f"/{name}" for name in "abcd"])
        assert next(steps) is None
        assert places.session.pace.asked_besides == 4
        assert {node.state.value for node in nodes} == {"pending"}
        with pytest.raises(StopIteration) as end:
            next(steps)
        assert end.value.value == ([], {})
        assert places.session.pace.asked_besides == 0
        assert {node.state.value for node in nodes} == {"registered"}

    @pytest.mark.parametrize("outcome", [None, zookeeper.OperationTimeoutException("x")])
    def test_nobody_knows_what_has_become_of_creations_without_answers(
        self, monkeypatch, outcome
    ) -> None:
        places, steps, nodes = self.under_way(monkeypatch, outcome)
        nodes[0].note(1, written=Desired("0", READ_ACL_UNSAFE))
        next(steps)
        if outcome is None:
            steps.close()
        else:
            with pytest.raises(zookeeper.OperationTimeoutException):
                next(steps)
        assert nodes[0].known.written is None
        assert places.session.pace.asked_besides == 0

    def under_way(self, monkeypatch, outcome: Any) -> Any:
        """Return places, the steps of a reconciliation whose creations end so, and its nodes."""

        def wait() -> Any:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        call = SimpleNamespace(wait=wait, close=lambda: None)
        monkeypatch.setattr(bulkcall, "begin", lambda handle, later, binding: call)
        places = Places()
        places.session.pace = SimpleNamespace(asked_besides=0)
        nodes = [places.node(name) for name in "abcd"]
        bulk = BulkReconciliation(places.session, places.watches)
        return places, bulk.in_steps(1, nodes), nodes

    def test_connections_lost_in_a_row_end_it_until_one_is_not(self) -> None:
        lost: list[object] = [zookeeper.error(zookeeper.CONNECTIONLOSS)] * 4
        places = Places(*[lost] * MAX_LOSSES)
        nodes = [places.node(name) for name in "abcd"]
        bulk = BulkReconciliation(places.session, places.watches)
        for _ in range(MAX_LOSSES):
            with pytest.raises(zookeeper.ConnectionLossException):
                bulk.reconcile(1, nodes)
        assert bulk.reconcile(1, nodes) == (nodes, {})

    def test_a_node_that_another_thread_has_ended_is_not_deleted_once_more(self, places) -> None:
        """There may be another one at its path, for another registration."""
        places.session.is_ours = lambda stat: True
        nodes = [places.node(name) for name in "abcd"]
        for node in nodes:
            node.note_written(FIRST, 1)
            node.withdraw()
        attempt = Attempt(nodes[0], 1)
        attempt.choose()

        def end_all(*wanted: object) -> None:
            for node in nodes:
                node.note_ended()

        places.watches.watch_each_and_read = end_all
        assert self.reconcile(places, nodes) == ([], {})
        assert attempt.delete(0).presence is Presence.MISSING
        assert places.session.binding.paths == []
