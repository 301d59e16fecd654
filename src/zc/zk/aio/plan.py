"""Plans of an asynchronous client, and walks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from zc.zk.aio.crossing import cross
from zc.zk.operations.plan import Plan as Blocking
from zc.zk.tree.changes import Change

if TYPE_CHECKING:
    from zc.zk.aio.forms import Face
    from zookeeper.types import Progress

T = TypeVar("T")

# A walk that need not wait lets others have their turn so often.
TURN_SECONDS = 0.005


class Plan:
    """The changes that an import or a deletion would make, or will, in order.

    It is what the blocking client's plan is, and `apply` is to be awaited.
    """

    def __init__(self, zk: Face, plan: Blocking) -> None:
        self._zk = zk
        self._plan = plan

    def __iter__(self) -> Iterator[Change]:
        return iter(self._plan)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, index: int) -> Change:
        return self._plan[index]

    def __str__(self) -> str:
        return str(self._plan)

    def __repr__(self) -> str:
        return repr(self._plan)

    @property
    def deletions(self) -> list[str]:
        """The paths of the nodes that are deleted, in order."""
        return self._plan.deletions

    @property
    def losses(self) -> list[str]:
        """Sentences about all that is not as the text says when the plan has been applied."""
        return self._plan.losses

    @property
    def zxid(self) -> int:
        """The servers' last change when the nodes were read."""
        return self._plan.zxid

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """Yield the lines that a dry run prints; `verbose` tells all of new subtrees."""
        return self._plan.lines(verbose=verbose)

    def notices(self) -> Iterator[str]:
        """Yield the lines that are printed when the plan is applied."""
        return self._plan.notices()

    async def apply(self, progress: Progress | None = None) -> None:
        """Make the changes; in one transaction if they fit into one (500 nodes, 500 KB).

        A cancellation is like a failure: nothing goes on after it, though what was under way may
        be done.
        """
        self._zk._ready()
        await cross(self._plan.apply, progress)


class Walk(AsyncIterator[T], Generic[T]):
    """The nodes of a tree, at the pace of the loop that goes through them."""

    def __init__(self, zk: Face, steps: Iterator[T]) -> None:
        self._zk = zk
        self._steps = steps
        self._turn = 0.0

    async def __anext__(self) -> T:
        self._zk._ready()
        loop = asyncio.get_running_loop()
        if loop.time() - self._turn > TURN_SECONDS:
            await asyncio.sleep(0)
            self._turn = loop.time()
        step: Any = await cross(next, self._steps, _END)
        if step is _END:
            raise StopAsyncIteration
        return step  # type: ignore[no-any-return]


_END = object()
