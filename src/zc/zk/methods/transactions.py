"""Transactions: many operations, as methods; ephemeral nodes in them are kept in being."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.acl import kept
from zc.zk.methods.passing import GONE, UNCERTAIN, code_of, given
from zc.zk.methods.writing import Writing

if TYPE_CHECKING:
    from zc.zk.registration.schedule import Hold
    from zookeeper.types import MultiCompletion, Operation, Progress


class Transactions(Writing):
    """The methods that do several operations at once."""

    def multi(self, ops: Iterable[Operation], *, timeout: float | None = None) -> list[Any]:
        """Do several operations, all or none, as `zookeeper.multi` does."""
        return self._do_all(ops, self._session.binding.multi, **given(timeout=timeout))

    def amulti(self, ops: Iterable[Operation], completion: MultiCompletion | None = None) -> int:
        """Like `multi`; `completion(handle, code, results)`."""
        operations = self._kept_all(ops)
        epoch = self._session.epoch
        self._session.require_handle()
        held: dict[int, Hold] = {}

        def done(handle: int, code: int, results: list[Any] | None) -> None:
            if code == zookeeper.OK and results is not None:
                self._note_results(operations, results, held, epoch)
            else:
                self._release_all(held, code)
            if completion is not None:
                completion(handle, code, results)

        try:
            self._hold_deleted(operations, held)
            return self._session.call(self._session.binding.amulti, operations, done)
        except BaseException:
            self._release_all(held, None)
            raise

    def write_many(
        self, ops: Iterable[Operation], *, count: int | None = None, batch: int = 500,
        in_flight: int = 4, serial: int = 0, stop: bool = True,
        progress: Progress | None = None, timeout: float | None = None,
    ) -> list[Any]:  # fmt: skip
        """Do many operations in a sequence of transactions, as `zookeeper.write_many` does."""
        return self._do_all(
            ops,
            self._session.binding.write_many,
            count=count,
            batch=batch,
            in_flight=in_flight,
            serial=serial,
            stop=stop,
            progress=progress,
            timeout=timeout,
        )

    def _do_all(
        self, ops: Iterable[Operation], function: Callable[..., list[Any]], **options: Any
    ) -> list[Any]:
        """Have the binding's `function` do operations, and note what has become of them."""
        operations = self._kept_all(ops)
        epoch = self._session.epoch
        self._session.require_handle()
        held: dict[int, Hold] = {}
        try:
            self._hold_deleted(operations, held)
            results = self._session.call(function, operations, **options)
        except BaseException as fault:
            self._release_all(held, code_of(fault))
            raise
        self._note_results(operations, results, held, epoch)
        return results

    def _kept_all(self, ops: Iterable[Operation]) -> list[Operation]:
        """List operations; those of ephemeral nodes, which are remembered, are copies."""
        operations: list[Any] = list(ops)
        for index, operation in enumerate(operations):
            if isinstance(operation, list):
                operation = operations[index] = tuple(operation)
            if isinstance(operation, tuple) and operation[4:5] == (zookeeper.EPHEMERAL,):
                self._ephemerals.expect(zookeeper.EPHEMERAL)
                operations[index] = (*operation[:3], kept(operation[3]), *operation[4:])
        return operations

    def _hold_deleted(self, operations: list[Operation], held: dict[int, Hold]) -> None:
        """Leave alone what is to be deleted, until the holds are released."""
        for index, operation in enumerate(operations):
            match operation:  # of one that is none the binding says so
                case ("delete", path, *_) if hold := self._ephemerals.hold(path):
                    held[index] = hold

    def _release_all(self, held: dict[int, Hold], code: int | None) -> None:
        """A transaction has failed: nothing in it was done, unless the code leaves it open."""
        for hold in held.values():
            self._ephemerals.release(hold, is_gone=code in UNCERTAIN)

    def _note_results(
        self,
        operations: list[Operation],
        results: list[Any],
        held: dict[int, Hold],
        epoch: int,
    ) -> None:
        for index, (operation, result) in enumerate(zip(operations, results, strict=True)):
            name, path, *arguments = operation
            failed = isinstance(result, Exception)
            if index in held:
                code = code_of(result) if failed else zookeeper.OK
                self._ephemerals.release(held[index], is_gone=code in GONE)
            elif failed:
                continue
            elif name in ("create", "create2"):
                made = result if name == "create" else result[0]
                data, acl, flags = (*arguments, 0)[:3]
                self._note_created(made, data, acl, flags, epoch)
            elif name == "set":
                self._ephemerals.note_data(path, arguments[0], epoch)
