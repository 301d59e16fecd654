"""The binding's functions that change many nodes at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal

from zc.zk.testing.emulation import arguments
from zc.zk.testing.emulation.asking import Asking, Done
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.planning import (
    Planned,
    check_size_of_all,
    in_transactions,
    plan,
    value_of,
)
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.engine import Client, Refusal
from zookeeper import constants, errors

if TYPE_CHECKING:
    from zookeeper.types import BulkCompletion, MultiCompletion, Operation, Progress

# The limit of a transaction of write_many, in bytes.
MAX_BYTES: Final = 500_000

MAX_IN_FLIGHT: Final = 100


class Transactions(Asking):
    def multi(self, h: int, ops: Iterable[Operation], *, timeout: float | None = None) -> list[Any]:
        """Do several operations as one transaction: all of them or none."""
        handle = self._server.find(h)
        arguments.timeout(timeout)
        planned = plan(handle, ops)
        if not planned:
            return []
        check_size_of_all(handle, planned)
        code, (outcome,) = handle.ask(self._transaction(handle, planned))
        if code != constants.OK:
            raise errors.error(code)
        results, codes = outcome
        for index, failed in enumerate(codes):
            if failed != constants.OK:
                problem = self._refusal(handle, failed, planned[index].path)
                vars(problem).update(index=index, results=codes)
                raise problem
        return list(results)

    def amulti(
        self, h: int, ops: Iterable[Operation], completion: MultiCompletion | None = None
    ) -> Literal[0]:
        """Do the same as multi; `completion(handle, code, results)`."""
        handle = self._server.find(h)
        planned = plan(handle, ops)
        arguments.function(completion, "a completion")
        check_size_of_all(handle, planned)

        def complete(number: int, code: int, outcome: Any) -> None:
            results: list[Any] | None
            codes: list[int]
            results, codes = outcome or (None, [])
            failed = next((each for each in codes if each != constants.OK), code)
            assert completion is not None
            completion(number, failed, results if failed == code else codes)

        handle.ask(self._transaction(handle, planned), None if completion is None else complete)
        return constants.OK

    def check_operations(self, h: int, ops: Iterable[Operation]) -> None:
        """Raise what write_many would of operations it cannot send; send none."""
        plan(self._server.find(h), ops)

    def write_many(
        self,
        h: int,
        ops: Iterable[Operation],
        *,
        count: int | None = None,
        batch: int = 500,
        in_flight: int = 4,
        serial: int = 0,
        stop: bool = True,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> list[Any]:
        """Do many operations, in order, as a sequence of transactions."""
        planned = self._plan_writes(h, ops, count, batch, in_flight, serial, progress, timeout)
        return self._write(self._server.find(h), planned, batch, serial, stop, progress)

    def awrite_many(
        self,
        h: int,
        ops: Iterable[Operation],
        completion: BulkCompletion[list[Any]] | None = None,
        *,
        batch: int = 500,
        in_flight: int = 4,
        serial: int = 0,
        stop: bool = True,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Done:
        """Do the same as write_many; `completion(handle, code, results)`."""
        planned = self._plan_writes(h, ops, None, batch, in_flight, serial, progress, timeout)
        arguments.function(completion, "a completion")
        handle = self._server.find(h)
        results = self._write(handle, planned, batch, serial, stop, progress)
        if completion is not None:
            tell = partial(completion, handle.number, constants.OK, results)
            self._server.delivery.put(tell)
        self._server.deliver(nested=False)
        return Done()

    def _plan_writes(
        self,
        h: int,
        ops: Iterable[Operation],
        count: int | None,
        batch: int,
        in_flight: int,
        serial: int,
        progress: Progress | None,
        timeout: float | None,
    ) -> list[Planned]:
        handle = self._server.find(h)
        planned = plan(handle, ops)
        if arguments.integer(batch, "batch") < 1:
            raise arguments.bad(None, f"batch must be at least 1: {batch}")
        if not 1 <= arguments.integer(in_flight, "in_flight") <= MAX_IN_FLIGHT:
            raise arguments.bad(None, f"in_flight must be from 1 to {MAX_IN_FLIGHT}: {in_flight}")
        if count is not None and arguments.integer(count, "count") < 0:
            raise arguments.bad(None, f"count must not be negative: {count}")
        if count is not None and count != len(planned):
            raise ValueError(f"count is {count}, but the iterator gave {len(planned)} operations")
        if not 0 <= arguments.integer(serial, "serial") <= len(planned):
            raise arguments.bad(None, f"serial must be from 0 to {len(planned)}: {serial}")
        arguments.function(progress, "progress")
        arguments.timeout(timeout)
        handle.require_usable(None)
        return planned

    def _write(
        self,
        handle: Handle,
        planned: list[Planned],
        batch: int,
        serial: int,
        stop: bool,
        progress: Progress | None,
    ) -> list[Any]:
        results: list[Any] = []
        most = min(MAX_BYTES, handle.max_request - 64)
        for transaction in chain(
            in_transactions(planned[:serial], batch, most),
            in_transactions(planned[serial:], batch, most),
        ):
            outcome, failed = self._outcome(handle, transaction)
            results += outcome
            if progress is not None:
                progress(len(results), len(planned))
            if failed and stop:
                break
        not_sent = planned[len(results) :]
        return results + [errors.error(constants.NOTHING, each.path) for each in not_sent]

    def _outcome(self, handle: Handle, planned: list[Planned]) -> tuple[list[Any], bool]:
        """Do one transaction of many, and return results and whether it failed."""
        code, (outcome,) = handle.ask(self._transaction(handle, planned))
        if code != constants.OK:
            return [errors.error(code, each.path) for each in planned], True
        results, codes = outcome
        if results is not None:
            return results, False
        undone = constants.RUNTIMEINCONSISTENCY
        return [
            errors.error(failed if failed != constants.OK else undone, each.path)
            for failed, each in zip(codes, planned, strict=True)
        ], True

    def _transaction(self, handle: Handle, planned: list[Planned]) -> Request:
        """Make a request of a transaction.

        It has one result: the values if all went well, and the codes of all operations.
        """

        def perform(client: Client) -> tuple[Any, ...]:
            written = self._server.engine.write_all(client, [each.write for each in planned])
            results: list[Any] = []
            for each, one in zip(planned, written, strict=True):
                if isinstance(one, Refusal):
                    return ((None, [getattr(one, "code", constants.OK) for one in written]),)
                results.append(value_of(handle, each, one))
            return ((results, [constants.OK] * len(planned)),)

        return Request(None, perform, failed=(None,))
