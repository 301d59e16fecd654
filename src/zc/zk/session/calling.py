"""Where a session stands, and calls of the binding in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Concatenate, NoReturn, ParamSpec, TypeVar

import zookeeper
from zc.zk.session import processes
from zc.zk.session.handle import id_of, owner_of
from zc.zk.session.handles import Handles
from zc.zk.session.state import State, StateMachine

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Stat

P = ParamSpec("P")
R = TypeVar("R")


class Calling:
    """The part of a session by which calls are made."""

    connection_string: str
    binding: Binding
    _handles: Handles
    _machine: StateMachine
    _pid: int

    def __reduce__(self) -> NoReturn:
        # All that belongs to a client leads here when it is pickled.
        raise TypeError(
            "a client of ZooKeeper, and what it has made, cannot be passed to another process: open"
            " a client there, with the same connection string"
        )

    @property
    def state(self) -> State:
        state = self._machine.state
        return State.FORKED if self.is_forked and state is not State.CLOSED else state

    @property
    def epoch(self) -> int:
        """How many sessions there have been, the one that there is included."""
        return self._machine.epoch

    @property
    def connects(self) -> int:
        """How many times a connection was made: between two numbers lies a gap without events."""
        return self._machine.connects

    @property
    def handle(self) -> int | None:
        """The binding's handle; None while there is no session."""
        return None if self.is_forked else self._handle

    @property
    def _handle(self) -> int | None:
        """The same, in the process that the session belongs to."""
        current = self._handles.current
        return current.handle if self._machine.has_session else None

    @property
    def lives_in(self) -> int | None:
        """The epoch of the session that there is; None while there is none."""
        epoch = self.epoch
        return None if self.handle is None else epoch

    def require_handle(self) -> int:
        """Return the handle. Raises what a call on it would raise while there is none."""
        self.check_process()
        handle = self._handle
        if handle is not None:
            return handle
        if self.state is State.CLOSED:
            raise closed()
        raise zookeeper.error(
            zookeeper.CONNECTIONLOSS,
            None,
            f"no session: {self._machine.reason}",
            may_have_happened=False,
        )

    def call(
        self, function: Callable[Concatenate[int, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a function of the binding with the handle in front.

        The maintenance may replace the handle just then: a call that comes too late for the old one
        raises what those do that are under way in it.
        """
        handle = self.require_handle()
        try:
            return function(handle, *args, **kwargs)
        except zookeeper.InvalidStateException as fault:
            raise self.as_lost(fault) from fault

    def call_early(
        self, function: Callable[Concatenate[int, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a function as `call` does, also in a session that is still being opened."""
        handle = self.early_handle()
        try:
            return function(handle, *args, **kwargs)
        except zookeeper.InvalidStateException as fault:
            raise self.as_lost(fault) from fault

    def as_lost(self, fault: zookeeper.InvalidStateException) -> zookeeper.ZooKeeperException:
        """Return what a call raises that found the handle closed."""
        if isinstance(fault, zookeeper.ForkedException):
            return fault
        if self.state is State.CLOSED:
            return closed()
        return zookeeper.error(
            zookeeper.CONNECTIONLOSS,
            fault.path,
            "the session has just been lost",
            may_have_happened=False,
        )

    def early_handle(self) -> int:
        """Return the handle, also of a session that is being opened; see `require_handle`."""
        self.check_process()
        handle = self._handles.current.handle
        if handle is None or self._machine.is_over:
            return self.require_handle()
        return handle

    def check_process(self) -> None:
        """Raise ForkedException in a child process.

        Before any lock is taken: a thread that does not exist here may have held it at the fork.
        """
        if self.is_forked:
            raise zookeeper.ForkedException(
                f"this client of {self.connection_string} belongs to process {self._pid}, which"
                " forked this one: call its `reopen` here, or make a new one"
            )

    @property
    def is_forked(self) -> bool:
        """Whether this is a child of the process that the session belongs to."""
        return processes.current != self._pid

    @property
    def is_kept_up(self) -> bool:
        """Whether this process keeps the session up, or tries to."""
        return self.state not in (State.CLOSED, State.FORKED)

    def is_ours(self, stat: Stat) -> bool:
        """Say whether a node is an ephemeral one of this session."""
        return self.call(partial(id_of, self.binding)) == owner_of(stat)

    def was_ours(self, stat: Stat) -> bool:
        """Say whether a former session of ours made a node, which is about to vanish."""
        return owner_of(stat) in self._handles.former_ids


def closed() -> zookeeper.ZooKeeperException:
    """Return what a call raises on a client that has been closed."""
    fault = zookeeper.error(
        zookeeper.CLOSING, None, "this client has been closed", may_have_happened=False
    )
    fault.is_retriable = False  # this client has no other session
    return fault
