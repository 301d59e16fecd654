"""Bulk calls, which wait for many answers: without a thread, and given up with their caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.aio.answers import Answers
from zc.zk.aio.crossing import wait
from zc.zk.session.bridge import fault_of

if TYPE_CHECKING:
    from zookeeper.types import Operation, Progress


class _Reports:
    """The progress of a call, told to the program, which may raise to have it given up."""

    def __init__(self, progress: Progress) -> None:
        self._progress: Progress | None = progress
        self.fault: BaseException | None = None
        self.give_up: Callable[[], object] | None = None

    def __call__(self, done: int, total: int | None) -> None:
        if self.fault is not None or self._progress is None:
            return
        try:
            self._progress(done, total)
        except BaseException as fault:
            self.fault = fault
            if self.give_up is not None:
                self.give_up()

    def end(self) -> None:
        """Tell no more: the binding may keep this until an answer comes, if one does."""
        self._progress = None


def ask_in_bulk(
    answers: Answers, later: Callable[..., Any], h: int, args: tuple[Any, ...], **options: Any
) -> Any:
    """Return the results of a bulk call, in a crossing; `later` is its form that does not wait."""
    reports = None
    if (progress := options.pop("progress", None)) is not None:
        reports = options["progress"] = _Reports(progress)
    if (count := options.pop("count", None)) is not None:
        # The call that waits takes them while the first are under way; this one waits for nothing.
        operations = list(options.pop("ops") if "ops" in options else args[0])
        _check_count(operations, count)
        args = (operations,)
    is_of_path = "path" in options or bool(args and isinstance(args[0], str))
    # Neither stays on this stack while it waits; see `Crossing.awaited`.
    expected: list[Any] = [*answers.expect()]
    work = later(h, *args, completion=expected.pop(), **options)
    if reports is not None:
        reports.give_up = work.cancel
    try:
        code, results = wait(expected.pop())
    except BaseException:
        work.cancel()
        if reports is not None:
            reports.end()
        raise
    if reports is not None and reports.fault is not None:
        raise reports.fault
    if code != zookeeper.OK:
        raise fault_of(code, (options.get("path") or args[0]) if is_of_path else None)
    return results[0]


def _check_count(operations: list[Operation], count: int) -> None:
    if len(operations) != count:
        raise zookeeper.error(
            zookeeper.BADARGUMENTS, None, f"count is {count}, and there are {len(operations)}"
        )
