"""Requests whose answers are lost, and threads that cross each other.

Each race happened in the fault suite; here the order of events is arranged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire, session_id
from tests.library.providers import ADDRESS, PATH, data_of
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, world_permission
from zc.zk.registration.step import Desired
from zookeeper.errors import CLASS_OF_CODE

pytestmark = pytest.mark.usefixtures("providers")


class LostAnswers:
    """A function of the binding whose first calls seem to lose the connection.

    `outcomes` says of these whether they are done nevertheless.
    """

    def __init__(self, function: Callable[..., Any], outcomes: list[bool]) -> None:
        self._function = function
        self._outcomes = outcomes

    def __call__(self, handle: int, *arguments: Any, **more: Any) -> Any:
        if not self._outcomes:
            return self._function(handle, *arguments, **more)
        if self._outcomes.pop(0):
            self._function(handle, *arguments, **more)
        raise zookeeper.error(zookeeper.CONNECTIONLOSS, "/lost")


class Raising:
    """A function of the binding that fails with `code`."""

    def __init__(self, code: int) -> None:
        self._code = code

    def __call__(self, handle: int, path: str, *arguments: Any, **more: Any) -> Any:
        raise zookeeper.error(self._code, path)


def lose_answers(monkeypatch: pytest.MonkeyPatch, name: str, *outcomes: bool) -> None:
    monkeypatch.setattr(zookeeper, name, LostAnswers(getattr(zookeeper, name), list(outcomes)))


class TestARegistration:
    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize("second", [True, False])
    def test_a_registration_after_lost_answers_has_the_latest_data(
        self, zk, other, monkeypatch, first, second
    ) -> None:
        monkeypatch.setattr(zk._session.maintenance, "_duties", [])
        lose_answers(monkeypatch, "create", first, second)
        registration = zk.register("/providers", ADDRESS, n=1)
        registration.update(n=2)
        monkeypatch.undo()
        zk._session.wake()
        wait_until(lambda: str(registration.state) == "registered", "it is registered")
        wait_until(lambda: data_of(other)["n"] == 2, lambda: f"it is up to date: {data_of(other)}")

    def test_one_withdrawn_without_a_connection_can_be_made_again_at_once(
        self, client, proxy, root, other
    ) -> None:
        zk = client(proxy.connection_string + root)
        first = zk.register("/providers", ADDRESS, n=1)
        proxy.refuse()
        proxy.cut()
        first.unregister()
        second = zk.register("/providers", ADDRESS, n=2)
        proxy.allow()
        wait_until(lambda: str(second.state) == "registered", lambda: repr(second), 30)
        wait_until(lambda: data_of(other)["n"] == 2, lambda: f"it is the new one: {data_of(other)}")
        assert str(first.state) == "ended"
        first.unregister()
        zk.sync("/")
        assert data_of(other)["n"] == 2

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_one_withdrawn_while_it_is_being_made_stays_away(self, zk, other, monkeypatch) -> None:
        """The program sees that there is no node, and a moment later there is."""
        keeper_creates, withdrawn = threading.Event(), threading.Event()
        create = zookeeper.create

        def create_late(handle: int, *arguments: Any, **more: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                raise zookeeper.error(zookeeper.CONNECTIONLOSS, PATH)
            keeper_creates.set()
            withdrawn.wait(scaled(30))
            return create(handle, *arguments, **more)

        monkeypatch.setattr(zookeeper, "create", create_late)
        registration = zk.register("/providers", ADDRESS)
        assert keeper_creates.wait(scaled(30))
        made_and_gone = Calls()
        other.exists(PATH, made_and_gone)
        registration.unregister()
        withdrawn.set()
        made_and_gone.wait_one()
        wait_until(lambda: not other.exists(PATH), "it is gone")
        wait_until(lambda: not zk.watches._dependencies.nodes(), "nothing depends on it any more")

    def test_one_that_the_ensemble_is_still_making_is_withdrawn(
        self, zk, other, monkeypatch
    ) -> None:
        """The server of the new connection does not know the node until a sync."""
        create, sync = zookeeper.create, zookeeper.sync

        def create_later(handle: int, *arguments: Any) -> Any:
            monkeypatch.setattr(zookeeper, "create", create)

            def catch_up(handle: int, path: str) -> Any:
                create(handle, *arguments)
                monkeypatch.setattr(zookeeper, "sync", sync)
                return sync(handle, path)

            monkeypatch.setattr(zookeeper, "sync", catch_up)
            raise zookeeper.error(zookeeper.CONNECTIONLOSS, PATH)

        monkeypatch.setattr(zk._session.maintenance, "_duties", [])
        monkeypatch.setattr(zookeeper, "create", create_later)
        registration = zk.register("/providers", ADDRESS)
        registration.unregister()
        assert not other.exists(PATH)
        assert zookeeper.sync is sync, "it was made"

    def test_one_withdrawn_while_it_is_updated_stays_away(self, zk, other) -> None:
        for round_ in range(50):
            registration = zk.register("/providers", ADDRESS, n=round_)
            updating = threading.Thread(target=registration.update, kwargs={"n": -1})
            updating.start()
            registration.unregister()
            updating.join(scaled(30))
            wait_until(lambda: not other.exists(PATH), "it is gone")
            zk.sync("/")
            registration.update(n=-2)
            assert not other.exists(PATH)
            assert str(registration.state) == "ended"

    def test_an_update_that_is_pending_outlives_what_the_program_writes_itself(
        self, zk, other, monkeypatch
    ) -> None:
        registration = zk.register("/providers", ADDRESS, OPEN_ACL_UNSAFE, n=1)
        monkeypatch.setattr(zk._session.maintenance, "_duties", [])
        lose_answers(monkeypatch, "set", False)
        registration.update(n=2)
        assert data_of(other)["n"] == 1
        zk.set_acl(PATH, -1, READ_ACL_UNSAFE)
        monkeypatch.undo()
        zk._session.wake()
        wait_until(lambda: data_of(other)["n"] == 2, lambda: f"it is up to date: {data_of(other)}")
        assert other.get_acl(PATH)[1] == READ_ACL_UNSAFE

    def test_an_acl_is_the_latest_though_the_answer_to_another_was_lost(
        self, zk, other, monkeypatch
    ) -> None:
        zk.create("/mine", "1", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        (node,) = zk._ephemerals.registry._by_path.values()
        monkeypatch.setattr(zk._session.maintenance, "_duties", [])
        lose_answers(monkeypatch, "multi", True)
        acl = [world_permission(zookeeper.PERM_READ | zookeeper.PERM_WRITE)]
        zk._ephemerals.registry.change(node, Desired("2", acl))
        assert other.get_acl("/mine")[1] == acl
        zk._ephemerals.registry.change(node, Desired("3", OPEN_ACL_UNSAFE))
        assert (other.get("/mine")[0], other.get_acl("/mine")[1]) == ("3", OPEN_ACL_UNSAFE)

    def test_a_path_that_no_node_can_have_is_withdrawn_at_once(
        self, zk, other, monkeypatch
    ) -> None:
        """A server finds out that no node can have the path; none has been asked."""
        monkeypatch.setattr(zk._session.maintenance, "_duties", [])
        lose_answers(monkeypatch, "create", False)
        registration = zk.register("/nowhere/../providers", ADDRESS)
        assert str(registration.state) == "pending"
        registration.unregister()
        assert str(registration.state) == "ended"

    def test_a_deletion_that_crosses_an_update_leaves_no_node(self, zk, other, monkeypatch) -> None:
        """The update finds the node gone and makes it again: a race."""
        registration = zk.register("/providers", ADDRESS, n=1)
        delete = zookeeper.delete
        updating = threading.Thread(target=registration.update, kwargs={"n": 2})

        def delete_and_update(handle: int, *arguments: Any, **more: Any) -> Any:
            monkeypatch.undo()
            code = delete(handle, *arguments, **more)
            updating.start()
            updating.join(scaled(30))
            assert other.exists(PATH)
            return code

        monkeypatch.setattr(zookeeper, "delete", delete_and_update)
        zk.delete(PATH)
        wait_until(lambda: not other.exists(PATH), "it is gone")
        wait_until(lambda: str(registration.state) == "ended", lambda: repr(registration))

    @pytest.mark.parametrize("code", [zookeeper.CONNECTIONLOSS, zookeeper.SESSIONEXPIRED])
    def test_deleted_with_its_tree_stays_away_though_the_answer_was_lost(
        self, zk, other, monkeypatch, code
    ) -> None:
        registration = zk.register("/providers", ADDRESS)
        write_many = zookeeper.write_many

        def lose_answer(handle: int, operations: list[Any], **more: Any) -> list[Any]:
            monkeypatch.undo()
            write_many(handle, operations, **more)
            return [zookeeper.error(code, path) for _, path, _ in operations]

        monkeypatch.setattr(zookeeper, "write_many", lose_answer)
        zk.delete_recursive(PATH, force=True)
        assert str(registration.state) == "ended"
        zk.register("/providers", "2.2.2.2:2")  # after all that was to be done
        assert not other.exists(PATH)

    @pytest.mark.parametrize(
        "delete",
        [
            lambda zk: zk.delete_recursive("/providers", force=True),
            lambda zk: zk.plan_delete("/providers", force=True).apply(),
        ],
    )
    def test_a_deletion_given_up_half_way_tells_the_nodes_that_are_left(
        self, zk, other, monkeypatch, delete
    ) -> None:
        left, gone = (zk.register("/providers", f"1.1.1.1:{port}") for port in (1, 2))
        multi = zookeeper.multi

        def give_up(handle: int, operations: list[Any], **more: Any) -> list[Any]:
            monkeypatch.undo()
            multi(handle, [step for step in operations if step[1] == gone.paths[0]])
            raise RuntimeError("enough")

        monkeypatch.setattr(zookeeper, "write_many", give_up)
        monkeypatch.setattr(zookeeper, "multi", give_up)
        with pytest.raises(RuntimeError, match="enough"):
            delete(zk)
        assert str(gone.state) == "ended"
        other.delete(left.paths[0])
        wait_until(lambda: other.exists(left.paths[0]), "it is made again")
        wait_until(lambda: str(left.state) == "registered", lambda: repr(left))
        assert not other.exists("/providers/1.1.1.1:2")


class TestASessionThatTheServersHaveEnded:
    """A server may serve reads of an ended session, and refuse all else."""

    @pytest.fixture(autouse=True)
    def ended_session(self, zk, providers, monkeypatch) -> int:
        former = session_id(zk)

        def refuse_in_former_session(function: Callable[..., Any]) -> Callable[..., Any]:
            def refuse(handle: int, *arguments: Any, **more: Any) -> Any:
                if zookeeper.client_id(handle)[0] == former:
                    raise zookeeper.error(zookeeper.SESSIONEXPIRED)
                return function(handle, *arguments, **more)

            return refuse

        for name in ("create", "multi", "write_many"):
            function = getattr(zookeeper, name)
            monkeypatch.setattr(zookeeper, name, refuse_in_former_session(function))
        return former

    def test_is_replaced_when_a_registration_finds_out(self, zk, other, ended_session) -> None:
        zk.register_server("/providers", ADDRESS)
        wait_until(lambda: other.exists(PATH), "it is registered", 30)
        assert session_id(zk) != ended_session

    def test_is_replaced_when_work_on_a_tree_finds_out(self, zk, other, ended_session) -> None:
        zk.import_tree("/tree\n  n = 1\n")
        assert other.get_properties("/tree") == {"n": 1}
        assert session_id(zk) != ended_session


class TestAnEphemeralNode:
    def test_deleted_with_a_session_error_stays_away_unless_refused(
        self, zk, other, monkeypatch, connection_string
    ) -> None:
        refused = zookeeper.NotReadOnlyException
        errors = [cls for cls in CLASS_OF_CODE.values() if issubclass(cls, zookeeper.SessionError)]
        assert zookeeper.SessionClosedRequireSaslAuthException in errors
        zk.create("/mine", "")
        for cls in errors:
            path = f"/mine/{cls.__name__}"
            zk.create(path, "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
            with monkeypatch.context() as patched:
                patched.setattr(zookeeper, "delete", Raising(cls.code))
                with pytest.raises(zookeeper.SessionError):
                    zk.delete(path)
        zk.create("/mine/kept", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        expire(zk, connection_string)
        again = {refused.__name__, "kept"}  # by a transaction of each
        wait_until(lambda: again <= {*other.get_children("/mine")}, "nodes are made again", 30)
        assert {*other.get_children("/mine")} == again

    def test_a_deletion_that_is_refused_keeps_what_is_to_be_written(self, zk, other) -> None:
        zk.create("/mine", "old", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        ephemerals = zk._ephemerals
        hold = ephemerals.hold("/mine")
        ephemerals.note_data("/mine", "new", zk._session.epoch - 1)
        wait_until(lambda: ephemerals.registry.schedule.seconds_left() is None, "it is left alone")
        assert other.get("/mine")[0] == "old"
        ephemerals.release(hold, is_gone=False)
        wait_until(lambda: other.get("/mine")[0] == "new", "it is written")

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_deleted_while_a_new_session_makes_it_again_stays_away(
        self, zk, other, monkeypatch, connection_string
    ) -> None:
        """The program hears that there is no node, and a moment later it is there."""
        zk.create("/mine", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        keeper_creates, deleted = threading.Event(), threading.Event()
        create, delete = zookeeper.create, zookeeper.delete

        def create_late(handle: int, path: str, *arguments: Any, **more: Any) -> Any:
            if path == "/mine":
                keeper_creates.set()
                deleted.wait(scaled(30))
            return create(handle, path, *arguments, **more)

        def delete_and_wait(handle: int, path: str, *arguments: Any, **more: Any) -> Any:
            try:
                return delete(handle, path, *arguments, **more)
            finally:
                if threading.current_thread() is threading.main_thread():
                    deleted.set()
                    wait_until(lambda: zookeeper.exists(handle, path), "the keeper has made it")

        monkeypatch.setattr(zookeeper, "create", create_late)
        monkeypatch.setattr(zookeeper, "delete", delete_and_wait)
        expire(zk, connection_string)
        assert keeper_creates.wait(scaled(30))
        with pytest.raises(zookeeper.NoNodeException):
            zk.delete("/mine")
        wait_until(lambda: not other.exists("/mine"), "it is gone")
        wait_until(lambda: not zk.watches._dependencies.nodes(), "nothing depends on it any more")

    def test_data_written_as_the_session_ends_are_there_in_the_next(
        self, zk, other, monkeypatch, connection_string
    ) -> None:
        zk.create("/mine", "old", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        former = session_id(zk)
        write = zookeeper.set

        def write_and_lose_the_session(handle: int, *arguments: Any) -> Any:
            code = write(handle, *arguments)
            monkeypatch.undo()
            expire(zk, connection_string)
            wait_until(lambda: other.exists("/mine"), "it has been made again")
            return code

        monkeypatch.setattr(zookeeper, "set", write_and_lose_the_session)
        zk.set("/mine", "new")
        assert session_id(zk) != former
        wait_until(lambda: other.get("/mine")[0] == "new", lambda: str(other.get("/mine")))
